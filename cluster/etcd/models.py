"""The truth on disk: the log of revisions, a pointer to each object's current one, and the head of the log.

`Revision` is append-only but for compaction. `Current` and `Head` could be derived from it; they exist so that a
compare-and-swap is one index look-up and the next revision is one row to lock. Written by commit.py and compaction.py,
read by ranges.py; nobody else.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class KeyField(models.TextField):  # type: ignore[type-arg]  # Django's fields take no arguments at run time
    """Text that sorts by its bytes, as etcd's keys do, on every database: SQLite's default, PostgreSQL's collation "C"."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters: dict[str, Any] = dict(super().db_parameters(connection))
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


class RevisionField(models.BigIntegerField):  # type: ignore[type-arg]
    """64 bits on every database; on SQLite of the very type that makes a primary key the table's own order, no index."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)


class Revision(models.Model):
    """One change of one object. The primary key is the cluster-wide resourceVersion: gap-free, in commit order."""

    id = RevisionField(primary_key=True)
    resource = KeyField()
    namespace = KeyField()
    name = KeyField()
    verb = models.CharField(max_length=6)
    previous = models.BigIntegerField(help_text="The revision this one superseded, 0 after nothing.")
    created = models.BigIntegerField(help_text="The revision that began this object's life.")
    journey = models.TextField()
    # Last, so that scanning the other columns never follows a long value into its overflow pages.
    value = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["resource", "namespace", "name", "id"], name="etcd_revision_key")]

    def __str__(self) -> str:
        return f"{self.id} {self.verb} {self.resource} {self.namespace}/{self.name}"


class Current(models.Model):
    """Where a living object stands. Its primary key is the optimistic lock's unique constraint."""

    pk = models.CompositePrimaryKey("resource", "namespace", "name")
    resource = KeyField()
    namespace = KeyField()
    name = KeyField()
    # No constraint and no index: the writer keeps it true in the same transaction, and nobody looks up by it.
    revision = models.ForeignKey(
        Revision, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    created = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.resource} {self.namespace}/{self.name} at {self.revision_id}"


class Head(models.Model):
    """The one row whoever appends must lock: that makes ids gap-free and puts them in commit order."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    last = models.BigIntegerField(default=0, help_text="The newest revision.")
    compacted = models.BigIntegerField(default=0, help_text="Reads below this revision are refused.")
    swept = models.BigIntegerField(default=0, help_text="How far superseded revisions have really been deleted.")

    def __str__(self) -> str:
        return f"head {self.last}, compacted {self.compacted}"
