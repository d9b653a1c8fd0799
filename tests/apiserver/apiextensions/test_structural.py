"""Schemas of definitions: structural or not, in Kubernetes' words; pruning and defaults."""

from __future__ import annotations

import pytest

from cluster.apiserver.apiextensions.definition import DefinitionStrategy
from cluster.apiserver.apiextensions.pruning import default, prune
from cluster.apiserver.apiextensions.structural import check_schema


def told(schema):
    return [one.message for one in check_schema(schema, "p")]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({}, "p.type: Required value: must not be empty at the root"),
        ({"type": "string"}, 'p.type: Invalid value: "string": must be object at the root'),
        ({"type": "object", "properties": {"a": {}}}, "p.properties[a].type: Required value: must not be empty for specified object fields"),
        ({"type": "object", "properties": {"a": {"type": "array"}}}, "p.properties[a].items: Required value: must be specified"),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "allOf": [{"properties": {"a": {"type": "string"}}}]},
            "p.allOf[0].properties[a].type: Forbidden: must be empty to be structural",
        ),
        (
            {"type": "object", "anyOf": [{"properties": {"b": {"minLength": 1}}}]},
            "p.properties[b]: Required value: because it is defined in p.anyOf[0].properties[b]",
        ),
        (
            {"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}},
            "p.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "integer", "default": "x"}}},
            'p.properties[a].default: Invalid value: "string": p.properties[a].default in body must be of type integer: "string"',
        ),
        (
            {"type": "object", "properties": {"a": {"type": "object", "default": {"b": 1}}}},
            'p.properties[a].default: Invalid value: {"b":1}: must not have unknown fields',
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}},
            "p.properties[a].pattern: Invalid value: \"(\": must be a valid regular expression, but isn't: error parsing regexp: missing ): `(`",
        ),
    ],
)  # fmt: skip
def test_what_is_not_structural_is_told(schema, message):
    assert told(schema) == [message]


def test_int_or_string_may_be_written_out():
    text = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
    assert told({"type": "object", "properties": {"a": text}}) == []


def test_a_schema_of_thousands_of_levels_is_refused():
    schema = {"type": "object"}
    for _ in range(5000):
        schema = {"type": "object", "properties": {"a": schema}}
    assert "levels deep" in told(schema)[0]


def test_pruning_keeps_what_is_known_and_names_what_is_not():
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "object", "properties": {"b": {"type": "string"}}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "map": {
                "type": "object",
                "additionalProperties": {"type": "object", "properties": {"k": {"type": "string"}}},
            },
        },
    }
    obj = {
        "apiVersion": "v1", "kind": "X", "metadata": {"name": "x"},
        "a": {"b": "1", "c": 2}, "free": {"any": 1}, "map": {"x": {"k": "1", "z": 1}}, "more": 1,
    }  # fmt: skip
    dropped: list[str] = []
    prune(schema, obj, dropped)
    assert dropped == ["a.c", "map.x.z", "more"]
    assert obj["free"] == {"any": 1} and obj["a"] == {"b": "1"}


def test_null_counts_as_left_out_unless_it_is_allowed():
    properties = {
        "foo": {"type": "string", "default": "d"},
        "bar": {"type": "string", "nullable": True},
        "baz": {"type": "string"},
    }
    obj = {"foo": None, "bar": None, "baz": None}
    default({"type": "object", "properties": properties}, obj)
    assert obj == {"foo": "d", "bar": None}


def definition(**spec):
    names = {"plural": "widgets", "kind": "Widget"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    obj = {
        "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version], **spec},
    }
    DefinitionStrategy().default(obj)
    return obj


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scope": "Galaxy"}, 'spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"'),
        ({"group": "example"}, 'spec.group: Invalid value: "example": should be a domain with at least one dot'),
        ({"versions": [{"name": "v1", "served": True, "storage": True}]}, "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"),
        ({"preserveUnknownFields": True}, "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"),
    ],
)  # fmt: skip
def test_what_a_definition_may_not_say(changes, message):
    found = [one.message for one in DefinitionStrategy().validate(definition(**changes))]
    assert message in found


def test_a_good_definition_passes():
    assert DefinitionStrategy().validate(definition()) == []
    assert definition()["spec"]["names"]["listKind"] == "WidgetList"
