"""Acting as somebody else, as the page does it: the API, the explorer and the live stream all follow, as far and as long as RBAC allows."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
import websocket

from tests.support.person import Person
from tests.support.server import Cluster, wait_for
from tests.support.sockets import next_message

PASSWORD = "a-long-enough-one"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"
PODS = "v1/pods"


def bind(cluster: Cluster, name: str, role: str, user: str, namespace: str = "") -> None:
    """Give a ClusterRole to a user, in one namespace or everywhere."""
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": GROUP, "kind": "User", "name": user}],
    }
    where = f"{RBAC}/namespaces/{namespace}/rolebindings" if namespace else f"{RBAC}/clusterrolebindings"
    assert cluster.request("POST", where, binding)[0] == 201


@pytest.fixture(scope="module")
def shop(cluster: Cluster) -> Cluster:
    """alice looks after `shop`; boss may act as alice, and may see nothing of their own."""
    cluster.django(
        "from cluster.accounts.models import User\n"
        + "\n".join(f"User.objects.create_user('{name}', password='{PASSWORD}')" for name in ("alice", "boss"))
    )
    cluster.kubectl("create", "namespace", "shop")
    cluster.kubectl("-n", "shop", "run", "till", "--image=nginx")
    cluster.kubectl("run", "hidden", "--image=nginx")
    bind(cluster, "alice", "admin", "alice", "shop")
    rule = {"apiGroups": [""], "resources": ["users"], "resourceNames": ["alice"], "verbs": ["impersonate"]}
    cluster.request("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "be-alice"}, "rules": [rule]})
    bind(cluster, "boss", "be-alice", "boss")
    return cluster


@pytest.fixture(scope="module")
def boss(shop: Cluster) -> Person:
    return Person(shop, "boss", PASSWORD).sign_in()


AS_ALICE = {"Impersonate-User": "alice"}


def by_token(user: str) -> dict[str, str]:
    """As the page says it: any name, in ASCII."""
    told = base64.urlsafe_b64encode(json.dumps({"user": user, "groups": []}).encode()).decode().rstrip("=")
    return {"X-KubeWeb-Impersonate": f"base64url.impersonate.kubeweb.dev.{told}"}


class Stream:
    """The page's stream, as somebody."""

    def __init__(self, person: Person, user: str = "", groups: tuple[str, ...] = ()) -> None:
        said = base64.urlsafe_b64encode(json.dumps({"user": user, "groups": groups}).encode()).decode().rstrip("=")
        protocols = ["kubeweb.explorer.v1", f"base64url.impersonate.kubeweb.dev.{said}"] if user else None
        cluster = person.cluster
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{cluster.http}/ws/explorer/",
            origin=f"http://127.0.0.1:{cluster.http}",
            header={"Cookie": person.headers["Cookie"]},
            subprotocols=protocols,
            timeout=30,
        )

    def close(self) -> None:
        self.socket.shutdown()

    def read(self) -> dict:
        """One message; the end is {"op": "closed", "code": …}."""
        code, data = next_message(self.socket)
        if code == websocket.ABNF.OPCODE_CLOSE:
            return {"op": "closed", "code": int.from_bytes(data[:2], "big")}
        message = json.loads(data)
        if "seq" in message:
            self.socket.send(json.dumps({"op": "ack", "seq": message["seq"]}))
        return message

    def want(self, *resources: str) -> None:
        self.socket.send(json.dumps({"op": "subscribe", "resources": dict.fromkeys(resources)}))

    def until(self, operation: str) -> dict:
        while (message := self.read())["op"] != operation:
            assert message["op"] != "closed", message
        return message

    def pods(self) -> set[str]:
        """The pods that the stream tells of first."""
        self.want(PODS)
        while True:
            for part in self.until("changes")["parts"]:
                if part["resource"] == PODS:
                    return {f"{one['namespace']}/{one['name']}" for _, one in part["events"]}


@pytest.fixture
def stream() -> Iterator[Callable[..., Stream]]:
    """`stream(person, user="", groups=())` is a Stream, until the test ends."""
    with ExitStack() as opened:
        yield lambda *told: opened.enter_context(closing(Stream(*told)))


def test_the_api_and_the_explorer_show_what_the_other_may_see(shop, boss):
    at = boss.ask("GET", "/explorer/timeline/")[1]["newest"]
    past = f"/explorer/past/?at={at}&resources={PODS}"
    assert boss.ask("GET", past)[1]["refused"].keys() == {PODS}
    seen = boss.ask("GET", past, headers=AS_ALICE)[1]
    assert [one["name"] for one in seen["resources"][PODS]] == ["till"]
    why = "/explorer/why/?resource=v1/pods&namespace=shop&name=till"
    assert boss.ask("GET", why)[0] == 403
    assert boss.ask("GET", why, headers=AS_ALICE)[0] == 200
    assert boss.ask("GET", "/explorer/why/?resource=v1/pods&namespace=default&name=hidden", headers=AS_ALICE)[0] == 403


def test_journeys_are_the_others_and_name_both(shop, boss):
    name = "made-as-alice"
    made = boss.ask("POST", "/api/v1/namespaces/shop/configmaps", {"metadata": {"name": name}}, AS_ALICE)
    assert made[0] == 201, made
    found = boss.ask("GET", "/explorer/journeys/", headers=AS_ALICE)[1]["journeys"]
    journey = next(one for one in found if one["name"] == name)
    assert (journey["actor"], journey["impersonator"]) == ("alice", "boss")
    tree = boss.ask("GET", f"/explorer/journeys/{journey['id']}/", headers=AS_ALICE)[1]["journeys"]
    authn = next(span for span in tree[0]["spans"] if span["stage"] == "authn")
    assert (authn["detail"]["user"], authn["detail"]["impersonated_by"]) == ("alice", "boss")
    # One's own are without the other's.
    assert boss.ask("POST", "/api/v1/namespaces/shop/configmaps", {"metadata": {"name": "made-as-boss"}})[0] == 403
    own = boss.ask("GET", "/explorer/journeys/")[1]["journeys"]
    assert {one["actor"] for one in own} == {"boss"}
    assert name not in {one["name"] for one in own}


def test_a_sandbox_that_is_asked_for_is_the_others(shop, boss):
    answer = boss.ask("POST", "/explorer/sandbox/", {}, AS_ALICE)
    assert (answer[0], answer[1]["user"]) == (201, "alice")
    assert [one["user"] for one in boss.ask("GET", "/explorer/sandbox/", headers=AS_ALICE)[1]["sandboxes"]] == ["alice"]


def test_what_a_person_keeps_is_not_for_whom_they_act_as(shop, boss):
    assert boss.ask("POST", "/explorer/manifests/", {"name": "mine", "text": "kind: Pod"})[0] == 201
    assert boss.ask("GET", "/explorer/manifests/", headers=AS_ALICE)[1]["manifests"] == []
    refused = boss.ask("POST", "/explorer/manifests/", {"name": "hers", "text": ""}, AS_ALICE)
    assert (refused[0], refused[1]["message"][:19]) == (403, "boss acts as alice:")


EVERY_VIEW = (
    "pipeline/",
    "journeys/",
    "journeys/x/",
    "timeline/",
    "past/?at=5",
    "changes/?from=5",
    "termination/?namespace=a&name=b",
    "why/?resource=v1/pods&name=b",
    "sandbox/",
    "audit/",
    "audit/1/",
    "lessons/",
    "rates/",
    "examples/",
    "manifests/",
    "manifests/1/",
    "shared/x/",
)


@pytest.mark.parametrize("path", EVERY_VIEW)
@pytest.mark.parametrize(
    "headers", [{"Impersonate-User": "admin"}, {**AS_ALICE, "Impersonate-Group": "system:masters"}, by_token("zoë")]
)
def test_who_may_not_act_as_somebody_is_refused_everywhere(boss, path, headers):
    status, answer = boss.ask("GET", f"/explorer/{path}", headers=headers)
    assert (status, answer["reason"]) == (403, "Forbidden")
    assert 'User "boss" cannot impersonate resource' in answer["message"]


@pytest.mark.parametrize("path", ["/explorer/pipeline/", "/api/v1/namespaces/shop/pods"])
def test_a_name_in_another_coding_is_a_bad_request(boss, path):
    status, answer = boss.ask("GET", path, headers={"Impersonate-User": "zoë"})
    assert (status, answer["reason"]) == (400, "BadRequest")
    assert answer["message"] == "an Impersonate header is not UTF-8"


def test_the_stream_is_the_others(shop, boss, stream):
    alices = stream(boss, "alice")
    hello = alices.until("hello")
    assert (hello["user"], hello["account"]) == ("alice", "boss")
    assert alices.pods() == {"shop/till"}
    mine = stream(boss)
    assert mine.until("hello")["user"] == "boss"
    mine.want(PODS)
    assert mine.until("forbidden")["resource"] == PODS


@pytest.mark.parametrize(("user", "groups"), [("admin", ()), ("alice", ("system:masters",))])
def test_a_stream_as_whom_one_may_not_act_is_refused_with_the_reason(boss, stream, user, groups):
    refused = stream(boss, user, groups)
    assert "cannot impersonate" in refused.read()["message"]
    assert refused.read() == {"op": "closed", "code": 4403}


def test_what_is_open_ends_with_the_right_to_act_and_so_does_coming_back(shop, boss, stream):
    alices = stream(boss, "alice")
    assert alices.pods() == {"shop/till"}
    mine = stream(boss)
    mine.until("hello")
    shop.kubectl("delete", "clusterrolebinding", "boss")
    refusal = alices.until("refused")
    assert 'cannot impersonate resource "users"' in refusal["message"]
    assert alices.read() == {"op": "closed", "code": 4403}
    # The session is as good as it was.
    mine.until("stats")
    assert stream(boss, "alice").read()["op"] == "refused"
    bind(shop, "boss", "be-alice", "boss")
    assert wait_for(lambda: stream(boss, "alice").read()["op"] == "hello", "the right to come back")
