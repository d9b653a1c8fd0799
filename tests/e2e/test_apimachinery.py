"""What [sig-api-machinery] asks of every API server, over the wire."""

from __future__ import annotations

import gzip
import http.client
import json
import ssl
from typing import Any

from tests.support.server import Cluster, wait_for

PODTEMPLATES = "/api/v1/namespaces/default/podtemplates"
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


def raw(cluster: Cluster, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and body as they come."""
    connection = http.client.HTTPSConnection("127.0.0.1", cluster.https, context=ssl._create_unverified_context())
    connection.request("GET", path, headers={"Authorization": f"Bearer {cluster.token()}", **headers})
    response = connection.getresponse()
    found = {name.lower(): value for name, value in response.getheaders()}
    return response.status, found, response.read()


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def conditions_of(cluster: Cluster, path: str) -> list[dict[str, Any]]:
    return (cluster.request("GET", path)[1].get("status") or {}).get("conditions") or []


def test_flow_control_says_under_which_schema_a_request_falls(cluster: Cluster) -> None:
    exempt = cluster.request("GET", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/exempt")[1]
    level = cluster.request("GET", "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations/exempt")[1]
    _, headers, _ = raw(cluster, "/api/v1/namespaces")
    assert headers["x-kubernetes-pf-flowschema-uid"] == exempt["metadata"]["uid"]
    assert headers["x-kubernetes-pf-prioritylevel-uid"] == level["metadata"]["uid"]
    schema = {
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
        "kind": "FlowSchema",
        "metadata": {"name": "mine"},
        "spec": {
            "matchingPrecedence": 1,
            "priorityLevelConfiguration": {"name": "nowhere"},
            "rules": [{"subjects": [{"kind": "User", "user": {"name": "*"}}], "resourceRules": []}],
        },
    }
    assert cluster.request("POST", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas", schema)[0] == 201
    conditions = wait_for(lambda: conditions_of(cluster, "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/mine"))
    assert conditions[0]["type"] == "Dangling" and conditions[0]["status"] == "True"
    cluster.request("DELETE", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/mine")


def test_answers_without_metadata_have_no_table(cluster: Cluster) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}},
    }
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    status, refused = cluster.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review, accept)
    assert status == 406 and refused["reason"] == "NotAcceptable"


def test_large_answers_are_compressed_for_those_who_take_it(cluster: Cluster) -> None:
    assert cluster.request("POST", CONFIGMAPS, config_map("large", text="x" * 300_000))[0] == 201
    _, headers, body = raw(cluster, f"{CONFIGMAPS}/large", **{"Accept-Encoding": "gzip"})
    assert headers["content-encoding"] == "gzip" and len(body) < 10_000
    assert len(json.loads(gzip.decompress(body))["data"]["text"]) == 300_000
    assert "content-encoding" not in raw(cluster, f"{CONFIGMAPS}/large")[1]


def test_every_group_version_is_an_api_service(cluster: Cluster) -> None:
    services = cluster.request("GET", "/apis/apiregistration.k8s.io/v1/apiservices")[1]["items"]
    names = {one["metadata"]["name"] for one in services}
    assert {"v1.", "v1.apps", "v2.autoscaling", "v1.batch"} <= names
    (available,) = wait_for(lambda: conditions_of(cluster, "/apis/apiregistration.k8s.io/v1/apiservices/v1."))
    assert (available["status"], available["reason"]) == ("True", "Local")


def test_a_group_that_a_service_should_serve_is_unavailable(cluster: Cluster) -> None:
    path = "/apis/apiregistration.k8s.io/v1/apiservices"
    service = {"name": "sample-api", "namespace": "default"}
    spec = {
        "group": "wardle.example.com",
        "version": "v1alpha1",
        "groupPriorityMinimum": 2000,
        "versionPriority": 200,
        "service": service,
    }
    obj = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1alpha1.wardle.example.com"},
        "spec": {**spec, "insecureSkipTLSVerify": True},
    }
    assert cluster.request("POST", path, obj)[0] == 201
    status, refused = cluster.request("GET", "/apis/wardle.example.com/v1alpha1/namespaces/default/flunders")
    assert status == 503 and refused["reason"] == "ServiceUnavailable"
    assert cluster.request("GET", "/apis/wardle.example.com/v1alpha1")[0] == 503
    cluster.request("DELETE", f"{path}/v1alpha1.wardle.example.com")
    assert cluster.request("GET", "/apis/wardle.example.com/v1alpha1")[0] == 404
    wrong = {**obj, "metadata": {"name": "wrong"}}
    status, refused = cluster.request("POST", path, wrong)
    assert status == 422 and 'must be `spec.version+"."+spec.group`' in refused["message"]


def test_what_is_deprecated_says_so(cluster: Cluster) -> None:
    assert "v1 ComponentStatus is deprecated in v1.19+" in cluster.kubectl("get", "componentstatuses")
    told = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    assert told in raw(cluster, "/api/v1/namespaces/default/endpoints")[1]["warning"]


def test_a_list_is_no_watch(cluster: Cluster) -> None:
    status, refused = cluster.request("GET", f"{PODTEMPLATES}?sendInitialEvents=true")
    assert status == 422 and "sendInitialEvents is forbidden for list" in refused["message"]


def test_an_event_is_the_same_in_both_groups(cluster: Cluster) -> None:
    event = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "seen"},
        "eventTime": "2024-01-01T00:00:00.000000Z",
        "reason": "Seen",
        "action": "Looking",
        "type": "Normal",
        "reportingController": "test",
        "reportingInstance": "test-1",
        "regarding": {"kind": "Pod", "name": "x", "namespace": "default"},
        "note": "hello",
    }
    path = "/namespaces/default/events"
    made = cluster.request("POST", f"/apis/events.k8s.io/v1{path}", event)[1]
    assert made["apiVersion"] == "events.k8s.io/v1" and made["note"] == "hello"
    core = cluster.request("GET", f"/api/v1{path}/seen")[1]
    assert core["apiVersion"] == "v1" and core["message"] == "hello" and core["involvedObject"]["name"] == "x"
    merge = {"Content-Type": "application/merge-patch+json"}
    series = {"series": {"count": 2, "lastObservedTime": "2024-01-01T00:00:05.000005Z"}}
    patched = cluster.request("PATCH", f"/apis/events.k8s.io/v1{path}/seen", series, merge)[1]
    assert patched["series"]["count"] == 2 and patched["regarding"]["name"] == "x"
    assert "hello" in cluster.kubectl("get", "events", "--field-selector=involvedObject.name=x")


def test_options_of_patches_are_judged(cluster: Cluster) -> None:
    cluster.request("POST", CONFIGMAPS, config_map("judged"))
    merge = {"Content-Type": "application/merge-patch+json"}
    status, refused = cluster.request("PATCH", f"{CONFIGMAPS}/judged?force=true", {"data": {}}, merge)
    assert status == 422 and "may not be specified for non-apply patch" in refused["message"]
    status, refused = cluster.request("PATCH", f"{CONFIGMAPS}/judged?fieldManager={'a' * 129}", {"data": {}}, merge)
    assert status == 422 and "may not be more than 128 bytes" in refused["message"]
    assert cluster.request("POST", f"{CONFIGMAPS}/judged", config_map("judged"))[0] == 405


def test_applying_nothing_owns_nothing(cluster: Cluster) -> None:
    apply = {"Content-Type": "application/apply-patch+yaml"}
    body = {"apiVersion": "v1", "kind": "ConfigMap"}
    status, made = cluster.request("PATCH", f"{CONFIGMAPS}/nothing?fieldManager=a", body, apply)
    assert status == 201 and "managedFields" not in made["metadata"]
    status, again = cluster.request("PATCH", f"{CONFIGMAPS}/nothing?fieldManager=a", body, apply)
    assert status == 200 and again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_any_kind_may_be_deleted_in_the_foreground(cluster: Cluster) -> None:
    obj = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "brief"}, "value": 5}
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    assert cluster.request("POST", path, obj)[0] == 201
    assert cluster.request("DELETE", f"{path}/brief", {"propagationPolicy": "Foreground"})[0] in (200, 202)
    wait_for(lambda: cluster.request("GET", f"{path}/brief")[0] == 404, "it is gone")


def test_events_are_found_by_who_reported_them(cluster: Cluster) -> None:
    event = {
        "metadata": {"name": "reported", "namespace": "default"},
        "eventTime": "2026-11-25T12:00:00.123456Z",
        "reportingController": "test-controller",
        "reportingInstance": "test-node",
        "action": "Do",
        "reason": "Test",
        "type": "Normal",
        "note": "n",
        "regarding": {"namespace": "default", "kind": "Pod"},
    }
    assert cluster.request("POST", "/apis/events.k8s.io/v1/namespaces/default/events", event)[0] == 201
    for path, selector in (
        ("/apis/events.k8s.io/v1/events", "reportingController=test-controller"),
        ("/apis/events.k8s.io/v1/events", "regarding.kind=Pod,reportingController=test-controller"),
        ("/api/v1/events", "source=test-controller"),
        ("/api/v1/events", "reportingComponent=test-controller"),
    ):
        items = cluster.request("GET", f"{path}?fieldSelector={selector}")[1]["items"]
        assert [item["metadata"]["name"] for item in items] == ["reported"], selector


def test_every_page_says_how_many_are_left(cluster: Cluster) -> None:
    for number in range(6):
        template = {
            "metadata": {"name": f"page-{number}"},
            "template": {"spec": {"containers": [{"name": "a", "image": "b"}]}},
        }
        assert cluster.request("POST", PODTEMPLATES, template)[0] == 201
    first = cluster.request("GET", f"{PODTEMPLATES}?limit=2")[1]["metadata"]
    assert first["remainingItemCount"] == 4
    # Something else happens, so that the next page is one of the past.
    assert cluster.request("DELETE", f"{PODTEMPLATES}/page-5")[0] == 200
    second = cluster.request("GET", f"{PODTEMPLATES}?limit=2&continue={first['continue']}")[1]["metadata"]
    assert second["remainingItemCount"] == 2 and second["resourceVersion"] == first["resourceVersion"]


def test_who_applies_a_condition_owns_no_more_of_it_than_is_named(cluster: Cluster) -> None:
    apply = {"Content-Type": "application/apply-patch+yaml"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "owned"}}
    spec = {"spec": {"ports": [{"port": 80}]}}
    path = "/api/v1/namespaces/default/services/owned"
    assert cluster.request("PATCH", f"{path}?fieldManager=maker", {**service, **spec}, apply)[0] == 201
    told = {"type": "X", "status": "True", "reason": "Because", "message": "said", "lastTransitionTime": None}
    whole = {**service, "status": {"conditions": [told | {"lastTransitionTime": "2026-11-25T12:00:00Z"}]}}
    assert cluster.request("PATCH", f"{path}/status?fieldManager=one", whole, apply)[0] == 200
    some = {**service, "status": {"conditions": [{"type": "X", "status": "True"}]}}
    status, found = cluster.request("PATCH", f"{path}/status?fieldManager=two", some, apply)
    assert status == 200, found
    assert (found["status"]["conditions"][0]["reason"], found["status"]["conditions"][0]["message"]) == (
        "Because",
        "said",
    )
    # Alone, what is required is there, as Go would write it.
    alone = {**service, "status": {"conditions": [{"type": "Y", "status": "True"}]}}
    status, found = cluster.request("PATCH", f"{path}/status?fieldManager=three", alone, apply)
    assert status == 200 and {one["type"]: one["reason"] for one in found["status"]["conditions"]} == {
        "X": "Because",
        "Y": "",
    }


def test_who_applies_an_unknown_empty_field_does_not_own_it(cluster: Cluster) -> None:
    apply = {"Content-Type": "application/apply-patch+yaml"}
    body = config_map("odd") | {"bogus": {}, "data": {}}
    query = "fieldManager=a&fieldValidation=Ignore"
    status, made = cluster.request("PATCH", f"{CONFIGMAPS}/odd?{query}", body, apply)
    assert status == 201
    assert "bogus" not in json.dumps(made)


def test_a_path_to_a_proxy_is_written_so_that_it_can_be_followed(cluster: Cluster) -> None:
    status, headers, _ = raw(cluster, "/api/v1/namespaces/default/pods/%C5%BEe%3Fa/proxy")
    assert status == 301
    assert headers["location"] == "/api/v1/namespaces/default/pods/%C5%BEe%3Fa/proxy/"


def test_a_review_with_a_selector_that_names_no_key_is_answered(cluster: Cluster) -> None:
    asked = {
        "verb": "list",
        "resource": "pods",
        "fieldSelector": {"requirements": [{"operator": "In", "values": ["a"]}]},
    }
    body = {"apiVersion": "authorization.k8s.io/v1", "spec": {"resourceAttributes": asked}}
    body["kind"] = "SelfSubjectAccessReview"
    assert cluster.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)[0] < 500
