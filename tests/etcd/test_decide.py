"""The compare-and-swap as a table: one key, what is true, what is wanted, what comes of it."""

from __future__ import annotations

import pytest

from cluster.etcd.codec import pack, unpack
from cluster.etcd.commit import Decision, State, decide
from cluster.etcd.records import Conflict, Write

KEY = ("pods", "default", "a")
ABSENT: State = {}
AT_5: State = {KEY: (5, 3)}


@pytest.mark.parametrize(
    ("state", "verb", "expected", "outcome"),
    [
        (ABSENT, "create", 0, Decision(10, "create", 0, 10)),
        (ABSENT, "update", 0, Decision(10, "create", 0, 10)),
        (ABSENT, "update", None, Decision(10, "create", 0, 10)),
        (ABSENT, "update", 5, 0),
        (ABSENT, "delete", 0, 0),
        (ABSENT, "delete", None, 0),
        (ABSENT, "delete", 5, 0),
        (AT_5, "create", 0, 5),
        (AT_5, "create", None, Decision(10, "update", 5, 3)),
        (AT_5, "update", 5, Decision(10, "update", 5, 3)),
        (AT_5, "update", 4, 5),
        (AT_5, "update", 0, 5),
        (AT_5, "update", None, Decision(10, "update", 5, 3)),
        (AT_5, "delete", 5, Decision(10, "delete", 5, 3)),
        (AT_5, "delete", 3, 5),
        (AT_5, "delete", None, Decision(10, "delete", 5, 3)),
    ],
)
def test_compare_and_swap(state: State, verb: str, expected: int | None, outcome: Decision | int) -> None:
    (decided,) = decide([Write(*KEY, b"", verb, expected)], dict(state), 9)
    assert (decided.current if isinstance(decided, Conflict) else decided) == outcome


def test_each_write_sees_those_before_it_and_losers_take_no_revision() -> None:
    state = dict(AT_5)
    writes = [("update", 5), ("update", 5), ("delete", 10), ("delete", None), ("create", 0), ("update", 12)]
    decided = decide([Write(*KEY, b"", verb, expected) for verb, expected in writes], state, 9)
    assert [one.current if isinstance(one, Conflict) else one for one in decided] == [
        Decision(10, "update", 5, 3),
        10,
        Decision(11, "delete", 10, 3),
        0,
        Decision(12, "create", 0, 12),
        Decision(13, "update", 12, 12),
    ]
    assert state == {KEY: (13, 12)}


def test_a_value_is_compressed_only_when_that_pays() -> None:
    pod = b'{"kind":"Pod","apiVersion":"v1"}' * 50
    assert len(pack(pod)) < len(pod) / 5
    noise = bytes(index * 97 * index % 251 for index in range(300))
    for value in (b"", b"x", b"\x78", pod, noise):
        assert unpack(pack(value)) == value
        assert len(pack(value)) <= len(value) + 1
