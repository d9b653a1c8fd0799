"""What controllers share: expectations, throttling, slow start, tallies, claims."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster import clock
from cluster.apimachinery import errors
from cluster.apimachinery.labels import from_map
from cluster.client.client import Obj
from cluster.client.workqueue import WorkQueue, delivering
from cluster.controllers import CONTROLLERS
from cluster.controllers.lib.batching import Throttle
from cluster.controllers.lib.claims import sort_claims
from cluster.controllers.lib.expectations import TIMEOUT, ControllerExpectations
from cluster.controllers.lib.slowstart import slow_start
from cluster.controllers.lib.tally import PodTally, tally_of
from cluster.controllers.policy.deployment_status import condition, with_condition
from cluster.controllers.policy.revisions import HISTORY, REVISION, new_replicaset, revised_annotations, same_template
from cluster.controllers.policy.rollout import Limits
from tests.support.objects import deployment, pod, replicaset


@pytest.mark.looptime
async def test_expectations_are_met_by_what_is_seen_and_expire() -> None:
    clock.call_later(0, lambda: None)  # binds the cluster's clock to this test's event loop
    expectations = ControllerExpectations()
    assert expectations.satisfied("k")
    expectations.expect_creations("k", 2)
    expectations.creation_observed("k")
    assert not expectations.satisfied("k")
    expectations.creation_observed("k")
    assert expectations.satisfied("k")
    expectations.expect_deletions("k", ["a", "b"])
    expectations.deletion_observed("k", "a")
    expectations.deletion_observed("k", "a")
    assert not expectations.satisfied("k")
    await clock.sleep(TIMEOUT + 1)
    assert expectations.satisfied("k")
    expectations.expect_creations("k", 1)
    assert not expectations.satisfied("k")
    expectations.forget("k")
    assert expectations.satisfied("k")


@pytest.mark.looptime
async def test_the_first_change_is_not_delayed_and_the_rest_are_gathered() -> None:
    clock.call_later(0, lambda: None)
    queue = WorkQueue()
    throttle = Throttle(queue, 1.0)
    for number in range(5):
        delivering[0] = f"j{number}"
        throttle.add("k")
    delivering[0] = ""
    assert await queue.get() == ("k", ("j0",))
    queue.done("k")
    assert len(queue) == 0
    started = clock.now()
    key, causes = await queue.get()
    assert clock.now() - started == pytest.approx(1.0, abs=0.01)
    assert causes == ("j1", "j2", "j3", "j4")
    queue.done(key)
    throttle.stretch("k", 10.0)
    throttle.add("k")
    started = clock.now()
    await queue.get()
    assert clock.now() - started == pytest.approx(10.0, abs=0.01)


@pytest.mark.parametrize(
    ("count", "fail_at", "succeeded", "attempted"),
    [(0, None, 0, 0), (1, None, 1, 1), (10, None, 10, 10), (500, 1, 0, 1), (500, 3, 2, 3), (500, 5, 6, 7)],
)
async def test_slow_start_stops_at_the_first_batch_that_fails(
    count: int, fail_at: int | None, succeeded: int, attempted: int
) -> None:
    calls = [0]

    async def call() -> None:
        calls[0] += 1
        if calls[0] == fail_at:
            raise errors.forbidden("pods", "", "", "quota")

    done, error = await slow_start(count, call)
    assert (done, calls[0]) == (succeeded, attempted)
    assert (error is None) is (fail_at is None)


PHASES = st.sampled_from(["Pending", "Running", "Succeeded", "Failed"])
PODS = st.tuples(st.integers(0, 5), st.integers(0, 2), PHASES, st.booleans(), st.booleans(), st.sampled_from("ab"))


def make(name: int, owner: int, phase: str, ready: bool, deleting: bool, label: str) -> Obj:
    obj = pod(f"p{name}", app=label)
    if owner:
        obj["metadata"]["ownerReferences"] = [
            {"kind": "ReplicaSet", "uid": f"o{owner}", "controller": True, "name": "x"}
        ]
    if deleting:
        obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    obj["status"] = {"phase": phase, "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
    return obj


@given(st.lists(st.tuples(st.booleans(), PODS), max_size=40))
def test_a_tally_kept_by_events_equals_one_counted_anew(events: list[tuple[bool, Any]]) -> None:
    kept, pods = PodTally("ReplicaSet"), {}
    for gone, values in events:
        obj = make(*values)
        name = obj["metadata"]["name"]
        old = pods.get(name)
        if gone:
            if old is not None:
                # The last state may differ from the one that was known.
                kept.observe(obj, None)
                del pods[name]
        else:
            kept.observe(old, obj)
            pods[name] = obj
    for owner in ("o1", "o2"):
        mine = [p for p in pods.values() if (p["metadata"].get("ownerReferences") or [{}])[0].get("uid") == owner]
        anew, told = tally_of(mine), kept.of(owner)
        assert (told.active, told.ready, told.terminating, told.labels) == (
            anew.active,
            anew.ready,
            anew.terminating,
            anew.labels,
        )


def test_claims_table() -> None:
    owner = replicaset()
    owner["metadata"]["uid"] = "me"
    mine, foreign = ({"kind": "ReplicaSet", "uid": uid, "controller": True, "name": "x"} for uid in ("me", "other"))

    def make_pod(name: str, app: str, reference: Obj | None = None, deleting: bool = False) -> Obj:
        obj = pod(name, app=app)
        if reference:
            obj["metadata"]["ownerReferences"] = [reference]
        if deleting:
            obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        return obj

    pods = [
        make_pod("owned", "web", mine),
        make_pod("stray", "db", mine),
        make_pod("orphan", "web"),
        make_pod("dying", "web", deleting=True),
        make_pod("foreign", "web", foreign),
        make_pod("stranger", "db"),
    ]
    claims = sort_claims(owner, from_map({"app": "web"}), pods)
    names = [[obj["metadata"]["name"] for obj in part] for part in (claims.owned, claims.release, claims.adopt)]
    assert names == [["owned"], ["stray"], ["orphan"]]
    owner["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    claims = sort_claims(owner, from_map({"app": "web"}), pods)
    assert (claims.release, claims.adopt) == ([], [])


def test_templates_are_compared_without_their_hash() -> None:
    made = deployment()
    made["metadata"]["uid"] = "d"
    created = new_replicaset(made, 1, Limits(3, 1, 0))
    assert same_template(created["spec"]["template"], made["spec"]["template"])
    assert not same_template(created["spec"]["template"], deployment(image="other")["spec"]["template"])
    nulled = {**made["spec"]["template"]}
    nulled["metadata"] = {**nulled["metadata"], "creationTimestamp": None}
    assert same_template(nulled, made["spec"]["template"])


def test_a_collision_count_makes_another_hash() -> None:
    made = deployment()
    made["metadata"]["uid"] = "d"
    names = set()
    for count in range(3):
        made["status"] = {"collisionCount": count}
        names.add(new_replicaset(made, 1, Limits(3, 1, 0))["metadata"]["name"])
    assert len(names) == 3


@pytest.mark.parametrize(
    ("known", "newest", "revision", "history"),
    [
        ({}, 1, "1", None),
        ({REVISION: "1"}, 1, "1", None),
        ({REVISION: "1"}, 3, "3", "1"),
        ({REVISION: "3", HISTORY: "1"}, 5, "5", "1,3"),
        ({REVISION: "9"}, 2, "9", None),
        ({REVISION: "10"}, 9, "10", None),
    ],
)
def test_revisions_only_grow_and_are_remembered(
    known: dict[str, str], newest: int, revision: str, history: str | None
) -> None:
    made = deployment()
    made["metadata"]["annotations"] = {"kubernetes.io/change-cause": "why", REVISION: "77"}
    rs = replicaset()
    rs["metadata"]["annotations"] = known
    noted = revised_annotations(made, rs, newest)
    assert noted[REVISION] == revision
    assert noted.get(HISTORY) == history
    assert noted["kubernetes.io/change-cause"] == "why"


def test_a_condition_keeps_its_time_while_status_and_reason_stay() -> None:
    first = with_condition([], condition("Progressing", "True", "A", "one", 0.0))
    assert with_condition(first, condition("Progressing", "True", "A", "two", 60.0)) == first
    (second,) = with_condition(first, condition("Progressing", "True", "B", "two", 60.0))
    assert (second["lastTransitionTime"], second["lastUpdateTime"]) == ("1970-01-01T00:00:00Z", "1970-01-01T00:01:00Z")
    (third,) = with_condition([second], condition("Progressing", "False", "B", "x", 90.0))
    assert third["lastTransitionTime"] == "1970-01-01T00:01:30Z"


def test_every_controller_has_a_name_of_its_own() -> None:
    names = [controller.name for controller in CONTROLLERS]
    assert len(set(names)) == len(names)
