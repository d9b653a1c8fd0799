"""Bodies: JSON, YAML as Kubernetes reads it, keys named twice, and what would blow up."""

from __future__ import annotations

import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.resources.body import parse


def refused(data, content_type="application/yaml"):
    with pytest.raises(StatusError) as caught:
        parse(data, content_type, kind="Pod")
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: yes", True),
        ("a: off", False),
        ("a: 2001-01-01", "2001-01-01"),
        ("a: 12:30:45", "12:30:45"),
        ("a: 80:80", "80:80"),
        ("a: 0755", 493),
        ("a: 0x10", 16),
        ("a: 1e3", 1000),
        ("a: 1.5", 1.5),
        ("a: ~", None),
        ("a:", None),
        ("a: '1'", "1"),
        ("a: !!binary aGk=", "aGk="),
        ("a: 1.2.3", "1.2.3"),
    ],
)
def test_scalars_as_kubernetes_reads_them(text, value):
    assert parse(text.encode(), "application/yaml")[0] == {"a": value}


def test_keys_are_strings_and_merge_keys_merge():
    assert parse(b"1: a\ntrue: b", "application/yaml")[0] == {"1": "a", "true": "b"}
    assert parse(b"x: &x {a: 1}\nz: {<<: *x, b: 2}", "application/yaml")[0]["z"] == {"a": 1, "b": 2}


def test_only_the_first_document_counts():
    assert parse(b"a: 1\n---\nb: 2", "application/yaml")[0] == {"a": 1}


def test_a_bomb_is_refused_before_it_is_built():
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "excessive aliasing" in refused("\n".join(lines).encode()).message


def test_an_anchor_that_holds_itself_is_refused():
    assert refused(b"a: &a [*a]").code == 400


@pytest.mark.parametrize(
    "data", [b"a: [", b"\t- x", b"a: b: c", b"{" * 5000, b"!!python/object:os.system x", b"a: .nan", b"\xff\xfe\x00"]
)
def test_broken_yaml_is_a_bad_request(data):
    error = refused(data)
    assert error.code == 400 and "must be of type Pod" in error.message


@pytest.mark.parametrize("data", [b"", b"{", b"{'a': 1}", b"[" * 100_000, b"nul"])
def test_broken_json_is_a_bad_request(data):
    assert refused(data, "application/json").code == 400


def test_keys_named_twice():
    assert parse(b'{"a":{"b":1,"b":2}}', "application/json", want_duplicates=True)[1] == ['duplicate field "a.b"']
    assert parse(b'{"a": {"b": 1}}', "application/json", want_duplicates=True)[1] == []
    assert parse(b"a: 1\na: 2", "application/yaml", want_duplicates=True)[1] == [
        'yaml: unmarshal errors:\n  line 2: key "a" already set in map'
    ]


def test_what_nobody_reads_is_not_accepted():
    assert refused(b"\xa0", "application/cbor").code == 415
