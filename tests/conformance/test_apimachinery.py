"""[sig-api-machinery] tests that are younger than the binary that was run: namespaces, quotas, flow control, custom resources, discovery."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.conformance.api import Refused, pod_template, workload
from tests.support.server import wait_for

E2E = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Updated by an e2e test"}


def path_of(ns, below=""):
    return f"/api/v1/namespaces/{ns.name}{below}"


def test_namespaces_apply_changes_to_a_namespace_status(ns):
    change = {
        "metadata": {"annotations": {"e2e-patched-status": ns.name}},
        "status": {"conditions": [{**E2E, "type": "StatusPatch"}]},
    }
    ns.request("PATCH", path_of(ns, "/status"), change, "application/merge-patch+json")
    patched = ns.request("GET", path_of(ns, "/status"))
    assert [one["type"] for one in patched["status"]["conditions"]] == ["StatusPatch"]
    assert patched["metadata"]["annotations"]["e2e-patched-status"] == ns.name
    patched["status"]["conditions"].append(E2E)
    updated = ns.request("PUT", path_of(ns, "/status"), patched)
    assert [one["type"] for one in updated["status"]["conditions"]] == ["StatusPatch", "StatusUpdate"]
    assert updated["status"]["phase"] == "Active"


def test_namespaces_apply_an_update_and_a_finalizer_to_a_namespace(ns):
    current = ns.request("GET", path_of(ns))
    current["metadata"]["labels"] = {**current["metadata"]["labels"], ns.name: "updated"}
    assert ns.request("PUT", path_of(ns), current)["metadata"]["labels"][ns.name] == "updated"
    fake = "e2e.example.com/fakeFinalizer"
    current = ns.request("GET", path_of(ns))
    current["spec"]["finalizers"].append(fake)
    assert fake in ns.request("PUT", path_of(ns, "/finalize"), current)["spec"]["finalizers"]
    current = ns.request("GET", path_of(ns))
    current["spec"]["finalizers"].remove(fake)
    assert ns.request("PUT", path_of(ns, "/finalize"), current)["spec"]["finalizers"] == ["kubernetes"]


def test_ordered_namespace_deletion_pods_go_before_what_they_use(ns):
    ns.create("configmaps", "kept", data={"a": "b"}, metadata={"finalizers": ["example.com/hold"]})
    ns.pod("held", "pause", metadata={"finalizers": ["example.com/hold"]})
    ns.ready("held")
    ns.request("DELETE", path_of(ns))

    def told():
        conditions = ns.request("GET", path_of(ns))["status"].get("conditions") or ()
        return {one["type"]: one for one in conditions}

    wait_for(lambda: told().get("NamespaceContentRemaining", {}).get("status") == "True", "it tells what is left", 60)
    assert "pods. has 1 resource instances" in told()["NamespaceContentRemaining"]["message"]
    # As long as a pod is there, nothing else is deleted.
    assert "deletionTimestamp" not in ns.get("configmaps", "kept")["metadata"]
    ns.patch("pods", "held", {"metadata": {"finalizers": None}})
    wait_for(lambda: "deletionTimestamp" in ns.get("configmaps", "kept")["metadata"], "the rest follows", 60)
    ns.patch("configmaps", "kept", {"metadata": {"finalizers": None}})
    wait_for(lambda: ns.cluster.request("GET", path_of(ns))[0] == 404, "the namespace is gone", 60)


def test_resource_quota_manage_the_lifecycle_and_apply_changes_to_its_status(ns):
    ns.create("resourcequotas", "e2e", {"hard": {"cpu": "1", "memory": "500Mi"}}, metadata={"labels": {"e2e": ns.name}})
    current = ns.get("resourcequotas", "e2e")
    current["spec"]["hard"] |= {"cpu": "2", "memory": "1Gi"}
    assert ns.put("resourcequotas", "e2e", current)["spec"]["hard"] == {"cpu": "2", "memory": "1Gi"}
    patched = ns.patch("resourcequotas", "e2e", {"spec": {"hard": {"memory": "10Gi"}}}, "strategic")
    assert patched["spec"]["hard"]["memory"] == "10Gi"
    wait_for(
        lambda: (ns.get("resourcequotas", "e2e").get("status") or {}).get("hard", {}).get("memory") == "10Gi",
        "the controller follows",
    )
    given = {"status": {"hard": {"configmaps": "1"}, "used": {"configmaps": "0"}}}
    answered = ns.patch("resourcequotas", "e2e/status", given, "merge")
    assert answered["status"]["hard"]["configmaps"] == "1" and "configmaps" not in answered["spec"]["hard"]
    wait_for(
        lambda: "configmaps" not in ns.get("resourcequotas", "e2e")["status"]["hard"], "the controller puts it right"
    )
    ns.delete("resourcequotas", query=f"?labelSelector=e2e={ns.name}")
    assert ns.list("resourcequotas") == []


FLOW = "/apis/flowcontrol.apiserver.k8s.io/v1"


@pytest.mark.parametrize(
    ("resource", "spec", "change", "field"),
    [
        (
            "flowschemas",
            {
                "matchingPrecedence": 10000,
                "priorityLevelConfiguration": {"name": "global-default"},
                "distinguisherMethod": {"type": "ByUser"},
            },
            {"matchingPrecedence": 9999},
            "matchingPrecedence",
        ),
        (
            "prioritylevelconfigurations",
            {
                "type": "Limited",
                "limited": {"nominalConcurrencyShares": 2, "limitResponse": {"type": "Reject"}},
            },
            {"limited": {"nominalConcurrencyShares": 4}},
            "limited",
        ),
    ],
)
def test_priority_and_fairness_api_operations(ns, resource, spec, change, field):
    documents = ns.request("GET", FLOW)["resources"]
    assert {one["name"] for one in documents} >= {resource, f"{resource}/status"}
    base, label = f"{FLOW}/{resource}", {"special-label": ns.name}
    made = [
        ns.request("POST", base, {"metadata": {"generateName": "e2e-", "labels": label}, "spec": spec}) for _ in "abc"
    ]
    one = f"{base}/{made[0]['metadata']['name']}"
    assert ns.request("GET", one)["metadata"]["uid"] == made[0]["metadata"]["uid"]
    assert len(ns.request("GET", f"{base}?labelSelector=special-label={ns.name}")["items"]) == 3
    patch = {"metadata": {"annotations": {"patched": "true"}}, "spec": change}
    patched = ns.request("PATCH", one, patch, "application/merge-patch+json")
    assert patched["metadata"]["annotations"]["patched"] == "true" and patched["spec"][field] != spec[field]
    current = ns.request("GET", one)
    current["metadata"]["annotations"]["updated"] = "true"
    assert ns.request("PUT", one, current)["metadata"]["annotations"]["updated"] == "true"
    dangling = {"status": {"conditions": [{**E2E, "type": "Dangling", "status": "False"}]}}
    for kind in ("application/merge-patch+json", "application/strategic-merge-patch+json"):
        answered = ns.request("PATCH", f"{one}/status", dangling, kind)
        assert any(condition["message"] == E2E["message"] for condition in answered["status"]["conditions"])
    assert ns.request("GET", f"{one}/status")["metadata"]["name"] == made[0]["metadata"]["name"]
    ns.request("DELETE", one)
    assert ns.cluster.request("GET", one)[0] == 404
    ns.request("DELETE", f"{base}?labelSelector=special-label={ns.name}")
    assert ns.request("GET", f"{base}?labelSelector=special-label={ns.name}")["items"] == []


DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SHIRT = {
    "type": "object",
    "properties": {
        "spec": {"type": "object", "properties": {"color": {"type": "string"}, "size": {"type": "string"}}},
    },
}


@pytest.fixture
def shirts(ns):
    group = f"{ns.name}.stable.example.com"
    body = {
        "metadata": {"name": f"shirts.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "shirts", "singular": "shirt", "kind": "Shirt", "listKind": "ShirtList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": SHIRT},
                    "selectableFields": [{"jsonPath": ".spec.color"}, {"jsonPath": ".spec.size"}],
                }
            ],
        },
    }
    ns.request("POST", DEFINITIONS, body)
    base = f"/apis/{group}/v1/namespaces/{ns.name}/shirts"
    wait_for(lambda: ns.cluster.request("GET", base)[0] == 200, "the kind is served")
    yield group, base
    ns.request("DELETE", f"{DEFINITIONS}/shirts.{group}")


def test_custom_resource_field_selectors_list_and_watch(ns, shirts):
    group, base = shirts
    before = ns.request("GET", base)["metadata"]["resourceVersion"]
    for color, size in itertools.product(("blue", "green"), ("S", "M")):
        name = f"{color}-{size.lower()}"
        shirt = {"apiVersion": f"{group}/v1", "kind": "Shirt", "metadata": {"name": name}}
        ns.request("POST", base, {**shirt, "spec": {"color": color, "size": size}})

    def names(query):
        return [one["metadata"]["name"] for one in ns.request("GET", f"{base}?fieldSelector={query}")["items"]]

    assert names("spec.color%3Dblue") == ["blue-m", "blue-s"]
    assert names("spec.color%3Dgreen,spec.size%3DM") == ["green-m"]
    assert names("spec.color%21%3Dblue,spec.size%21%3DM") == ["green-s"]
    with pytest.raises(Refused) as caught:
        names("spec.shape%3Dround")
    assert caught.value.code == 400 and "field label not supported: spec.shape" in caught.value.status["message"]
    query = f"watch=1&resourceVersion={before}&timeoutSeconds=1&fieldSelector=spec.color%3Dblue"
    lines = ns.kubectl("get", "--raw", f"{base}?{query}").splitlines()
    events = [json.loads(line) for line in lines]
    assert [(one["type"], one["object"]["spec"]["color"]) for one in events] == [("ADDED", "blue")] * 2


def test_discovery_locates_the_new_kind_in_both_forms(ns, shirts):
    group, _ = shirts
    wanted = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    code, document = ns.cluster.request("GET", "/apis", None, wanted)
    assert code == 200 and document["kind"] == "APIGroupDiscoveryList"
    found = {one["metadata"]["name"]: one for one in document["items"]}
    (resource,) = found[group]["versions"][0]["resources"]
    assert resource["resource"] == "shirts" and resource["responseKind"]["kind"] == "Shirt"
    assert {"apps", "batch", "apiextensions.k8s.io"} <= set(found)
    assert ns.request("GET", f"/apis/{group}/v1")["resources"][0]["name"] == "shirts"
    assert group in {one["name"] for one in ns.request("GET", "/apis")["groups"]}


VERBS = ("POST", "PUT", "PATCH", "apply")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("custom", [False, True], ids=["typed", "custom"])
def test_field_validation_detects_unknown_fields_by_each_verb(ns, shirts, verb, custom):
    group, base = shirts
    if custom:
        good = {"apiVersion": f"{group}/v1", "kind": "Shirt", "metadata": {"name": "one"}, "spec": {"color": "blue"}}
        bad = {**good, "spec": {"color": "blue", "unknown": "x"}}
    else:
        base = f"/apis/apps/v1/namespaces/{ns.name}/deployments"
        spec = workload("one", template=pod_template({"app": "one"}, "pause"), replicas=0)
        good = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "one"}, "spec": spec}
        bad = {**good, "spec": {**spec, "unknown": "x"}}
    if verb != "POST":
        ns.request("POST", base, good)
    method, kind, path, body = {
        "POST": ("POST", "application/json", base, bad),
        "PUT": ("PUT", "application/json", f"{base}/one", bad),
        "PATCH": ("PATCH", "application/merge-patch+json", f"{base}/one", {"spec": {"unknown": "x"}}),
        "apply": ("PATCH", "application/apply-patch+yaml", f"{base}/one", bad),
    }[verb]
    query = "?fieldValidation=Strict&fieldManager=e2e&force=true" if verb == "apply" else "?fieldValidation=Strict"
    with pytest.raises(Refused) as caught:
        ns.request(method, path + query, body, kind)
    message = caught.value.status["message"]
    assert caught.value.code in (400, 422, 500), message
    assert 'unknown field "spec.unknown"' in message or ".spec.unknown: field not declared in schema" in message
