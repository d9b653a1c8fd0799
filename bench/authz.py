"""What a decision costs with a thousand roles and five thousand bindings, and what an explanation does. In this process, no server."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

from cluster.apiserver.authz.bootstrap import bootstrap_objects
from cluster.apiserver.authz.chain import AuthorizerChain
from cluster.apiserver.authz.index import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES
from cluster.apiserver.request import RequestInfo, UserInfo

Obj = dict[str, Any]
KEYS = {
    "Role": ROLES,
    "ClusterRole": CLUSTER_ROLES,
    "RoleBinding": ROLE_BINDINGS,
    "ClusterRoleBinding": CLUSTER_ROLE_BINDINGS,
}
ROLES_COUNT, BINDINGS, PEOPLE, NAMESPACES, REQUESTS = 1_000, 5_000, 2_000, 200, 20_000
RESOURCES = ("pods", "services", "secrets", "configmaps", "events", "endpoints")
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")


class Fixed:
    """A watch cache that holds still."""

    def __init__(self, objects: Iterable[Obj]) -> None:
        self.objects = list(objects)

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return None

    def list(self, resource: str, namespace: str = "") -> Iterable[Obj]:
        return [obj for obj in self.objects if KEYS[obj["kind"]] == resource]

    def on_change(self, resource: str, callback: Callable[[Obj | None, Obj | None], None]) -> None:
        for obj in self.list(resource):
            callback(None, obj)


def _world(chance: random.Random) -> Iterable[Obj]:
    yield from bootstrap_objects()
    for number in range(ROLES_COUNT):
        rules = [
            {
                "apiGroups": [chance.choice(("", "apps", "batch"))],
                "resources": chance.sample(RESOURCES, 2),
                "verbs": chance.sample(VERBS, 3),
            }
            for _ in range(3)
        ]
        yield {"kind": "ClusterRole", "metadata": {"name": f"role-{number}"}, "rules": rules}
    for number in range(BINDINGS):
        kind = "User" if number % 2 else "Group"
        name = f"user-{chance.randrange(PEOPLE)}" if kind == "User" else f"group-{chance.randrange(50)}"
        namespace = f"ns-{chance.randrange(NAMESPACES)}"
        yield {
            "kind": "RoleBinding",
            "metadata": {"name": f"binding-{number}", "namespace": namespace},
            "roleRef": {"kind": "ClusterRole", "name": f"role-{chance.randrange(ROLES_COUNT)}"},
            "subjects": [{"kind": kind, "name": name}],
        }


def _requests(chance: random.Random) -> list[tuple[UserInfo, RequestInfo]]:
    people = [
        UserInfo(f"user-{number}", (f"group-{number % 50}", f"group-{number % 7}", "system:authenticated"))
        for number in range(PEOPLE)
    ]
    return [
        (
            chance.choice(people),
            RequestInfo(
                "", chance.choice(VERBS), True, "", "v1", f"ns-{chance.randrange(NAMESPACES)}", chance.choice(RESOURCES)
            ),
        )
        for _ in range(REQUESTS)
    ]


def measure() -> dict[str, float]:
    chance = random.Random(1)
    authorizer = AuthorizerChain(Fixed(_world(chance)))
    asked = _requests(chance)
    fresh, again, explained = [], [], []
    for _ in range(5):
        # The first time each is asked: every decision is worked out from the index.
        authorizer.index.generation += 1
        fresh.append(_time(lambda: [authorizer.authorize(user, info) for user, info in asked]))
        again.append(_time(lambda: [authorizer.authorize(user, info) for user, info in asked]))
    refused = [one for one in asked if not authorizer.authorize(*one).allowed][:20]
    for user, info in refused:
        explained.append(_time(lambda user=user, info=info: authorizer.explain(user, info)))  # type: ignore[misc]
    return {
        "decision, 1,000 roles 5,000 bindings, new (µs)": statistics.median(fresh) / REQUESTS * 1e6,
        "decision, 1,000 roles 5,000 bindings, remembered (µs)": statistics.median(again) / REQUESTS * 1e6,
        "explanation of a refusal there (ms)": statistics.median(explained) * 1e3,
    }


def _time(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
