"""OpenAPI as kubectl reads it: the index, documents that hold together, operations, and how they are cached."""

from __future__ import annotations

import gzip

import orjson
import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.resources.openapi import COMPRESS_FROM, respond
from cluster.apiserver.resources.registry import Registry, make_resource

REGISTRY = Registry()
GROUP_VERSIONS = sorted(
    {f"{'apis' if one.group else 'api'}/{one.api_version}" for one in REGISTRY.all()},
)
POD = "io.k8s.api.core.v1.Pod"


def get(path, params=None, registry=REGISTRY, **headers):
    return respond(registry, path, params or {}, {k.replace("_", "-").encode(): v for k, v in headers.items()})


def body(path, **more):
    return orjson.loads(get(path, **more).data)


def references(value):
    if isinstance(value, dict):
        for key, child in value.items():
            if key == "$ref" and isinstance(child, str):
                yield child
            else:
                yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation


def test_the_index_leads_to_every_group_version():
    index = body("/openapi/v3")["paths"]
    assert sorted(index) == GROUP_VERSIONS
    for name, entry in index.items():
        address, _, digest = entry["serverRelativeURL"].partition("?hash=")
        assert address == f"/openapi/v3/{name}"
        assert get(address).headers["ETag"] == f'"{digest}"'


@pytest.mark.parametrize("name", GROUP_VERSIONS)
def test_every_document_holds_together(name):
    document = body(f"/openapi/v3/{name}")
    assert document["openapi"] == "3.0.0"
    schemas = document["components"]["schemas"]
    for reference in references(document):
        prefix, _, definition = reference.rpartition("/")
        assert prefix == "#/components/schemas"
        assert definition in schemas, reference
    assert "null" not in str([schema.get("type") for schema in schemas.values()])
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("resource", list(REGISTRY.all()), ids=lambda one: one.path)
def test_every_resource_can_be_found_by_its_kind(resource):
    name = f"{'apis' if resource.group else 'api'}/{resource.api_version}"
    document = body(f"/openapi/v3/{name}")
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    assert kind in document["components"]["schemas"][resource.definition]["x-kubernetes-group-version-kind"]
    actions = {
        operation["x-kubernetes-action"]
        for path, _, operation in operations(document)
        if path.rpartition("/")[2] in (resource.plural, "{name}")
        and operation["x-kubernetes-group-version-kind"] == kind
    }
    words = {"create": "post", "update": "put"}
    assert actions == {words.get(verb, verb) for verb in resource.verbs if verb != "watch"}


def test_the_paths_of_pods():
    document = body("/openapi/v3/api/v1")
    paths = document["paths"]
    single = paths["/api/v1/namespaces/{namespace}/pods/{name}"]
    assert set(single) == {"get", "put", "patch", "delete", "parameters"}
    assert [one["name"] for one in single["parameters"]] == ["name", "namespace", "pretty"]
    collection = paths["/api/v1/namespaces/{namespace}/pods"]
    assert collection["post"]["operationId"] == "createCoreV1NamespacedPod"
    assert collection["delete"]["operationId"] == "deleteCoreV1CollectionNamespacedPod"
    assert paths["/api/v1/pods"]["get"]["operationId"] == "listCoreV1PodForAllNamespaces"
    assert [one["name"] for one in paths["/api/v1/pods"]["parameters"]] == ["pretty"]
    executed = paths["/api/v1/namespaces/{namespace}/pods/{name}/exec"]["get"]
    assert (executed["x-kubernetes-action"], executed["operationId"]) == (
        "connect",
        "connectCoreV1GetNamespacedPodExec",
    )
    evicted = paths["/api/v1/namespaces/{namespace}/pods/{name}/eviction"]["post"]
    assert evicted["x-kubernetes-group-version-kind"] == {"group": "policy", "version": "v1", "kind": "Eviction"}


@pytest.mark.parametrize(
    ("method", "names"),
    [
        ("put", ["dryRun", "fieldManager", "fieldValidation"]),
        ("patch", ["dryRun", "fieldManager", "fieldValidation", "force"]),
        ("delete", ["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"]),
    ],
)
def test_writes_say_what_may_be_asked_of_them(method, names):
    """kubectl looks for `fieldValidation` at the PATCH operation to learn whether the server validates."""
    document = body("/openapi/v3/apis/apps/v1")
    operation = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"][method]
    assert [one["name"] for one in operation["parameters"]] == names
    assert all(one["in"] == "query" and one["schema"]["type"] for one in operation["parameters"])


def test_operations_are_named_as_kubernetes_names_them():
    document = body("/openapi/v3/apis/rbac.authorization.k8s.io/v1")
    operation = document["paths"]["/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}"]["patch"]
    assert operation["operationId"] == "patchRbacAuthorizationV1ClusterRole"
    assert operation["tags"] == ["rbacAuthorization_v1"]
    assert "application/apply-patch+yaml" in operation["requestBody"]["content"]
    scale = body("/openapi/v3/apis/apps/v1")["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"]
    assert scale["get"]["description"] == "read scale of the specified Deployment"
    assert scale["get"]["operationId"] == "readAppsV1NamespacedDeploymentScale"


def test_schemas_are_as_kubernetes_publishes_them():
    schemas = body("/openapi/v3/api/v1")["components"]["schemas"]
    assert schemas[POD]["type"] == "object"
    assert "enum" not in schemas[POD]["properties"]["kind"]
    assert schemas[POD]["properties"]["spec"]["allOf"] == [{"$ref": "#/components/schemas/io.k8s.api.core.v1.PodSpec"}]
    either = schemas["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]
    assert (either["format"], either["oneOf"]) == ("int-or-string", [{"type": "integer"}, {"type": "string"}])
    containers = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert (containers["type"], containers["x-kubernetes-patch-merge-key"]) == ("array", "name")


def test_a_property_that_is_called_ref_is_no_reference():
    schemas = body("/openapi/v3/apis/apiextensions.k8s.io/v1")["components"]["schemas"]
    properties = schemas["io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"]["properties"]
    assert properties["$ref"] == {"type": "string"}
    assert properties["type"] == {"type": "string"}


def test_v2_is_one_document_for_everything():
    document = body("/openapi/v2")
    assert document["swagger"] == "2.0"
    for reference in references(document):
        prefix, _, definition = reference.rpartition("/")
        assert prefix == "#/definitions"
        assert definition in document["definitions"], reference
    patch = document["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"]
    names = [one["name"] for one in patch["parameters"]]
    assert names == ["dryRun", "fieldManager", "fieldValidation", "force", "body"]
    assert "application/strategic-merge-patch+json" in patch["consumes"]


# -- how it is served --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/openapi/v3/apis/nope/v1", "/openapi/v3/api", "/openapi/v3/apis/apps", "/openapi/v3/v3"]
)
def test_what_is_not_served_is_not_found(path):
    with pytest.raises(StatusError) as caught:
        get(path)
    assert caught.value.code == 404


def fields(data):
    """(number, value) of a protobuf message; lengths are checked by reading to the end."""
    at = 0

    def varint():
        nonlocal at
        shift = value = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = varint()
        kind = tag & 7
        if kind == 0:
            yield tag >> 3, varint()
        elif kind == 1:
            yield tag >> 3, data[at : at + 8]
            at += 8
        else:
            assert kind == 2
            size = varint()
            assert at + size <= len(data)
            yield tag >> 3, data[at : at + size]
            at += size


def test_kubectl_reads_v2_as_protobuf():
    response = get("/openapi/v2", accept=b"application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
    assert response.content_type == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    document = dict(fields(response.data))
    assert document[1] == b"2.0"
    schemas = {
        dict(fields(one))[1].decode(): dict(fields(one))[2] for number, one in fields(document[9]) if number == 1
    }
    assert schemas.keys() == body("/openapi/v2")["definitions"].keys()
    review = list(fields(schemas["io.k8s.api.authorization.v1.SelfSubjectAccessReview"]))
    properties = [dict(fields(one))[1] for _, one in fields(next(value for number, value in review if number == 25))]
    assert sorted(properties) == [b"apiVersion", b"kind", b"metadata", b"spec", b"status"]
    extensions = [dict(fields(value)) for number, value in review if number == 31]
    assert extensions[0][1] == b"x-kubernetes-group-version-kind"
    kinds = orjson.loads(dict(fields(extensions[0][2]))[2])
    assert kinds == [{"group": "authorization.k8s.io", "kind": "SelfSubjectAccessReview", "version": "v1"}]


def test_protobuf_alone_is_not_acceptable_elsewhere():
    with pytest.raises(StatusError) as caught:
        get("/openapi/v3", accept=b"application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
    assert caught.value.code == 406
    assert get("/openapi/v3", accept=b"application/com.github.x+protobuf, application/json;q=0.8").code == 200


@pytest.mark.parametrize("path", ["/openapi/v2", "/openapi/v3", "/openapi/v3/api/v1"])
def test_who_has_it_already_is_told_so(path):
    etag = get(path).headers["ETag"].encode()
    for header in (etag, b'"x", ' + etag, b"W/" + etag, b"*"):
        again = get(path, if_none_match=header)
        assert (again.code, again.data) == (304, b"")
    assert get(path, if_none_match=b'"x"').code == 200


def test_what_is_behind_a_hash_never_changes():
    address = body("/openapi/v3")["paths"]["apis/apps/v1"]["serverRelativeURL"]
    path, _, digest = address.partition("?hash=")
    response = get(path, {"hash": digest})
    assert response.code == 200
    assert response.headers["Cache-Control"] == "public, immutable"
    assert response.headers["Expires"].endswith("GMT")
    assert "Cache-Control" not in get(path).headers
    moved = get(path, {"hash": "OLD"})
    assert (moved.code, moved.headers["Location"]) == (301, address)


def test_large_documents_are_compressed_for_who_takes_that():
    plain = get("/openapi/v3/api/v1")
    assert len(plain.data) > COMPRESS_FROM
    packed = get("/openapi/v3/api/v1", accept_encoding=b"gzip, deflate")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert "Content-Encoding" not in get("/openapi/v3", accept_encoding=b"gzip").headers


def test_documents_are_kept_until_the_registry_changes():
    registry = Registry()
    first = get("/openapi/v3/api/v1", registry=registry).data
    assert get("/openapi/v3/api/v1", registry=registry).data is first
    before = body("/openapi/v3", registry=registry)["paths"]
    registry.add(make_resource("example.com", "v1", "widgets", "Widget", True))
    after = body("/openapi/v3", registry=registry)["paths"]
    assert set(after) - set(before) == {"apis/example.com/v1"}
    assert all(after[name] == entry for name, entry in before.items()), "other groups' addresses stay"


def test_a_kind_without_a_published_schema_takes_anything():
    registry = Registry()
    resource = make_resource("example.com", "v1", "widgets", "Widget", True)
    registry.add(resource)
    document = body("/openapi/v3/apis/example.com/v1", registry=registry)
    schema = document["components"]["schemas"][resource.definition]
    assert schema["x-kubernetes-preserve-unknown-fields"] is True
    assert schema["x-kubernetes-group-version-kind"] == [{"group": "example.com", "version": "v1", "kind": "Widget"}]
    for reference in references(document):
        assert reference.rpartition("/")[2] in document["components"]["schemas"]
    assert resource.definition in body("/openapi/v2", registry=registry)["definitions"]
