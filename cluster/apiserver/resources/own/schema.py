"""The vocabulary of our own schemas: fields, structs, kinds with their lists, as Kubernetes publishes its own."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
GROUP, VERSION = "sim.kubeweb.dev", "v1alpha1"
METRICS = "metrics.k8s.io"
# Where the definitions of a group are found.
PACKAGES = {GROUP: "dev.kubeweb.sim", METRICS: "io.k8s.metrics.pkg.apis.metrics"}
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"


def ref(name: str, description: str = "") -> Schema:
    """A field of a struct defined elsewhere; a name without dots is one of ours."""
    full = name if "." in name else f"{PACKAGES[GROUP]}.{VERSION}.{name}"
    return {"$ref": f"#/$defs/{full}", **({"description": description} if description else {})}


def text(description: str) -> Schema:
    return {"type": "string", "description": description}


def integer(description: str) -> Schema:
    return {"type": "integer", "format": "int64", "description": description}


def number(description: str) -> Schema:
    return {"type": "number", "format": "double", "description": description}


def boolean(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def quantity(description: str) -> Schema:
    return ref(QUANTITY, description)


def moment(description: str) -> Schema:
    return ref(f"{_META}.Time", description)


def several(items: Schema, description: str) -> Schema:
    return {"type": "array", "items": items, "description": description}


def mapped(values: Schema, description: str) -> Schema:
    return {"type": "object", "additionalProperties": values, "description": description}


STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer", "format": "int64"}


def struct(name: str, description: str, fields: dict[str, Schema], *required: str) -> dict[str, Schema]:
    """A definition of our own group."""
    schema: Schema = {"type": "object", "description": description, "properties": fields}
    if required:
        schema["required"] = list(required)
    return {f"{PACKAGES[GROUP]}.{VERSION}.{name}": schema}


def kind(
    name: str,
    description: str,
    fields: dict[str, Schema],
    *,
    group: str = GROUP,
    version: str = VERSION,
    required: tuple[str, ...] = (),
) -> dict[str, Schema]:
    """A kind and its list."""
    package = f"{PACKAGES[group]}.{version}"
    types = {
        "apiVersion": text("APIVersion defines the versioned schema of this representation of an object."),
        "kind": text("Kind is a string value representing the REST resource this object represents."),
    }
    own: Schema = {
        "type": "object",
        "description": description,
        "properties": {**types, "metadata": ref(f"{_META}.ObjectMeta"), **fields},
        "x-kubernetes-group-version-kind": [{"group": group, "kind": name, "version": version}],
    }
    if required:
        own["required"] = list(required)
    many: Schema = {
        "type": "object",
        "description": f"{name}List is a list of {name} objects.",
        "properties": {
            **types,
            "metadata": ref(f"{_META}.ListMeta"),
            "items": several({"$ref": f"#/$defs/{package}.{name}"}, "The objects."),
        },
        "required": ["items"],
        "x-kubernetes-group-version-kind": [{"group": group, "kind": f"{name}List", "version": version}],
    }
    return {f"{package}.{name}": own, f"{package}.{name}List": many}
