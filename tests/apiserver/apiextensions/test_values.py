"""Values against schemas, in the words of Kubernetes' validator."""

from __future__ import annotations

import pytest

from cluster.apiserver.apiextensions.values import check, check_lists


def told(schema, value, old=...):
    found = check(schema, value, "spec.x") if old is ... else check(schema, value, "spec.x", old)
    return [one.message for one in found]


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "integer"}, "a", 'spec.x: Invalid value: "string": spec.x in body must be of type integer: "string"'),
        ({"type": "string"}, None, 'spec.x: Invalid value: "null": spec.x in body must be of type string: "null"'),
        ({"type": "integer", "maximum": 10}, 15, "spec.x: Invalid value: 15: spec.x in body should be less than or equal to 10"),
        ({"type": "integer", "minimum": 1}, 0, "spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1"),
        ({"type": "number", "minimum": 1, "exclusiveMinimum": True}, 1, "spec.x: Invalid value: 1: spec.x in body should be greater than 1"),
        ({"type": "string", "pattern": "^a$"}, "b", "spec.x: Invalid value: \"b\": spec.x in body should match '^a$'"),
        ({"type": "string", "maxLength": 2}, "abc", "spec.x: Too long: may not be more than 2 characters"),
        ({"type": "string", "minLength": 2}, "a", 'spec.x: Invalid value: "a": spec.x in body should be at least 2 chars long'),
        ({"type": "string", "enum": ["a", "b"]}, "c", 'spec.x: Unsupported value: "c": supported values: "a", "b"'),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 1}, ["a", "b"], "spec.x: Too many: 2: must have at most 1 item"),
        ({"type": "object", "required": ["a"]}, {}, "spec.x.a: Required value"),
        ({"type": "integer", "multipleOf": 3}, 4, "spec.x: Invalid value: 4: spec.x in body should be a multiple of 3"),
        ({"type": "string", "format": "date-time"}, "now", 'spec.x: Invalid value: "now": spec.x in body must be of type date-time: "now"'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_as_kubernetes_does(schema, value, message):
    assert told(schema, value) == [message]


def test_what_is_right_is_not_told():
    schema = {
        "type": "object",
        "properties": {"a": {"x-kubernetes-int-or-string": True}, "b": {"type": "string", "nullable": True}},
    }
    assert told(schema, {"a": "5", "b": None}) == []
    assert told(schema, {"a": 5, "b": "x"}) == []


def test_one_of_wants_exactly_one():
    schema = {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert told(schema, {"a": 1}) == []
    assert any("must validate one and only one schema (oneOf)" in one for one in told(schema, {}))
    assert any("Found 2 valid alternatives" in one for one in told(schema, {"a": 1, "b": 1}))


def test_what_has_not_changed_is_not_told_again():
    schema = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 1}, "b": {"type": "integer"}}}
    assert told(schema, {"a": "long", "b": 1}, {"a": "long", "b": 2}) == []
    assert len(told(schema, {"a": "longer", "b": 1}, {"a": "long", "b": 2})) == 1


def test_items_of_a_map_are_known_by_their_keys():
    items = {"type": "object", "properties": {"name": {"type": "string"}, "v": {"type": "string", "maxLength": 1}}}
    schema = {"type": "array", "items": items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    old = [{"name": "a", "v": "long"}]
    assert told(schema, [{"name": "b", "v": "x"}, {"name": "a", "v": "long"}], old) == []
    assert (
        len(told({**schema, "x-kubernetes-list-type": "atomic"}, [{"name": "b"}, {"name": "a", "v": "long"}], old)) == 1
    )


def test_sets_and_maps_hold_things_once():
    assert [one.message for one in check_lists({"x-kubernetes-list-type": "set"}, ["a", "a"], "x")] == [
        'x[1]: Duplicate value: "a"'
    ]


# A matcher that backtracks would take longer than the universe has.
@pytest.mark.timeout(60)
def test_a_pattern_cannot_hold_the_server_up():
    (problem,) = told({"type": "string", "pattern": "^(a+)+$"}, "a" * 5000 + "b")
    assert "^(a+)+$" in problem
