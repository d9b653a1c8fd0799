"""The cluster as it was: read like the watch cache, as of one revision, in a thread."""

from __future__ import annotations

import pytest

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.apiserver.authz.rbac import Authorizer
from cluster.apiserver.request import RequestInfo, UserInfo
from cluster.apiserver.storage.world import World, ask

pytestmark = pytest.mark.asyncio

ALICE = UserInfo("alice", ("system:authenticated",))
GROUP = "rbac.authorization.k8s.io"


def names(world):
    return [pod["metadata"]["name"] for pod in world.list("pods")]


async def test_a_world_shows_what_there_was_and_nothing_of_what_came_after(storage, put):
    await put("ns/a", phase="Pending")
    await put("other/b")
    await put("ns/a", phase="Running")
    await put("other/b", delete=True)
    assert await ask(storage, 1, names) == ["a"]
    assert await ask(storage, 2, names) == ["a", "b"]
    assert await ask(storage, 4, names) == ["a"]
    assert await ask(storage, 2, lambda world: world.get("pods", "ns", "a")["status"]) == {"phase": "Pending"}
    assert await ask(storage, 3, lambda world: world.get("pods", "ns", "a")["metadata"]["resourceVersion"]) == "3"
    assert await ask(storage, 4, lambda world: world.get("pods", "other", "b")) is None
    assert await ask(storage, 3, lambda world: [one["metadata"]["name"] for one in world.list("pods", "other")]) == [
        "b"
    ]


async def test_below_the_compaction_there_is_no_world(storage, put):
    for phase in "abc":
        await put("ns/a", phase=phase)
    await storage.log.compact(2)
    assert await ask(storage, 2, names) == ["a"]
    with pytest.raises(StatusError) as failure:
        await ask(storage, 1, names)
    assert (failure.value.code, failure.value.reason) == (410, "Expired")


async def test_a_world_asked_for_in_the_loop_says_so_rather_than_wait_for_itself(storage, put):
    await put("ns/a")
    with pytest.raises(RuntimeError, match="in a thread"):
        World(storage, 1).list("pods")


async def test_the_time_of_a_world_is_what_the_machines_last_said(storage):
    for revision, second in enumerate(("05", "15"), 1):
        lease = {
            "metadata": {"name": "n", "namespace": "kube-node-lease"},
            "spec": {"renewTime": f"2030-01-01T00:00:{second}.000000Z"},
        }
        key = ("kube-node-lease", "n")
        await storage.write(
            "coordination.k8s.io/leases", key, lease, "create" if revision == 1 else "update", revision - 1, "j"
        )
    assert await ask(storage, 2, World.now) - await ask(storage, 1, World.now) == 10


async def test_rights_are_those_of_then(storage):
    async def write(resource, name, obj, verb, expected):
        obj = {"metadata": {"name": name}, **obj}
        return (await storage.write(f"{GROUP}/{resource}", ("", name), obj, verb, expected, "j")).revision

    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    await write("clusterroles", "see", {"kind": "ClusterRole", "rules": rules}, "create", 0)
    binding = {
        "kind": "ClusterRoleBinding",
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "see"},
        "subjects": [{"apiGroup": GROUP, "kind": "User", "name": "alice"}],
    }
    bound = await write("clusterrolebindings", "alice", binding, "create", 0)
    await write("clusterrolebindings", "alice", binding, "delete", bound)

    def allowed(world):
        return Authorizer(world).authorize(ALICE, RequestInfo("", "list", True, "", "v1", "shop", "pods")).allowed

    assert [await ask(storage, revision, allowed) for revision in (1, 2, 3)] == [False, True, False]


async def test_nor_do_other_leases_or_odd_ones_count(storage):
    machines = {
        "metadata": {"name": "n", "namespace": "kube-node-lease"},
        "spec": {"renewTime": "2030-01-01T00:00:05.000000Z"},
    }
    other = {"metadata": {"name": "o", "namespace": "default"}, "spec": {"renewTime": "9999-01-01T00:00:00.000000Z"}}
    odd = {"metadata": {"name": "p", "namespace": "kube-node-lease"}}
    for lease in (machines, other, odd):
        key = (lease["metadata"]["namespace"], lease["metadata"]["name"])
        await storage.write("coordination.k8s.io/leases", key, lease, "create", None, "")
    told = await ask(storage, 3, lambda world: world.now())
    assert told == clock.parse("2030-01-01T00:00:05.000000Z")
