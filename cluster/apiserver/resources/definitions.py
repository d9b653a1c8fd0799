"""The 1.37 schemas, loaded once from the `kubernetes-validate` package and put right.

The package widens types for its own use (`["string","null"]`, IntOrString as a choice); what is here is as Kubernetes
publishes it: plain types, `$ref` to `#/definitions/NAME`.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from cluster.apiserver.resources import own

Schema = dict[str, Any]

QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
TIMES = frozenset({"io.k8s.apimachinery.pkg.apis.meta.v1.Time", "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"})
# Definitions that take any JSON.
ANYTHING = frozenset(
    {
        "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
        "io.k8s.apimachinery.pkg.runtime.RawExtension",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
    }
)


@cache
def definitions() -> dict[str, Schema]:
    """All definitions by name, as the package has them (types widened), and our own."""
    # The package's data, without its code: that loads another validator, 2 MB.
    package = find_spec("kubernetes_validate")
    assert package is not None and package.origin is not None, "the package kubernetes-validate is not installed"
    path = Path(package.origin).parent / "kubernetes-json-schema" / "v1.37.0-local" / "_definitions.json"
    found: dict[str, Schema] = orjson.loads(path.read_bytes())["$defs"]
    return {**found, **own.DEFINITIONS}


def always_there(name: str) -> frozenset[str]:
    """The plain fields that a condition has even when nobody set them; empty for any other definition.

    Nobody validates conditions, anyone who may write a status writes them, and every loop reads them by their type.
    """
    if not name.endswith("Condition"):
        return frozenset()
    fields = definitions()[name]["properties"]
    plain = {field for field, schema in fields.items() if plain_type(schema) == "string" and "format" not in schema}
    return frozenset(plain & {"type", "status", *(definitions()[name].get("required") or ())})


def reference(schema: Schema) -> str | None:
    """The name of the definition that a schema refers to."""
    ref = schema.get("$ref")
    return None if ref is None else str(ref).rpartition("/")[2]


def plain_type(schema: Schema) -> str:
    """The one type of a schema, without the null that the package adds; empty when it has none."""
    kind = schema.get("type")
    if isinstance(kind, list):
        return str(next((word for word in kind if word != "null"), ""))
    return str(kind or "")


def published(name: str) -> Schema:
    """A definition as Kubernetes publishes it."""
    if name == QUANTITY:
        return {"type": "string", "description": "Quantity is a fixed-point representation of a number."}
    if name == INT_OR_STRING:
        return {"type": "string", "format": "int-or-string", "description": "IntOrString can hold an int or a string."}
    found: Schema = _narrowed(definitions()[name])
    return found


def _narrowed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_narrowed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result: Schema = {}
    for key, value in schema.items():
        if key == "type" and isinstance(value, list):
            result[key] = plain_type(schema)
        elif key == "properties":
            result[key] = {name: _narrowed(child) for name, child in value.items()}
        elif key == "$ref":
            result[key] = f"#/definitions/{str(value).rpartition('/')[2]}"
        elif key in ("default", "enum", "x-kubernetes-group-version-kind"):
            result[key] = value
        else:
            result[key] = _narrowed(value)
    return result


def closure(roots: list[str]) -> list[str]:
    """All definitions that these refer to, themselves included, each once."""
    seen: dict[str, None] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in definitions():
            continue
        seen[name] = None
        stack: list[Any] = [definitions()[name]]
        while stack:
            part = stack.pop()
            if isinstance(part, dict):
                ref = part.get("$ref")
                if isinstance(ref, str):
                    waiting.append(ref.rpartition("/")[2])
                stack.extend(part.values())
            elif isinstance(part, list):
                stack.extend(part)
    return sorted(seen)
