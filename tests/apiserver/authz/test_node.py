"""Kubelets: what every node may do, what only the pod's own node may."""

from __future__ import annotations

import pytest

from cluster.apiserver.authz.bootstrap import bootstrap_objects
from cluster.apiserver.authz.chain import AuthorizerChain
from cluster.apiserver.authz.rbac import forbidden
from cluster.apiserver.request import RequestInfo, UserInfo

N1 = UserInfo("system:node:n1", ("system:nodes", "system:authenticated"))
N2 = UserInfo("system:node:n2", ("system:nodes", "system:authenticated"))


def pod(name="web", node="n1", uid="1", **spec):
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": uid},
        "spec": {"nodeName": node, "serviceAccountName": "robot", **spec},
    }


FULL = pod(
    imagePullSecrets=[{"name": "pull"}],
    initContainers=[{"envFrom": [{"secretRef": {"name": "init"}}]}],
    containers=[
        {
            "env": [
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": "key"}}},
                {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "conf-key"}}},
                {"name": "C", "value": "x"},
            ],
            "envFrom": [{"configMapRef": {"name": "conf-env"}}],
        }
    ],
    volumes=[
        {"name": "s", "secret": {"secretName": "vol"}},
        {"name": "c", "configMap": {"name": "conf-vol"}},
        {"name": "p", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "tmp", "ephemeral": {"volumeClaimTemplate": {}}},
        {"name": "j", "projected": {"sources": [{"secret": {"name": "proj"}}, {"configMap": {"name": "conf-proj"}}]}},
    ],
)


def ask(verb, what, name="", namespace="shop"):
    group, _, resource = what.rpartition(":")
    resource, _, subresource = resource.partition("/")
    return RequestInfo("", verb, True, group, "v1", namespace, resource, subresource, name)


@pytest.fixture
def chain(reader):
    reader.put(*bootstrap_objects(), FULL)
    reader.put(
        {
            "kind": "PersistentVolume",
            "metadata": {"name": "pv1"},
            "spec": {"claimRef": {"namespace": "shop", "name": "data"}},
        },
        {"kind": "ResourceSlice", "metadata": {"name": "slice1"}, "spec": {"nodeName": "n1"}},
    )
    return AuthorizerChain(reader)


@pytest.mark.parametrize("name", ["pull", "init", "key", "vol", "proj"])
def test_secrets_of_its_pods(chain, name):
    for verb in ("get", "list", "watch"):
        assert chain.authorize(N1, ask(verb, "secrets", name)).allowed
        assert not chain.authorize(N2, ask(verb, "secrets", name)).allowed
    assert not chain.authorize(N1, ask("get", "secrets", name, "dev")).allowed
    assert not chain.authorize(N1, ask("update", "secrets", name)).allowed


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("configmaps", "conf-key"),
        ("configmaps", "conf-env"),
        ("configmaps", "conf-vol"),
        ("configmaps", "conf-proj"),
        ("persistentvolumeclaims", "data"),
        ("persistentvolumeclaims", "web-tmp"),
        ("persistentvolumes", "pv1"),
        ("serviceaccounts", "robot"),
        ("pods", "web"),
        ("resource.k8s.io:resourceslices", "slice1"),
    ],
)
def test_what_its_pods_refer_to(chain, what, name):
    namespace = "" if what in ("persistentvolumes", "resource.k8s.io:resourceslices") else "shop"
    assert chain.authorize(N1, ask("get", what, name, namespace)).allowed
    assert not chain.authorize(N2, ask("get", what, name, namespace)).allowed
    assert not chain.authorize(N1, ask("get", what, "other", namespace)).allowed


def test_the_refusal_in_kubernetes_words(chain):
    info = ask("get", "secrets", "other")
    assert forbidden(N1, info, chain.authorize(N1, info)).message == (
        'secrets "other" is forbidden: User "system:node:n1" cannot get resource "secrets" in API group "" '
        "in the namespace \"shop\": no relationship found between node 'n1' and this object"
    )
    info = ask("list", "nodes", "", "")
    assert chain.authorize(N1, info).reason == "node 'n1' cannot read all nodes, only its own Node object"
    info = ask("get", "nodes", "n2", "")
    assert chain.authorize(N1, info).reason == "node 'n1' cannot read 'n2', only its own Node object"
    assert chain.authorize(UserInfo("joe", ("system:nodes",)), info).reason == 'unknown node for user "joe"'


@pytest.mark.parametrize(
    ("verb", "what", "name", "namespace"),
    [
        ("create", "nodes", "", ""),
        ("get", "nodes", "n1", ""),
        ("update", "nodes/status", "n1", ""),
        ("patch", "nodes/status", "n1", ""),
        ("patch", "pods/status", "web", "shop"),
        ("update", "pods/status", "web", "shop"),
        ("delete", "pods", "web", "shop"),
        ("create", "pods/eviction", "web", "shop"),
        ("create", "events", "", "shop"),
        ("patch", "events", "e", "shop"),
        ("create", "coordination.k8s.io:leases", "", "kube-node-lease"),
        ("update", "coordination.k8s.io:leases", "n1", "kube-node-lease"),
        ("get", "coordination.k8s.io:leases", "n1", "kube-node-lease"),
        ("list", "services", "", ""),
        ("watch", "node.k8s.io:runtimeclasses", "", ""),
        ("create", "serviceaccounts/token", "robot", "shop"),
        ("create", "authentication.k8s.io:tokenreviews", "", ""),
        ("update", "storage.k8s.io:csinodes", "n1", ""),
        ("create", "certificates.k8s.io:certificatesigningrequests", "", ""),
    ],
)
def test_what_a_node_may(chain, verb, what, name, namespace):
    assert chain.authorize(N1, ask(verb, what, name, namespace)).allowed


@pytest.mark.parametrize(
    ("verb", "what", "name", "namespace"),
    [
        ("delete", "nodes", "n1", ""),
        ("update", "pods", "web", "shop"),
        ("create", "pods/exec", "web", "shop"),
        ("create", "pods/binding", "web", "shop"),
        ("get", "pods", "other", "shop"),
        ("update", "coordination.k8s.io:leases", "n2", "kube-node-lease"),
        ("update", "coordination.k8s.io:leases", "n1", "kube-system"),
        ("list", "coordination.k8s.io:leases", "", "kube-node-lease"),
        ("create", "serviceaccounts/token", "other", "shop"),
        ("list", "secrets", "", "shop"),
        ("get", "secrets", "key", ""),
        ("delete", "apps:deployments", "web", "shop"),
        ("list", "apps:deployments", "", ""),
        ("update", "storage.k8s.io:csinodes", "n2", ""),
    ],
)
def test_what_a_node_may_not(chain, verb, what, name, namespace):
    assert not chain.authorize(N1, ask(verb, what, name, namespace)).allowed


def test_pods_are_listed_by_their_node_only(chain):
    info = ask("watch", "pods", "", "")
    assert chain.authorize(N1, info, "spec.nodeName=n1").allowed
    assert chain.authorize(N1, info, "status.phase!=Failed,spec.nodeName==n1").allowed
    assert not chain.authorize(N1, info, "spec.nodeName=n2").allowed
    assert not chain.authorize(N1, info, "spec.nodeName!=n1").allowed
    assert chain.authorize(N1, info).reason == "can only list/watch pods with spec.nodeName field selector"


def test_relations_follow_the_pods(reader, chain):
    assert not chain.authorize(N2, ask("get", "secrets", "key")).allowed
    reader.put(pod("second", "", "2", imagePullSecrets=[{"name": "key"}]))
    assert not chain.authorize(N2, ask("get", "secrets", "key")).allowed
    reader.put(pod("second", "n2", "2", imagePullSecrets=[{"name": "key"}]))
    assert chain.authorize(N2, ask("get", "secrets", "key")).allowed
    debug = [{"env": [{"valueFrom": {"secretKeyRef": {"name": "debug"}}}]}]
    reader.put(pod("second", "n2", "2", imagePullSecrets=[{"name": "key"}], ephemeralContainers=debug))
    assert chain.authorize(N2, ask("get", "secrets", "debug")).allowed
    reader.remove("Pod", "shop", "second")
    assert not chain.authorize(N2, ask("get", "secrets", "key")).allowed
    assert chain.authorize(N1, ask("get", "secrets", "key")).allowed
    reader.put(pod("web", "n2", "9"))
    assert not chain.authorize(N1, ask("get", "secrets", "key")).allowed
    assert chain.authorize(N2, ask("get", "serviceaccounts", "robot")).allowed
    reader.remove("Pod", "shop", "web")
    assert chain.node._referrers == {}


def test_a_node_still_has_what_rbac_grants(reader, chain):
    reader.put(
        {
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "x"},
            "roleRef": {"kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "User", "name": "system:node:n1"}],
        }
    )
    assert chain.authorize(N1, ask("list", "apps:deployments")).allowed
