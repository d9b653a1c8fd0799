"""What the decode stage and the subresources share: options, bodies and patches (apiserver/pkg/endpoints/handlers)."""

from __future__ import annotations

from typing import Any

import orjson

from cluster.apimachinery import errors
from cluster.apiserver.context import Context, Obj
from cluster.apiserver.patch.json_patch import apply_json_patch
from cluster.apiserver.patch.merge_patch import apply_merge_patch
from cluster.apiserver.patch.strategic import apply_strategic_patch
from cluster.apiserver.resources import body, schema
from cluster.apiserver.resources.conversion import convert
from cluster.apiserver.resources.registry import Resource
from cluster.apiserver.storage.cache import Entry

PATCH_TYPES = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
    "application/apply-patch+json": "apply",
}


def options(context: Context) -> None:
    """The query parameters that all writes share (metav1.CreateOptions, UpdateOptions, PatchOptions)."""
    params = context.params
    dry_run = params.get("dryRun", "")
    if dry_run not in ("", "All"):
        raise errors.StatusError(
            422,
            "Invalid",
            f'{_options_kind(context)}.meta.k8s.io "" is invalid: dryRun: Unsupported value: "{dry_run}": '
            'supported values: "All"',
            group="meta.k8s.io",
            kind=_options_kind(context),
        )
    context.dry_run = dry_run == "All"
    validation = params.get("fieldValidation", "")
    if validation not in ("", "Ignore", "Warn", "Strict"):
        raise errors.StatusError(
            422,
            "Invalid",
            f'{_options_kind(context)}.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "{validation}": '
            'supported values: "Ignore", "Strict", "Warn"',
            group="meta.k8s.io",
            kind=_options_kind(context),
        )
    context.field_validation = validation
    _check_manager(context)
    context.field_manager = params.get("fieldManager", "") or manager_of(context)


def _check_manager(context: Context) -> None:
    """fieldManager and force (metav1.ValidatePatchOptions)."""
    params = context.params
    manager, found = params.get("fieldManager", ""), []
    if len(manager) > 128:
        found.append(errors.too_long("fieldManager", 128))
    elif not manager.isprintable():
        index = next(index for index, letter in enumerate(manager) if not letter.isprintable())
        found.append(
            errors.invalid_value(
                "fieldManager", manager, f"invalid character U+{ord(manager[index]):04X} (at position {index})"
            )
        )
    if params.get("force") and context.info.verb == "patch" and patch_kind(context) != "apply":
        found.append(errors.forbidden_field("force", "may not be specified for non-apply patch"))
    if found:
        raise errors.invalid(_options_kind(context), "meta.k8s.io", "", found)


def _options_kind(context: Context) -> str:
    return {"create": "CreateOptions", "patch": "PatchOptions", "update": "UpdateOptions"}.get(
        context.info.verb, "DeleteOptions"
    )


def manager_of(context: Context) -> str:
    """The default field manager: the user agent up to its first slash."""
    agent = context.journey.agent
    return agent.partition("/")[0][:128] or "unknown"


def parse_body(context: Context, resource: Resource | None = None) -> tuple[Obj, list[str]]:
    """The body as an object, and the keys that it names twice."""
    if context.loopback:
        # The caller may still hold parts of what it gave: take a copy, as the wire would.
        copied: Obj = orjson.loads(orjson.dumps(context.body))
        return copied, []
    content_type = context.headers.get(b"content-type", b"").decode("latin-1")
    return body.parse(
        context.body,
        content_type,
        want_duplicates=context.field_validation in ("Strict", "Warn", ""),
        kind=(resource or context.resource).kind,
    )


def checked(
    context: Context, obj: Any, duplicates: list[str], resource: Resource | None = None, *, complete: bool = True
) -> Obj:
    """The object after the schema: types checked, unknown fields told or dropped, in its storage version."""
    resource = resource or context.resource
    validation = context.field_validation or "Warn"
    decoded, warnings = schema.decode(
        resource, obj, field_validation=validation, duplicates=duplicates, complete=complete
    )
    context.warnings.extend(warnings)
    if not resource.stored and resource.custom is None:
        decoded = convert(decoded, context.server.registry.by_storage_key(resource.storage_key))
    return decoded


def served(context: Context, obj: Obj) -> Obj:
    """A stored object in the version that this request speaks (`current` has seen to custom ones)."""
    resource = context.resource
    if resource.stored or resource.custom is not None:
        return obj
    return convert(obj, resource)


def current(context: Context) -> Entry | None:
    """The stored object that the request is about; a custom one in the request's own version."""
    resource = context.resource
    entry = context.server.storage.entry(resource.storage_key, context.key)
    if entry is None or resource.custom is None:
        return entry
    obj = resource.custom.serve(entry, context.converted.get(entry.revision))
    return entry if obj is entry.obj else Entry(entry.key, entry.revision, obj)


def patch_kind(context: Context) -> str:
    """json, merge, strategic or apply; 415 for anything else."""
    content_type = context.headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip()
    kind = PATCH_TYPES.get(content_type, "")
    custom = context.resource.custom is not None
    if not kind or (custom and kind == "strategic" and context.info.subresource != "scale"):
        known = ", ".join(sorted(PATCH_TYPES))
        if custom:
            known = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
        raise errors.unsupported_media_type(
            f"the body of the request was in an unknown format - accepted media types include: {known}"
        )
    return kind


def parse_patch(context: Context, kind: str) -> tuple[Any, list[str]]:
    """The patch document, and the keys that it names twice."""
    if context.loopback:
        return orjson.loads(orjson.dumps(context.body)), []
    content_type = "application/yaml" if kind == "apply" else "application/json"
    return body.parse(
        context.body, content_type, want_duplicates=context.field_validation in ("Strict", "Warn"), any_type=True
    )


def patched(current: Obj, patch: Any, kind: str, resource: Resource) -> Any:
    """`current` after a patch of this kind; `current` itself is not changed."""
    if kind == "json":
        return apply_json_patch(current, patch)
    if kind == "merge":
        return apply_merge_patch(current, patch)
    if not resource.definition:
        raise errors.unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
        )
    return apply_strategic_patch(current, patch, schema.root(resource.definition))
