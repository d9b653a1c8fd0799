"""The page's stream and its time machine for somebody with rights in one namespace: all of that, as soon as they have it, and nothing else."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
import websocket

from tests.support.person import Person
from tests.support.server import wait_for

PASSWORD = "a-long-enough-one"
PODS, NODES, NAMESPACES = "v1/pods", "v1/nodes", "v1/namespaces"


class Page:
    """What a page keeps of the stream."""

    def __init__(self, cluster, person):
        self.objects: dict[str, set[str]] = {}
        self.forbidden: set[str] = set()
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{cluster.http}/ws/explorer/",
            origin=f"http://127.0.0.1:{cluster.http}",
            header={"Cookie": person.headers["Cookie"]},
            timeout=2,
        )
        resources = dict.fromkeys((PODS, NODES, NAMESPACES))
        self.socket.send(json.dumps({"op": "subscribe", "resources": resources}))

    def read(self) -> dict[str, set[str]]:
        """Take in one message, if one comes."""
        with contextlib.suppress(websocket.WebSocketTimeoutException):
            self._take(json.loads(self.socket.recv()))
        return self.objects

    def _take(self, message: dict[str, Any]) -> None:
        self.socket.send(json.dumps({"op": "ack", "seq": message["seq"]}))
        if message["op"] == "forbidden":
            self.forbidden.add(message["resource"])
        for part in message.get("parts", ()) if message["op"] == "changes" else ():
            if part["fresh"]:
                self.objects[part["resource"]] = set()
            for kind, one in part["events"]:
                key = f"{one['namespace']}/{one['name']}"
                (set.discard if kind == "DELETED" else set.add)(self.objects[part["resource"]], key)

    def until(self, condition, what):
        wait_for(lambda: condition(self.read()), what, 30)


@pytest.fixture(scope="module")
def carol(cluster):
    cluster.django(
        f"from cluster.accounts.models import User\nUser.objects.create_user('carol', password='{PASSWORD}')"
    )
    return Person(cluster, "carol", PASSWORD).sign_in()


def test_a_page_that_is_open_shows_the_sandbox_as_soon_as_there_is_one_and_no_longer_than_that(cluster, carol):
    cluster.kubectl("run", "hidden", "--image=nginx")
    page = Page(cluster, carol)
    page.until(lambda seen: page.forbidden == {PODS, NODES, NAMESPACES}, "the refusals")
    assert page.objects == {}
    assert carol.ask("POST", "/explorer/sandbox/", {})[0] == 201
    page.until(lambda seen: seen.get(NAMESPACES) == {"/sandbox-carol"}, "the namespace")
    page.until(lambda seen: "/node-1" in seen.get(NODES, ()), "the machines around it")
    pod = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    assert carol.ask("POST", "/api/v1/namespaces/sandbox-carol/pods", pod)[0] == 201
    page.until(lambda seen: seen.get(PODS) == {"sandbox-carol/web"}, "the pod, and no other")

    at = carol.ask("GET", "/explorer/timeline/")[1]["newest"]
    past = carol.ask("GET", f"/explorer/past/?at={at}&resources={PODS}")[1]
    assert [one["name"] for one in past["resources"][PODS]] == ["web"], past
    changes = carol.ask("GET", f"/explorer/changes/?from={at - 1}&to={at}&resources={PODS}")[1]
    assert PODS not in changes["refused"]

    cluster.kubectl("-n", "sandbox-carol", "delete", "rolebinding", "sandbox")
    page.until(lambda seen: seen[PODS] == set() == seen[NAMESPACES], "the end of what may be seen")
    past = carol.ask("GET", f"/explorer/past/?at={at}&resources={PODS}")[1]
    assert (past["resources"], list(past["refused"])) == ({}, [PODS])


def test_what_lies_around_a_sandbox_is_no_longer_shown_when_it_is_gone(cluster, carol):
    assert carol.ask("GET", "/api/v1/nodes")[0] == 200
    assert carol.ask("DELETE", "/apis/sim.kubeweb.dev/v1alpha1/sandboxes/carol")[0] == 200
    wait_for(lambda: carol.ask("GET", "/api/v1/nodes")[0] == 403, "the end of the binding", 60)
