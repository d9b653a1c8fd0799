"""The log's public functions, one by one."""

from __future__ import annotations

import asyncio

import pytest

from cluster.etcd.log import Compacted, Conflict, Log, Revision, Write
from tests.support.log import FreshLog


def put(name: str, value: bytes = b"{}", expected: int | None = None, verb: str = "update", **more: str) -> Write:
    return Write(more.get("resource", "pods"), more.get("namespace", "default"), name, value, verb, expected, "j1")


def create(name: str, value: bytes = b"{}", **more: str) -> Write:
    return put(name, value, 0, "create", **more)


def delete(name: str, expected: int | None = None, value: bytes = b"last", **more: str) -> Write:
    return put(name, value, expected, "delete", **more)


async def test_revisions_count_from_one_without_gaps(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    revisions = await asyncio.gather(*(log.commit(create(f"p{number}")) for number in range(600)))
    assert [revision.revision for revision in revisions] == list(range(1, 601))
    assert log.head == 600
    assert 1 < log.stats["largest_group"] <= 256
    assert log.stats["commits"] == 600


async def test_a_revision_tells_what_happened(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    await log.commit(create("a", b"1"))
    await log.commit(put("a", b"2", 1))
    await log.commit(delete("a", 2))
    await log.commit(create("a", b"4"))
    assert await log.since(0) == [
        Revision(1, "pods", "default", "a", "create", 0, 1, b"1", "j1"),
        Revision(2, "pods", "default", "a", "update", 1, 1, b"2", "j1"),
        Revision(3, "pods", "default", "a", "delete", 2, 1, b"last", "j1"),
        Revision(4, "pods", "default", "a", "create", 0, 4, b"4", "j1"),
    ]


async def test_a_commit_tells_how_long_it_took(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    revision = await log.commit(create("a"))
    assert revision.group == 1
    assert 0 < revision.committed_in < 10
    assert 0 < revision.waited < 10


async def test_a_loser_gets_the_conflict_and_the_rest_commit(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    await log.commit(create("a"))
    futures = [
        log.submit(create("a")),  # exists
        log.submit(put("a", b"first", 1)),
        log.submit(put("a", b"second", 1)),  # the one before won
        log.submit(put("b", b"", 7)),  # absent
        log.submit(delete("c")),  # absent
        log.submit(create("d")),
        log.submit(delete("d", 3)),
        log.submit(create("d")),
    ]
    outcomes = await asyncio.gather(*futures, return_exceptions=True)
    assert [one.current if isinstance(one, Conflict) else one.revision for one in outcomes] == [1, 2, 2, 0, 0, 3, 4, 5]
    assert [type(one) for one in outcomes].count(Conflict) == 4
    assert log.head == 5
    assert log.stats["conflicts"] == 4


async def test_an_unconditional_write_records_what_it_was(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    verbs = [(await log.commit(put("a", verb=verb))).verb for verb in ("update", "create", "delete", "create")]
    assert verbs == ["create", "update", "delete", "create"]


async def test_an_unknown_verb_is_a_mistake_of_the_caller(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    with pytest.raises(ValueError, match="patch"):
        log.submit(put("a", verb="patch"))


async def test_the_news_come_in_order_and_before_the_answer(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    heard: list[int] = []
    log.on_commit.append(lambda revisions: heard.extend(revision.revision for revision in revisions))

    async def write(number: int) -> None:
        revision = await log.commit(create(f"p{number}"))
        assert revision.revision in heard
        assert log.head >= revision.revision

    await asyncio.gather(*(write(number) for number in range(300)))
    assert heard == list(range(1, 301))


async def test_a_failing_listener_keeps_nobody_waiting(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))
    heard: list[int] = []
    error = RuntimeError("listener")

    def fail(_: object) -> None:
        raise error

    log.on_commit += [fail, lambda revisions: heard.append(len(revisions))]
    assert (await log.commit(create("a"))).revision == 1
    assert (failures, heard) == ([error], [1])


@pytest.mark.parametrize("value", [b"", b"x", b"\x78\x9c", b"{}" * 5000, bytes(range(256)) * 4, b"\0" * 300])
async def test_values_come_back_as_they_went(fresh_log: FreshLog, value: bytes) -> None:
    log = await fresh_log()
    await log.commit(create("a", value))
    found = await log.get("pods", "default", "a")
    assert found is not None
    assert found.value == value


async def names(log: Log, *args: object, **kwargs: object) -> list[str]:
    revisions, _ = await log.range(*args, **kwargs)  # type: ignore[arg-type]
    return [f"{one.namespace}/{one.name}={one.revision}" for one in revisions]


async def populated(fresh_log: FreshLog) -> Log:
    log = await fresh_log()
    await log.commit(create("b", namespace="one"))  # 1
    await log.commit(create("a", namespace="two"))  # 2
    await log.commit(create("a", namespace="one"))  # 3
    await log.commit(create("node", namespace="", resource="nodes"))  # 4
    await log.commit(put("b", namespace="one"))  # 5
    await log.commit(delete("a", namespace="one"))  # 6
    await log.commit(create("B", namespace="one"))  # 7
    await log.commit(create("a", namespace="one"))  # 8
    return log


async def test_a_range_is_ordered_by_namespace_and_name(fresh_log: FreshLog) -> None:
    log = await populated(fresh_log)
    assert await names(log, "pods") == ["one/B=7", "one/a=8", "one/b=5", "two/a=2"]
    assert await names(log, "pods", "one") == ["one/B=7", "one/a=8", "one/b=5"]
    assert await names(log, "nodes") == ["/node=4"]
    assert await names(log, "secrets") == []
    assert (await log.range("secrets"))[1] == 8


@pytest.mark.parametrize("at", [None, 8, 9])
async def test_a_range_goes_on_after_a_key(fresh_log: FreshLog, at: int | None) -> None:
    log = await populated(fresh_log)
    await log.commit(create("z", resource="zs"))
    assert await names(log, "pods", at=at, limit=2) == ["one/B=7", "one/a=8"]
    assert await names(log, "pods", at=at, limit=2, after_key=("one", "a")) == ["one/b=5", "two/a=2"]
    assert await names(log, "pods", at=at, after_key=("one", "zz")) == ["two/a=2"]
    assert await names(log, "pods", "one", at=at, after_key=("one", "a")) == ["one/b=5"]
    assert await names(log, "pods", at=at, after_key=("two", "a")) == []


async def test_a_range_reads_the_exact_past(fresh_log: FreshLog) -> None:
    log = await populated(fresh_log)
    assert await names(log, "pods", at=0) == []
    assert await names(log, "pods", at=1) == ["one/b=1"]
    assert await names(log, "pods", at=5) == ["one/a=3", "one/b=5", "two/a=2"]
    assert await names(log, "pods", at=6) == ["one/b=5", "two/a=2"]
    assert await names(log, "pods", "two", at=6) == ["two/a=2"]
    assert await names(log, "pods", at=5, limit=1) == ["one/a=3"]
    assert await names(log, "pods", at=6, limit=1) == ["one/b=5"]
    assert (await log.range("pods", at=1))[1] == 8


async def test_get_reads_now_and_the_exact_past(fresh_log: FreshLog) -> None:
    log = await populated(fresh_log)
    found = [await log.get("pods", "one", "a", at) for at in (None, 2, 3, 5, 6, 7, 8)]
    assert [one and one.revision for one in found] == [8, None, 3, 3, None, None, 8]
    assert await log.get("pods", "one", "nothing") is None


async def test_history_is_newest_first_over_all_lives(fresh_log: FreshLog) -> None:
    log = await populated(fresh_log)
    assert [one.revision for one in await log.history("pods", "one", "a", 10)] == [8, 6, 3]
    assert [one.revision for one in await log.history("pods", "one", "a", 2)] == [8, 6]


async def test_since_is_a_cursor(fresh_log: FreshLog) -> None:
    log = await populated(fresh_log)
    assert [one.revision for one in await log.since(3, limit=2)] == [4, 5]
    assert [one.revision for one in await log.since(5)] == [6, 7, 8]
    assert await log.since(8) == []


async def test_load_hands_out_everything_alive_in_chunks(fresh_log: FreshLog) -> None:
    log = await populated(fresh_log)
    chunks = [[one.revision for one in chunk] async for chunk in log.load(chunk=2)]
    assert chunks == [[4, 7], [8, 5], [2]]


async def test_compaction_keeps_what_reads_at_or_above_it_need(fresh_log: FreshLog) -> None:
    log = await populated(fresh_log)
    assert await log.compact(6) == 3  # 1 superseded by 5, 3 by 6, and the delete itself
    assert log.compacted == 6
    assert [one.revision for one in await log.since(6)] == [7, 8]
    assert await names(log, "pods", at=6) == ["one/b=5", "two/a=2"]
    assert await names(log, "pods") == ["one/B=7", "one/a=8", "one/b=5", "two/a=2"]
    for refused in (log.since(5), log.range("pods", at=5), log.get("pods", "one", "a", at=5)):
        with pytest.raises(Compacted) as caught:
            await refused
        assert caught.value.compacted == 6


async def test_compaction_never_goes_back_nor_past_the_head(fresh_log: FreshLog) -> None:
    log = await populated(fresh_log)
    assert await log.compact(100) == 3
    assert log.compacted == 8
    assert await log.compact(2) == 0
    assert log.compacted == 8
    assert await names(log, "pods", at=8) == ["one/B=7", "one/a=8", "one/b=5", "two/a=2"]


async def test_writes_go_on_while_thousands_are_compacted(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    await asyncio.gather(*(log.commit(put("hot")) for _ in range(3000)))
    order: list[str] = []
    log.on_commit.append(lambda _: order.append("write"))

    async def compact() -> None:
        assert await log.compact(3000) == 2999
        order.append("compacted")

    compacting = asyncio.create_task(compact())
    while not compacting.done():
        await log.commit(put("hot"))
    assert order.index("compacted") > 3
    assert [one.revision for one in await log.since(3000)] == list(range(3001, log.head + 1))


async def test_auto_compact_keeps_the_newest(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    await asyncio.gather(*(log.commit(put("hot")) for _ in range(30)))
    assert await log.auto_compact(keep=10) == 19
    assert log.compacted == 20
    assert await log.auto_compact(keep=10) == 0
    await asyncio.gather(*(log.commit(put("hot")) for _ in range(5)))
    assert await log.auto_compact(keep=10) == 0
    assert log.compacted == 20


async def test_a_reopened_log_goes_on_where_it_stood(fresh_log: FreshLog) -> None:
    log = await populated(fresh_log)
    await log.compact(3)
    await log.close()
    again = await fresh_log(log.using)
    assert (again.head, again.compacted) == (8, 3)
    assert (await again.commit(create("new"))).revision == 9


async def test_close_flushes_what_is_queued(fresh_log: FreshLog) -> None:
    log = await fresh_log()
    futures = [log.submit(create(f"p{number}")) for number in range(400)]
    await log.close()
    assert [future.result().revision for future in futures] == list(range(1, 401))
    with pytest.raises(RuntimeError, match="closed"):
        log.submit(create("late"))
    with pytest.raises(RuntimeError, match="closed"):
        await log.since(0)
    await log.close()
