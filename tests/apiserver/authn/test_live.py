"""What is open ends when its credential does."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from cluster.apimachinery.errors import unauthorized
from cluster.apiserver.authn.live import LiveRequests, until_cut
from cluster.apiserver.authz.rbac import Decision
from cluster.apiserver.request import ANONYMOUS, UserInfo

ALICE = UserInfo("alice", ("devs", "system:authenticated"))


class Rights:
    """Who may be impersonated just now."""

    def __init__(self, *names):
        self.names = set(names)

    def authorize(self, user, info):
        return Decision(info.name in self.names)


class Known:
    """An authenticator that says who is who just now."""

    def __init__(self):
        self.users = {b"a": ALICE, b"b": UserInfo("bob")}
        self.asked = asyncio.Semaphore(0)
        self.total = 0

    async def times(self, number):
        """Wait until that many more have been looked at."""
        for _ in range(number):
            await asyncio.wait_for(self.asked.acquire(), 5)

    async def authenticate(self, headers, scope):
        self.total += 1
        self.asked.release()
        found = self.users.get(headers[b"authorization"])
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise unauthorized()
        return found


@pytest.fixture
def known():
    return Known()


async def cut_within(event, seconds=5):
    await asyncio.wait_for(event.wait(), seconds)


@pytest.mark.parametrize("after", [None, UserInfo("alice", ("system:authenticated",)), UserInfo("bob")])
async def test_a_lost_credential_and_other_groups_cut(known, after):
    live = LiveRequests(known, Rights(), period=0.01)
    with (
        live.open({b"authorization": b"a"}, {}, ALICE) as cut,
        live.open({b"authorization": b"b"}, {}, UserInfo("bob")) as other,
    ):
        known.users[b"a"] = after
        await cut_within(cut)
        assert not other.is_set()


async def test_the_end_of_the_right_to_act_as_somebody_cuts(known):
    rights = Rights("carol", "dave")
    live = LiveRequests(known, rights, period=0.01)
    scopes = [{"headers": [(b"impersonate-user", name)]} for name in (b"carol", b"dave")]
    carol, dave = (UserInfo(name, ("system:authenticated",)) for name in ("carol", "dave"))
    with (
        live.open({b"authorization": b"a"}, scopes[0], ALICE, carol) as cut,
        live.open({b"authorization": b"a"}, scopes[1], ALICE, dave) as other,
    ):
        await known.times(3)
        assert not cut.is_set()
        rights.names.discard("carol")
        await cut_within(cut)
        await known.times(3)
        assert not other.is_set()


async def test_whoever_is_still_good_stays(known):
    live = LiveRequests(known, Rights(), period=0.001)
    with live.open({b"authorization": b"a"}, {}, ALICE) as cut:
        await known.times(10)
        assert not cut.is_set()


async def test_many_watches_on_one_credential_are_one_question(known):
    live = LiveRequests(known, Rights(), period=0.001)
    with contextlib.ExitStack() as stack:
        cuts = [stack.enter_context(live.open({b"authorization": b"a"}, {}, ALICE)) for _ in range(500)]
        await known.times(3)
        # Three looks, five hundred watches: anything else would have been asked far more often.
        assert known.total < 100
        known.users[b"a"] = None
        for cut in cuts:
            await cut_within(cut)


async def test_a_database_that_is_away_throws_nobody_out(known, caplog):
    live = LiveRequests(known, Rights(), period=0.001)
    known.users[b"a"] = RuntimeError("the database is locked")
    with live.open({b"authorization": b"a"}, {}, ALICE) as cut:
        await known.times(3)
        assert not cut.is_set()
        known.users[b"a"] = None
        await cut_within(cut)
    assert "could not look" in caplog.text


async def test_nobody_is_looked_at_when_nothing_is_open(known):
    live = LiveRequests(known, Rights(), period=0.001)
    with live.open({}, {}, ANONYMOUS):
        assert live._task is None
    with live.open({b"authorization": b"a"}, {}, ALICE):
        pass
    await asyncio.wait_for(live._task, 5)
    # And the next one is looked at again.
    with live.open({b"authorization": b"a"}, {}, ALICE) as cut:
        known.users.clear()
        await cut_within(cut)


async def test_work_that_is_cut_is_cancelled():
    ended = asyncio.Event()

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    cut = asyncio.Event()
    cut.set()
    assert not await until_cut(asyncio.ensure_future(work()), cut)
    assert ended.is_set()

    async def short():
        return None

    assert await until_cut(asyncio.ensure_future(short()), asyncio.Event())

    async def broken():
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        await until_cut(asyncio.ensure_future(broken()), asyncio.Event())
