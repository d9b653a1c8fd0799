"""What somebody tries who means harm: rights in one place that should reach into another."""

from __future__ import annotations

import pytest

from tests.support.person import Person

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
