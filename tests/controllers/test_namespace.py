"""Deleting namespaces, and what every namespace gets."""

from __future__ import annotations

import pytest

from cluster.apimachinery import errors
from cluster.client.client import Obj
from cluster.controllers.namespace import NamespaceController
from cluster.controllers.rootca import RootCAController
from cluster.controllers.serviceaccount import ServiceAccountController
from tests.support.fakecluster import FakeCluster, Running, settle
from tests.support.fakekubelet import FakeNodes, bind
from tests.support.objects import named, pod

pytestmark = pytest.mark.looptime
NAMESPACES, PODS, MAPS, ACCOUNTS = "v1/namespaces", "v1/pods", "v1/configmaps", "v1/serviceaccounts"


def conditions(cluster: FakeCluster, name: str = "team") -> dict[str, tuple[str, str, str]]:
    namespace = cluster.get(NAMESPACES, name)
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in namespace["status"]["conditions"]}


async def furnished(cluster: FakeCluster) -> Obj:
    client = cluster.client()
    await client.create(NAMESPACES, named("Namespace", "team"))
    await client.create(MAPS, named("ConfigMap", "settings", "team"))
    await client.create(MAPS, named("ConfigMap", "settings", "other"))
    created = await client.create(PODS, pod("worker", "team"))
    return await bind(client, created)


async def test_a_namespace_goes_with_all_its_content_pods_first() -> None:
    cluster = FakeCluster()
    async with Running(cluster, NamespaceController), FakeNodes(cluster, stop=3):
        await furnished(cluster)
        await settle()
        await cluster.client().delete(NAMESPACES, "team")
        await settle(1)
        assert cluster.get(NAMESPACES, "team")["status"]["phase"] == "Terminating"
        assert cluster.has(MAPS, "team/settings")
        assert conditions(cluster) == {
            "NamespaceDeletionDiscoveryFailure": (
                "False",
                "ResourcesDiscovered",
                "All resources successfully discovered",
            ),
            "NamespaceDeletionGroupVersionParsingFailure": (
                "False",
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed",
            ),
            "NamespaceDeletionContentFailure": (
                "False",
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
            ),
            "NamespaceContentRemaining": (
                "True",
                "SomeResourcesRemain",
                "Some resources are remaining: pods. has 1 resource instances",
            ),
            "NamespaceFinalizersRemaining": (
                "False",
                "ContentHasNoFinalizers",
                "All content-preserving finalizers finished",
            ),
        }
        # The last pod's end is noticed; nobody waits for the next look.
        await settle(3)
    assert not cluster.has(NAMESPACES, "team")
    assert not cluster.has(MAPS, "team/settings")
    assert cluster.has(MAPS, "other/settings")


async def test_a_finalizer_holds_the_namespace_and_is_named() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, NamespaceController):
        await client.create(NAMESPACES, named("Namespace", "team"))
        held = named("ConfigMap", "held", "team")
        held["metadata"]["finalizers"] = ["example.com/hold"]
        await client.create(MAPS, held)
        await client.delete(NAMESPACES, "team")
        await settle()
        assert conditions(cluster)["NamespaceFinalizersRemaining"] == (
            "True",
            "SomeFinalizersRemain",
            "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
        )
        await client.patch(MAPS, "held", {"metadata": {"finalizers": None}}, "team")
        await settle(30)
    assert not cluster.has(NAMESPACES, "team")


async def test_a_failure_to_delete_is_a_condition_and_retried() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    cluster.refuse("deletecollection", MAPS, errors.internal("disk on fire"), times=1)
    async with Running(cluster, NamespaceController):
        await client.create(NAMESPACES, named("Namespace", "team"))
        await client.create(MAPS, named("ConfigMap", "settings", "team"))
        seen: list[Obj] = []
        cluster.on_request(
            lambda request, body: seen.append(body) if body and request.subresource == "status" else None
        )
        await client.delete(NAMESPACES, "team")
        await settle(10)
    failure = next(c for c in seen[0]["status"]["conditions"] if c["type"] == "NamespaceDeletionContentFailure")
    assert failure["status"] == "True"
    assert failure["message"] == (
        "Failed to delete all resource types, 1 remaining: Internal error occurred: disk on fire"
    )
    assert not cluster.has(NAMESPACES, "team")


async def test_an_active_namespace_is_left_alone() -> None:
    cluster = FakeCluster()
    async with Running(cluster, NamespaceController):
        await furnished(cluster)
        await settle(60)
    assert cluster.count("deletecollection", MAPS) == 0


async def test_a_foreign_finalizer_of_the_namespace_itself_is_respected() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    namespace = named("Namespace", "team", spec={"finalizers": ["kubernetes", "example.com/audit"]})
    async with Running(cluster, NamespaceController):
        await client.create(NAMESPACES, namespace)
        await client.delete(NAMESPACES, "team")
        await settle()
        assert cluster.get(NAMESPACES, "team")["spec"]["finalizers"] == ["example.com/audit"]


async def test_every_namespace_has_a_default_service_account_and_the_root_certificate() -> None:
    cluster = FakeCluster()
    client = cluster.client()
    async with Running(cluster, ServiceAccountController, RootCAController, **{"ca.crt": "PEM"}):
        await client.create(NAMESPACES, named("Namespace", "team"))
        await settle()
        assert cluster.has(ACCOUNTS, "team/default")
        assert cluster.get(MAPS, "team/kube-root-ca.crt")["data"] == {"ca.crt": "PEM"}
        await client.delete(ACCOUNTS, "default", "team")
        await client.delete(MAPS, "kube-root-ca.crt", "team")
        await settle()
        assert cluster.has(ACCOUNTS, "team/default")
        await client.patch(MAPS, "kube-root-ca.crt", {"data": {"ca.crt": "forged"}}, "team")
        await settle()
        assert cluster.get(MAPS, "team/kube-root-ca.crt")["data"] == {"ca.crt": "PEM"}
        await client.delete(NAMESPACES, "team")
        await client.delete(ACCOUNTS, "default", "team")
        await settle()
        assert not cluster.has(ACCOUNTS, "team/default")
