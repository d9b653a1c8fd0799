"""The strategy of a kind: what is filled in, kept, and refused when one is written (apiserver/pkg/registry/rest).

A subclass says what differs. Objects may be changed in place; `old` never.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.metadata import Found, check_metadata, check_metadata_update, check_own_finalizers

Obj = dict[str, Any]
METADATA_FIELDS = frozenset({"metadata.name", "metadata.namespace"})


class Strategy:
    """The rules of an ordinary kind."""

    name_rule: ClassVar[Callable[[str], str]] = staticmethod(names.subdomain)
    namespaced: ClassVar[bool] = True
    has_status: ClassVar[bool] = False
    has_generation: ClassVar[bool] = False
    # Metadata that writes of the status may not change.
    status_keeps: ClassVar[tuple[str, ...]] = ()
    allow_create_on_update: ClassVar[bool] = False
    allow_unconditional_update: ClassVar[bool] = True
    # What becomes of dependents when the deletion does not say: kept for old kinds, as they ever were.
    orphans_by_default: ClassVar[bool] = False
    # What the client hears who deletes without saying it.
    orphaning_warning: ClassVar[str] = ""
    supported_field_labels: ClassVar[frozenset[str]] = METADATA_FIELDS
    # Where those that are named otherwise stand in what is stored (`one|other`: the first that is not empty).
    field_paths: ClassVar[Mapping[str, str]] = {}
    # What numbers and booleans among them count as while nobody has set them (Go's zero values).
    absent_fields: ClassVar[Mapping[str, str]] = {}

    # -- what subclasses say -------------------------------------------------------------------------------------

    def default(self, obj: Obj) -> None:
        """Fill in what the client left out (SetDefaults_*)."""

    def check(self, obj: Obj) -> Found:
        """The rules for the object as it stands, beyond its metadata."""
        return []

    def check_update(self, obj: Obj, old: Obj) -> Found:
        """The rules for getting from `old` to `obj`; what stands is checked, too."""
        return self.check(obj)

    def check_status(self, obj: Obj, old: Obj) -> Found:
        return []

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        return []

    def graceful_delete(self, obj: Obj, options: Obj) -> int | None:
        """Seconds of grace; 0 to go at once; None for kinds that know no grace."""
        return None

    # -- what the pipeline calls ---------------------------------------------------------------------------------

    def prepare_for_create(self, obj: Obj) -> None:
        """Status is not the client's to set; the first generation is 1."""
        if self.has_status:
            obj["status"] = {}
        if self.has_generation:
            obj["metadata"]["generation"] = 1

    def prepare_for_update(self, obj: Obj, old: Obj) -> None:
        """Status stays; the generation counts the changes of what is wanted."""
        if self.has_status:
            keep(obj, old, "status")
        if self.has_generation:
            self.count_generation(obj, old)

    def count_generation(self, obj: Obj, old: Obj) -> None:
        """One more for another wish, and for the wish to be gone."""
        before, metadata = old["metadata"], obj["metadata"]
        goes = bool(metadata.get("deletionTimestamp")) and not before.get("deletionTimestamp")
        metadata["generation"] = before.get("generation", 1) + int(goes or self.wanted(obj) != self.wanted(old))

    def wanted(self, obj: Obj) -> Any:
        """What the generation counts the changes of."""
        return obj.get("spec")

    def prepare_for_status_update(self, obj: Obj, old: Obj) -> None:
        """All but the status stays; of the metadata what `status_keeps` names (annotations may come with a status)."""
        for field in {*obj, *old} - {"status", "metadata", "apiVersion", "kind"}:
            keep(obj, old, field)
        metadata = obj["metadata"]
        for field in ("generation", *self.status_keeps):
            keep(metadata, old["metadata"], field)

    def validate(self, obj: Obj) -> Found:
        found = check_metadata(obj["metadata"], type(self).name_rule, self.namespaced)
        found.extend(check_own_finalizers(obj["metadata"].get("finalizers") or ()))
        found.extend(self.check(obj))
        return found

    def validate_update(self, obj: Obj, old: Obj) -> Found:
        found = check_metadata_update(obj["metadata"], old["metadata"])
        found.extend(self.check_update(obj, old))
        return found

    def validate_status_update(self, obj: Obj, old: Obj) -> Found:
        found = check_metadata_update(obj["metadata"], old["metadata"])
        found.extend(self.check_status(obj, old))
        return found


def keep(obj: Obj, old: Obj, field: str) -> None:
    """The field as it was, or away when it was not there."""
    if field in old:
        obj[field] = old[field]
    else:
        obj.pop(field, None)
