"""CEL: values, errors in cel-go's words, costs that bound hostile expressions."""

from __future__ import annotations

import pytest

from cluster.apimachinery.cel import CompileError, CostExceeded, EvaluationError, compile_expression
from cluster.apimachinery.cel.types import BOOL, DYN, INT, STRING, list_of, object_of


def value(source: str, **names: object) -> object:
    return compile_expression(source, dict.fromkeys(names, DYN)).evaluate(names, 1_000_000)[0]


@pytest.mark.parametrize(
    "source",
    [
        "1 + 2 * 3 == 7",
        "-7 / 2 == -3 && -7 % 2 == -1",
        "7.0 / 2.0 == 3.5",
        "'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c')",
        "'a.b.c'.split('.') == ['a', 'b', 'c'] && ['a', 'b'].join('-') == 'a-b'",
        "'Abc'.lowerAscii() == 'abc' && ' x '.trim() == 'x' && 'abcabc'.replace('b', 'x') == 'axcaxc'",
        "'tacocat'.indexOf('c') == 2 && 'tacocat'.lastIndexOf('c') == 4 && 'tacocat'.substring(2, 4) == 'co'",
        "'%s has %d of %.1f%%: %s'.format(['x', 3, 2.5, [1, true]]) == 'x has 3 of 2.5%: [1, true]'",
        "'abc'.matches('^[a-c]+$') && 'abc 123'.find('[0-9]+') == '123' && 'a1b2'.findAll('[0-9]') == ['1', '2']",
        "[1, 2, 3].all(x, x > 0) && [1, 2, 3].exists(x, x == 2) && [1, 2, 2].exists_one(x, x == 1)",
        "[1, 2, 3].filter(x, x > 1).map(x, x * 2) == [4, 6] && [1, 2].map(x, x > 1, x) == [2]",
        "{'a': 1, 'b': 2}.all(k, k in ['a', 'b']) && {'a': 1}.exists(k, v, v == 1)",
        "[1, 2].transformList(i, v, i * v) == [0, 2] && {'a': 1}.transformMap(k, v, v + 1) == {'a': 2}",
        "[3, 1, 2].sort() == [1, 2, 3] && [1, 2, 2].isSorted() && [1, 2, 3].sum() == 6 && [1, 5].max() == 5 && [1, 5].min() == 1",
        "['a', 'b'].indexOf('b') == 1 && [1, 2, 1].lastIndexOf(1) == 2 && [1, 1, 2].distinct() == [1, 2]",
        "sets.contains([1, 2], [1]) && sets.intersects([1], [1, 2]) && sets.equivalent([1, 2], [2, 1])",
        "quantity('1Gi').isGreaterThan(quantity('100Mi')) && quantity('1500m').add(quantity('1')).asApproximateFloat() == 2.5",
        "isQuantity('1Gi') && !isQuantity('1Gx') && quantity('50k').asInteger() == 50000",
        "url('https://example.com:80/path?k=v').getHost() == 'example.com:80' && isURL('https://x') && !isURL('x')",
        "url('https://example.com/a?k=v&k=w').getQuery()['k'] == ['v', 'w']",
        "ip('10.0.0.1').family() == 4 && isIP('::1') && cidr('10.0.0.0/8').containsIP('10.2.3.4') && !isCIDR('10.0.0.0')",
        "semver('1.2.3').isLessThan(semver('1.10.0')) && !isSemver('1.2')",
        "format.dns1123Label().validate('Bad_').hasValue() && !format.dns1123Label().validate('good').hasValue()",
        "timestamp('2024-02-29T12:30:00Z').getDate() == 29 && duration('1h30m').getMinutes() == 90",
        "timestamp('2024-01-02T00:00:00Z') - timestamp('2024-01-01T00:00:00Z') == duration('24h')",
        "type(1) == int && type('a') == string && string(1) == '1' && int('5') == 5 && double('1.5') == 1.5",
        "dyn(1) == 1.0 && dyn(1) != dyn(true) && 1 < 1.5",
        "cel.bind(x, 5, x + 1) == 6",
        "optional.of(1).hasValue() && optional.none().orValue(2) == 2 && {'a': 1}.?b.orValue(3) == 3 && {'a': 1}[?'a'].value() == 1",
        "optional.of(1).optMap(x, x + 1).value() == 2",
        "b'abc' == b'\\x61bc' && r'\\d' == '\\\\d' && '\\u00e9' == 'é'",
        "math.greatest(1, 5, 3) == 5 && math.least([4, 2]) == 2",
        "1 in [1, 2] && 'a' in {'a': 1} && !('b' in {'a': 1})",
        "false && 1 / 0 == 1 || true",
        "[1, 0].exists(x, 1 / x == 1)",
        "[[1, 2], [3]].flatten() == [1, 2, 3] && [1, 2, 3].slice(0, 2) == [1, 2]",
    ],
)  # fmt: skip
def test_what_holds(source):
    assert value(source) is True


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x.y.z", "no such key: y"),
        ("[1][5]", "index out of bounds: 5"),
        ("1 / 0", "division by zero"),
        ("1 % 0", "modulus by zero"),
        ("9223372036854775807 + 1", "integer overflow"),
        ("x.a + 'b'", "no such overload"),
        ("duration('1y')", 'time: invalid duration "1y"'),
        ("'a'.matches('(')", "error parsing regexp: missing ): `(`"),
    ],
)
def test_what_has_no_value_says_why(source, told):
    with pytest.raises(EvaluationError) as caught:
        value(source, x={"a": 1})
    assert str(caught.value) == told


SELF = object_of("object", {"spec": object_of("object", {"name": STRING, "size": INT, "many": list_of(STRING, 10)})})


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("self.spec.nmae == ''", "ERROR: <input>:1:10: undefined field 'nmae'\n | self.spec.nmae == ''\n | .........^"),
        ("foo == 1", "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')"),
        ("self.spec.size == 'a'", "found no matching overload for '_==_' applied to '(int, string)'"),
        ("self.spec.name > 1", "found no matching overload for '_>_' applied to '(string, int)'"),
        ("self.spec.many.all(x, x + 1)", "found no matching overload for '_+_' applied to '(string, int)'"),
        ("self.spec.name &&", "Syntax error: mismatched input <EOF>"),
        ("self.spec.name.nope()", "undeclared reference to 'nope'"),
        ("self.spec.size.all(x, true)", "expression of type 'int' cannot be range of a comprehension"),
        ("'a' ? 1 : 2", "expected type 'bool' but found 'string'"),
    ],
)
def test_mistakes_are_found_before_anything_runs(source, told):
    with pytest.raises(CompileError) as caught:
        compile_expression(source, {"self": SELF}, wanted=(BOOL,))
    assert told in str(caught.value)


def test_data_is_read_as_its_schema_means_it():
    scope = {"self": object_of("object", {"at": STRING.__class__("timestamp"), "n": STRING.__class__("double")})}
    program = compile_expression("self.at < timestamp('2025-01-01T00:00:00Z') && self.n == 1.0", scope)
    assert program.evaluate({"self": {"at": "2024-01-01T00:00:00Z", "n": 1}}, 1000)[0] is True


@pytest.mark.parametrize(
    "source",
    [
        "x.all(a, x.all(b, x.all(c, a + b + c >= 0)))",
        "x.map(a, x.map(b, x)).size() > 0 && x.exists(a, x.exists(b, x.exists(c, a + b + c < 0)))",
        "lists.range(1000000).size() > 0",
    ],
)
def test_a_hostile_expression_is_stopped(source):
    with pytest.raises(CostExceeded):
        value(source, x=list(range(2000)))


@pytest.mark.parametrize(
    "source", ["(" * 5000 + "1", "!" * 5000 + "true", "1" + "+1" * 5000, "[" * 5000, "a" * 200_000]
)
def test_depth_and_length_are_bounded(source):
    with pytest.raises(CompileError):
        compile_expression(source, {})


def test_a_long_chain_is_no_depth():
    assert value(" && ".join(["true"] * 3000)) is True


def test_costs_are_estimated_beforehand():
    cheap = compile_expression("self.spec.many.all(x, x == 'a')", {"self": SELF})
    unbounded = object_of("object", {"many": list_of(STRING)})
    dear = compile_expression("self.many.all(x, self.many.all(y, x == y))", {"self": unbounded})
    assert cheap.cost < 10_000_000 < dear.cost
