"""Who may no longer come is out (within a second: tests/apiserver/authn/test_live.py and test_authenticator.py): requests, watches, the page's stream; and who never might is told so as Kubernetes does."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import ssl
import threading
import uuid
from collections.abc import Iterator

import jwt
import pytest
import websocket
import yaml

from tests.support.person import Person
from tests.support.server import Cluster, wait_for
from tests.support.sockets import closing_code

PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    running = Cluster("--profile=instant", "--nodes=1", prepared=True).start()
    yield running
    running.close()


@pytest.fixture
def person(cluster, request):
    """A new person in `devs`, who may look at pods."""
    name = f"p{abs(hash(request.node.name)) % 10**8}"
    cluster.django(
        f"from cluster.accounts.models import User, AccessToken; from django.contrib.auth.models import Group; "
        f"user = User.objects.create_user('{name}', password='a-long-enough-one'); "
        f"user.groups.add(Group.objects.get_or_create(name='devs')[0])"
    )
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}
    binding = {"metadata": {"name": "devs"}, "roleRef": role, "subjects": [{"kind": "Group", "name": "devs"}]}
    for subject in binding["subjects"]:
        subject["apiGroup"] = "rbac.authorization.k8s.io"
    assert cluster.request("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", binding)[
        0
    ] in (201, 409)
    return Person(cluster, name, "a-long-enough-one")


def token_of(person):
    status, answer = person.sign_in().ask("POST", "/accounts/tokens/", {"name": "test"})
    assert status == 201, answer
    return answer


class Watch(threading.Thread):
    """A watch of pods that notes that it ended."""

    def __init__(self, cluster, headers):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPSConnection(
            "127.0.0.1", cluster.https, context=ssl._create_unverified_context(), timeout=30
        )
        self.connection.request("GET", f"{PODS}?watch=1", headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.ended = False
        self.heard: list[bytes] = []
        self.start()

    def run(self):
        try:
            with contextlib.suppress(http.client.IncompleteRead):
                self.heard.extend(self.response)
        except TimeoutError:
            # It stood longer than the test looked at it.
            return
        self.ended = True

    def goes_on(self, cluster):
        """Whether it still tells what happens."""
        before = len(self.heard)
        name = f"seen-{uuid.uuid4().hex[:8]}"
        pod = {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}}
        assert cluster.request("POST", PODS, pod)[0] == 201
        wait_for(
            lambda: self.ended or any(name.encode() in line for line in self.heard[before:]), "an event or the end"
        )
        return not self.ended


CHANGES = {
    "a revoked token": "AccessToken.objects.filter(user=user).revoke()",
    "an expired token": "AccessToken.objects.filter(user=user).update(expires=timezone.now())",
    "a deactivated user": "user.is_active = False; user.save()",
    "a deleted user": "user.delete()",
    "a group less": "user.groups.clear()",
}


def change(cluster, person, code):
    cluster.django(
        "from django.utils import timezone; from cluster.accounts.models import User, AccessToken; "
        f"user = User.objects.get(username='{person.name}'); {code}"
    )


@pytest.mark.parametrize("what", CHANGES)
def test_a_watch_on_a_token_is_cut(cluster, person, what):
    secret = token_of(person)["token"]
    headers = {"Authorization": f"Bearer {secret}"}
    watch = Watch(cluster, headers)
    steady = Watch(cluster, {"Authorization": f"Bearer {cluster.token()}"})
    change(cluster, person, CHANGES[what])
    wait_for(lambda: watch.ended, "the end of the watch", 10)
    code, answer = cluster.request("GET", PODS, headers=headers)
    if what == "a group less":
        assert (code, answer["reason"]) == (403, "Forbidden")
    else:
        assert (code, answer["message"], answer["reason"]) == (401, "Unauthorized", "Unauthorized")
    assert steady.goes_on(cluster)


def test_a_watch_as_somebody_else_is_cut_when_that_may_not_be_any_more(cluster, person):
    cluster.kubectl("create", "clusterrole", person.name, "--verb=impersonate", "--resource=users")
    cluster.kubectl(
        "create", "clusterrolebinding", person.name, f"--clusterrole={person.name}", f"--user={person.name}"
    )
    cluster.kubectl("create", "rolebinding", person.name, "--clusterrole=view", f"--user=as-{person.name}")
    headers = {"Authorization": f"Bearer {token_of(person)['token']}"}
    acting = Watch(cluster, {**headers, "Impersonate-User": f"as-{person.name}"})
    oneself = Watch(cluster, headers)
    cluster.kubectl("delete", "clusterrolebinding", person.name)
    wait_for(lambda: acting.ended, "the end of the watch", 10)
    assert oneself.goes_on(cluster)


@pytest.mark.parametrize("what", ["a deactivated user", "a deleted user", "a group less"])
def test_a_watch_on_a_session_is_cut(cluster, person, what):
    """As the page's own requests are: with a cookie in place of a token."""
    browser = Person(cluster, person.name, person.password, secure=True).sign_in()
    watch = Watch(cluster, browser.headers)
    change(cluster, person, CHANGES[what])
    wait_for(lambda: watch.ended, "the end of the watch", 10)
    assert browser.ask("GET", PODS)[0] in (401, 403)


@pytest.mark.parametrize(
    "code", ["user.set_password('another-long-one'); user.save()", CHANGES["a deleted user"], CHANGES["a group less"]]
)
def test_the_pages_stream_is_cut(cluster, person, code):
    person.sign_in()
    stream = page_stream(cluster, person)
    assert json.loads(stream.recv())["op"] == "hello"
    change(cluster, person, code)
    stream.settimeout(10)
    assert closing_code(stream) == 4401


def page_stream(cluster, person, origin=""):
    return websocket.create_connection(
        f"ws://127.0.0.1:{cluster.http}/ws/explorer/",
        origin=origin or f"http://127.0.0.1:{cluster.http}",
        header={"Cookie": person.headers["Cookie"]},
        timeout=10,
    )


def test_signing_out_ends_the_session_everywhere(cluster, person):
    person.sign_in()
    stream = page_stream(cluster, person)
    cookies = dict(person.cookies)
    assert person.ask("POST", "/logout/")[0] == 302
    stream.settimeout(10)
    assert closing_code(stream) == 4401
    person.cookies = cookies
    wait_for(lambda: person.ask("GET", PODS)[0] == 401, "the refusal", 3)


def test_signing_in_takes_no_session_key_that_somebody_else_chose(cluster, person):
    person.cookies["sessionid"] = "chosen-by-somebody-else-0123456789"
    person.sign_in()
    assert person.cookies["sessionid"] != "chosen-by-somebody-else-0123456789"


def test_on_https_the_session_is_secure_and_none_of_plain_http_is_believed(cluster):
    admin = Person(cluster, secure=True).sign_in()
    assert "sessionid" not in admin.cookies
    secret = admin.cookies["__Secure-sessionid"]
    assert admin.ask("GET", PODS)[0] == 200
    assert admin.ask("POST", "/accounts/tokens/", {"name": "secure"})[0] == 201
    stream = websocket.create_connection(
        f"wss://127.0.0.1:{cluster.https}/ws/explorer/",
        origin=admin.origin,
        header={"Cookie": admin.headers["Cookie"]},
        sslopt={"cert_reqs": ssl.CERT_NONE},
        timeout=10,
    )
    assert json.loads(stream.recv())["op"] == "hello"
    stream.close()
    admin.cookies = {"sessionid": secret}
    assert admin.ask("GET", PODS)[0] == 403
    plain = Person(cluster).sign_in()
    assert "__Secure-sessionid" not in plain.cookies


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "http://localhost:{http}", "null"])
def test_a_web_socket_from_a_foreign_origin_is_refused(cluster, origin):
    admin = Person(cluster).sign_in()
    origin = origin.format(http=cluster.http)
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        page_stream(cluster, admin, origin)
    assert refused.value.status_code == 403
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(
            f"ws://127.0.0.1:{cluster.http}/api/v1/namespaces/default/pods/x/exec?command=sh",
            origin=origin,
            subprotocols=["v5.channel.k8s.io"],
            header={"Cookie": admin.headers["Cookie"]},
            timeout=10,
        )
    assert refused.value.status_code == 403


def test_a_forged_request_on_a_session_is_refused(cluster):
    admin = Person(cluster).sign_in()
    body = {"metadata": {"name": "forged"}}
    status, answer = admin.ask("POST", "/api/v1/namespaces", body, {"X-CSRFToken": ""})
    assert (status, answer["reason"]) == (403, "Forbidden")
    status, _ = admin.ask("POST", "/api/v1/namespaces", body, {"Origin": "http://evil.example"})
    assert status == 403
    assert cluster.request("GET", "/api/v1/namespaces/forged")[0] == 404


def test_service_account_tokens_that_are_not_good_are_401(cluster):
    cluster.kubectl("create", "serviceaccount", "robot")
    token = cluster.kubectl("create", "token", "robot").strip()
    good = {"Authorization": f"Bearer {token}"}
    assert cluster.request("GET", PODS, headers=good)[0] == 403
    head, payload, signature = token.split(".")
    tampered = payload[:-2] + ("A" if payload[-2] != "A" else "B") + payload[-1]
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    public = cluster.request("GET", "/openid/v1/jwks")[1]["keys"][0]["x"]
    symmetric = jwt.encode(jwt.decode(token, options={"verify_signature": False}), public, algorithm="HS256")
    for bad in (
        f"{head}.{tampered}.{signature}",
        f"{head}.{payload}.{signature[:-4]}AAAA",
        f"{head}..",
        token + "x",
        f"{unsigned}.{payload}.",
        f"{unsigned}.{payload}.{signature}",
        # Signed, but with what everybody can read.
        symmetric,
    ):
        code, answer = cluster.request("GET", PODS, headers={"Authorization": f"Bearer {bad}"})
        assert (code, answer["message"]) == (401, "Unauthorized"), bad
    cluster.kubectl("create", "rolebinding", "robot", "--clusterrole=view", "--serviceaccount=default:robot")
    watch = Watch(cluster, good)
    cluster.kubectl("delete", "serviceaccount", "robot", "--wait=false")
    wait_for(lambda: watch.ended, "the end of the watch", 10)
    code, answer = cluster.request("GET", PODS, headers=good)
    assert (code, answer["message"]) == (401, "Unauthorized")


def test_a_token_dies_with_its_pod(cluster):
    cluster.kubectl("run", "bound", "--image=nginx")
    token = cluster.kubectl(
        "create", "token", "default", "--bound-object-kind=Pod", "--bound-object-name=bound"
    ).strip()
    headers = {"Authorization": f"Bearer {token}"}
    assert cluster.request("GET", PODS, headers=headers)[0] == 403
    cluster.kubectl("delete", "pod", "bound", "--force", "--grace-period=0")
    assert cluster.request("GET", PODS, headers=headers)[0] == 401


def test_another_persons_token_cannot_be_touched(cluster, person):
    theirs = token_of(Person(cluster))
    person.sign_in()
    for method in ("GET", "DELETE"):
        assert person.ask(method, f"/accounts/tokens/{theirs['id']}/")[0] == 404
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert person.ask("POST", f"/account/tokens/{theirs['id']}/revoke/", "", form)[0] == 302
    assert "no such token of yours" in person.ask("GET", "/account/")[1]
    assert cluster.request("GET", PODS, headers={"Authorization": f"Bearer {theirs['token']}"})[0] == 200


def test_an_access_token_is_shown_once_and_tells_when_it_was_used(cluster, person):
    made = token_of(person)
    secret = made.pop("token")
    assert cluster.request("GET", PODS, headers={"Authorization": f"Bearer {secret}"})[0] == 200
    seen = wait_for(
        lambda: [one for one in person.ask("GET", "/accounts/tokens/")[1] if one["last_used"]],
        "the note of its use",
        10,
    )
    assert secret not in json.dumps(seen)
    assert seen[0]["name"] == "test"
    assert person.ask("DELETE", f"/accounts/tokens/{made['id']}/")[0] == 204
    wait_for(
        lambda: cluster.request("GET", PODS, headers={"Authorization": f"Bearer {secret}"})[0] == 401, "the refusal", 2
    )


def test_acting_as_others_takes_the_right_to_each_part(cluster, person):
    headers = {"Authorization": f"Bearer {token_of(person)['token']}"}
    role = {
        "metadata": {"name": "may-act"},
        "rules": [
            {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": ["jane"]},
            {"apiGroups": [""], "resources": ["groups"], "verbs": ["impersonate"], "resourceNames": ["ops"]},
            {
                "apiGroups": ["authentication.k8s.io"],
                "resources": ["userextras/reason"],
                "verbs": ["impersonate"],
                "resourceNames": ["test"],
            },
            {"apiGroups": ["authentication.k8s.io"], "resources": ["uids"], "verbs": ["impersonate"]},
        ],
    }
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}

    def who(**acting):
        sent = {"Impersonate-" + key.replace("_", "-"): value for key, value in acting.items()}
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        return cluster.request("POST", path, review, {**headers, **sent})

    code, answer = who(User="jane")
    assert (code, answer["message"]) == (
        403,
        f'users "jane" is forbidden: User "{person.name}" cannot impersonate resource "users" in API group "" at the cluster scope',
    )
    assert cluster.request("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)[0] == 201
    cluster.kubectl("create", "clusterrolebinding", "may-act", "--clusterrole=may-act", f"--user={person.name}")
    code, answer = who(User="jane", Group="ops", Uid="7", Extra_reason="test")
    assert code == 201, answer
    info = answer["status"]["userInfo"]
    assert (info["username"], info["uid"], info["extra"]) == ("jane", "7", {"reason": ["test"]})
    assert info["groups"] == ["ops", "system:authenticated"]
    for refused in (
        {"User": "root"},
        {"User": "jane", "Group": "system:masters"},
        {"User": "jane", "Extra_reason": "other"},
    ):
        assert who(**refused)[0] == 403, refused
    assert who(Group="ops")[0] == 400


def test_a_kubeconfig_from_the_page_works_in_kubectl(cluster, person, tmp_path):
    status, text = person.sign_in().ask("POST", "/accounts/kubeconfig/")
    assert status == 200
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    assert yaml.safe_load(text)["users"][0]["name"] == person.name
    assert f"Username    {person.name}" in cluster.kubectl("auth", "whoami", f"--kubeconfig={path}")
    listed = cluster.kubectl("auth", "can-i", "--list", f"--kubeconfig={path}")
    assert "pods" in listed
    assert "selfsubjectreviews.authentication.k8s.io" in listed
    assert cluster.kubectl("auth", "can-i", "delete", "pods", f"--kubeconfig={path}").startswith("yes")
    assert "no" in cluster.kubectl("auth", "can-i", "get", "nodes", f"--kubeconfig={path}", check=False)
