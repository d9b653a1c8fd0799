"""What somebody tries who means harm: rights in one place that should reach into another, bodies that should end the process."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
import requests
import websocket

from cluster.explorer.consumers import MOST_STREAMS
from tests.support.person import Person
from tests.support.server import wait_for
from tests.support.sockets import closing_code

PASSWORD = "a-long-enough-one"


@pytest.fixture(scope="module")
def bob(cluster):
    """May do everything in the namespace `team`, and nothing elsewhere."""
    cluster.django(f"from cluster.accounts.models import User\nUser.objects.create_user('bob', password='{PASSWORD}')")
    cluster.kubectl("create", "namespace", "team")
    cluster.kubectl("-n", "team", "create", "role", "all", "--verb=*", "--resource=*.*")
    cluster.kubectl("-n", "team", "create", "rolebinding", "all", "--role=all", "--user=bob")
    return Person(cluster, "bob", PASSWORD).sign_in()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/namespaces/team/nodes"),
        ("GET", "/api/v1/namespaces/team/nodes/node-1"),
        ("DELETE", "/api/v1/namespaces/team/nodes/node-1"),
        ("GET", "/api/v1/namespaces/team/namespaces"),
        ("GET", "/api/v1/namespaces/team/namespaces/kube-system"),
        ("GET", "/apis/rbac.authorization.k8s.io/v1/namespaces/team/clusterroles/cluster-admin"),
    ],
)
def test_rights_in_a_namespace_do_not_reach_what_lies_in_none(bob, method, path):
    status, answer = bob.ask(method, path)
    assert (status, answer["reason"]) == (404, "NotFound"), answer


def test_nor_by_the_pages_own_requests(bob):
    for resource, name in (
        ("v1/nodes", "node-1"),
        ("v1/namespaces", "kube-system"),
        ("rbac.authorization.k8s.io/v1/clusterroles", "cluster-admin"),
    ):
        status, answer = bob.ask("GET", f"/explorer/why/?resource={resource}&namespace=team&name={name}")
        assert status == 403, answer


def test_their_own_namespace_is_theirs_to_see(bob):
    assert bob.ask("GET", "/api/v1/namespaces/team")[0] == 200
    assert bob.ask("GET", "/explorer/why/?resource=v1/namespaces&name=team")[0] == 200
    assert bob.ask("GET", "/api/v1/namespaces/team/pods")[0] == 200


@pytest.mark.parametrize(
    "body", ["a: " + "[" * 50_000, "- " * 50_000 + "x", "{a: 1}:\n  " + "- " * 50_000 + "x", "{" + '"a":{' * 50_000]
)
def test_deep_yaml_is_refused_and_ends_nothing(cluster, bob, body):
    status, answer = bob.ask("POST", "/api/v1/namespaces/team/configmaps", body, {"Content-Type": "application/yaml"})
    assert (status, "exceeded max depth" in answer["message"]) == (400, True), answer
    assert cluster.request("GET", "/readyz")[0] == 200


def test_the_pages_own_api_refuses_what_is_deep_or_no_json(bob):
    for body in ("[" * 100_000 + "]" * 100_000, "NaN", '{"name": "\\ud800"}', "[1]"):
        for path in ("/explorer/manifests/", "/explorer/lessons/declare-and-heal/", "/accounts/tokens/"):
            status, answer = bob.ask("POST", path, body)
            assert status == 400, (path, answer)


@pytest.mark.parametrize("number", ["²", "9" * 5000])
@pytest.mark.parametrize("path", ["past/?at=", "changes/?from=", "timeline/?points=", "journeys/?limit="])
def test_digits_that_are_no_numbers_and_numbers_without_end_are_refused(bob, path, number):
    assert bob.ask("GET", f"/explorer/{path}{quote(number)}")[0] == 400


@pytest.mark.parametrize("query", ["pods?resourceVersion=", "pods?limit=", "pods/talker/log?tailLines="])
def test_a_number_that_no_go_type_holds_is_out_of_range(cluster, bob, query):
    pod = {"metadata": {"name": "talker"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    assert bob.ask("POST", "/api/v1/namespaces/team/pods", pod)[0] in (201, 409)
    status, answer = bob.ask("GET", f"/api/v1/namespaces/team/{query}{'9' * 5000}")
    assert (status, "value out of range" in answer["message"]) == (400, True), answer


@pytest.mark.parametrize(
    "path",
    ["/explorer/journeys/", "/explorer/manifests/", "/accounts/tokens/", "/api/v1/namespaces/team/pods", "/nowhere"],
)
def test_nobody_else_keeps_an_answer_and_none_is_a_page_that_runs_scripts(cluster, bob, path):
    answer = requests.get(f"http://127.0.0.1:{cluster.http}{path}", headers=bob.headers, timeout=30)
    assert "private" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src" in policy
    assert "unsafe" not in policy


def test_a_pod_behind_proxy_is_no_page_of_ours(cluster, bob):
    pod = {
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}]},
    }
    assert bob.ask("POST", "/api/v1/namespaces/team/pods", pod)[0] == 201
    url = f"http://127.0.0.1:{cluster.http}/api/v1/namespaces/team/pods/web/proxy/"

    def page():
        answer = requests.get(url, headers=bob.headers, timeout=30)
        return answer if answer.status_code == 200 else None

    assert "sandbox" in wait_for(page, "the pod's page", 60).headers["Content-Security-Policy"]


def stream(cluster, cookies):
    return websocket.create_connection(
        f"ws://127.0.0.1:{cluster.http}/ws/explorer/",
        origin=f"http://127.0.0.1:{cluster.http}",
        header={"Cookie": cookies},
        timeout=20,
    )


def test_a_person_has_so_many_streams_and_no_more(cluster, bob):
    held = [stream(cluster, bob.headers["Cookie"]) for _ in range(MOST_STREAMS)]
    for one in held:
        assert '"op":"hello"' in one.recv()
    assert closing_code(stream(cluster, bob.headers["Cookie"])) == 4429
    for one in held:
        one.close()
    wait_for(lambda: '"op":"hello"' in str(stream(cluster, bob.headers["Cookie"]).recv_data()[1]), "room")


def test_questions_without_a_subject_are_refused(bob):
    path = "/apis/sim.kubeweb.dev/v1alpha1/bindingpreviews"
    body = {"apiVersion": "sim.kubeweb.dev/v1alpha1", "kind": "BindingPreview", "spec": {}}
    status, answer = bob.ask("POST", path, body)
    assert (status, answer["reason"]) == (422, "Invalid"), answer


def nested(depth):
    return '{"a":' * depth + "1" + "}" * depth


@pytest.mark.parametrize("depth", [210, 300, 1000])
@pytest.mark.parametrize("query", ["", "?fieldValidation=Strict"])
def test_deep_json_is_refused(bob, depth, query):
    body = f'{{"metadata":{{"name":"deep"}},"x":{nested(depth)}}}'
    status, answer = bob.ask("POST", f"/api/v1/namespaces/team/configmaps{query}", body)
    assert (status, "exceeded max depth" in answer["message"]) == (400, True), answer


def test_nothing_is_stored_that_could_never_be_told(cluster):
    """Two patches, neither of them deep, that come to a deep object; what is let in can be listed, watched and audited."""
    path = "/apis/apps/v1/namespaces/default/controllerrevisions"
    revision = f'{{"metadata":{{"name":"deep"}},"revision":1,"data":{nested(180)}}}'
    assert cluster.request("POST", path, json.loads(revision))[0] == 201
    patch = [{"op": "add", "path": "/data" + "/a" * 179, "value": json.loads(nested(60))}]
    headers = {"Content-Type": "application/json-patch+json"}
    status, answer = cluster.request("PATCH", f"{path}/deep", patch, headers=headers)
    assert status in (400, 422), answer
    assert len(cluster.request("GET", path)[1]["items"]) >= 1
