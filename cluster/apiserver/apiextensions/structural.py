"""Is the schema of a definition structural, and allowed? (apiserver/schema/validation.go, apis/apiextensions/validation)"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from cluster.apimachinery import patterns
from cluster.apimachinery.errors import FieldError, forbidden_field, invalid_value, not_supported, required
from cluster.apiserver.apiextensions import pruning, values

Schema = dict[str, Any]
Found = list[FieldError]
ROOT, ITEM, FIELD = "root", "item", "field"
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_EMPTY_TYPE = {
    ROOT: "must not be empty at the root",
    ITEM: "must not be empty for specified array items",
    FIELD: "must not be empty for specified object fields",
}
_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_PRESERVE, _EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"
_INT_STRING, _LIST_TYPE = "x-kubernetes-int-or-string", "x-kubernetes-list-type"
_MAP_KEYS, _MAP_TYPE, _RULES = "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-validations"
# What only the structure may say, not a schema inside allOf, anyOf, oneOf or not.
_STRUCTURE: tuple[tuple[str, str], ...] = (
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("externalDocs", "must be undefined to be structural"),
    (_PRESERVE, "must be false to be structural"),
    (_EMBEDDED, "must be false to be structural"),
    (_INT_STRING, "must be false to be structural"),
    (_MAP_KEYS, "must be empty to be structural"),
    (_LIST_TYPE, "must be undefined to be structural"),
    (_MAP_TYPE, "must be undefined to be structural"),
    (_RULES, "must be empty to be structural"),
)
_UNSUPPORTED = ("definitions", "dependencies", "id", "patternProperties", "$ref", "$schema", "additionalItems")
# How deep a schema may go: what walks it, recurses.
MAX_DEPTH = 100


def check_schema(schema: Schema, path: str) -> Found:
    """Everything that is wrong with the schema of one version; structural complaints come sorted, after the general ones."""
    if _too_deep(schema):
        return [forbidden_field(path, f"schemas may be nested {MAX_DEPTH} levels deep at most")]
    found: Found = []
    for inner, where in _everywhere(schema, path):
        _general(inner, where, found)
    structural: Found = []
    _structure(schema, ROOT, path, structural)
    _complete(schema, schema, path, structural)
    found.extend(sorted(structural, key=lambda one: one.message))
    if not found:
        for inner, where in _everywhere(schema, path):
            _default(inner, where, found)
    return found


def _too_deep(schema: Any) -> bool:
    pending: list[tuple[Any, int]] = [(schema, 0)]
    while pending:
        one, depth = pending.pop()
        # A schema inside `properties` is two levels of JSON deeper.
        if depth > 2 * MAX_DEPTH:
            return True
        below = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        pending.extend((item, depth + 1) for item in below if isinstance(item, (dict, list)))
    return False


def children(schema: Schema, path: str) -> Iterator[tuple[Schema, str, str]]:
    """The schemas of the structure right below, each with its path and level."""
    if isinstance(schema.get("items"), dict):
        yield schema["items"], f"{path}.items", ITEM
    for name, child in (schema.get("properties") or {}).items():
        yield child, f"{path}.properties[{name}]", FIELD
    if isinstance(schema.get("additionalProperties"), dict):
        yield schema["additionalProperties"], f"{path}.additionalProperties", FIELD


def _everywhere(schema: Schema, path: str) -> Iterator[tuple[Schema, str]]:
    """All schemas, those under junctors too."""
    yield schema, path
    for child, where, _ in children(schema, path):
        yield from _everywhere(child, where)
    for junctor in ("allOf", "anyOf", "oneOf"):
        for index, part in enumerate(schema.get(junctor) or ()):
            yield from _everywhere(part, f"{path}.{junctor}[{index}]")
    if isinstance(schema.get("not"), dict):
        yield from _everywhere(schema["not"], f"{path}.not")


def _general(schema: Schema, path: str, found: Found) -> None:
    kind = schema.get("type")
    if kind and kind not in _TYPES:
        found.append(not_supported(f"{path}.type", kind, _TYPES))
    if schema.get("uniqueItems"):
        found.append(
            forbidden_field(
                f"{path}.uniqueItems",
                "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
            )
        )
    if isinstance(schema.get("items"), list):
        found.append(forbidden_field(f"{path}.items", "items must be a schema object and not an array"))
    found.extend(
        forbidden_field(f"{path}.{name}", f"{name} is not supported") for name in _UNSUPPORTED if name in schema
    )
    rest = schema.get("additionalProperties")
    if rest is not None and schema.get("properties") and rest is not True:
        found.append(
            forbidden_field(f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive")
        )
    if rest is False:
        found.append(forbidden_field(f"{path}.additionalProperties", "additionalProperties cannot be set to false"))
    if schema.get(_PRESERVE) is False:
        found.append(invalid_value(f"{path}.{_PRESERVE}", False, "must be true or undefined"))
    if schema.get(_MAP_TYPE) is not None:
        if kind != "object":
            told = kind or ""
            found.append(
                invalid_value(f"{path}.type", told, f"must be object if {_MAP_TYPE} is specified")
                if told
                else required(f"{path}.type", f"must be object if {_MAP_TYPE} is specified")
            )
        if schema[_MAP_TYPE] not in ("atomic", "granular"):
            found.append(not_supported(f"{path}.{_MAP_TYPE}", schema[_MAP_TYPE], ("atomic", "granular")))
    _list(schema, path, found)


def _list(schema: Schema, path: str, found: Found) -> None:
    list_type, keys = schema.get(_LIST_TYPE), schema.get(_MAP_KEYS) or []
    if list_type is not None:
        if schema.get("type") != "array":
            found.append(
                invalid_value(f"{path}.type", schema.get("type", ""), f"must be array if {_LIST_TYPE} is specified")
            )
        if list_type not in ("atomic", "set", "map"):
            found.append(not_supported(f"{path}.{_LIST_TYPE}", list_type, ("atomic", "set", "map")))
    if keys and list_type != "map":
        problem = f"must be map if {_MAP_KEYS} is non-empty"
        where = f"{path}.{_LIST_TYPE}"
        found.append(required(where, problem) if list_type is None else invalid_value(where, list_type, problem))
    items = schema.get("items") if isinstance(schema.get("items"), dict) else {}
    assert items is not None
    if list_type == "map":
        if not keys:
            found.append(required(f"{path}.{_MAP_KEYS}", f"must not be empty if {_LIST_TYPE} is map"))
        if items.get("type") != "object":
            found.append(
                invalid_value(
                    f"{path}.items.type",
                    items.get("type", ""),
                    f"must be object if parent array's {_LIST_TYPE} is map",
                )
            )
        needed, properties = items.get("required") or (), items.get("properties") or {}
        for index, key in enumerate(keys):
            child = properties.get(key)
            if child is None:
                found.append(
                    invalid_value(f"{path}.{_MAP_KEYS}[{index}]", key, "entries must all be names of item properties")
                )
            elif child.get("type") in ("array", "object"):
                found.append(
                    invalid_value(
                        f"{path}.items.properties[{key}].type",
                        child["type"],
                        f"must be a scalar type if parent array's {_LIST_TYPE} is map",
                    )
                )
            elif key not in needed and child.get("default") is None:
                found.append(
                    required(
                        f"{path}.items.properties[{key}].default",
                        f"this property is in {_MAP_KEYS}, so it must have a default or be a required property",
                    )
                )
        if items.get("nullable"):
            found.append(
                forbidden_field(f"{path}.items.nullable", "cannot be nullable when x-kubernetes-list-type is map")
            )
    if list_type == "set":
        atomic = items.get("type") == "object" and items.get(_MAP_TYPE) != "atomic"
        if items.get("nullable"):
            found.append(
                forbidden_field(f"{path}.items.nullable", "cannot be nullable when x-kubernetes-list-type is set")
            )
        if atomic:
            found.append(
                invalid_value(
                    f"{path}.items.{_MAP_TYPE}",
                    items.get(_MAP_TYPE, ""),
                    f"must be atomic as item of a list with {_LIST_TYPE}=set",
                )
            )


def _structure(schema: Schema, level: str, path: str, found: Found) -> None:
    kind, properties = schema.get("type") or "", schema.get("properties") or {}
    if kind == "array" and not schema.get("items"):
        found.append(required(f"{path}.items", "must be specified"))
    for child, where, below in children(schema, path):
        _structure(child, below, where, found)
    if schema.get("additionalProperties") is not None and level == ROOT:
        found.append(forbidden_field(f"{path}.additionalProperties", "must not be used at the root"))
    for extension in (_PRESERVE, _EMBEDDED):
        if schema.get(_INT_STRING) and schema.get(extension):
            found.append(invalid_value(f"{path}.{extension}", True, f"must be false if {_INT_STRING} is true"))
    _junctors(schema, path, found, int_or_string=True)
    if schema.get("pattern"):
        _pattern(schema, path, found)
    embedded = bool(schema.get(_EMBEDDED))
    if embedded and kind != "object":
        problem = f"must be object if {_EMBEDDED} is true"
        found.append(invalid_value(f"{path}.type", kind, problem) if kind else required(f"{path}.type", problem))
    elif not kind and not schema.get(_INT_STRING) and not schema.get(_PRESERVE):
        found.append(required(f"{path}.type", _EMPTY_TYPE[level]))
    if embedded and schema.get("additionalProperties") is not None:
        found.append(forbidden_field(f"{path}.additionalProperties", f"must not be used if {_EMBEDDED} is set"))
    if level == ROOT and kind and kind != "object":
        found.append(invalid_value(f"{path}.type", kind, "must be object at the root"))
    if level == ROOT or embedded:
        for name in ("kind", "apiVersion"):
            if name in properties and properties[name].get("type") != "string":
                found.append(
                    invalid_value(f"{path}.properties[{name}].type", properties[name].get("type", ""), "must be string")
                )
        if "metadata" in properties:
            _metadata(properties["metadata"], level, f"{path}.properties[metadata]", found)
    if embedded and not schema.get(_PRESERVE) and not properties:
        found.append(required(f"{path}.properties", f"must not be empty if {_EMBEDDED} is true without {_PRESERVE}"))


def _metadata(schema: Schema, level: str, path: str, found: Found) -> None:
    if schema.get("type") != "object":
        found.append(invalid_value(f"{path}.type", schema.get("type", ""), "must be object"))
    if level != ROOT:
        return
    said = {name for name, value in schema.items() if value and name not in ("type", "properties")}
    if said or set(schema.get("properties") or {}) - {"name", "generateName"}:
        found.append(
            forbidden_field(
                path, "must not specify anything other than name and generateName, but metadata is implicitly specified"
            )
        )


def _pattern(schema: Schema, path: str, found: Found) -> None:
    try:
        patterns.compiled(schema["pattern"])
    except ValueError as error:
        found.append(
            invalid_value(
                f"{path}.pattern", schema["pattern"], f"must be a valid regular expression, but isn't: {error}"
            )
        )


def _junctors(schema: Schema, path: str, found: Found, *, int_or_string: bool) -> None:
    """allOf, anyOf, oneOf and not; the two patterns that int-or-string is written in are let through."""
    whole = int_or_string and schema.get("anyOf") == _INT_OR_STRING
    for junctor in ("allOf", "anyOf", "oneOf"):
        if junctor == "anyOf" and whole:
            continue
        for index, part in enumerate(schema.get(junctor) or ()):
            first = int_or_string and junctor == "allOf" and index == 0
            _nested(part, f"{path}.{junctor}[{index}]", found, int_or_string=first)
    if isinstance(schema.get("not"), dict):
        _nested(schema["not"], f"{path}.not", found, int_or_string=False)


def _nested(schema: Schema, path: str, found: Found, *, int_or_string: bool) -> None:
    if schema.get("pattern"):
        _pattern(schema, path, found)
    _junctors(schema, path, found, int_or_string=int_or_string)
    if isinstance(schema.get("items"), dict):
        _nested(schema["items"], f"{path}.items", found, int_or_string=False)
    for name, child in (schema.get("properties") or {}).items():
        _nested(child, f"{path}.properties[{name}]", found, int_or_string=False)
    for name, problem in _STRUCTURE:
        if schema.get(name):
            found.append(forbidden_field(f"{path}.{name}", problem))
    if "metadata" in (schema.get("properties") or {}):
        found.append(forbidden_field(f"{path}.properties[metadata]", "must not be specified in a nested context"))


def _complete(outer: Schema, schema: Schema, path: str, found: Found) -> None:
    """What a junctor speaks of must stand in the structure, too."""
    for junctor in ("allOf", "anyOf", "oneOf"):
        for index, part in enumerate(schema.get(junctor) or ()):
            _covered(outer, part, path, f"{path}.{junctor}[{index}]", found)
    if isinstance(schema.get("not"), dict):
        _covered(outer, schema["not"], path, f"{path}.not", found)
    if schema is outer:
        for child, where, _ in children(schema, path):
            _complete(child, child, where, found)


def _covered(outer: Schema, part: Schema, path: str, where: str, found: Found) -> None:
    properties = outer.get("properties") or {}
    for name, child in (part.get("properties") or {}).items():
        if name in properties:
            _covered(properties[name], child, f"{path}.properties[{name}]", f"{where}.properties[{name}]", found)
        else:
            found.append(
                required(
                    f"{path}.properties[{name}]",
                    f"because it is defined in {where}.properties[{name}]",
                )
            )
    if isinstance(part.get("items"), dict):
        items = outer.get("items")
        if isinstance(items, dict):
            _covered(items, part["items"], f"{path}.items", f"{where}.items", found)
        else:
            found.append(required(f"{path}.items", f"because it is defined in {where}.items"))
    _complete(outer, part, path, found)


def _default(schema: Schema, path: str, found: Found) -> None:
    """A default must be what the schema allows, and nothing that would be pruned."""
    given = schema.get("default")
    if given is None:
        return
    dropped: list[str] = []
    if isinstance(given, (dict, list)):
        kept = orjson.loads(orjson.dumps(given))
        pruning.prune_value(schema, kept, "", dropped)
    if dropped:
        found.append(invalid_value(f"{path}.default", given, "must not have unknown fields"))
        return
    filled = given
    if isinstance(given, (dict, list)):
        filled = orjson.loads(orjson.dumps(given))
        pruning.default(schema, filled)
    found.extend(values.check(schema, filled, f"{path}.default"))
