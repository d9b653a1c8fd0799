"""The spec of a CustomResourceDefinition: names, versions, columns, subresources, conversion (apiextensions/validation)."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.errors import FieldError, invalid_value, not_supported, required
from cluster.apiserver.apiextensions.rules import check_rules
from cluster.apiserver.apiextensions.structural import check_schema
from cluster.apiserver.printers.custom import compile_path
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.metadata import Found

Obj = dict[str, Any]
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")


def check_spec(spec: Obj, before: Obj | None) -> Found:
    """The rules of a spec; schemas that `before` had already are not judged again."""
    found: Found = []
    group = spec.get("group") or ""
    if not group:
        found.append(required("spec.group"))
    elif names.subdomain(group):
        found.append(invalid_value("spec.group", group, names.subdomain(group)))
    elif "." not in group:
        found.append(invalid_value("spec.group", group, "should be a domain with at least one dot"))
    scope = spec.get("scope") or ""
    if not scope:
        found.append(required("spec.scope"))
    elif scope not in ("Cluster", "Namespaced"):
        found.append(not_supported("spec.scope", scope, ("Cluster", "Namespaced")))
    found.extend(_check_versions(spec, before))
    found.extend(_check_names(spec.get("names") or {}, "spec.names"))
    found.extend(_check_conversion(spec))
    if spec.get("preserveUnknownFields"):
        found.append(
            invalid_value(
                "spec.preserveUnknownFields",
                True,
                "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                "spec.versions[*].schema instead",
            )
        )
    return found


def _check_versions(spec: Obj, before: Obj | None) -> Found:
    found: Found = []
    versions = spec.get("versions") or []
    seen = [version.get("name", "") for version in versions]
    for index, name in enumerate(seen):
        if names.label_1035(name):
            found.append(invalid_value(f"spec.versions[{index}].name", name, names.label_1035(name)))
    if len(set(seen)) < len(seen):
        found.append(invalid_value("spec.versions", versions, "must contain unique version names"))
    if sum(1 for version in versions if version.get("storage")) != 1:
        found.append(
            invalid_value("spec.versions", versions, "must have exactly one version marked as storage version")
        )
    for index, version in enumerate(versions):
        if version.get("deprecationWarning") and not version.get("deprecated"):
            found.append(
                invalid_value(
                    f"spec.versions[{index}].deprecationWarning",
                    version["deprecationWarning"],
                    "can only be set for deprecated versions",
                )
            )
    known = {version.get("name"): version for version in (before or {}).get("versions") or ()}
    # What all versions say alike Kubernetes tells under the spec, and only once.
    for field, hoisted, check in (
        ("schema", "spec.validation", _check_version_schema),
        ("subresources", "spec.subresources", _check_subresources),
        ("additionalPrinterColumns", "spec.additionalPrinterColumns", _check_columns),
        ("selectableFields", "spec.selectableFields", _check_selectable),
    ):
        same = all(version.get(field) == versions[0].get(field) for version in versions)
        for index, version in enumerate(versions[:1] if same else versions):
            old = known.get(version.get("name"))
            if old is not None and old.get(field) == version.get(field) and old.get("schema") == version.get("schema"):
                continue
            found.extend(check(version, hoisted if same else f"spec.versions[{index}].{field}"))
    return found


def _check_version_schema(version: Obj, path: str) -> Found:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    if not isinstance(schema, dict):
        shown = "spec.versions[0].schema" if path == "spec.validation" else path
        return [required(f"{shown}.openAPIV3Schema", "schemas are required")]
    where = f"{path}.openAPIV3Schema"
    return check_schema(schema, where) or check_rules(schema, where)


def _json_path(text: str) -> bool:
    try:
        return text.startswith(".") and bool(compile_path(text))
    except ValueError:
        return False


def _check_subresources(version: Obj, path: str) -> Found:
    scale = (version.get("subresources") or {}).get("scale")
    if scale is None:
        return []
    found: Found = []
    for field, roots in (
        ("specReplicasPath", (".spec",)),
        ("statusReplicasPath", (".status",)),
        ("labelSelectorPath", (".spec", ".status")),
    ):
        value = scale.get(field) or ""
        where = f"{path}.scale.{field}"
        if not value:
            if field != "labelSelectorPath":
                found.append(required(where))
        elif not _json_path(value) or "[" in value:
            found.append(invalid_value(where, value, "should be a json path without array notation"))
        elif not value.startswith(tuple(f"{root}." for root in roots)):
            allowed = " or ".join(roots)
            found.append(invalid_value(where, value, f"should be a json path under {allowed}"))
    return found


def _check_columns(version: Obj, path: str) -> Found:
    found: Found = []
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        where = f"{path}[{index}]"
        if not column.get("name"):
            found.append(required(f"{where}.name"))
        if not column.get("type"):
            found.append(required(f"{where}.type", f"must be one of {','.join(_COLUMN_TYPES)}"))
        elif column["type"] not in _COLUMN_TYPES:
            found.append(invalid_value(f"{where}.type", column["type"], f"must be one of {','.join(_COLUMN_TYPES)}"))
        if column.get("format") and column["format"] not in _COLUMN_FORMATS:
            found.append(
                invalid_value(f"{where}.format", column["format"], f"must be one of {','.join(_COLUMN_FORMATS)}")
            )
        if not column.get("jsonPath"):
            found.append(required(f"{where}.jsonPath"))
        elif not _json_path(column["jsonPath"]):
            found.append(
                invalid_value(f"{where}.jsonPath", column["jsonPath"], "must be a simple json path starting with .")
            )
    return found


def _check_selectable(version: Obj, path: str) -> Found:
    found: Found = []
    fields = version.get("selectableFields") or ()
    if len(fields) > 8:
        found.append(FieldError("FieldValueTooMany", path, "must have at most 8 items", len(fields)))
    seen: set[str] = set()
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    for index, field in enumerate(fields):
        where, value = f"{path}[{index}].jsonPath", field.get("jsonPath") or ""
        if not value:
            found.append(required(where))
            continue
        if not _json_path(value) or "[" in value:
            found.append(invalid_value(where, value, "is an invalid path: must be a simple json path starting with ."))
            continue
        if value.startswith(".metadata."):
            found.append(invalid_value(where, value, "must not point to fields in metadata"))
            continue
        here: Any = schema
        for step in value.strip(".").split("."):
            here = ((here or {}).get("properties") or {}).get(step)
        if here is None:
            found.append(invalid_value(where, value, "is an invalid path: does not refer to a valid field"))
        elif here.get("type") not in ("string", "boolean", "integer"):
            found.append(
                invalid_value(
                    where,
                    value,
                    "must point to a field of type string, boolean or integer. Enum string fields and "
                    "strings with formats are allowed.",
                )
            )
        if value in seen:
            found.append(FieldError("FieldValueDuplicate", where, "", value))
        seen.add(value)
    return found


def _check_names(words: Obj, path: str) -> Found:
    found = [
        required(f"{path}.{field}") for field in ("plural", "singular", "kind", "listKind") if not words.get(field)
    ]
    for field in ("plural", "singular"):
        value = words.get(field)
        if value and names.label_1035(value):
            found.append(invalid_value(f"{path}.{field}", value, names.label_1035(value)))
    for field in ("kind", "listKind"):
        value = words.get(field)
        if value and names.label_1035(value.lower()):
            text = f"may have mixed case, but should otherwise match: {names.label_1035(value.lower())}"
            found.append(invalid_value(f"{path}.{field}", value, text))
    for field in ("shortNames", "categories"):
        for index, value in enumerate(words.get(field) or ()):
            if names.label_1035(value):
                found.append(invalid_value(f"{path}.{field}[{index}]", value, names.label_1035(value)))
        if field == "shortNames" and words.get("kind") and words.get("kind") == words.get("listKind"):
            found.append(invalid_value(f"{path}.listKind", words["listKind"], "kind and listKind may not be the same"))
    return found


def _check_conversion(spec: Obj) -> Found:
    conversion = spec.get("conversion") or {}
    strategy, webhook = conversion.get("strategy") or "", conversion.get("webhook")
    path = "spec.conversion"
    if not strategy:
        return [required(f"{path}.strategy")]
    if strategy not in ("None", "Webhook"):
        return [not_supported(f"{path}.strategy", strategy, ("None", "Webhook"))]
    if strategy == "None":
        if webhook is not None:
            return [
                FieldError(
                    "FieldValueForbidden",
                    f"{path}.webhookClientConfig",
                    "should not be set when strategy is not set to Webhook",
                )
            ]
        return []
    if not webhook or not webhook.get("clientConfig"):
        return [required(f"{path}.webhookClientConfig", "required when strategy is set to Webhook")]
    found: Found = []
    config = webhook["clientConfig"]
    if bool(config.get("url")) == bool(config.get("service")):
        found.append(required(f"{path}.webhookClientConfig", "exactly one of url or service is required"))
    elif config.get("url") and not str(config["url"]).startswith("https://"):
        found.append(
            invalid_value(
                f"{path}.webhookClientConfig.url",
                config["url"],
                "'https' is the only allowed URL scheme; desired format: https://host[/path]",
            )
        )
    versions = webhook.get("conversionReviewVersions") or []
    if not versions:
        found.append(required(f"{path}.conversionReviewVersions"))
    elif "v1" not in versions:
        found.append(
            invalid_value(f"{path}.conversionReviewVersions", versions, "must include at least one of v1, v1beta1")
        )
    return found
