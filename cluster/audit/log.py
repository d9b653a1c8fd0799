"""Writing the audit log, off the way of requests: a bounded queue, and a task that empties it in batches.

Batch mode, as Kubernetes calls it: a request costs an append; what is waiting is written twice a second, to the file and to the
database, by a thread. A clean stop loses nothing. When the queue is full events are dropped, counted, and the log says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection, transaction
from django.utils import timezone

from cluster.audit.events import LEVELS_WITH_BODY, Record, event, moment
from cluster.audit.files import RotatingFile
from cluster.audit.models import AuditEvent, outcome_of
from cluster.audit.policy import DEFAULT, Asked, Caller, Policy, Verdict

log = logging.getLogger(__name__)
FLUSH_EVERY, PRUNE_EVERY = 0.5, 60.0
# Events that may wait; the next second of a busy server is a tenth of that.
CAPACITY = 50_000
BATCH = 2_000


_running: list[AuditLog] = []


def running() -> AuditLog | None:
    """The audit log of this process; None while there is none."""
    return _running[0] if _running else None


@dataclass(frozen=True)
class Limits:
    """How much is kept: bytes of a file, how many old ones, rows of the table, and days of either."""

    file_bytes: int = 20 * 1024 * 1024
    files: int = 5
    rows: int = 100_000
    days: float = 30.0


class AuditLog:
    """`verdict` says how much to record of a request, `record` takes it. `start` and `stop` with the API server."""

    def __init__(self, path: Path, policy: Policy | None = None, limits: Limits | None = None) -> None:
        self.policy = policy or Policy.parse(DEFAULT)
        self.limits = limits or Limits()
        self.file = RotatingFile(
            path, max_bytes=self.limits.file_bytes, backups=self.limits.files, days=self.limits.days
        )
        self.dropped = 0
        self.written = 0
        self._told = 0
        self._queue: deque[Record] = deque()
        self._task: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._stopping = asyncio.Event()

    def verdict(self, caller: Caller, asked: Asked) -> Verdict:
        """What the policy says."""
        return self.policy.decide(caller, asked)

    def record(self, record: Record) -> None:
        """Take note; never waits."""
        if len(self._queue) >= CAPACITY:
            self.dropped += 1
            return
        self._queue.append(record)

    async def start(self) -> None:
        """Take records from this whole process, and write them."""
        _running[:] = [self]
        self._task = asyncio.create_task(self._keep(), name="audit")

    async def stop(self) -> None:
        """Write what is left."""
        self._stopping.set()
        _running.clear()
        if self._task is not None:
            # Not cancelled: a batch that is half written would be written twice.
            await self._task
        await self.flush()

    async def _keep(self) -> None:
        pruned = 0.0
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), FLUSH_EVERY)
            try:
                await self.flush()
                if time.monotonic() - pruned >= PRUNE_EVERY:
                    pruned = time.monotonic()
                    await sync_to_async(prune)(self.limits)
            except Exception:
                log.exception("the audit log could not be written")

    async def flush(self) -> None:
        """Write what waits; what cannot be written waits on."""
        async with self._writing:
            while self._queue:
                batch = list(islice(self._queue, BATCH))
                await sync_to_async(self._write)(batch)
                for _ in batch:
                    self._queue.popleft()
                self.written += len(batch)
            if self.dropped > self._told:
                log.error("%d audit events were dropped: there were more than could be written", self.dropped)
                self._told = self.dropped

    def _write(self, batch: Sequence[Record]) -> None:
        close_old_connections()
        # The file within the transaction: what cannot be written to one is not in the other either, and both are tried again.
        with transaction.atomic(), self.file.batch() as append:
            for start in range(0, len(batch), AT_ONCE):
                # Little at once: memory that grows and shrinks with each batch is memory that the kernel clears each time.
                some = [(record, event(record)) for record in batch[start : start + AT_ONCE]]
                _insert([_row(record, told) for record, told in some if _is_row(record)])
                append(
                    b"".join([orjson.dumps(told, default=str, option=orjson.OPT_APPEND_NEWLINE) for _, told in some])
                )


def configured(settings: Mapping[str, Any], data_dir: Path) -> AuditLog | None:
    """The audit log that the settings ask for; None when it is off. BadPolicy, or OSError, for a policy that cannot be used."""
    if not settings["enabled"]:
        return None
    path = Path(settings["policy"]) if settings["policy"] else data_dir / "audit-policy.yaml"
    wanted = bool(settings["policy"]) or path.exists()
    policy = Policy.parse(path.read_text() if wanted else DEFAULT)
    megabyte = 1024 * 1024
    limits = Limits(int(settings["file_megabytes"] * megabyte), settings["files"], settings["rows"], settings["days"])
    return AuditLog(data_dir / "audit" / "audit.log", policy, limits)


def prune(limits: Limits) -> None:
    """Forget what is too old, and what is too much."""
    close_old_connections()
    AuditEvent.objects.filter(at__lt=timezone.now() - timedelta(days=limits.days)).delete()
    newest = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first()
    if newest is not None:
        AuditEvent.objects.filter(pk__lte=newest - limits.rows).delete()


def _is_row(record: Record) -> bool:
    """A request is one row: of a watch its beginning, which is when somebody would look for it."""
    if record.stage == "ResponseComplete":
        return not record.is_long
    return record.stage in ("ResponseStarted", "Panic")


def _row(record: Record, told: dict[str, object]) -> tuple[Any, ...]:
    """The values of `COLUMNS`."""
    user, acting = record.user, record.impersonated
    at = moment(record.at)
    return (
        # As Django writes times to SQLite, and as PostgreSQL reads them.
        f"{at[:10]} {at[11:-1]}+00:00",
        record.id,
        user.name[:256] if user is not None else "",
        acting.name[:256] if acting is not None else "",
        record.verb[:32],
        record.group[:253],
        record.resource[:253],
        record.subresource[:253],
        record.namespace[:253],
        record.name[:253],
        record.uri[:2000],
        record.code,
        outcome_of(record.decision, record.code),
        record.decision,
        (record.message if record.code >= 400 else record.why)[:2000],
        record.agent[:256],
        ", ".join(record.addresses)[:256],
        record.level,
        orjson.dumps(told, default=str).decode() if record.level in LEVELS_WITH_BODY else None,
    )


# Rows in a statement: the database's driver lets go of the interpreter for each, and takes it from the loop again.
AT_ONCE = 50
COLUMNS = (
    *("at", "journey", "user", "impersonated", "verb", "group", "resource", "subresource", "namespace", "name", "uri"),
    *("code", "outcome", "decision", "why", "agent", "addresses", "level", "event"),
)


@lru_cache(maxsize=2 * AT_ONCE)
def _statement(rows: int, vendor: str) -> str:
    """An INSERT of so many rows."""
    known = {field.name: field.column or field.name for field in AuditEvent._meta.concrete_fields}
    quote = connection.ops.quote_name
    columns = ", ".join(quote(known[name]) for name in COLUMNS)
    marks = f"({', '.join(['%s'] * len(COLUMNS))})"
    return f"INSERT INTO {quote(AuditEvent._meta.db_table)} ({columns}) VALUES {', '.join([marks] * rows)}"  # noqa: S608 - our own names


def _insert(rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows as they are: an object and a statement of its own for each would cost four times as much."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_statement(len(rows), connection.vendor), list(chain.from_iterable(rows)))
