"""CustomResourceDefinitions as objects: their defaults, their rules, what an update may not change (apiextensions/validation)."""

from __future__ import annotations

from typing import Any

from cluster import clock
from cluster.apimachinery.errors import invalid_value, required
from cluster.apiserver.apiextensions.definitionspec import check_spec
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.base import Strategy
from cluster.apiserver.strategies.metadata import IMMUTABLE, Found, check_metadata, check_metadata_update

Obj = dict[str, Any]
KEY = "apiextensions.k8s.io/customresourcedefinitions"
PATH = "apiextensions.k8s.io/v1/customresourcedefinitions"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
APPROVED = "api-approved.kubernetes.io"


def condition(crd: Obj, kind: str) -> Obj | None:
    """One condition of a definition."""
    for one in (crd.get("status") or {}).get("conditions") or ():
        if one.get("type") == kind:
            found: Obj = one
            return found
    return None


def is_true(crd: Obj, kind: str) -> bool:
    return (condition(crd, kind) or {}).get("status") == "True"


def marked_for_deletion(crd: Obj) -> Obj:
    """The status of a definition whose deletion has just been asked for."""
    status = crd.get("status") or {}
    told = {
        "type": "Terminating",
        "status": "True",
        "lastTransitionTime": clock.timestamp(),
        "reason": "InstanceDeletionPending",
        "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will be issued soon",
    }
    others = [one for one in status.get("conditions") or () if one.get("type") != "Terminating"]
    return {**status, "conditions": [*others, told]}


def storage_version(spec: Obj) -> str:
    return next((str(version["name"]) for version in spec["versions"] if version.get("storage")), "")


class DefinitionStrategy(Strategy):
    """CustomResourceDefinition."""

    namespaced = False
    has_status = True
    has_generation = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        words = spec.setdefault("names", {})
        if words.get("kind"):
            words.setdefault("singular", words["kind"].lower())
            words.setdefault("listKind", f"{words['kind']}List")
        conversion = spec.setdefault("conversion", {})
        conversion.setdefault("strategy", "None")
        service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
        if service is not None:
            service.setdefault("port", 443)

    def prepare_for_create(self, obj: Obj) -> None:
        obj["metadata"]["generation"] = 1
        stored = storage_version(obj["spec"]) if obj["spec"].get("versions") else ""
        obj["status"] = {
            "conditions": [],
            "acceptedNames": {"plural": "", "kind": ""},
            "storedVersions": [stored] if stored else [],
        }

    def prepare_for_update(self, obj: Obj, old: Obj) -> None:
        super().prepare_for_update(obj, old)
        stored = storage_version(obj["spec"]) if obj["spec"].get("versions") else ""
        status = obj.get("status") or {}
        if stored and stored not in (status.get("storedVersions") or ()):
            obj["status"] = {**status, "storedVersions": [*(status.get("storedVersions") or ()), stored]}

    def prepare_for_status_update(self, obj: Obj, old: Obj) -> None:
        obj["spec"] = old["spec"]
        kept = {name: obj["metadata"][name] for name in ("resourceVersion", "managedFields") if name in obj["metadata"]}
        obj["metadata"] = {
            **{name: value for name, value in old["metadata"].items() if name != "managedFields"},
            **kept,
        }

    def validate(self, obj: Obj) -> Found:
        found = check_metadata(obj["metadata"], names.subdomain, False)
        spec = obj.get("spec") or {}
        wanted = f"{(spec.get('names') or {}).get('plural', '')}.{spec.get('group', '')}"
        name = obj["metadata"].get("name")
        if name and name != wanted:
            found.append(invalid_value("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
        found.extend(_approval(obj))
        found.extend(check_spec(spec, None))
        return found

    def validate_update(self, obj: Obj, old: Obj) -> Found:
        found = check_metadata_update(obj["metadata"], old["metadata"])
        spec, before = obj.get("spec") or {}, old["spec"]
        found.extend(check_spec(spec, before))
        if is_true(old, "Established"):
            found.extend(_unchanged(spec, before, "scope"))
            found.extend(_unchanged(spec, before, "names", "kind"))
        found.extend(_unchanged(spec, before, "group"))
        found.extend(_unchanged(spec, before, "names", "plural"))
        found.extend(_stored(obj))
        return found

    def validate_status_update(self, obj: Obj, old: Obj) -> Found:
        return [*check_metadata_update(obj["metadata"], old["metadata"]), *_stored(obj)]


def _unchanged(spec: Obj, before: Obj, *path: str) -> Found:
    new: Any = spec
    old: Any = before
    for step in path:
        new, old = (new or {}).get(step), (old or {}).get(step)
    return [] if new == old else [invalid_value(".".join(("spec", *path)), new, IMMUTABLE)]


def _stored(obj: Obj) -> Found:
    """Versions that objects are stored in must stay in the list."""
    known = {version["name"] for version in obj["spec"].get("versions") or ()}
    stored = (obj.get("status") or {}).get("storedVersions") or []
    found = [
        invalid_value(
            f"status.storedVersions[{index}]",
            version,
            "missing from spec.versions; "
            f"{version} was previously a storage version, and must remain in spec.versions until a storage "
            f"migration ensures no data remains persisted in {version} and removes {version} from "
            "status.storedVersions",
        )
        for index, version in enumerate(stored)
        if version not in known
    ]
    if not stored:
        found.append(invalid_value("status.storedVersions", [], "must have at least one stored version"))
    return found


def _approval(obj: Obj) -> Found:
    """Kubernetes' own groups need somebody's approval."""
    group = str((obj.get("spec") or {}).get("group") or "")
    if not (group in ("k8s.io", "kubernetes.io") or group.endswith((".k8s.io", ".kubernetes.io"))):
        return []
    value = (obj["metadata"].get("annotations") or {}).get(APPROVED, "")
    link = "https://github.com/kubernetes/enhancements/pull/1111"
    if not value:
        return [
            required(
                f"metadata.annotations[{APPROVED}]",
                f'protected groups must have approval annotation "{APPROVED}", see {link}',
            )
        ]
    if value.startswith(("unapproved", "http://", "https://")):
        return []
    return [
        invalid_value(
            f"metadata.annotations[{APPROVED}]",
            value,
            f'protected groups must have approval annotation "{APPROVED}" with either a URL or a reason starting with '
            f'"unapproved", see {link}',
        )
    ]
