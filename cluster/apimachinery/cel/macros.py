"""CEL's macros: has, the comprehensions over lists and maps (with one variable and with two), bind, and those of optionals."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cmp_to_key
from typing import Any

from cluster.apimachinery.cel import syntax, types
from cluster.apimachinery.cel.compiler import Compiler, Frame, Part, Run, Scope
from cluster.apimachinery.cel.errors import CostExceeded, EvaluationError, no_such_overload
from cluster.apimachinery.cel.types import BOOL, DYN, ERROR, Type
from cluster.apimachinery.cel.values import NONE, Optional, compare

Macro = Callable[[Compiler, syntax.Call, Scope], Part | None]
_GONE: Any = object()
# What one turn of a loop costs beside what is in it.
TURN = 3


def _has(compiler: Compiler, node: syntax.Call, scope: Scope) -> Part:
    argument = node.arguments[0]
    if not isinstance(argument, syntax.Select):
        return compiler.fail(node, "invalid argument to has() macro")
    operand = compiler.part(argument.operand, scope)
    kind = operand.type
    wrapped = kind.name == "optional_type"
    inner = kind.parameters[0] if wrapped and kind.parameters else DYN if wrapped else kind
    if compiler.field(argument, inner, argument.name)[0] is ERROR:
        return Part(ERROR, operand.run)
    key = compiler.field(argument, inner, argument.name)[1]
    read = operand.run

    def run(frame: Frame) -> bool:
        value = read(frame)
        if type(value) is Optional:
            value = value.value if value.present else {}
        if type(value) is dict:
            return key in value
        find = getattr(value, "cel_has", None)
        if find is None:
            raise no_such_overload()
        return bool(find(key))

    return Part(BOOL, run, 1, operand.cost)


def _variable(compiler: Compiler, node: syntax.Node) -> str:
    if isinstance(node, syntax.Ident):
        return node.name
    compiler.fail(node, "argument must be a simple name")
    return "_"


def _ranged(compiler: Compiler, node: syntax.Call, scope: Scope, two: bool) -> tuple[Part, list[str], dict[str, Type]]:
    """What is walked over, the loop's variables, and the scope within."""
    assert node.target is not None
    over = compiler.part(node.target, scope)
    names = [_variable(compiler, one) for one in node.arguments[: 2 if two else 1]]
    kind = over.type
    first: Type = DYN
    second: Type = DYN
    if kind.name == "list" and kind.parameters:
        first, second = (types.INT, kind.parameters[0]) if two else (kind.parameters[0], DYN)
    elif kind.name == "map" and kind.parameters:
        first, second = kind.parameters
    elif not kind.is_dyn and kind.name not in ("list", "map", "param"):
        compiler.fail(
            node, f"expression of type '{kind}' cannot be range of a comprehension (must be list, map, or dynamic)"
        )
    inner = {**scope, names[0]: first}
    if two:
        inner[names[1]] = second
    return over, names, inner


def _turns(frame: Frame, values: Any, names: list[str]) -> Iterable[None]:
    """Set the loop's variables for each turn; put back what they were before."""
    old = [frame.names.get(name, _GONE) for name in names]
    try:
        if type(values) is list:
            turns: Iterable[tuple[Any, ...]] = enumerate(values) if len(names) == 2 else ((one,) for one in values)
        elif type(values) is dict:
            turns = list(values.items()) if len(names) == 2 else [(one,) for one in values]
        else:
            raise no_such_overload()
        for turn in turns:
            frame.spent += TURN
            if frame.spent > frame.limit:
                raise CostExceeded
            for name, value in zip(names, turn, strict=True):
                frame.names[name] = value
            yield
    finally:
        for name, value in zip(names, old, strict=True):
            if value is _GONE:
                frame.names.pop(name, None)
            else:
                frame.names[name] = value


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise no_such_overload()
    return value


def _loop_cost(over: Part, *inner: Part) -> int:
    return over.cost + over.size * (TURN + sum(one.cost for one in inner))


def _quantified(stop: bool, two: bool) -> Macro:
    """all (stops at false) and exists (stops at true); errors count only when nothing decides without them."""

    def macro(compiler: Compiler, node: syntax.Call, scope: Scope) -> Part:
        over, names, inner = _ranged(compiler, node, scope, two)
        body = _boolean(compiler, node.arguments[-1], inner)
        read, judge = over.run, body.run

        def run(frame: Frame) -> bool:
            failure: EvaluationError | None = None
            for _ in _turns(frame, read(frame), names):
                try:
                    if _truth(judge(frame)) is stop:
                        return stop
                except CostExceeded:
                    raise
                except EvaluationError as error:
                    failure = error
            if failure is not None:
                raise failure
            return not stop

        return Part(BOOL, run, 1, _loop_cost(over, body))

    return macro


def _boolean(compiler: Compiler, node: syntax.Node, scope: Scope) -> Part:
    part = compiler.part(node, scope)
    if not part.type.is_dyn and part.type.name != "bool":
        return compiler.fail(node, f"expected type 'bool' but found '{part.type}'")
    return part


def _exists_one(two: bool) -> Macro:
    def macro(compiler: Compiler, node: syntax.Call, scope: Scope) -> Part:
        over, names, inner = _ranged(compiler, node, scope, two)
        body = _boolean(compiler, node.arguments[-1], inner)
        read, judge = over.run, body.run

        def run(frame: Frame) -> bool:
            return sum(1 for _ in _turns(frame, read(frame), names) if _truth(judge(frame))) == 1

        return Part(BOOL, run, 1, _loop_cost(over, body))

    return macro


def _filter(compiler: Compiler, node: syntax.Call, scope: Scope) -> Part:
    over, names, inner = _ranged(compiler, node, scope, False)
    body = _boolean(compiler, node.arguments[1], inner)
    read, judge, name = over.run, body.run, names[0]

    def run(frame: Frame) -> list[Any]:
        frame.spent += 10
        return [frame.names[name] for _ in _turns(frame, read(frame), names) if _truth(judge(frame))]

    kind = types.list_of(inner[name], over.type.size)
    return Part(kind, run, over.size, 10 + _loop_cost(over, body))


def _mapped(filtered: bool, two: bool) -> Macro:
    """map(x, y), map(x, p, y); transformList(i, v, y), transformList(i, v, p, y)."""

    def macro(compiler: Compiler, node: syntax.Call, scope: Scope) -> Part:
        over, names, inner = _ranged(compiler, node, scope, two)
        only = _boolean(compiler, node.arguments[-2], inner) if filtered else None
        body = compiler.part(node.arguments[-1], inner)
        read, make = over.run, body.run
        judge: Run | None = only.run if only is not None else None

        def run(frame: Frame) -> list[Any]:
            frame.spent += 10
            turns = _turns(frame, read(frame), names)
            if judge is None:
                return [make(frame) for _ in turns]
            return [make(frame) for _ in turns if _truth(judge(frame))]

        kind = types.list_of(body.type, over.type.size)
        parts = [body] if only is None else [only, body]
        return Part(kind, run, over.size, 10 + _loop_cost(over, *parts) + over.size)

    return macro


def _transformed_map(filtered: bool, entries: bool) -> Macro:
    """transformMap(k, v, [p,] y) and transformMapEntry(k, v, [p,] {a: b})."""

    def macro(compiler: Compiler, node: syntax.Call, scope: Scope) -> Part:
        over, names, inner = _ranged(compiler, node, scope, True)
        only = _boolean(compiler, node.arguments[-2], inner) if filtered else None
        body = compiler.part(node.arguments[-1], inner)
        read, make, key = over.run, body.run, names[0]
        judge: Run | None = only.run if only is not None else None

        def run(frame: Frame) -> dict[Any, Any]:
            frame.spent += 30
            found: dict[Any, Any] = {}
            for _ in _turns(frame, read(frame), names):
                if judge is not None and not _truth(judge(frame)):
                    continue
                name, made = frame.names[key], make(frame)
                fresh = made if entries else {name: made}
                for one in fresh:
                    if one in found:
                        raise EvaluationError(f"insert failed: key {one} already exists")
                found.update(fresh)
            return found

        kind = body.type if entries else types.map_of(inner[key], body.type, over.type.size)
        parts = [body] if only is None else [only, body]
        return Part(kind, run, over.size, 30 + _loop_cost(over, *parts))

    return macro


def _bind(compiler: Compiler, node: syntax.Call, scope: Scope) -> Part | None:
    if not (isinstance(node.target, syntax.Ident) and node.target.name == "cel"):
        return None
    name = _variable(compiler, node.arguments[0])
    value = compiler.part(node.arguments[1], scope)
    kind = Type(value.type.name, value.type.parameters, value.type.label, value.type.fields, value.size)
    body = compiler.part(node.arguments[2], {**scope, name: kind})
    given, then = value.run, body.run

    def run(frame: Frame) -> Any:
        fresh, old = given(frame), frame.names.get(name, _GONE)
        frame.names[name] = fresh
        try:
            return then(frame)
        finally:
            if old is _GONE:
                frame.names.pop(name, None)
            else:
                frame.names[name] = old

    return body._replace(run=run, cost=value.cost + body.cost + 1)


def _optional_map(flat: bool) -> Macro:
    def macro(compiler: Compiler, node: syntax.Call, scope: Scope) -> Part:
        assert node.target is not None
        target = compiler.part(node.target, scope)
        if target.type.name not in ("optional_type", "dyn"):
            name = "optFlatMap" if flat else "optMap"
            return compiler.fail(node, f"found no matching overload for '{name}' applied to '{target.type}'")
        name = _variable(compiler, node.arguments[0])
        inner = target.type.parameters[0] if target.type.parameters else DYN
        body = compiler.part(node.arguments[1], {**scope, name: inner})
        read, then = target.run, body.run

        def run(frame: Frame) -> Any:
            value, old = read(frame), frame.names.get(name, _GONE)
            if type(value) is not Optional:
                raise no_such_overload()
            if not value.present:
                return NONE
            frame.names[name] = value.value
            try:
                made = then(frame)
            finally:
                if old is _GONE:
                    frame.names.pop(name, None)
                else:
                    frame.names[name] = old
            return made if flat else Optional(made)

        return Part(body.type if flat else types.optional_of(body.type), run, body.size, target.cost + body.cost + 1)

    return macro


def _by_key(one: tuple[Any, Any], other: tuple[Any, Any]) -> int:
    return compare(one[0], other[0])


def _sort_by(compiler: Compiler, node: syntax.Call, scope: Scope) -> Part:
    over, names, inner = _ranged(compiler, node, scope, False)
    body = compiler.part(node.arguments[1], inner)
    read, make, name = over.run, body.run, names[0]

    def run(frame: Frame) -> list[Any]:
        pairs: list[tuple[Any, Any]] = [(make(frame), frame.names[name]) for _ in _turns(frame, read(frame), names)]
        frame.spent += 10 * len(pairs)
        pairs.sort(key=cmp_to_key(_by_key))
        return [value for _, value in pairs]

    return Part(over.type, run, over.size, _loop_cost(over, body) + 10 * over.size)


# -- logic: lazy, and forgiving towards errors that decide nothing ----------------------------------------------------


def _logic(decides: bool) -> Macro:
    def macro(compiler: Compiler, node: syntax.Call, scope: Scope) -> Part:
        parts = [compiler.part(one, scope) for one in node.arguments]
        for part in parts:
            if not part.type.is_dyn and part.type.name not in ("bool", "error"):
                shown = ", ".join(str(one.type) for one in parts)
                return compiler.fail(node, f"found no matching overload for '{node.function}' applied to '({shown})'")
        runs = [part.run for part in parts]

        def run(frame: Frame) -> bool:
            failure: EvaluationError | None = None
            for one in runs:
                try:
                    if _truth(one(frame)) is decides:
                        return decides
                except CostExceeded:
                    raise
                except EvaluationError as error:
                    failure = failure or error
            if failure is not None:
                raise failure
            return not decides

        return Part(BOOL, run, 1, sum(part.cost for part in parts))

    return macro


def _conditional(compiler: Compiler, node: syntax.Call, scope: Scope) -> Part:
    condition = _boolean(compiler, node.arguments[0], scope)
    yes, no = compiler.part(node.arguments[1], scope), compiler.part(node.arguments[2], scope)
    if ERROR in (yes.type, no.type, condition.type):
        return Part(ERROR, yes.run)
    kind = types.joined(yes.type, no.type)
    if kind.is_dyn and not yes.type.is_dyn and not no.type.is_dyn and not types.assignable(no.type, yes.type, {}):
        shown = f"({condition.type}, {yes.type}, {no.type})"
        return compiler.fail(node, f"found no matching overload for '_?_:_' applied to '{shown}'")
    judge, first, second = condition.run, yes.run, no.run
    return Part(
        kind,
        lambda frame: first(frame) if _truth(judge(frame)) else second(frame),
        max(yes.size, no.size),
        condition.cost + max(yes.cost, no.cost),
    )


MACROS: dict[tuple[str, bool, int], Macro] = {
    ("has", False, 1): _has,
    ("all", True, 2): _quantified(False, two=False),
    ("all", True, 3): _quantified(False, two=True),
    ("exists", True, 2): _quantified(True, two=False),
    ("exists", True, 3): _quantified(True, two=True),
    ("exists_one", True, 2): _exists_one(two=False),
    ("existsOne", True, 2): _exists_one(two=False),
    ("exists_one", True, 3): _exists_one(two=True),
    ("existsOne", True, 3): _exists_one(two=True),
    ("filter", True, 2): _filter,
    ("map", True, 2): _mapped(filtered=False, two=False),
    ("map", True, 3): _mapped(filtered=True, two=False),
    ("transformList", True, 3): _mapped(filtered=False, two=True),
    ("transformList", True, 4): _mapped(filtered=True, two=True),
    ("transformMap", True, 3): _transformed_map(filtered=False, entries=False),
    ("transformMap", True, 4): _transformed_map(filtered=True, entries=False),
    ("transformMapEntry", True, 3): _transformed_map(filtered=False, entries=True),
    ("transformMapEntry", True, 4): _transformed_map(filtered=True, entries=True),
    ("bind", True, 3): _bind,
    ("optMap", True, 2): _optional_map(flat=False),
    ("optFlatMap", True, 2): _optional_map(flat=True),
    ("sortBy", True, 2): _sort_by,
    ("_&&_", False, 2): _logic(False),
    ("_||_", False, 2): _logic(True),
    ("_?_:_", False, 3): _conditional,
}
