"""How much of the log is kept: so many revisions, and all of the last minutes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from cluster.apiserver.housekeeping import HISTORY, HISTORY_SECONDS, Housekeeping


class Log:
    """A log that only notes how many revisions it is asked to keep."""

    def __init__(self) -> None:
        self.kept: list[int] = []

    async def auto_compact(self, keep: int) -> None:
        self.kept.append(keep)


@pytest.fixture
def storage():
    return SimpleNamespace(revision=0, log=Log(), cache=lambda resource: SimpleNamespace(entries={}))


async def kept(housekeeping, storage, monkeypatch, *moments):
    """What is kept at each (real second, revision)."""
    for second, revision in moments:
        monkeypatch.setattr("cluster.apiserver.housekeeping.time.monotonic", lambda second=second: second)
        storage.revision = revision
        await housekeeping.round()
    return storage.log.kept


async def test_all_of_the_last_minutes_stays_however_much_it_is(storage, monkeypatch):
    moments = [(0, 0), (100, 400_000), (HISTORY_SECONDS, 900_000), (HISTORY_SECONDS + 100, 950_000)]
    assert await kept(Housekeeping(storage), storage, monkeypatch, *moments) == [HISTORY, 400_000, 900_000, 550_000]


async def test_of_a_quiet_cluster_so_many_revisions_stay(storage, monkeypatch):
    moments = [(0, 500_000), (10_000, 500_010), (20_000, 500_020)]
    assert await kept(Housekeeping(storage), storage, monkeypatch, *moments) == [HISTORY] * 3


async def test_whoever_wants_fewer_gets_fewer(storage, monkeypatch):
    housekeeping = Housekeeping(storage, history=50)
    assert await kept(housekeeping, storage, monkeypatch, (0, 0), (1, 90_000)) == [50, 50]
