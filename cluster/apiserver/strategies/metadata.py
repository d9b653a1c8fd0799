"""ObjectMeta: what every kind has in common (apimachinery/pkg/api/validation/objectmeta.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cluster.apimachinery.errors import FieldError, forbidden_field, invalid_value, required, too_long
from cluster.apiserver.strategies import names

Obj = dict[str, Any]
Found = list[FieldError]
MAX_ANNOTATIONS = 256 * 1024
IMMUTABLE = "field is immutable"


def check_metadata(metadata: Obj, name_rule: Callable[[str], str], namespaced: bool) -> Found:
    """Names, labels, annotations, owners and finalizers of a new object."""
    found: Found = []
    generate = metadata.get("generateName")
    if generate:
        complaint = name_rule(generate.rstrip("-.") or generate)
        if complaint:
            found.append(invalid_value("metadata.generateName", generate, complaint))
    name = metadata.get("name")
    if not name:
        found.append(required("metadata.name", "name or generateName is required"))
    else:
        complaint = name_rule(name)
        if complaint:
            found.append(invalid_value("metadata.name", name, complaint))
    if namespaced:
        namespace = metadata.get("namespace")
        if not namespace:
            found.append(required("metadata.namespace"))
        elif names.label(namespace):
            found.append(invalid_value("metadata.namespace", namespace, names.label(namespace)))
    if metadata.get("labels"):
        found.extend(check_labels(metadata["labels"], "metadata.labels"))
    if metadata.get("annotations"):
        found.extend(check_annotations(metadata["annotations"], "metadata.annotations"))
    if metadata.get("ownerReferences"):
        found.extend(_check_owners(metadata["ownerReferences"]))
    for index, finalizer in enumerate(metadata.get("finalizers") or ()):
        complaint = names.qualified(finalizer)
        if complaint:
            found.append(invalid_value(f"metadata.finalizers[{index}]", finalizer, complaint))
    return found


# The finalizers without a domain that Kubernetes knows (core/helper.IsStandardFinalizerName).
STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})


def check_own_finalizers(finalizers: Iterable[str]) -> Found:
    """Objects of built-in kinds are created with finalizers that say whose they are (core/validation.ValidateObjectMeta)."""
    return [
        invalid_value(
            f"metadata.finalizers[{index}]", one, "name is neither a standard finalizer name nor is it fully qualified"
        )
        for index, one in enumerate(finalizers)
        if "/" not in one and one not in STANDARD_FINALIZERS
    ]


def check_labels(labels: Mapping[str, str], path: str) -> Found:
    found: Found = []
    for key, value in labels.items():
        complaint = names.qualified(key)
        if complaint:
            found.append(invalid_value(path, key, complaint))
        complaint = names.label_value(value)
        if complaint:
            found.append(invalid_value(path, value, complaint))
    return found


def check_annotations(annotations: Mapping[str, str], path: str) -> Found:
    found: Found = []
    size = 0
    for key, value in annotations.items():
        complaint = names.qualified(key.lower())
        if complaint:
            found.append(invalid_value(path, key, complaint))
        size += len(key) + len(value)
    if size > MAX_ANNOTATIONS:
        found.append(too_long(path, MAX_ANNOTATIONS))
    return found


def _check_owners(owners: list[Obj]) -> Found:
    found: Found = []
    controllers = [owner for owner in owners if owner.get("controller")]
    for index, owner in enumerate(owners):
        path = f"metadata.ownerReferences[{index}]"
        if not owner.get("apiVersion"):
            found.append(invalid_value(f"{path}.apiVersion", "", "version must not be empty"))
        for field in ("kind", "name", "uid"):
            if not owner.get(field):
                found.append(invalid_value(f"{path}.{field}", "", f"{field} must not be empty"))
    if len(controllers) > 1:
        first, second = controllers[0], controllers[1]
        found.append(
            invalid_value(
                "metadata.ownerReferences",
                owners,
                'Only one reference can have Controller set to true. Found "true" in references for '
                f"{first.get('kind')}/{first.get('name')} and {second.get('kind')}/{second.get('name')}",
            )
        )
    return found


def check_metadata_update(metadata: Obj, before: Obj) -> Found:
    """What no update may change; the labels and annotations are checked again only where they are new."""
    found: Found = []
    for field in ("name", "namespace", "uid", "creationTimestamp"):
        if metadata.get(field) != before.get(field):
            found.append(invalid_value(f"metadata.{field}", metadata.get(field), IMMUTABLE))
    if metadata.get("labels") and metadata["labels"] != before.get("labels"):
        found.extend(check_labels(metadata["labels"], "metadata.labels"))
    if metadata.get("annotations") and metadata["annotations"] != before.get("annotations"):
        found.extend(check_annotations(metadata["annotations"], "metadata.annotations"))
    if metadata.get("ownerReferences") and metadata["ownerReferences"] != before.get("ownerReferences"):
        found.extend(_check_owners(metadata["ownerReferences"]))
    finalizers, had = metadata.get("finalizers") or [], before.get("finalizers") or []
    if finalizers != had:
        for index, finalizer in enumerate(finalizers):
            complaint = names.qualified(finalizer)
            if complaint:
                found.append(invalid_value(f"metadata.finalizers[{index}]", finalizer, complaint))
        added = [finalizer for finalizer in finalizers if finalizer not in had]
        if before.get("deletionTimestamp") and added:
            shown = "[" + ", ".join(f'"{one}"' for one in added) + "]"
            found.append(
                forbidden_field(
                    "metadata.finalizers",
                    f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{shown[1:-1]}}}",
                )
            )
    return found


def immutable(obj: Mapping[str, Any], old: Mapping[str, Any], *fields: str, path: str = "spec") -> Found:
    """A finding for each of these fields that an update would change."""
    return [
        invalid_value(f"{path}.{field}" if path else field, obj.get(field), IMMUTABLE)
        for field in fields
        if obj.get(field) != old.get(field)
    ]


def check_selector(selector: Obj, path: str) -> Found:
    """metav1.LabelSelector."""
    found: Found = []
    for key, value in (selector.get("matchLabels") or {}).items():
        if names.qualified(key):
            found.append(invalid_value(f"{path}.matchLabels", key, names.qualified(key)))
        if names.label_value(value):
            found.append(invalid_value(f"{path}.matchLabels", value, names.label_value(value)))
    for index, one in enumerate(selector.get("matchExpressions") or ()):
        here = f"{path}.matchExpressions[{index}]"
        operator, values = one.get("operator"), one.get("values") or []
        if operator in ("In", "NotIn"):
            if not values:
                found.append(required(f"{here}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                found.append(
                    forbidden_field(
                        f"{here}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                    )
                )
        else:
            found.append(invalid_value(f"{here}.operator", operator or "", "not a valid selector operator"))
        key = one.get("key") or ""
        if names.qualified(key):
            found.append(invalid_value(f"{here}.key", key, names.qualified(key)))
        for number, value in enumerate(values):
            if names.label_value(value):
                found.append(invalid_value(f"{here}.values[{number}]", value, names.label_value(value)))
    return found
