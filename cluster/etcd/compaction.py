"""Forgetting history, in batches small enough that no write waits long.

First `mark` raises the compacted revision, so that no reader trusts history that is about to go; then `sweep` walks the
log from where it last stopped. Each revision names the one it superseded, so walking up to the compacted revision finds
exactly what no read at or above it can need: the superseded, and the deletes themselves. No index is asked, nothing is
looked at twice, and a crash between two batches only leaves the rest for the next call.
Runs in the writer thread, called by log.py.
"""

from __future__ import annotations

from django.db import transaction

from cluster.etcd.models import Head, Revision
from cluster.etcd.records import DELETE

BATCH = 500


def mark(using: str, to: int) -> int:
    """Raise the compacted revision to `to`, at most the head; returns what it is now. It never goes down."""
    with transaction.atomic(using=using, durable=True):
        head = Head.objects.using(using).select_for_update().get()
        target = min(to, head.last)
        if target > head.compacted:
            head.compacted = target
            head.save(using=using, update_fields=["compacted"])
        return head.compacted


def sweep(using: str, batch: int = BATCH) -> tuple[int, bool]:
    """Walk one batch of the log and delete what it superseded. Returns how many went, and whether that was the last."""
    with transaction.atomic(using=using, durable=True):
        head = Head.objects.using(using).select_for_update().get()
        upto = min(head.swept + batch, head.compacted)
        if upto <= head.swept:
            return 0, True
        log = Revision.objects.using(using)
        doomed: list[int] = []
        walked = log.filter(id__gt=head.swept, id__lte=upto).values_list("id", "previous", "verb")
        for revision, previous, verb in walked:
            if previous:
                doomed.append(previous)
            if verb == DELETE:
                doomed.append(revision)
        deleted = 0
        for start in range(0, len(doomed), BATCH):
            deleted += log.filter(id__in=doomed[start : start + BATCH]).delete()[0]
        head.swept = upto
        head.save(using=using, update_fields=["swept"])
        return deleted, upto >= head.compacted
