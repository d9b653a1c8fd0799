"""What the forms ask while they are filled in."""

from __future__ import annotations

import pytest

RBAC = "rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"


def role(**rule):
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], **rule}]
    return {"apiVersion": RBAC, "kind": "Role", "metadata": {"name": "r", "namespace": "shop"}, "rules": rules}


def binding(*subjects, role_ref="ClusterRole/view"):
    kind, name = role_ref.split("/")
    return {
        "apiVersion": RBAC,
        "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": "shop"},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": name},
        "subjects": list(subjects),
    }


@pytest.fixture
def check(client, root, backend):
    client.force_login(root)

    def asked(plural="roles", **body):
        answer = client.post(f"/admin/rbac/{plural}/check/", {"new": True, **body}, content_type="application/json")
        assert answer.status_code == 200
        return answer.json()

    return asked


def hinted(answer):
    return {(hint["field"], hint["message"]) for hint in answer["hints"]}


def test_a_draft_is_judged_by_the_api_server_and_stored_nowhere(check, backend):
    answer = check(object=role())
    assert answer["findings"] is None
    assert answer["sentences"] == ["get pods (core)"]
    assert "kind: Role" in answer["yaml"]
    assert "r" not in backend.names(f"{RBAC}/roles")
    wrong = check(object=role(verbs=[]))
    assert [cause["field"] for cause in wrong["findings"]["causes"]] == ["rules[0].verbs"]


def test_yaml_becomes_the_form_and_the_form_yaml(check):
    first = check(object=role())
    assert check(yaml=first["yaml"])["object"] == role()
    assert check(yaml="a: [")["findings"]["reason"] == "BadRequest"
    assert check(yaml="a: [")["object"] is None


@pytest.mark.parametrize(
    "body", [{}, {"yaml": 3}, {"object": []}, {"object": {"kind": "Role"}}, {"object": {**role(), "metadata": []}}]
)
def test_nonsense_is_told(check, body):
    assert check(**body)["findings"]["reason"] == "BadRequest"


def test_a_body_that_is_no_json_is_told(client, root, backend):
    client.force_login(root)
    answer = client.post("/admin/rbac/roles/check/", b"{", content_type="application/json")
    assert answer.json()["findings"]["message"] == "the request must be JSON"


@pytest.mark.parametrize(
    ("rule", "field", "words"),
    [
        ({"resources": ["pod"]}, "rules[0].resources", "Did you mean pods?"),
        ({"resources": ["deployments"]}, "rules[0].resources", "deployments are in API group apps"),
        ({"apiGroups": ["app"], "resources": ["deployments"]}, "rules[0].apiGroups", "Did you mean apps?"),
        ({"verbs": ["lst"]}, "rules[0].verbs", "Did you mean list?"),
        ({"resources": ["pods/log"], "verbs": ["delete"]}, "rules[0].verbs", "None of these resources has the verb"),
        ({"verbs": ["list"], "resourceNames": ["web"]}, "rules[0].resourceNames", "names no object"),
    ],
)
def test_what_a_rule_probably_does_not_mean(check, rule, field, words):
    found = check(object=role(**rule))["hints"]
    assert any(hint["field"] == field and words in hint["message"] for hint in found)


def test_rules_that_make_sense_are_not_commented_on(check):
    sensible = (
        {"resources": ["*"], "verbs": ["*"]},
        {"apiGroups": ["*"], "resources": ["deployments", "pods"]},
        {
            "apiGroups": ["", "apps"],
            "resources": ["pods", "pods/exec", "deployments/scale"],
            "verbs": ["get", "create"],
        },
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["escalate", "bind"]},
        {"resources": ["serviceaccounts"], "verbs": ["impersonate"]},
    )
    for rule in sensible:
        assert check(object=role(**rule))["hints"] == []


def test_a_binding_says_what_it_would_give_before_it_is_made(check, alice, backend):
    devs = {"apiGroup": GROUP, "kind": "Group", "name": "devs"}
    answer = check("rolebindings", object=binding(devs))
    gains = answer["preview"]["subjects"][0]["gains"]
    assert any(gain["resource"] == "pods" and "list" in gain["verbs"] for gain in gains)
    assert answer["findings"] is None
    assert answer["hints"] == []
    assert backend.names(f"{RBAC}/rolebindings", "shop") == []


def test_subjects_that_nobody_is(check, alice, backend):
    subjects = [
        {"apiGroup": GROUP, "kind": "User", "name": "alise"},
        {"apiGroup": GROUP, "kind": "User", "name": "devs"},
        {"apiGroup": GROUP, "kind": "Group", "name": "alice"},
        {"apiGroup": GROUP, "kind": "User", "name": "system:serviceaccount:shop:robot"},
        {"apiGroup": GROUP, "kind": "Group", "name": "system:serviceaccounts"},
    ]
    found = dict(hinted(check("rolebindings", object=binding(*subjects))))
    assert found == {
        "subjects[0].name": "No user alise is known here. Did you mean alice?",
        "subjects[1].name": "devs is a Group, not a User.",
        "subjects[2].name": "alice is a User, not a Group.",
        "subjects[3].name": "This is a ServiceAccount's user name; kind ServiceAccount with its namespace says it plainly.",
    }


def test_the_secrets_of_a_service_account(check, client, backend):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registry", "namespace": "shop"}}
    backend.create("v1/secrets", secret)
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot", "namespace": "shop"}}
    account |= {"imagePullSecrets": [{"name": "registri"}], "secrets": [{"name": "registry"}]}
    answer = check("serviceaccounts", object=account)
    assert dict(hinted(answer)) == {
        "imagePullSecrets": "There is no Secret registri in this namespace yet. Did you mean registry?"
    }
    assert answer["findings"] is None
    assert client.get("/admin/rbac/choices/?namespace=shop&for=account").json() == {"secrets": ["registry"]}


def test_several_lines_are_written_as_they_are_read(check):
    noted = role()
    noted["metadata"]["annotations"] = {"why": "because\nof this\n", "short": "one line"}
    answer = check(object=noted)
    assert "    why: |\n      because\n      of this\n    short: one line\n" in answer["yaml"]
    assert check(yaml=answer["yaml"])["object"] == noted


def test_a_role_that_is_not_there(check):
    answer = check("rolebindings", object=binding(role_ref="ClusterRole/veiw"))
    assert any(field == "roleRef.name" and "Did you mean view?" in text for field, text in hinted(answer))


def test_a_plain_user_learns_no_names_from_the_hints(client, alice, backend):
    client.force_login(alice)
    subject = {"apiGroup": GROUP, "kind": "User", "name": "roof"}
    body = {"new": True, "object": binding(subject)}
    answer = client.post("/admin/rbac/rolebindings/check/", body, content_type="application/json").json()
    assert answer["hints"] == []
    assert answer["findings"]["reason"] == "Forbidden"
    page = client.get("/admin/rbac/rolebindings/add/").content.decode()
    assert '"users": []' in page
    assert client.get("/admin/rbac/choices/?namespace=shop").json()["clusterRoles"] == []
