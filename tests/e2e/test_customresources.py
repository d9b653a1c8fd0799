"""Custom resources end to end, with kubectl and over the wire: defined, served, judged, converted, changed, gone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.server import Cluster, wait_for

GROUP = "stable.example.com"
CRONTABS = f"""
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: crontabs.{GROUP}}}
spec:
  group: {GROUP}
  scope: Namespaced
  names: {{plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all]}}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {{}}
      scale: {{specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.selector}}
    additionalPrinterColumns:
    - {{name: Spec, type: string, jsonPath: .spec.cronSpec}}
    - {{name: Replicas, type: integer, jsonPath: .spec.replicas}}
    selectableFields: [{{jsonPath: .spec.color}}]
    schema: &schema
      openAPIV3Schema:
        type: object
        description: Runs things now and then.
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec: {{type: string, description: When., maxLength: 100}}
              image: {{type: string, default: nginx}}
              color: {{type: string}}
              replicas: {{type: integer, minimum: 0, maximum: MAXIMUM, default: 1}}
              items:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  properties: {{name: {{type: string}}, value: {{type: string}}}}
          status:
            type: object
            properties: {{replicas: {{type: integer}}, selector: {{type: string}}}}
  - name: v1beta1
    served: true
    storage: false
    deprecated: true
    schema: *schema
"""
DEFINITION = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/crontabs.{GROUP}"


def crontab(name: str, version: str = "v1", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{version}",
        "kind": "CronTab",
        "metadata": {"name": name},
        "spec": {"cronSpec": "* * * * *", **spec},
    }


def path(namespace: str = "default", name: str = "", version: str = "v1") -> str:
    return f"/apis/{GROUP}/{version}/namespaces/{namespace}/crontabs" + (f"/{name}" if name else "")


@pytest.fixture(scope="module")
def crontabs(cluster: Cluster) -> Cluster:
    cluster.kubectl("apply", "-f", "-", stdin=CRONTABS.replace("MAXIMUM", "10"))
    cluster.kubectl("wait", "--for=condition=Established", f"crd/crontabs.{GROUP}", "--timeout=10s")
    return cluster


def test_kubectl_knows_the_new_kind(crontabs: Cluster) -> None:
    crontabs.kubectl("apply", "-f", "-", stdin=json.dumps(crontab("shown", color="red")))
    table = crontabs.kubectl("get", "ct").splitlines()
    assert table[0].split() == ["NAME", "SPEC", "REPLICAS"] and table[1].split()[0] == "shown"
    assert "When." in crontabs.kubectl("explain", "crontab.spec")
    assert "crontab.stable.example.com/shown" in crontabs.kubectl("get", "all")
    assert "shown" in crontabs.kubectl("get", "ct", "--field-selector=spec.color=red")
    assert "shown" not in crontabs.kubectl("get", "ct", "--field-selector=spec.color=blue")
    assert "deprecated" in crontabs.kubectl("get", f"crontabs.v1beta1.{GROUP}")


def test_defaults_pruning_and_strictness(crontabs: Cluster) -> None:
    status, made = crontabs.request("POST", path(), crontab("pruned", unknown=1))
    assert status == 201 and made["spec"] == {"cronSpec": "* * * * *", "image": "nginx", "replicas": 1}
    assert made["metadata"]["generation"] == 1
    status, refused = crontabs.request("POST", f"{path()}?fieldValidation=Strict", crontab("strict", unknown=1))
    assert status == 400 and 'strict decoding error: unknown field "spec.unknown"' in refused["message"]
    status, refused = crontabs.request("POST", path(), crontab("large", replicas=11))
    assert status == 422
    assert "spec.replicas in body should be less than or equal to 10" in refused["details"]["causes"][0]["message"]
    merge = {"Content-Type": "application/strategic-merge-patch+json"}
    assert crontabs.request("PATCH", path(name="pruned"), {"spec": {}}, merge)[0] == 415


def test_status_and_scale_are_written_apart(crontabs: Cluster) -> None:
    crontabs.request("POST", path(), crontab("scaled"))
    merge = {"Content-Type": "application/merge-patch+json"}
    status, obj = crontabs.request(
        "PATCH",
        f"{path(name='scaled')}/status",
        {"spec": {"replicas": 9}, "status": {"replicas": 1, "selector": "a=b"}},
        merge,
    )
    assert status == 200 and obj["spec"]["replicas"] == 1 and obj["metadata"]["generation"] == 1
    assert "scaled" in crontabs.kubectl("scale", "ct/scaled", "--replicas=5")
    scale = crontabs.request("GET", f"{path(name='scaled')}/scale")[1]
    assert scale["spec"] == {"replicas": 5} and scale["status"] == {"replicas": 1, "selector": "a=b"}
    assert crontabs.request("GET", path(name="scaled"))[1]["metadata"]["generation"] == 2


def test_apply_merges_lists_by_key(crontabs: Cluster) -> None:
    def applied(manager: str, *items: dict[str, str]) -> tuple[int, Any]:
        body = {**crontab("merged"), "spec": {"cronSpec": "* * * * *", "items": list(items)}}
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return crontabs.request("PATCH", f"{path(name='merged')}?fieldManager={manager}", body, headers)

    assert applied("a", {"name": "x", "value": "1"})[0] == 201
    status, obj = applied("b", {"name": "y", "value": "2"})
    assert status == 200 and {one["name"] for one in obj["spec"]["items"]} == {"x", "y"}
    status, refused = applied("b", {"name": "x", "value": "3"})
    assert status == 409 and '.spec.items[name="x"].value' in refused["message"]
    status, obj = applied("a")
    assert [one["name"] for one in obj["spec"]["items"]] == ["y"]


def test_each_version_speaks_for_itself(crontabs: Cluster) -> None:
    assert (
        crontabs.request("POST", path(version="v1beta1"), crontab("old", "v1beta1"))[1]["apiVersion"]
        == f"{GROUP}/v1beta1"
    )
    assert crontabs.request("GET", path(name="old"))[1]["apiVersion"] == f"{GROUP}/v1"
    listed = crontabs.request("GET", path(version="v1beta1"))[1]
    assert {one["apiVersion"] for one in listed["items"]} == {f"{GROUP}/v1beta1"}
    group = crontabs.request("GET", f"/apis/{GROUP}")[1]
    assert group["preferredVersion"]["version"] == "v1"


def test_a_stricter_definition_lets_be_what_is(crontabs: Cluster) -> None:
    crontabs.request("POST", path(), crontab("before", replicas=9))
    crontabs.kubectl("apply", "-f", "-", stdin=CRONTABS.replace("MAXIMUM", "5"))
    merge = {"Content-Type": "application/merge-patch+json"}
    assert crontabs.request("PATCH", path(name="before"), {"spec": {"color": "blue"}}, merge)[0] == 200
    assert crontabs.request("PATCH", path(name="before"), {"spec": {"replicas": 8}}, merge)[0] == 422
    assert crontabs.request("POST", path(), crontab("after", replicas=9))[0] == 422


def test_a_namespace_takes_its_custom_resources_along_and_quota_counts_them(crontabs: Cluster) -> None:
    crontabs.kubectl("create", "namespace", "brief")
    crontabs.kubectl("-n", "brief", "create", "quota", "few", f"--hard=count/crontabs.{GROUP}=1")
    assert crontabs.request("POST", path("brief"), crontab("one"))[0] == 201
    status, refused = crontabs.request("POST", path("brief"), crontab("two"))
    assert status == 403 and "exceeded quota: few" in refused["message"]
    quota = "/api/v1/namespaces/brief/resourcequotas/few"
    wait_for(
        lambda: crontabs.request("GET", quota)[1].get("status", {}).get("used") == {f"count/crontabs.{GROUP}": "1"}
    )
    crontabs.kubectl("delete", "namespace", "brief", "--timeout=30s")
    assert crontabs.request("GET", path("brief", "one"))[0] == 404


def test_dependents_of_a_custom_resource_go_with_it(crontabs: Cluster) -> None:
    owner = crontabs.request("POST", path(), crontab("owner"))[1]
    reference = {"apiVersion": f"{GROUP}/v1", "kind": "CronTab", "name": "owner", "uid": owner["metadata"]["uid"]}
    child = crontab("child")
    child["metadata"]["ownerReferences"] = [reference]
    crontabs.request("POST", path(), child)
    crontabs.kubectl("delete", "ct/owner")
    wait_for(lambda: crontabs.request("GET", path(name="child"))[0] == 404)


def test_names_in_use_are_not_accepted(crontabs: Cluster) -> None:
    other = json.loads(crontabs.kubectl("get", f"crd/crontabs.{GROUP}", "-o", "json"))
    names = {"plural": "others", "singular": "other", "kind": "CronTab", "listKind": "OtherList"}
    body = {**other, "metadata": {"name": f"others.{GROUP}"}, "spec": {**other["spec"], "names": names}}
    body.pop("status")
    crontabs.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body)

    def conditions() -> dict[str, Any]:
        found = crontabs.request("GET", DEFINITION.replace("crontabs.", "others."))[1]
        return {one["type"]: one for one in found["status"]["conditions"]}

    told = wait_for(conditions)
    assert told["NamesAccepted"]["reason"] == "KindConflict" and told["Established"]["status"] == "False"
    assert told["NamesAccepted"]["message"] == '"CronTab" is already in use'
    crontabs.kubectl("delete", f"crd/others.{GROUP}")


def test_a_definition_takes_its_objects_along(crontabs: Cluster) -> None:
    held = crontab("held")
    held["metadata"]["finalizers"] = ["example.com/wait"]
    crontabs.request("POST", path(), held)
    crontabs.kubectl("delete", f"crd/crontabs.{GROUP}", "--wait=false")
    wait_for(lambda: len(crontabs.request("GET", path())[1]["items"]) == 1)
    status, refused = crontabs.request("POST", path(), crontab("late"))
    assert status == 405 and refused["message"] == "create not allowed while custom resource definition is terminating"
    terminating = crontabs.request("GET", DEFINITION)[1]["status"]["conditions"]
    assert any(one["type"] == "Terminating" and one["status"] == "True" for one in terminating)
    merge = {"Content-Type": "application/merge-patch+json"}
    crontabs.request("PATCH", path(name="held"), {"metadata": {"finalizers": None}}, merge)
    wait_for(lambda: crontabs.request("GET", DEFINITION)[0] == 404)
    assert crontabs.request("GET", path())[0] == 404
    groups = crontabs.request(
        "GET", "/apis", headers={"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    )[1]
    assert GROUP not in {one["metadata"]["name"] for one in groups["items"]}
    assert f"apis/{GROUP}/v1" not in crontabs.request("GET", "/openapi/v3")[1]["paths"]


# -- other shapes ------------------------------------------------------------------------------------------------------


def widgets(schema: dict[str, Any], **version: Any) -> dict[str, Any]:
    served = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}
    names = {"plural": "widgets", "kind": "Widget"}
    spec = {"group": "shapes.example.com", "scope": "Cluster", "names": names, "versions": [served]}
    metadata = {"name": "widgets.shapes.example.com"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": spec,
    }


DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/shapes.example.com/v1/widgets"


def serve(cluster: Cluster, body: dict[str, Any]) -> None:
    path = f"{DEFINITIONS}/widgets.shapes.example.com"
    if cluster.request("GET", path)[0] == 200:
        cluster.request("DELETE", path)
        wait_for(lambda: cluster.request("GET", path)[0] == 404)
    status, answer = cluster.request("POST", DEFINITIONS, body)
    assert status == 201, answer
    wait_for(lambda: cluster.request("GET", WIDGETS)[0] == 200)


def widget(name: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "shapes.example.com/v1", "kind": "Widget", "metadata": {"name": name}, **fields}


def test_rules_refuse_and_say_why(cluster: Cluster) -> None:
    limits = {"type": "object", "properties": {"low": {"type": "integer"}, "high": {"type": "integer"}}}
    rules = [
        {"rule": "self.low <= self.high", "messageExpression": "'low (%d) is above high'.format([self.low])"},
        {"rule": "self.low >= oldSelf.low", "message": "low may only grow"},
    ]
    serve(cluster, widgets({"type": "object", "properties": {"spec": {**limits, "x-kubernetes-validations": rules}}}))
    status, refused = cluster.request("POST", WIDGETS, widget("a", spec={"low": 5, "high": 1}))
    assert (
        status == 422
        and refused["message"] == 'Widget.shapes.example.com "a" is invalid: spec: Invalid value: low (5) is above high'
    )
    assert cluster.request("POST", WIDGETS, widget("a", spec={"low": 5, "high": 9}))[0] == 201
    merge = {"Content-Type": "application/merge-patch+json"}
    status, refused = cluster.request("PATCH", f"{WIDGETS}/a", {"spec": {"low": 4}}, merge)
    assert status == 422 and "low may only grow" in refused["message"]
    bad = widgets(
        {"type": "object", "properties": {"spec": {**limits, "x-kubernetes-validations": [{"rule": "self.nope > 1"}]}}}
    )
    bad["metadata"]["name"], bad["spec"]["names"] = (
        "gadgets.shapes.example.com",
        {"plural": "gadgets", "kind": "Gadget"},
    )
    status, refused = cluster.request("POST", DEFINITIONS, bad)
    assert status == 422 and "undefined field 'nope'" in refused["message"]


def test_metadata_inside_is_metadata(cluster: Cluster) -> None:
    template = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
    serve(
        cluster,
        widgets({"type": "object", "properties": {"spec": {"type": "object", "properties": {"template": template}}}}),
    )
    inner = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "unknownSub": 1}, "anything": {"goes": True}}
    body = widget("b", spec={"template": inner})
    body["metadata"]["unknownMeta"] = 1
    status, refused = cluster.request("POST", f"{WIDGETS}?fieldValidation=Strict", body)
    assert status == 400 and 'unknown field "metadata.unknownMeta"' in refused["message"]
    assert 'unknown field "spec.template.metadata.unknownSub"' in refused["message"]
    made = cluster.request("POST", WIDGETS, body)[1]
    assert made["spec"]["template"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x"},
        "anything": {"goes": True},
    }
    status, refused = cluster.request("POST", WIDGETS, widget("c", spec={"template": {"metadata": {}}}))
    assert status == 422 and "spec.template.kind: Required value: must not be empty" in refused["message"]


def test_defaults_reach_what_is_stored_already(cluster: Cluster) -> None:
    spec: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
    body = widgets({"type": "object", "properties": {"spec": spec}})
    serve(cluster, body)
    cluster.request("POST", WIDGETS, widget("old", spec={"a": "1"}))
    spec["properties"]["b"] = {"type": "string", "default": "two"}
    current = cluster.request("GET", f"{DEFINITIONS}/widgets.shapes.example.com")[1]
    current["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = spec
    assert cluster.request("PUT", f"{DEFINITIONS}/widgets.shapes.example.com", current)[0] == 200
    assert cluster.request("GET", f"{WIDGETS}/old")[1]["spec"] == {"a": "1", "b": "two"}
    assert cluster.request("GET", WIDGETS)[1]["items"][0]["spec"] == {"a": "1", "b": "two"}
    published = cluster.request("GET", "/openapi/v3/apis/shapes.example.com/v1")[1]["components"]["schemas"]
    assert published["com.example.shapes.v1.Widget"]["properties"]["spec"]["properties"]["b"]["default"] == "two"
    older = cluster.request("GET", "/openapi/v2")[1]["definitions"]["com.example.shapes.v1.Widget"]
    assert set(older["properties"]["spec"]["properties"]) == {"a", "b"}


def test_anything_goes_where_the_schema_says_so(cluster: Cluster) -> None:
    serve(cluster, widgets({"type": "object", "x-kubernetes-preserve-unknown-fields": True}))
    status, made = cluster.request(
        "POST", f"{WIDGETS}?fieldValidation=Strict", widget("free", spec={"x": {"y": [1, None]}})
    )
    assert status == 201 and made["spec"] == {"x": {"y": [1, None]}}
    older = cluster.request("GET", "/openapi/v2")[1]["definitions"]["com.example.shapes.v1.Widget"]
    assert set(older) == {"type", "x-kubernetes-group-version-kind"}, "nothing is said of the fields"
    duplicate = (
        '{"apiVersion":"shapes.example.com/v1","kind":"Widget","metadata":{"name":"twice"},"spec":{"a":1,"a":2}}'
    )
    done = cluster.run("curl", "-sk", "-H", f"Authorization: Bearer {cluster.token()}", "-H", "Content-Type: application/json", "-d", duplicate, f"https://127.0.0.1:{cluster.https}{WIDGETS}?fieldValidation=Strict")  # fmt: skip
    assert 'duplicate field \\"spec.a\\"' in done.stdout
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(widget("loose", anything=1)))


def test_a_webhook_converts_between_versions(cluster: Cluster, tmp_path: Any) -> None:
    """v1 says `size`, v2 says `spec.size`: only the webhook knows."""
    from tests.support.hooks import Hook

    hook = Hook(tmp_path)

    def convert(review: dict[str, Any]) -> dict[str, Any]:
        wanted, converted = review["request"]["desiredAPIVersion"], []
        for obj in review["request"]["objects"]:
            fresh = {**obj, "apiVersion": wanted}
            if wanted.endswith("/v2"):
                fresh["spec"] = {"size": fresh.pop("size", 0)}
            else:
                fresh["size"] = fresh.pop("spec", {}).get("size", 0)
            converted.append(fresh)
        response = {"uid": review["request"]["uid"], "result": {"status": "Success"}, "convertedObjects": converted}
        return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview", "response": response}

    hook.reply = convert
    body = widgets({"type": "object", "properties": {"size": {"type": "integer"}}})
    inner = {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1}}}
    second = {
        "name": "v2",
        "served": True,
        "storage": False,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": inner}}},
    }
    body["spec"]["versions"].append(second)
    body["spec"]["conversion"] = {
        "strategy": "Webhook",
        "webhook": {"clientConfig": hook.client_config, "conversionReviewVersions": ["v1"]},
    }
    serve(cluster, body)
    assert cluster.request("POST", WIDGETS, widget("one", size=3))[0] == 201
    newer = WIDGETS.replace("/v1/", "/v2/")
    status, seen = cluster.request("GET", f"{newer}/one")
    assert status == 200 and seen["spec"] == {"size": 3} and "size" not in seen
    merge = {"Content-Type": "application/merge-patch+json"}
    status, patched = cluster.request("PATCH", f"{newer}/one", {"spec": {"size": 7}}, merge)
    assert status == 200 and patched["spec"] == {"size": 7} and patched["apiVersion"].endswith("/v2")
    assert cluster.request("GET", f"{WIDGETS}/one")[1]["size"] == 7
    made = {**widget("two", spec={"size": 5}), "apiVersion": "shapes.example.com/v2"}
    assert cluster.request("POST", newer, made)[0] == 201
    assert [one["size"] for one in cluster.request("GET", WIDGETS)[1]["items"]] == [7, 5]
    assert [one["spec"]["size"] for one in cluster.request("GET", newer)[1]["items"]] == [7, 5]
    events = cluster.kubectl("get", "--raw", f"{newer}?watch=1&resourceVersion=0&timeoutSeconds=1")
    assert '"spec":{"size":7}' in events
    hook.close()
    status, refused = cluster.request("GET", f"{newer}/one")
    assert (
        status == 500 and "conversion webhook for shapes.example.com/v1, Kind=Widget failed: Post" in refused["message"]
    )
