"""The audit log of a real server: who did what, found by whoever may look, and no secret in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.support.person import Person
from tests.support.server import Cluster, wait_for

POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, userGroups: [system:nodes, "system:serviceaccounts:kube-system"]}
- {level: RequestResponse, resources: [{group: "", resources: [secrets, configmaps]}]}
- {level: Metadata}
"""
HIDDEN = "aHVudGVyMg=="


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster("--profile=instant", "--nodes=0", prepared=True)
    (made.data / "audit-policy.yaml").write_text(POLICY)
    yield made.start()
    made.close()


@pytest.fixture(scope="module")
def admin(cluster):
    return Person(cluster).sign_in()


@pytest.fixture(scope="module")
def bob(cluster):
    cluster.django(
        "from cluster.accounts.models import User; User.objects.create_user('bob', password='a-long-enough-one')"
    )
    return Person(cluster, "bob", "a-long-enough-one").sign_in()


def search(person, **wanted):
    query = "&".join(f"{key}={value}" for key, value in wanted.items())
    status, answer = person.ask("GET", f"/explorer/audit/?{query}")
    assert status == 200, answer
    return answer


def lines(cluster):
    return [json.loads(line) for line in (cluster.data / "audit" / "audit.log").read_text().splitlines()]


def test_a_refusal_is_found_by_who_and_outcome(cluster, admin, bob):
    status, _ = bob.ask("GET", "/api/v1/namespaces/default/secrets")
    assert status == 403
    found = wait_for(lambda: search(admin, user="bob", outcome="denied", resource="secrets")["events"], "the row")
    row = found[0]
    assert (row["verb"], row["code"], row["namespace"], row["decision"]) == ("list", 403, "default", "forbid")
    assert 'User "bob" cannot list resource "secrets"' in row["why"]
    assert row["addresses"] == "127.0.0.1"
    # The journey of the request goes by the same id.
    assert admin.ask("GET", f"/explorer/journeys/{row['journey']}/")[0] == 200


def test_who_acts_as_somebody_is_named_with_whom(cluster, admin):
    cluster.kubectl("get", "pods", "--as=carol", "--as-group=system:masters")
    row = wait_for(lambda: search(admin, user="carol")["events"], "the row")[0]
    assert (row["user"], row["impersonated"]) == ("admin", "carol")


def test_bodies_are_kept_where_the_policy_says_and_never_those_of_secrets(cluster, admin):
    cluster.kubectl("create", "configmap", "plain", "--from-literal=word=hello")
    cluster.kubectl("create", "secret", "generic", "hidden", "--from-literal=word=hunter2")
    cluster.kubectl("get", "secret", "hidden", "-o", "yaml")
    cluster.kubectl("delete", "secret", "hidden")
    row = wait_for(lambda: search(admin, resource="configmaps", verb="create", name="plain")["events"], "the row")[0]
    _, whole = admin.ask("GET", f"/explorer/audit/{row['id']}/")
    assert whole["event"]["requestObject"]["data"] == {"word": "hello"}
    assert whole["event"]["responseObject"]["metadata"]["uid"]
    wait_for(lambda: search(admin, resource="secrets", verb="delete")["events"], "the row")
    assert HIDDEN not in (cluster.data / "audit" / "audit.log").read_text()
    for row in search(admin, resource="secrets", name="hidden")["events"]:
        assert HIDDEN not in json.dumps(admin.ask("GET", f"/explorer/audit/{row['id']}/")[1])
    # Nor in the journeys.
    _, told = admin.ask("GET", "/explorer/journeys/?limit=100")
    mine = [one for one in told["journeys"] if one["resource"] == "secrets"]
    assert mine
    for one in mine:
        assert HIDDEN not in json.dumps(admin.ask("GET", f"/explorer/journeys/{one['id']}/")[1])


def test_a_bad_token_is_noted_without_a_name(cluster, admin):
    status, _ = cluster.request("GET", "/api/v1/pods", headers={"Authorization": "Bearer kw_wrong"})
    assert status == 401
    row = wait_for(lambda: search(admin, outcome="unauthenticated")["events"], "the row")[0]
    assert (row["user"], row["code"], row["why"]) == ("", 401, "Authentication failed, attempted: bearer")
    assert "kw_wrong" not in (cluster.data / "audit" / "audit.log").read_text()


def test_signing_in_and_out_is_noted_and_so_is_who_could_not(cluster, admin, bob):
    row = wait_for(lambda: search(admin, user="bob", verb="login")["events"], "the row")[0]
    assert (row["code"], row["outcome"], row["addresses"]) == (200, "allowed", "127.0.0.1")
    with pytest.raises(AssertionError):
        Person(cluster, "bob", "wrong").sign_in()
    with pytest.raises(AssertionError):
        Person(cluster, "my-secret-typed-here", "wrong").sign_in()
    found = wait_for(lambda: search(admin, verb="login", outcome="unauthenticated")["events"][1:], "two rows")
    assert found[0]["user"] == "bob"
    assert "my-secret-typed-here" not in (cluster.data / "audit" / "audit.log").read_text()
    visitor = Person(cluster, "bob", "a-long-enough-one").sign_in()
    visitor.ask("POST", "/logout/")
    wait_for(lambda: search(admin, user="bob", verb="logout")["events"], "the row")


def test_others_see_their_own_requests_unless_rbac_lets_them_see_all(cluster, admin, bob):
    mine = search(bob)
    assert mine["all"] is False
    assert {row["user"] for row in mine["events"]} == {"bob"}
    assert search(bob, user="admin")["events"] == []
    theirs = search(admin, user="admin")["events"][0]
    assert bob.ask("GET", f"/explorer/audit/{theirs['id']}/")[0] == 404
    cluster.kubectl(
        "create", "clusterrole", "auditor", "--verb=list", "--resource=auditevents.sim.kubeweb.dev", check=False
    )
    role = {
        "metadata": {"name": "auditor"},
        "rules": [{"apiGroups": ["sim.kubeweb.dev"], "resources": ["auditevents"], "verbs": ["list"]}],
    }
    assert cluster.request("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)[0] in (201, 409)
    cluster.kubectl("create", "clusterrolebinding", "auditor", "--clusterrole=auditor", "--user=bob")
    assert search(bob, user="admin")["events"]
    assert bob.ask("GET", f"/explorer/audit/{theirs['id']}/")[0] == 200


@pytest.mark.parametrize(
    "query", ["outcome=maybe", "limit=0", "limit=x", "code=7", "since=yesterday", "before=-1", "user=" + "x" * 300]
)
def test_bad_searches_are_bad_requests(admin, query):
    status, answer = admin.ask("GET", f"/explorer/audit/?{query}")
    assert status == 400
    assert isinstance(answer, dict)


def test_strangers_see_nothing(cluster):
    assert Person(cluster).ask("GET", "/explorer/audit/")[0] == 403


def test_the_pages_of_a_search_go_on(admin, cluster):
    first = search(admin, limit=2)
    assert len(first["events"]) == 2
    then = search(admin, limit=2, before=first["next"])
    assert then["events"][0]["id"] < first["events"][-1]["id"]


def test_a_clean_stop_loses_nothing(cluster, admin):
    for number in range(50):
        assert cluster.request("GET", f"/api/v1/namespaces/default/configmaps/none-{number}")[0] == 404
    assert cluster.stop() == 0
    assert (
        sum(one["objectRef"].get("name", "").startswith("none-") for one in lines(cluster) if "objectRef" in one) == 50
    )
    cluster.start()


def test_changes_of_people_groups_and_tokens_are_noted(cluster, admin, bob):
    def form(path, **fields):
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', admin.ask("GET", path)[1])
        assert token is not None
        body = urlencode({"csrfmiddlewaretoken": token[1], **fields}, doseq=True)
        return admin.ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    secret = "never-to-be-written-down"
    made = form("/admin/accounts/user/add/", username="eve", usable_password="true", password1=secret, password2=secret)
    assert made[0] == 302, made
    pk = int(
        cluster.django("from cluster.accounts.models import User; print(User.objects.get(username='eve').pk)").split()[
            -1
        ]
    )
    assert form("/admin/auth/group/add/", name="auditors", members=[pk])[0] == 302
    person = f"/admin/accounts/user/{pk}"
    again = form(f"{person}/password/", usable_password="true", password1=secret + "2", password2=secret + "2")
    assert again[0] == 302
    assert form(f"{person}/change/", username="eve", is_active="on", is_staff="on")[0] == 302
    assert form(f"{person}/delete/", post="yes")[0] == 302
    token = bob.ask("POST", "/accounts/tokens/", {"name": "laptop"})[1]
    assert bob.ask("DELETE", f"/accounts/tokens/{token['id']}/")[0] == 204

    def noted(user, resource, count):
        rows = search(admin, user=user, group="accounts.kubeweb.dev", resource=resource)["events"]
        return rows if len(rows) >= count else None

    rows = wait_for(lambda: noted("admin", "users", 4), "the rows")
    assert [(row["verb"], row["name"]) for row in reversed(rows)] == [
        *[("create", "eve"), ("update", "eve"), ("update", "eve"), ("delete", "eve")]
    ]
    assert "Staff status" in rows[1]["why"]
    (group,) = wait_for(lambda: noted("admin", "groups", 1), "the row")
    assert (group["verb"], group["name"], group["addresses"]) == ("create", "auditors", "127.0.0.1")
    ended, begun = wait_for(lambda: noted("bob", "accesstokens", 2), "the rows")[:2]
    assert (begun["verb"], ended["verb"], ended["why"]) == ("create", "update", "revoked")
    written = (cluster.data / "audit" / "audit.log").read_text()
    assert secret not in written
    assert token["token"] not in written
