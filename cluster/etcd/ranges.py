"""Reads of the log: cursors, ranges, single keys and histories, now or at any revision not yet compacted.

Each read sees one snapshot of the database, so that rows and head always belong together and a compaction or commit
in between is either wholly seen or not at all. Everything here blocks: log.py runs it in its reader threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connections, transaction
from django.db.models import Max, Q, QuerySet, Value
from django.db.models.functions import Concat

from cluster.etcd import models
from cluster.etcd.codec import unpack
from cluster.etcd.records import DELETE, Compacted, Key, Revision

_FIELDS = ("id", "resource", "namespace", "name", "verb", "previous", "created", "value", "journey")
_CURRENT_FIELDS = tuple(f"revision__{field}" for field in _FIELDS)

_Row = tuple[int, str, str, str, str, int, int, bytes, str]


def _revisions(rows: Iterable[_Row]) -> list[Revision]:
    return [
        Revision(id_, resource, namespace, name, verb, previous, created, unpack(value), journey)
        for id_, resource, namespace, name, verb, previous, created, value, journey in rows
    ]


@contextmanager
def snapshot(using: str) -> Iterator[tuple[int, int]]:
    """One consistent view of the database; yields its head and compacted revision."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        # Not atomic(): the settings make that BEGIN IMMEDIATE, and a reader must never queue behind the writer.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
        try:
            yield _bounds(using)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic(using=using):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield _bounds(using)


def _bounds(using: str) -> tuple[int, int]:
    return models.Head.objects.using(using).values_list("last", "compacted").get()


def since(using: str, revision: int, limit: int, resource: str | None) -> list[Revision]:
    """The next `limit` revisions (of a resource, or of all) after `revision`, in order."""
    with snapshot(using) as (_, compacted):
        if revision < compacted:
            raise Compacted(compacted)
        rows = models.Revision.objects.using(using).filter(id__gt=revision).order_by("id")
        if resource is not None:
            # Not the column itself: a database would look the resource up in the index of keys, and sort all that it ever wrote.
            rows = rows.alias(of=Concat("resource", Value(""), output_field=models.KeyField())).filter(of=resource)
        return _revisions(rows[:limit].values_list(*_FIELDS))


def those(using: str, revisions: Iterable[int]) -> dict[int, Revision]:
    """Revisions by their number; compacted ones may be missing."""
    rows = models.Revision.objects.using(using).filter(id__in=list(revisions))
    return {one.revision: one for one in _revisions(rows.values_list(*_FIELDS))}


def between(using: str, after: int, upto: int) -> list[Revision]:
    """All revisions after one and up to another. The caller holds the snapshot or lock that keeps compaction away."""
    rows = models.Revision.objects.using(using).filter(id__gt=after, id__lte=upto).order_by("id")
    return _revisions(rows.values_list(*_FIELDS))


def range_(
    using: str, resource: str, namespace: str | None, at: int | None, after_key: tuple[str, str] | None, limit: int
) -> tuple[list[Revision], int]:
    """A resource's objects by (namespace, name), and the head of the snapshot they were read from. 0 = no limit."""
    with snapshot(using) as (head, compacted):
        if at is not None and at < compacted:
            raise Compacted(compacted)
        if at is None or at >= head:
            rows = _current(using, resource, namespace, after_key, limit)
        else:
            rows = _past(using, resource, namespace, at, after_key, limit)
        return _revisions(rows), head


def count(using: str, resource: str, namespace: str | None, at: int, after_key: tuple[str, str] | None) -> int:
    """How many objects a range at a revision comes to."""
    with snapshot(using) as (head, compacted):
        if at < compacted:
            raise Compacted(compacted)
        if at >= head:
            return models.Current.objects.using(using).filter(_scope(resource, namespace, after_key)).count()
        return _living(using, resource, namespace, at, after_key).count()


def _scope(resource: str, namespace: str | None, after_key: tuple[str, str] | None) -> Q:
    scope = Q(resource=resource)
    if namespace is not None:
        scope &= Q(namespace=namespace)
    if after_key is not None:
        # The first condition is implied by the second; it is there because an index can use it.
        scope &= Q(namespace__gte=after_key[0])
        scope &= Q(namespace__gt=after_key[0]) | Q(name__gt=after_key[1])
    return scope


def _current(
    using: str, resource: str, namespace: str | None, after_key: tuple[str, str] | None, limit: int
) -> Iterable[_Row]:
    objects = models.Current.objects.using(using).filter(_scope(resource, namespace, after_key))
    rows = objects.order_by("resource", "namespace", "name").values_list(*_CURRENT_FIELDS)
    return rows[:limit] if limit else rows


def _past(
    using: str, resource: str, namespace: str | None, at: int, after_key: tuple[str, str] | None, limit: int
) -> Iterable[_Row]:
    rows = _living(using, resource, namespace, at, after_key).order_by("namespace", "name")
    return (rows[:limit] if limit else rows).values_list(*_FIELDS)


def _living(
    using: str, resource: str, namespace: str | None, at: int, after_key: tuple[str, str] | None
) -> QuerySet[models.Revision]:
    """The newest revision of each key as of an earlier one, but for those that were deleted by then."""
    log = models.Revision.objects.using(using)
    keys = log.filter(_scope(resource, namespace, after_key), id__lte=at).order_by().values("namespace", "name")
    newest = keys.annotate(newest=Max("id")).values("newest")
    return log.filter(resource=resource, id__in=newest).exclude(verb=DELETE)


def get(using: str, resource: str, namespace: str, name: str, at: int | None) -> Revision | None:
    """One object, now or as it was at a revision; None when it did not exist then."""
    with snapshot(using) as (_, compacted):
        if at is not None and at < compacted:
            raise Compacted(compacted)
        rows = models.Revision.objects.using(using).filter(resource=resource, namespace=namespace, name=name)
        if at is not None:
            rows = rows.filter(id__lte=at)
        found = _revisions(rows.order_by("-id")[:1].values_list(*_FIELDS))
        return found[0] if found and found[0].verb != DELETE else None


def history(using: str, resource: str, namespace: str, name: str, limit: int, at: int | None = None) -> list[Revision]:
    """What is still known of a key's past (up to a revision), over all its lives, newest first."""
    rows = models.Revision.objects.using(using).filter(resource=resource, namespace=namespace, name=name)
    if at is not None:
        rows = rows.filter(id__lte=at)
    return _revisions(rows.order_by("-id")[:limit].values_list(*_FIELDS))


def load(using: str, after: Key | None, limit: int) -> list[Revision]:
    """The next `limit` living objects of all resources after a key, in key order."""
    objects = models.Current.objects.using(using)
    if after is not None:
        resource, namespace, name = after
        # As in _scope. Not pk__gt, which becomes a union of index searches that has to be sorted anew for each chunk.
        objects = objects.filter(
            Q(resource__gt=resource) | Q(namespace__gt=namespace) | Q(namespace=namespace, name__gt=name),
            resource__gte=resource,
        )
    rows = objects.order_by("resource", "namespace", "name").values_list(*_CURRENT_FIELDS)[:limit]
    return _revisions(rows)
