"""The log against a plain list in memory: whatever is done in whatever order, both tell the same story."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from cluster.etcd.log import Compacted, Conflict, Log, Revision, Write
from cluster.etcd.records import Key
from tests.support.log import database

RESOURCES = ["pods", "apps/deployments"]
NAMESPACES = ["", "a", "a-b"]
NAMES = ["x", "x.y", "Z"]

keys = st.tuples(st.sampled_from(RESOURCES), st.sampled_from(NAMESPACES), st.sampled_from(NAMES))
# What a write expects, relative to what is true: mostly right, sometimes stale, absent, or nothing at all.
expectations = st.sampled_from(["right", "right", "right", "stale", "absent", "none"])
intents = st.tuples(keys, st.sampled_from(["create", "update", "update", "delete"]), expectations, st.integers(0, 3))


class Model:
    """The log as it should be: a list, from which everything is computed anew at each question."""

    def __init__(self) -> None:
        self.log: list[Revision] = []
        self.compacted = 0

    def state(self, at: int) -> dict[Key, Revision]:
        state: dict[Key, Revision] = {}
        for revision in self.log[:at]:
            state[revision.key] = revision
            if revision.verb == "delete":
                del state[revision.key]
        return state

    def retained(self) -> list[Revision]:
        alive = self.state(self.compacted).values()
        return [one for one in self.log if one.revision > self.compacted or one in alive]

    def apply(self, write: Write) -> Revision | int:
        """The revision, or the current one of a conflict."""
        key = (write.resource, write.namespace, write.name)
        found = self.state(len(self.log)).get(key)
        current = found.revision if found else 0
        if write.expected not in (None, current) or (write.verb == "delete" and not current):
            return current
        number = len(self.log) + 1
        verb = "delete" if write.verb == "delete" else ("update" if current else "create")
        created = found.created if found else number
        self.log.append(Revision(number, *key, verb, current, created, write.value, write.journey))
        return self.log[-1]


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.resources = ExitStack()
        directory = Path(self.resources.enter_context(tempfile.TemporaryDirectory()))
        self.alias = self.resources.enter_context(database(directory))
        self.runner = self.resources.enter_context(asyncio.Runner())
        self.model = Model()
        self.heard: list[Revision] = []
        self.cursors: list[int] = []

    @initialize()
    def open(self) -> None:
        self.log = Log(self.alias)
        self.runner.run(self.log.open())
        self.log.on_commit.append(self.heard.extend)

    def teardown(self) -> None:
        self.runner.run(self.log.close())
        self.resources.close()

    @rule(intended=st.lists(intents, min_size=1, max_size=12))
    def write(self, intended: list[Any]) -> None:
        writes: list[Write] = []
        expected: list[Revision | int] = []
        for key, verb, expectation, repeats in intended:
            found = self.model.state(len(self.model.log)).get(key)
            current = found.revision if found else 0
            expect = {"right": current, "stale": max(0, current - 1), "absent": 0, "none": None}[expectation]
            write = Write(*key, b"value %d " % len(writes) * (1 + repeats * 40), verb, expect, f"j{len(writes)}")
            writes.append(write)
            expected.append(self.model.apply(write))

        async def submit() -> list[Any]:
            return await asyncio.gather(*map(self.log.submit, writes), return_exceptions=True)

        outcomes = self.runner.run(submit())
        assert [one.current if isinstance(one, Conflict) else one for one in outcomes] == expected

    @rule(share=st.floats(0, 1.2))
    def compact(self, share: float) -> None:
        before = len(self.model.retained())
        self.model.compacted = max(self.model.compacted, min(len(self.model.log), int(len(self.model.log) * share)))
        deleted = self.runner.run(self.log.compact(int(len(self.model.log) * share)))
        assert deleted == before - len(self.model.retained())

    @rule(share=st.floats(0, 1))
    def watch(self, share: float) -> None:
        self.cursors.append(int(len(self.model.log) * share))

    @rule(limit=st.integers(1, 7))
    def advance(self, limit: int) -> None:
        for index, cursor in enumerate(self.cursors):
            try:
                seen = self.runner.run(self.log.since(cursor, limit))
            except Compacted as error:
                assert cursor < self.model.compacted == error.compacted
                self.cursors[index] = self.model.compacted
                continue
            assert cursor >= self.model.compacted
            assert seen == self.model.log[cursor : cursor + limit]
            self.cursors[index] += len(seen)

    @rule(
        resource=st.sampled_from(RESOURCES),
        namespace=st.sampled_from([None, *NAMESPACES]),
        share=st.none() | st.floats(0, 1),
        after=st.none() | st.tuples(st.sampled_from(NAMESPACES), st.sampled_from(NAMES)),
        limit=st.integers(0, 3),
    )
    def range(
        self, resource: str, namespace: str | None, share: float | None, after: tuple[str, str] | None, limit: int
    ) -> None:
        head = len(self.model.log)
        at = None if share is None else int(head * share)
        try:
            found = self.runner.run(self.log.range(resource, namespace, at, after, limit))
        except Compacted:
            assert at is not None
            assert at < self.model.compacted
            return
        assert at is None or at >= self.model.compacted
        expected = [
            one
            for one in self.model.state(head if at is None else at).values()
            if one.resource == resource
            and namespace in (None, one.namespace)
            and (after is None or (one.namespace, one.name) > after)
        ]
        expected.sort(key=lambda one: (one.namespace, one.name))
        assert found == (expected[: limit or None], head)

    @rule(key=keys, share=st.none() | st.floats(0, 1))
    def get(self, key: Key, share: float | None) -> None:
        at = None if share is None else int(len(self.model.log) * share)
        try:
            found = self.runner.run(self.log.get(*key, at=at))
        except Compacted:
            assert at is not None
            assert at < self.model.compacted
            return
        assert at is None or at >= self.model.compacted
        assert found == self.model.state(len(self.model.log) if at is None else at).get(key)

    @rule(key=keys, limit=st.integers(1, 5))
    def history(self, key: Key, limit: int) -> None:
        expected = [one for one in reversed(self.model.retained()) if one.key == key]
        assert self.runner.run(self.log.history(*key, limit)) == expected[:limit]

    @rule(chunk=st.integers(1, 4))
    def load(self, chunk: int) -> None:
        async def load() -> list[Revision]:
            return [one async for revisions in self.log.load(chunk) for one in revisions]

        expected = sorted(self.model.state(len(self.model.log)).values(), key=lambda one: one.key)
        assert self.runner.run(load()) == expected

    @rule()
    def reopen(self) -> None:
        self.runner.run(self.log.close())
        self.open()

    @invariant()
    def every_revision_was_heard_once_and_in_order(self) -> None:
        assert self.heard == self.model.log
        if hasattr(self, "log"):
            assert (self.log.head, self.log.compacted) == (len(self.model.log), self.model.compacted)


def test_the_log_tells_the_same_story_as_a_list(django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=60,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            ),
        )
