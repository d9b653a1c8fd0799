"""Writers, watchers and compaction all at once; several processes on one log; a database that fails; a process that dies."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.db import connections

from cluster.etcd import compaction, models, statements
from cluster.etcd.log import CommitFailed, Compacted, Conflict, Log, Revision, Write
from tests.support.log import FreshLog, in_thread, register

ROOT = Path(__file__).resolve().parents[2]


def put(name: str, value: bytes = b"{}", expected: int | None = None, verb: str = "update") -> Write:
    return Write("pods", "default", name, value, verb, expected, "j")


async def test_watchers_starting_anywhere_see_every_revision_once_and_in_order(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    bell = asyncio.Condition()
    random_ = random.Random(7)
    acknowledged: list[Revision] = []
    last_revision = 800

    async def ring() -> None:
        async with bell:
            bell.notify_all()

    ringing: set[asyncio.Task[None]] = set()
    log.on_commit.append(lambda _: ringing.add(asyncio.create_task(ring())))

    async def write(source: random.Random) -> None:
        while log.head < last_revision:
            name, verb = f"p{source.randrange(8)}", source.choice(["create", "update", "update", "delete"])
            expected = {"create": 0, "update": None, "delete": None}[verb]
            try:
                acknowledged.append(await log.commit(put(name, name.encode() * 200, expected, verb)))
            except Conflict as conflict:
                assert (conflict.current == 0) == (verb == "delete")

    async def watch(start: int) -> list[Revision]:
        seen: list[Revision] = []
        cursor = start
        while cursor < last_revision:
            async with bell:
                while log.head <= cursor:
                    await bell.wait()
            try:
                news = await log.since(cursor, limit=random_.randrange(1, 50))
            except Compacted as error:
                assert error.compacted > cursor
                seen.clear()
                cursor = error.compacted
                continue
            seen += news
            cursor = news[-1].revision
        return seen

    async def compact() -> None:
        while log.head < last_revision:
            await log.compact(log.head // 2)

    watchers = [asyncio.create_task(watch(start)) for start in (0, 0, 1, 17, 300)]
    await asyncio.gather(compact(), *(write(random.Random(seed)) for seed in range(16)))
    for seen in await asyncio.gather(*watchers):
        numbers = [one.revision for one in seen]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        told = {one.revision: one for one in acknowledged}
        assert all(one == told[one.revision] for one in seen)
    assert sorted(one.revision for one in acknowledged) == list(range(1, log.head + 1))


async def test_two_processes_share_one_log(fresh_log: FreshLog) -> None:
    """Each Log has its own threads and connections, as another process would."""
    one = await fresh_log()
    two = await fresh_log(one.using)
    heard: dict[str, list[Revision]] = {"one": [], "two": []}
    one.on_commit.append(heard["one"].extend)
    two.on_commit.append(heard["two"].extend)

    async def write(log: Log, prefix: str) -> list[Revision]:
        return [await log.commit(put(f"{prefix}{number}")) for number in range(40)]

    written = await asyncio.gather(write(one, "a"), write(one, "b"), write(two, "c"), write(two, "d"), two.catch_up())
    await asyncio.gather(one.catch_up(), two.catch_up())
    await asyncio.gather(one.catch_up(), two.catch_up())
    assert [revision.revision for revision in heard["one"]] == list(range(1, 161))
    assert heard["one"] == heard["two"]
    assert {revision.revision for chunk in written[:4] for revision in chunk} == set(range(1, 161))
    assert one.head == two.head == 160


async def test_another_process_decides_conflicts_too(fresh_log: FreshLog) -> None:
    one = await fresh_log()
    two = await fresh_log(one.using)
    await one.commit(put("a", expected=0, verb="create"))
    with pytest.raises(Conflict) as caught:
        await two.commit(put("a", expected=0, verb="create"))
    assert caught.value.current == 1
    assert two.head == 1


async def test_whoever_missed_compacted_revisions_is_told(fresh_log: FreshLog) -> None:
    one = await fresh_log()
    two = await fresh_log(one.using)
    lost: list[int] = []
    heard: list[int] = []
    two.on_lost.append(lost.append)
    two.on_commit.append(lambda revisions: heard.extend(revision.revision for revision in revisions))
    for _ in range(5):
        await one.commit(put("a"))
    await one.compact(3)
    await two.catch_up()
    assert (lost, heard, two.head, two.compacted) == ([3], [4, 5], 5, 3)


sqlite_only = pytest.mark.skipif("sqlite" not in connections.settings["etcd"]["ENGINE"], reason="needs SQLite")


@sqlite_only
async def test_a_full_disk_fails_the_whole_group_and_the_log_goes_on(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    await log.commit(put("before"))
    heard: list[Revision] = []
    log.on_commit.append(heard.extend)

    def fill() -> None:
        with connections[log.using].cursor() as cursor:
            cursor.execute("PRAGMA page_count")
            cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0] + 2}")

    await log._write(fill)
    gate = threading.Event()  # so that all ten become one group
    held = asyncio.create_task(log._write(gate.wait))
    await asyncio.sleep(0)
    futures = [log.submit(put("small")), *(log.submit(put(f"p{n}", os.urandom(9000))) for n in range(9))]
    gate.set()
    outcomes = await asyncio.gather(*futures, return_exceptions=True)
    assert await held
    assert {type(one) for one in outcomes} == {CommitFailed}
    assert "full" in str(outcomes[0])
    assert (heard, log.head, log.stats["failures"]) == ([], 1, 10)
    assert await log.get("pods", "default", "small") is None

    # Its connection was replaced, and with it the limit: as if the disk had been cleared.
    assert (await log.commit(put("after", expected=0))).revision == 2
    assert [one.name for one in await log.since(0)] == ["before", "after"]


async def test_a_log_with_a_foreign_head_is_not_opened(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    await log.commit(put("a"))
    await log.close()

    def rewind() -> None:
        models.Head.objects.using(log.using).update(last=0)
        connections[log.using].close()

    in_thread(rewind)
    with pytest.raises(RuntimeError, match="not our log"):
        await fresh_log(log.using)


async def test_an_interrupted_compaction_is_finished_by_the_next(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    await asyncio.gather(*(log.commit(put("hot")) for _ in range(1200)))
    await log._write(compaction.mark, log.using, 1100)
    assert await log._write(compaction.sweep, log.using) == (499, False)
    await log.close()  # as a crash would: marked, but swept only in part
    again = await fresh_log(log.using)
    assert again.compacted == 1100
    assert await again.auto_compact(keep=100) == 600
    assert await again.auto_compact(keep=100) == 0
    found = await again.history("pods", "default", "hot", 2000)
    assert [one.revision for one in found] == list(range(1200, 1099, -1))


async def test_a_cancelled_caller_disturbs_nobody(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    futures = [log.submit(put(f"p{number}")) for number in range(3)]
    futures[1].cancel()
    assert [one.revision for one in await asyncio.gather(futures[0], futures[2])] == [1, 3]


async def test_the_published_value_is_the_very_object_that_was_written(fresh_log: FreshLog) -> None:
    """The API server recognises its own writes by the identity of their bytes."""
    log = await fresh_log()
    heard: list[Revision] = []
    log.on_commit.append(heard.extend)
    value = b"value" * 100
    assert (await log.commit(put("a", value))).value is value
    assert heard[0].value is value


KILLED = """
import asyncio, os, sys
sys.path.insert(0, {root!r})
os.environ["DJANGO_SETTINGS_MODULE"] = "kubeweb.settings"
import django
django.setup()
from pathlib import Path
from cluster.etcd.log import Log, Write
from tests.support.log import create_tables, in_thread, register

async def main():
    alias = register(Path({path!r}))
    in_thread(lambda: create_tables(alias))
    log = Log(alias)
    await log.open()

    async def write(writer):
        number = 0
        while True:
            one = await log.commit(Write("pods", "w", f"{{writer}}-{{number % 7}}", b"x" * 3000, "update", None, "j"))
            os.write(1, b"%d\\n" % one.revision)
            number += 1

    await asyncio.gather(*(write(writer) for writer in range(24)))

asyncio.run(main())
"""


@sqlite_only
async def test_kill_9_loses_nothing_acknowledged(tmp_path: Path, fresh_log: FreshLog) -> None:
    path = tmp_path / "killed.sqlite3"
    program = KILLED.format(root=str(ROOT), path=str(path))
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)  # noqa: ASYNC220
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(1500)]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    # The last line may be cut short by the kill: it was not acknowledged.
    acknowledged += [int(line) for line in rest.split(b"\n")[:-1]]
    assert process.returncode == -signal.SIGKILL

    alias = register(path)
    log = await fresh_log(alias)
    found = [one.revision for start in range(0, log.head, 1000) for one in await log.since(start, 1000)]
    assert found == list(range(1, log.head + 1))
    assert set(acknowledged) <= set(found)
    assert len(acknowledged) >= 1500
    assert (await log.commit(put("after"))).revision == log.head == found[-1] + 1


@sqlite_only
async def test_a_compare_and_swap_never_scans_all_objects(fresh_log: FreshLog) -> None:
    log = await fresh_log()

    def plan() -> list[str]:
        with connections[log.using].cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + statements.state(3), ["pods", "default", "a"] * 3)
            return [step for *_, step in cursor.fetchall()]

    steps = await log._write(plan)
    assert any(step.startswith("SEARCH etcd_current USING INDEX") for step in steps)
    assert not any("SCAN etcd_current" in step for step in steps)
