"""Is this value as the schema wants it? In the words of kube-openapi's validator, which custom resources are checked with.

`check` walks value and schema side by side. With `old`, what has not changed is not complained about again (ratcheting): a definition
may become stricter without locking up the objects that are there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from cluster.apimachinery.errors import FieldError, duplicate, invalid_value, not_supported, required
from cluster.apimachinery.patterns import matches
from cluster.apiserver.apiextensions.formats import FORMATS

Schema = dict[str, Any]
Found = list[FieldError]
MISSING: Any = object()
ROOT = "<nil>"


def type_name(value: Any) -> str:
    """What JSON schema calls the type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def check(schema: Schema, value: Any, path: str = "", old: Any = MISSING) -> Found:
    """Everything that is wrong with `value`; nothing where it equals `old`."""
    if old is not MISSING and same(old, value):
        return []
    found: Found = []
    _type(schema, value, path, found)
    if value is None:
        if schema.get("nullable"):
            return []
        _enum(schema, value, path, found)
        return found
    _combined(schema, value, path, found)
    if isinstance(value, str):
        _string(schema, value, path, found)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        _number(schema, value, path, found)
    elif isinstance(value, list):
        _list(schema, value, path, old, found)
    _enum(schema, value, path, found)
    if isinstance(value, dict):
        _object(schema, value, path, old, found)
    return found


def same(left: Any, right: Any) -> bool:
    """Equal as JSON (True is not 1)."""
    return bool(left == right) and type(left) is type(right)


def _fails(path: str, value: Any, text: str) -> FieldError:
    return invalid_value(path or ROOT, value, f"{path} in body {text}")


def _type(schema: Schema, value: Any, path: str, found: Found) -> None:
    wanted = schema.get("type") or ("integer,string" if schema.get("x-kubernetes-int-or-string") else "")
    if not wanted:
        return
    kind = type_name(value)
    if value is None and schema.get("nullable"):
        return
    fits = (
        kind in wanted.split(",")
        or (kind == "integer" and wanted == "number")
        or (kind == "number" and wanted == "integer" and value.is_integer())
    )
    if not fits:
        detail = f'{path} in body must be of type {wanted}: "{kind}"'
        found.append(FieldError("FieldValueTypeInvalid", path or ROOT, detail, kind))


def _combined(schema: Schema, value: Any, path: str, found: Found) -> None:
    shown = f'"{path}"'
    for part in schema.get("allOf") or ():
        found.extend(check(part, value, path))
    some = schema.get("anyOf")
    if some and not (schema.get("x-kubernetes-int-or-string") and isinstance(value, (int, str))):
        failures = [check(part, value, path) for part in some]
        if all(failures):
            found.append(invalid_value(ROOT, "", f"{shown} must validate at least one schema (anyOf)"))
            found.extend(_best(failures))
    one = schema.get("oneOf")
    if one:
        failures = [check(part, value, path) for part in one]
        fitting = sum(1 for failed in failures if not failed)
        if fitting == 0:
            told = "Found none valid"
            found.append(invalid_value(ROOT, "", f"{shown} must validate one and only one schema (oneOf). {told}"))
            found.extend(_best(failures))
        elif fitting > 1:
            told = f"Found {fitting} valid alternatives"
            found.append(invalid_value(ROOT, "", f"{shown} must validate one and only one schema (oneOf). {told}"))
    if "not" in schema and not check(schema["not"], value, path):
        found.append(invalid_value(ROOT, "", f"{shown} must not validate the schema (not)"))


def _best(failures: list[Found]) -> Found:
    """The alternative that the value came nearest to."""
    return sorted(failures, key=len)[0]


def _enum(schema: Schema, value: Any, path: str, found: Found) -> None:
    allowed = schema.get("enum")
    if not allowed or any(same(value, one) for one in allowed):
        return
    words = [one if isinstance(one, str) else orjson.dumps(one).decode() for one in allowed]
    found.append(not_supported(path or ROOT, value, words))


def _string(schema: Schema, value: str, path: str, found: Found) -> None:
    longest, shortest, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    if longest is not None and len(value) > longest:
        unit = "character" if longest == 1 else "characters"
        found.append(FieldError("FieldValueTooLong", path or ROOT, f"may not be more than {longest} {unit}"))
    if shortest is not None and len(value) < shortest:
        found.append(_fails(path, value, f"should be at least {shortest} chars long"))
    if pattern and not matches(pattern, value):
        found.append(_fails(path, value, f"should match '{pattern}'"))
    fits = FORMATS.get((schema.get("format") or "").replace("-", ""))
    if fits is not None and not fits(value):
        detail = f"{path} in body must be of type {schema['format']}: {orjson.dumps(value).decode()}"
        found.append(FieldError("FieldValueTypeInvalid", path or ROOT, detail, value))


def _shown(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


_LIMITS: tuple[tuple[str, str, Callable[[float, float], bool], str, str], ...] = (
    ("maximum", "exclusiveMaximum", lambda value, limit: value <= limit, "less than or equal to", "less than"),
    ("minimum", "exclusiveMinimum", lambda value, limit: value >= limit, "greater than or equal to", "greater than"),
)
_RANGES = {"int32": 31, "int64": 63}


def _number(schema: Schema, value: float, path: str, found: Found) -> None:
    for name, exclusive, fits, words, strictly in _LIMITS:
        limit = schema.get(name)
        if limit is None:
            continue
        strict = bool(schema.get(exclusive))
        if not fits(value, limit) or (strict and value == limit):
            found.append(_fails(path, value, f"should be {strictly if strict else words} {_shown(limit)}"))
    step = schema.get("multipleOf")
    if step:
        quotient = value / step
        if abs(quotient - round(quotient)) > 1e-9:
            found.append(_fails(path, value, f"should be a multiple of {_shown(step)}"))
    bits = _RANGES.get(schema.get("format") or "")
    if bits and schema.get("type") == "integer" and not -(2**bits) <= value < 2**bits:
        found.append(
            invalid_value(path, value, f"Checked value must be of type integer with format {schema['format']}")
        )


def _too_many(path: str, actual: int, limit: int) -> FieldError:
    detail = f"must have at most {limit} item{'' if limit == 1 else 's'}"
    return FieldError("FieldValueTooMany", path or ROOT, detail, actual)


def _list(schema: Schema, value: list[Any], path: str, old: Any, found: Found) -> None:
    most, least = schema.get("maxItems"), schema.get("minItems")
    if least is not None and len(value) < least:
        found.append(_fails(path, value if len(value) > 0 else len(value), f"should have at least {least} items"))
    if most is not None and len(value) > most:
        found.append(_too_many(path, len(value), most))
    items = schema.get("items")
    if items:
        before = correlated(schema, old)
        for index, item in enumerate(value):
            found.extend(check(items, item, f"{path}[{index}]", before(item)))


def correlated(schema: Schema, old: Any) -> Callable[[Any], Any]:
    """Finds the earlier state of a list's item: by its keys in a list of type map, nowhere in others."""
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list) or not keys:
        return lambda item: MISSING
    before = {key_of(item, keys): item for item in old}
    return lambda item: before.get(key_of(item, keys), MISSING)


def key_of(item: Any, keys: Any) -> bytes:
    """What tells the items of a list of type map apart."""
    if not isinstance(item, dict):
        return orjson.dumps(item)
    return orjson.dumps([item.get(name) for name in keys])


def _object(schema: Schema, value: dict[str, Any], path: str, old: Any, found: Found) -> None:
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if least is not None and len(value) < least:
        found.append(_fails(path, value, f"should have at least {least} properties"))
    if most is not None and len(value) > most:
        found.append(_too_many(path, len(value), most))
    prefix = f"{path}." if path else ""
    found.extend(required(prefix + name) for name in schema.get("required") or () if name not in value)
    properties, rest = schema.get("properties") or {}, schema.get("additionalProperties")
    before = old if isinstance(old, dict) else {}
    for name, item in value.items():
        child = properties.get(name)
        if child is not None:
            found.extend(check(child, item, prefix + name, before.get(name, MISSING)))
        elif isinstance(rest, dict):
            found.extend(check(rest, item, prefix + name, before.get(name, MISSING)))
        elif rest is False:
            found.append(invalid_value(prefix + name, "", f"{prefix}{name} in body is a forbidden property"))


def check_lists(schema: Schema, value: Any, path: str = "") -> Found:
    """Items of sets and maps appear once (schema/listtype)."""
    found: Found = []
    if isinstance(value, dict):
        properties, rest = schema.get("properties") or {}, schema.get("additionalProperties")
        for name, item in value.items():
            child = properties.get(name) or (rest if isinstance(rest, dict) else None)
            if child is not None and isinstance(item, (dict, list)):
                found.extend(check_lists(child, item, f"{path}.{name}" if path else name))
        return found
    if not isinstance(value, list):
        return found
    kind, items = schema.get("x-kubernetes-list-type"), schema.get("items") or {}
    if kind in ("set", "map"):
        keys = schema.get("x-kubernetes-list-map-keys") or ()
        seen: set[bytes] = set()
        for index, item in enumerate(value):
            mark = key_of(item, keys) if kind == "map" else orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
            if mark in seen:
                shown = {name: item.get(name) for name in keys} if kind == "map" and isinstance(item, dict) else item
                found.append(duplicate(f"{path}[{index}]", shown))
            seen.add(mark)
    for index, item in enumerate(value):
        if isinstance(item, (dict, list)):
            found.extend(check_lists(items, item, f"{path}[{index}]"))
    return found
