"""Bad input over real HTTPS: the Status that Kubernetes gives, and never a 500."""

from __future__ import annotations

import pytest

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"
YAML = {"Content-Type": "application/yaml"}


def bomb() -> str:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines)


def config(**more):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, **more}


CASES = {
    "broken json": (PODS, "{", {}, 400, "BadRequest"),
    "broken yaml": (PODS, "a: [", YAML, 400, "BadRequest"),
    "a yaml bomb": (PODS, bomb(), YAML, 400, "BadRequest"),
    "an empty body": (PODS, "", {}, 400, "BadRequest"),
    "a list for an object": (PODS, "[]", {}, 400, "BadRequest"),
    "a body of 4 MB": (PODS, "x" * (4 << 20), {}, 413, "RequestEntityTooLarge"),
    "an unknown kind": ("/api/v1/namespaces/default/nosuch", "{}", {}, 404, "NotFound"),
    "an unknown group": ("/apis/no.such/v1/things", "{}", {}, 404, "NotFound"),
    "another kind": (PODS, config(), {}, 400, "BadRequest"),
    "a wrong type": (DEPLOYMENTS, {"metadata": {"name": "x"}, "spec": {"replicas": "three"}}, {}, 400, "BadRequest"),
    "an unknown field": (
        "/api/v1/namespaces/default/configmaps?fieldValidation=Strict",
        config(datta={}),
        {},
        400,
        "BadRequest",
    ),
    "no selector": (DEPLOYMENTS, {"metadata": {"name": "x"}, "spec": {}}, {}, 422, "Invalid"),
    "a bad name": ("/api/v1/namespaces/default/configmaps", config(metadata={"name": "X_y"}), {}, 422, "Invalid"),
    "no name": ("/api/v1/namespaces/default/configmaps", config(metadata={}), {}, 422, "Invalid"),
    "no such namespace": ("/api/v1/namespaces/nosuch/configmaps", config(), {}, 404, "NotFound"),
    "a foreign namespace": (
        "/api/v1/namespaces/default/configmaps",
        config(metadata={"name": "x", "namespace": "other"}),
        {},
        400,
        "BadRequest",
    ),
    "a strange media type": (PODS, "x", {"Content-Type": "text/csv"}, 415, "UnsupportedMediaType"),
    "a bad dryRun": ("/api/v1/namespaces/default/configmaps?dryRun=Some", config(), {}, 422, "Invalid"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input(cluster, case):
    path, body, headers, code, reason = CASES[case]
    status, answer = cluster.request("POST", path, body, headers)
    assert (status, answer["kind"], answer["status"]) == (code, "Status", "Failure"), answer
    assert (answer["code"], answer["reason"]) == (code, reason)
    assert answer["message"]


def test_missing_fields_are_told_with_their_causes(cluster):
    _, answer = cluster.request("POST", DEPLOYMENTS, {"metadata": {"name": "x"}, "spec": {}})
    fields = {cause["field"]: cause["reason"] for cause in answer["details"]["causes"]}
    assert fields["spec.selector"] == "FieldValueRequired"
    assert fields["spec.template.spec.containers"] == "FieldValueRequired"


def test_a_stale_resource_version_conflicts(cluster):
    path = "/api/v1/namespaces/default/configmaps"
    _, made = cluster.request("POST", path, config(metadata={"name": "stale"}))
    status, _ = cluster.request("PUT", f"{path}/stale", {**made, "data": {"a": "1"}})
    assert status == 200
    status, answer = cluster.request("PUT", f"{path}/stale", {**made, "data": {"a": "2"}})
    assert (status, answer["reason"]) == (409, "Conflict")
    assert "the object has been modified; please apply your changes to the latest version" in answer["message"]


def test_dry_run_changes_nothing(cluster):
    path = "/api/v1/namespaces/default/configmaps"
    status, _ = cluster.request("POST", f"{path}?dryRun=All", config(metadata={"name": "dry"}))
    assert status == 201
    assert cluster.request("GET", f"{path}/dry")[0] == 404


def test_lists_go_page_by_page(cluster):
    path = "/api/v1/namespaces/kube-system/serviceaccounts"
    for number in range(5):
        cluster.request("POST", path, {"metadata": {"name": f"page-{number}"}})
    seen, token = [], ""
    while True:
        status, page = cluster.request("GET", f"{path}?limit=2&continue={token}")
        assert status == 200 and len(page["items"]) <= 2
        seen += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert len(seen) == len(set(seen)) and {f"page-{n}" for n in range(5)} <= set(seen)
    assert cluster.request("GET", f"{path}?continue=nonsense")[0] == 400


def test_who_is_not_known_is_refused(cluster):
    status, answer = cluster.request("GET", PODS, headers={"Authorization": "Bearer nonsense"})
    assert (status, answer["reason"]) == (401, "Unauthorized")
    status, answer = cluster.request("GET", PODS, anonymous=True)
    assert (status, answer["reason"]) == (403, "Forbidden")
    assert cluster.request("GET", "/version", anonymous=True)[0] == 200


def test_health(cluster):
    for path in ("/healthz", "/livez", "/readyz"):
        assert cluster.request("GET", path, anonymous=True) == (200, "ok")
    assert "[+]etcd ok" in cluster.request("GET", "/readyz?verbose")[1]


def test_a_query_without_end_is_refused(cluster):
    status, body = cluster.request("GET", "/api/v1/pods?" + "&".join(f"a{n}=1" for n in range(1001)))
    assert (status, body["reason"]) == (400, "BadRequest")


def test_a_pod_is_bound_the_old_way_too(cluster):
    """POST to `bindings`, as schedulers of old did, with the pod's name in the body."""
    spec = {"schedulerName": "nobody", "containers": [{"name": "c", "image": "nginx"}]}
    assert cluster.request("POST", PODS, {"metadata": {"name": "by-hand"}, "spec": spec})[0] == 201
    path = "/api/v1/namespaces/default/bindings"
    target = {"kind": "Node", "name": "node-1"}
    code, answer = cluster.request("POST", path, {"metadata": {"name": "by-hand"}, "target": target})
    assert (code, answer["status"]) == (201, "Success")
    assert cluster.request("GET", f"{PODS}/by-hand")[1]["spec"]["nodeName"] == "node-1"
    assert cluster.request("POST", path, {"metadata": {"name": "by-hand"}, "target": target})[0] == 409
    assert cluster.request("POST", path, {"metadata": {"name": "none"}, "target": target})[0] == 404
    assert cluster.request("POST", path, {"target": target})[0] == 400
