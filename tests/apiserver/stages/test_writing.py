"""What a write leaves in its journey."""

from __future__ import annotations

import gc

from cluster.apiserver.stages.writing import Written
from cluster.etcd.log import Revision


def test_a_journey_keeps_the_figures_of_a_write_and_not_the_object():
    value = b"x" * 1_000_000
    revision = Revision(7, "pods", "a", "b", "create", 0, 7, value, committed_in=0.0021, group=3)
    written = Written(revision)
    assert written.as_detail() == {"revision": 7, "group": 3, "commit_ms": 2.1}
    assert not {id(revision), id(value)} & {id(one) for one in gc.get_referents(written)}
