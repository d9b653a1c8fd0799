"""RBAC as kubectl's users know it: words, prevention, aggregation, reconciliation, and the reason in each request's journey."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.person import Person
from tests.support.server import Cluster, wait_for

RBAC = "/apis/rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    running = Cluster("--profile=instant", "--nodes=1", prepared=True).start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def people(cluster):
    cluster.kubectl("create", "namespace", "shop")
    cluster.kubectl("create", "role", "pods", "--verb=get,list,watch", "--resource=pods", "-n", "shop")
    cluster.kubectl("create", "rolebinding", "devs-pods", "--role=pods", "--group=devs", "-n", "shop")
    cluster.kubectl("create", "rolebinding", "chief", "--clusterrole=admin", "--user=chief", "-n", "shop")
    return cluster


def as_dev(cluster, *arguments, check=False, stdin=None):
    return cluster.kubectl(*arguments, "--as=dana", "--as-group=devs", check=check, stdin=stdin)


def test_a_refusal_is_worded_as_kubernetes_words_it(people):
    out = as_dev(people, "get", "pods")
    assert out == (
        'Error from server (Forbidden): pods is forbidden: User "dana" cannot list resource "pods" in API group "" '
        'in the namespace "default"\n'
    )
    out = as_dev(people, "delete", "pod", "web", "-n", "shop")
    assert out == (
        'Error from server (Forbidden): pods "web" is forbidden: User "dana" cannot delete resource "pods" in API group "" '
        'in the namespace "shop"\n'
    )
    out = as_dev(people, "create", "deployment", "web", "--image=nginx", "-n", "shop")
    assert out == (
        'error: failed to create deployment: deployments.apps is forbidden: User "dana" cannot create resource '
        '"deployments" in API group "apps" in the namespace "shop"\n'
    )
    out = as_dev(people, "get", "nodes")
    assert out.endswith('cannot list resource "nodes" in API group "" at the cluster scope\n')
    out = as_dev(people, "get", "--raw", "/metrics")
    assert 'forbidden: User "dana" cannot get path "/metrics"' in out


def test_secrets_are_in_no_list_of_those_without_the_right(people):
    people.kubectl("create", "secret", "generic", "hidden", "--from-literal=k=v", "-n", "shop")
    for arguments in (("get", "secrets", "-n", "shop"), ("get", "secrets", "-A"), ("get", "all,secrets", "-n", "shop")):
        out = as_dev(people, *arguments)
        assert "hidden" not in out
        assert 'cannot list resource "secrets"' in out


def test_the_reason_of_an_access_review_is_the_binding(people):
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": "dana",
            "groups": ["devs"],
            "resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "shop"},
        },
    }
    made = json.loads(people.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review)))
    assert made["status"] == {
        "allowed": True,
        "reason": 'RBAC: allowed by RoleBinding "devs-pods/shop" of Role "pods" to Group "devs"',
    }


def test_a_refusing_access_review_tells_what_comes_closest_and_can_i_says_no(people):
    what = {"verb": "list", "resource": "pods", "namespace": "default"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": "dana", "groups": ["devs"], "resourceAttributes": what},
    }
    made = json.loads(people.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review)))
    assert made["status"] == {
        "allowed": False,
        "reason": "RBAC: RoleBinding devs-pods would allow it, but it is in namespace shop, not default.",
    }
    # Whoever is trusted with one namespace hears nothing of what binds people in others.
    local = {**review, "kind": "LocalSubjectAccessReview", "metadata": {"namespace": "shop"}}
    local["spec"] = {**review["spec"], "resourceAttributes": {**what, "namespace": "shop", "verb": "delete"}}
    asked = ("create", "--validate=false", "-f", "-", "-o", "json", "--as=chief", "-n", "shop")
    made = json.loads(people.kubectl(*asked, stdin=json.dumps(local)))
    assert (
        made["status"]["reason"] == "RBAC: RoleBinding devs-pods: its rule on pods grants get, list, watch, not delete."
    )
    assert "cannot create resource" in people.kubectl(*asked, stdin=json.dumps(review), check=False)
    # About oneself, and as another: Kubernetes' plain answer.
    assert as_dev(people, "auth", "can-i", "list", "pods") == "no\n"
    own = {**review, "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": what}}
    made = json.loads(as_dev(people, "create", "--validate=false", "-f", "-", "-o", "json", stdin=json.dumps(own)))
    assert made["status"] == {"allowed": False}


def test_the_journey_says_because_of_what(people):
    admin = Person(people).sign_in()
    people.django(
        "from cluster.accounts.models import User; from django.contrib.auth.models import Group; "
        "user = User.objects.create_user('dana', password='a-long-enough-one'); "
        "user.groups.add(Group.objects.create(name='devs'))"
    )
    dana = Person(people, "dana", "a-long-enough-one").sign_in()
    assert dana.ask("GET", "/api/v1/namespaces/shop/pods")[0] == 200
    assert dana.ask("GET", "/api/v1/namespaces/default/pods")[0] == 403

    def span(outcome):
        for journey in admin.ask("GET", "/explorer/journeys/?limit=100")[1]["journeys"]:
            if journey["actor"] == "dana" and journey["outcome"] == outcome and journey["resource"] == "pods":
                found = admin.ask("GET", f"/explorer/journeys/{journey['id']}/")[1]["journeys"][0]
                return next(one for one in found["spans"] if one["stage"] == "authz")
        return None

    allowed = wait_for(lambda: span("ok"), "the journey of what was allowed")["detail"]
    assert (allowed["binding"], allowed["role"]) == ("RoleBinding/shop/devs-pods", "Role/shop/pods")
    assert allowed["subject"] == {"kind": "Group", "name": "devs", "apiGroup": GROUP}
    assert allowed["rule"]["resources"] == ["pods"]
    refused = wait_for(lambda: span("refused"), "the journey of what was refused")
    near = refused["detail"]["considered"][0]
    assert (near["verdict"], near["binding"]) == ("other-namespace", "RoleBinding/shop/devs-pods")
    # One may ask about oneself, and apply what comes back as somebody who may.
    question = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "default"}}}
    code, answer = dana.ask("POST", "/apis/sim.kubeweb.dev/v1alpha1/accessexplanations", question)
    assert code == 201, answer
    people.kubectl("apply", "-f", "-", stdin=answer["status"]["nearMisses"][0]["mend"]["manifest"])
    assert dana.ask("GET", "/api/v1/namespaces/default/pods")[0] == 200
    question["spec"]["user"] = "chief"
    assert dana.ask("POST", "/apis/sim.kubeweb.dev/v1alpha1/accessexplanations", question)[0] == 403


def test_nobody_grants_more_than_they_hold(people):
    chief = ("--as=chief", "-n", "shop")
    out = people.kubectl("create", "role", "nodes", "--verb=get", "--resource=nodes", *chief, check=False)
    assert out == (
        'Error from server (Forbidden): roles.rbac.authorization.k8s.io "nodes" is forbidden: user "chief" '
        '(groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n'
        '{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}\n'
    )
    people.kubectl("create", "role", "fine", "--verb=get", "--resource=pods", *chief)
    out = people.kubectl(
        "create", "rolebinding", "root", "--clusterrole=cluster-admin", "--user=chief", *chief, check=False
    )
    assert "is attempting to grant RBAC permissions not currently held" in out
    people.kubectl("create", "rolebinding", "fine", "--clusterrole=view", "--user=other", *chief)
    # The verbs escalate and bind are the way around.
    people.kubectl(
        "create", "clusterrole", "may-bind", "--verb=bind", "--resource=clusterroles", "--resource-name=system:node"
    )
    people.kubectl("create", "rolebinding", "may-bind", "--clusterrole=may-bind", "--user=chief", "-n", "shop")
    people.kubectl("create", "rolebinding", "bound", "--clusterrole=system:node", "--user=x", *chief)
    people.kubectl("create", "role", "may-escalate", "--verb=escalate", "--resource=roles", "-n", "shop")
    people.kubectl("create", "rolebinding", "may-escalate", "--role=may-escalate", "--user=chief", "-n", "shop")
    people.kubectl("create", "role", "nodes", "--verb=get", "--resource=nodes", *chief)


def test_a_role_ref_cannot_be_changed(people):
    binding = {
        "metadata": {"name": "devs-pods"},
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "Group", "name": "devs", "apiGroup": GROUP}],
    }
    code, answer = people.request("PUT", f"{RBAC}/namespaces/shop/rolebindings/devs-pods", binding)
    assert code == 422
    assert answer["message"] == (
        'RoleBinding.rbac.authorization.k8s.io "devs-pods" is invalid: roleRef: Invalid value: '
        '{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"edit"}: cannot change roleRef'
    )
    # kubectl auth reconcile makes it anew.
    text = json.dumps(
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "RoleBinding",
            **binding,
            "metadata": {"name": "other", "namespace": "shop"},
        }
    )
    people.kubectl("create", "rolebinding", "other", "--clusterrole=view", "--group=devs", "-n", "shop")
    out = people.kubectl("auth", "reconcile", "-f", "-", stdin=text)
    assert out.startswith("rolebinding.rbac.authorization.k8s.io/other reconciled\n")
    assert "reconciliation required recreate" in out
    made = people.request("GET", f"{RBAC}/namespaces/shop/rolebindings/other")[1]
    assert made["roleRef"]["name"] == "edit"
    people.kubectl("delete", "rolebinding", "other", "-n", "shop")


def test_reconcile_adds_what_is_missing_and_keeps_the_rest(people):
    people.kubectl("create", "clusterrole", "mixed", "--verb=get", "--resource=pods")
    wanted = {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "mixed"},
        "rules": [{"apiGroups": [""], "resources": ["services"], "verbs": ["get"]}],
    }
    people.kubectl("auth", "reconcile", "-f", "-", stdin=json.dumps(wanted))
    rules = people.request("GET", f"{RBAC}/clusterroles/mixed")[1]["rules"]
    assert {one["resources"][0] for one in rules} == {"pods", "services"}
    people.kubectl("auth", "reconcile", "--remove-extra-permissions", "-f", "-", stdin=json.dumps(wanted))
    rules = people.request("GET", f"{RBAC}/clusterroles/mixed")[1]["rules"]
    assert {one["resources"][0] for one in rules} == {"services"}


def test_an_aggregated_role_collects(people):
    label = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    rules = [{"apiGroups": ["example.org"], "resources": ["widgets"], "verbs": ["get"]}]
    body = {"metadata": {"name": "widgets", "labels": label}, "rules": rules}
    assert people.request("POST", f"{RBAC}/clusterroles", body)[0] == 201
    for role in ("view", "edit", "admin"):
        wait_for(
            lambda role=role: rules[0] in people.request("GET", f"{RBAC}/clusterroles/{role}")[1]["rules"],
            f"{role} collects",
        )
    people.kubectl("delete", "clusterrole", "widgets")
    wait_for(lambda: rules[0] not in people.request("GET", f"{RBAC}/clusterroles/view")[1]["rules"], "view lets go")


def test_can_i(people):
    as_dana = ("--as=dana", "--as-group=devs")
    assert people.kubectl("auth", "can-i", "list", "pods", "-n", "shop", *as_dana) == "yes\n"
    assert (
        people.kubectl("auth", "can-i", "get", "pods", "--subresource=log", "-n", "shop", *as_dana, check=False)
        == "no\n"
    )
    assert people.kubectl("auth", "can-i", "get", "/version", *as_dana) == "yes\n"
    assert people.kubectl("auth", "can-i", "*", "*") == "yes\n"
    listed = people.kubectl("auth", "can-i", "--list", "-n", "shop", *as_dana)
    head, *lines = listed.splitlines()
    assert head.split() == ["Resources", "Non-Resource", "URLs", "Resource", "Names", "Verbs"]
    assert any(line.split() == ["pods", "[]", "[]", "[get", "list", "watch]"] for line in lines)
    assert any("[/healthz]" in line for line in lines)
    whoami = people.kubectl("auth", "whoami", *as_dana)
    assert "dana" in whoami
    assert "[devs system:authenticated]" in whoami


def test_resource_names_and_paths(people):
    people.kubectl("create", "configmap", "mine", "-n", "shop")
    people.kubectl("create", "configmap", "theirs", "-n", "shop")
    people.kubectl(
        "create",
        "role",
        "one",
        "--verb=get,list,watch,update",
        "--resource=configmaps",
        "--resource-name=mine",
        "-n",
        "shop",
    )
    people.kubectl("create", "rolebinding", "one", "--role=one", "--user=nora", "-n", "shop")
    nora = ("-n", "shop", "--as=nora")
    assert "mine" in people.kubectl("get", "configmap", "mine", *nora)
    assert "forbidden" in people.kubectl("get", "configmap", "theirs", *nora, check=False)
    assert "forbidden" in people.kubectl("get", "configmaps", *nora, check=False)
    assert "mine" in people.kubectl("get", "configmaps", "--field-selector=metadata.name=mine", *nora)
    people.kubectl(
        "create", "clusterrole", "paths", "--verb=get", "--non-resource-url=/metrics", "--non-resource-url=/debug/*"
    )
    people.kubectl("create", "clusterrolebinding", "paths", "--clusterrole=paths", "--user=nora")
    assert "apiserver" in people.kubectl("get", "--raw", "/metrics", "--as=nora")
    assert people.kubectl("auth", "can-i", "get", "/debug/pprof", "--as=nora") == "yes\n"


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("/namespaces/shop/roles", {"rules": [{"resources": ["pods"], "verbs": ["get"]}]}, "rules[0].apiGroups: Required value"),
        ("/namespaces/shop/roles", {"rules": [{"apiGroups": [""], "verbs": ["get"]}]}, "rules[0].resources: Required value"),
        ("/namespaces/shop/roles", {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": []}]}, "rules[0].verbs: Required value"),
        ("/namespaces/shop/roles", {"rules": [{"nonResourceURLs": ["/x"], "verbs": ["get"]}]}, "namespaced rules cannot apply to non-resource URLs"),
        ("/clusterroles", {"rules": [{"nonResourceURLs": ["/x"], "resources": ["pods"], "apiGroups": [""], "verbs": ["get"]}]}, "rules cannot apply to both regular resources and non-resource URLs"),
        ("/namespaces/shop/rolebindings", {"roleRef": {"apiGroup": GROUP, "kind": "Cluster", "name": "x"}}, 'roleRef.kind: Unsupported value: "Cluster"'),
        ("/namespaces/shop/rolebindings", {"roleRef": {"apiGroup": GROUP, "kind": "Role", "name": ""}}, "roleRef.name: Required value"),
        ("/clusterrolebindings", {"roleRef": {"apiGroup": GROUP, "kind": "Role", "name": "x"}}, 'roleRef.kind: Unsupported value: "Role"'),
        ("/clusterrolebindings", {"roleRef": {"apiGroup": "x", "kind": "ClusterRole", "name": "x"}}, 'roleRef.apiGroup: Unsupported value: "x"'),
        ("/namespaces/shop/rolebindings", {"roleRef": {"apiGroup": GROUP, "kind": "Role", "name": "x"}, "subjects": [{"kind": "Dog", "name": "x"}]}, 'subjects[0].kind: Unsupported value: "Dog"'),
        ("/namespaces/shop/rolebindings", {"roleRef": {"apiGroup": GROUP, "kind": "Role", "name": "x"}, "subjects": [{"kind": "ServiceAccount", "name": "X_y", "namespace": "a"}]}, "subjects[0].name: Invalid value"),
        ("/clusterrolebindings", {"roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "x"}, "subjects": [{"kind": "ServiceAccount", "name": "x"}]}, "subjects[0].namespace: Required value"),
    ],
)  # fmt: skip
def test_bad_roles_and_bindings_are_invalid(people, path, body, complaint):
    code, answer = people.request("POST", RBAC + path, {"metadata": {"name": "bad"}, **body})
    assert code == 422, answer
    assert complaint in answer["message"]


def test_anonymous_gets_what_everybody_gets(people):
    assert people.request("GET", "/version", anonymous=True)[0] == 200
    code, answer = people.request("GET", "/api/v1/nodes", anonymous=True)
    assert (code, answer["message"]) == (
        403,
        'nodes is forbidden: User "system:anonymous" cannot list resource "nodes" in API group "" at the cluster scope',
    )


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/apis/no.such/v1/things", 'cannot list resource "things" in API group "no.such" at the cluster scope'),
        ("/api/v1/namespaces/shop/nosuch/x", 'cannot get resource "nosuch" in API group "" in the namespace "shop"'),
        (
            "/api/v1/namespaces/shop/pods/x/nosuch",
            'cannot get resource "pods/nosuch" in API group "" in the namespace "shop"',
        ),
    ],
)
def test_whoever_may_do_nothing_does_not_learn_what_there_is(people, path, what):
    acting = {"Impersonate-User": "stranger"}
    code, answer = people.request("GET", path, headers=acting)
    assert code == 403
    assert what in answer["message"]
    code, answer = people.request("GET", path)
    assert (code, answer["message"]) == (404, "the server could not find the requested resource")


def test_the_defaults_are_put_right_at_start_and_left_alone_on_request(people):
    spoiled = people.request("GET", f"{RBAC}/clusterroles/system:basic-user")[1]
    spoiled["rules"] = []
    assert people.request("PUT", f"{RBAC}/clusterroles/system:basic-user", spoiled)[0] == 200
    people.kubectl("delete", "clusterrolebinding", "system:discovery")
    own = people.request("GET", f"{RBAC}/clusterroles/system:discovery")[1]
    own["rules"], own["metadata"]["annotations"] = [], {"rbac.authorization.kubernetes.io/autoupdate": "false"}
    assert people.request("PUT", f"{RBAC}/clusterroles/system:discovery", own)[0] == 200
    people.stop()
    people.start()
    assert people.request("GET", f"{RBAC}/clusterroles/system:basic-user")[1]["rules"]
    assert people.request("GET", f"{RBAC}/clusterrolebindings/system:discovery")[0] == 200
    assert people.request("GET", f"{RBAC}/clusterroles/system:discovery")[1]["rules"] == []
