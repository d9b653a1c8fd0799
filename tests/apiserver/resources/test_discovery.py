"""Discovery as clients read it: plain documents, the aggregated form, ETags, and what is not served."""

from __future__ import annotations

import orjson
import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.resources.discovery import respond, storage_hash
from cluster.apiserver.resources.registry import Registry, make_resource

# What kubectl 1.37 sends.
KUBECTL = b"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


@pytest.fixture
def registry():
    return Registry()


def get(registry, path, **headers):
    return respond(registry, path, {name.replace("_", "-").encode(): value for name, value in headers.items()})


def body(registry, path, **headers):
    return orjson.loads(get(registry, path, **headers).data)


def resources(registry, path):
    return {one["name"]: one for one in body(registry, path)["resources"]}


def test_the_legacy_group(registry):
    assert body(registry, "/api", host=b"k8s.example:6443") == {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "k8s.example:6443"}],
    }


def test_the_groups_and_their_preferred_versions(registry):
    listing = body(registry, "/apis")
    assert (listing["kind"], listing["apiVersion"]) == ("APIGroupList", "v1")
    groups = {group["name"]: group for group in listing["groups"]}
    assert "" not in groups
    assert groups["autoscaling"]["preferredVersion"] == {"groupVersion": "autoscaling/v2", "version": "v2"}
    assert [one["version"] for one in groups["autoscaling"]["versions"]] == ["v2", "v1"]


def test_one_group(registry):
    version = {"groupVersion": "apps/v1", "version": "v1"}
    assert body(registry, "/apis/apps") == {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": "apps",
        "versions": [version],
        "preferredVersion": version,
    }


def test_the_legacy_list_says_no_api_version_and_others_do(registry):
    assert list(body(registry, "/api/v1"))[:2] == ["kind", "groupVersion"]
    assert list(body(registry, "/apis/apps/v1"))[:3] == ["kind", "apiVersion", "groupVersion"]


def test_a_resource_is_described_in_full(registry):
    assert resources(registry, "/api/v1")["pods"] == {
        "name": "pods",
        "singularName": "pod",
        "namespaced": True,
        "kind": "Pod",
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        "shortNames": ["po"],
        "categories": ["all"],
        "storageVersionHash": "xPOwRZ+Yhw8=",
    }


@pytest.mark.parametrize(
    ("path", "name", "kind", "group", "version", "verbs"),
    [
        ("/api/v1", "pods/status", "Pod", None, None, ["get", "patch", "update"]),
        ("/api/v1", "pods/eviction", "Eviction", "policy", "v1", ["create"]),
        ("/api/v1", "serviceaccounts/token", "TokenRequest", "authentication.k8s.io", "v1", ["create"]),
        ("/apis/apps/v1", "deployments/scale", "Scale", "autoscaling", "v1", ["get", "patch", "update"]),
        ("/api/v1", "namespaces/finalize", "Namespace", None, None, ["update"]),
    ],
)
def test_subresources_name_their_group_where_it_differs(registry, path, name, kind, group, version, verbs):
    found = resources(registry, path)[name]
    assert (found["kind"], found.get("group"), found.get("version"), found["verbs"]) == (kind, group, version, verbs)
    assert found["singularName"] == ""
    assert "storageVersionHash" not in found


def test_resources_are_sorted_with_what_is_below_them(registry):
    names = [one["name"] for one in body(registry, "/api/v1")["resources"]]
    assert names == sorted(names)


def test_storage_hashes_are_kubernetes_own(registry):
    assert storage_hash(registry.by_path("apps/v1/deployments")) == "8aSe+NMegvE="
    # Both versions are stored as v2.
    hashes = {storage_hash(registry.by_path(f"autoscaling/{one}/horizontalpodautoscalers")) for one in ("v1", "v2")}
    assert len(hashes) == 1


def test_groups_of_questions_only_are_served_too(registry):
    found = resources(registry, "/apis/authorization.k8s.io/v1")
    assert found["selfsubjectaccessreviews"]["verbs"] == ["create"]
    assert "storageVersionHash" not in found["selfsubjectaccessreviews"]


@pytest.mark.parametrize(
    "path", ["/api/v2", "/apis/nope", "/apis/apps/v2", "/apis/apps/v1/x", "/apis//v1", "/api/v1/pods", "/apis/v1"]
)
def test_what_is_not_served_is_not_found(registry, path):
    with pytest.raises(StatusError) as caught:
        get(registry, path)
    assert (caught.value.code, caught.value.reason) == (404, "NotFound")
    assert caught.value.message == "the server could not find the requested resource"


# -- all at once -------------------------------------------------------------------------------------------------------


def test_kubectl_gets_everything_at_once(registry):
    response = get(registry, "/apis", accept=KUBECTL)
    assert response.content_type == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    assert response.headers["Vary"] == "Accept"
    listing = orjson.loads(response.data)
    assert (listing["kind"], listing["apiVersion"]) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    groups = {item["metadata"]["name"]: item for item in listing["items"]}
    assert set(groups) == {group for group in registry.groups() if group}
    (version,) = groups["apps"]["versions"]
    assert (version["version"], version["freshness"]) == ("v1", "Current")
    deployments = next(one for one in version["resources"] if one["resource"] == "deployments")
    assert deployments == {
        "resource": "deployments",
        "responseKind": {"group": "apps", "version": "v1", "kind": "Deployment"},
        "scope": "Namespaced",
        "singularResource": "deployment",
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        "shortNames": ["deploy"],
        "categories": ["all"],
        "subresources": [
            {
                "subresource": "scale",
                "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
                "verbs": ["get", "patch", "update"],
            },
            {
                "subresource": "status",
                "responseKind": {"group": "apps", "version": "v1", "kind": "Deployment"},
                "verbs": ["get", "patch", "update"],
            },
        ],
    }


def test_the_legacy_group_is_aggregated_at_its_own_address(registry):
    (item,) = body(registry, "/api", accept=KUBECTL)["items"]
    assert item["metadata"] == {}
    nodes = next(one for one in item["versions"][0]["resources"] if one["resource"] == "nodes")
    assert nodes["scope"] == "Cluster"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (b"", "application/json"),
        (b"application/json", "application/json"),
        (b"application/json, */*", "application/json"),
        (b"application/vnd.kubernetes.protobuf, application/json", "application/json"),
        (b"application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList, application/json", "application/json"),
        (
            b"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
            "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        ),
        (
            b"application/json; as=APIGroupDiscoveryList; v=v2; g=apidiscovery.k8s.io",
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        ),
        (b"application/json, " + KUBECTL, "application/json"),
    ],
)
def test_the_first_form_that_we_have_is_served(registry, accept, content_type):
    response = get(registry, "/apis", accept=accept)
    assert response.content_type == content_type
    kind = orjson.loads(response.data)["kind"]
    assert kind == ("APIGroupDiscoveryList" if "as=" in content_type else "APIGroupList")


def test_single_documents_are_never_aggregated(registry):
    assert body(registry, "/apis/apps/v1", accept=KUBECTL)["kind"] == "APIResourceList"


@pytest.mark.parametrize("accept", [b"text/html", b"application/vnd.kubernetes.protobuf"])
def test_who_takes_nothing_that_we_have_is_told(registry, accept):
    with pytest.raises(StatusError) as caught:
        get(registry, "/apis", accept=accept)
    assert (caught.value.code, caught.value.reason) == (406, "NotAcceptable")


def test_who_has_it_already_is_told_so(registry):
    first = get(registry, "/apis", accept=KUBECTL)
    etag = first.headers["ETag"]
    assert etag.startswith('"')
    again = get(registry, "/apis", accept=KUBECTL, if_none_match=etag.encode())
    assert (again.code, again.data, again.headers["ETag"]) == (304, b"", etag)
    assert get(registry, "/apis", accept=KUBECTL, if_none_match=b'"other"').code == 200


def test_a_new_resource_shows_at_once(registry):
    before = get(registry, "/apis", accept=KUBECTL).headers["ETag"]
    get(registry, "/apis")
    registry.add(make_resource("example.com", "v1", "widgets", "Widget", True))
    assert get(registry, "/apis", accept=KUBECTL).headers["ETag"] != before
    assert "example.com" in {group["name"] for group in body(registry, "/apis")["groups"]}
    assert "widgets" in resources(registry, "/apis/example.com/v1")
    registry.remove(registry.by_path("example.com/v1/widgets"))
    assert get(registry, "/apis", accept=KUBECTL).headers["ETag"] == before
