"""The schema of a custom resource as OpenAPI publishes it (apiextensions/controller/openapi/builder)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cluster.apiserver.apiextensions.custom import VersionInfo

Schema = dict[str, Any]
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
# What OpenAPI v2 has no words for.
_ONLY_V3 = frozenset({"oneOf", "anyOf", "allOf", "not", "nullable"})


def published(info: VersionInfo, *, v2: bool) -> dict[str, Schema]:
    """The definitions of the kind and of its list, by name. References are written as v2 has them."""
    resource = info.resource
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    item = dict(info.complete)
    if v2:
        item = _for_v2(item)
        if info.schema.get("x-kubernetes-preserve-unknown-fields"):
            # Clients must not refuse what they do not know: nothing is said of the fields.
            item = {"type": "object"}
    if "properties" in item:
        metadata = {
            "$ref": f"#/definitions/{_META}ObjectMeta",
            "description": "Standard object's metadata. More info: "
            "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
        }
        item["properties"] = {**item["properties"], "metadata": metadata}
    item["x-kubernetes-group-version-kind"] = [kind]
    listed = {
        "description": f"{resource.list_kind} is a list of {resource.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": info.complete["properties"]["apiVersion"],
            "items": {
                "description": f"List of {resource.plural}. More info: "
                "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md",
                "type": "array",
                "items": {"$ref": f"#/definitions/{resource.definition}"},
            },
            "kind": info.complete["properties"]["kind"],
            "metadata": {
                "$ref": f"#/definitions/{_META}ListMeta",
                "description": "Standard list metadata. More info: "
                "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
            },
        },
        "x-kubernetes-group-version-kind": [{**kind, "kind": resource.list_kind}],
    }
    return {resource.definition: item, f"{resource.definition}List": listed}


def _for_v2(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    result: Schema = {}
    preserves = schema.get("x-kubernetes-preserve-unknown-fields")
    free = preserves or schema.get("x-kubernetes-int-or-string") or schema.get("nullable")
    for key, value in schema.items():
        if key in _ONLY_V3 or (key == "default"):
            continue
        if key == "type" and (schema.get("x-kubernetes-int-or-string") or schema.get("nullable")):
            continue
        if free and key in ("items", "properties") and (preserves or schema.get("nullable")):
            continue
        if key == "properties":
            result[key] = {name: _for_v2(child) for name, child in value.items()}
        elif key in ("items", "additionalProperties"):
            result[key] = _for_v2(value)
        else:
            result[key] = value
    return result
