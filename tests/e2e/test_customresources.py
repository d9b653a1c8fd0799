"""Custom resources end to end, with kubectl and over the wire: defined, served, judged, converted, changed, gone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.server import Cluster

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


def wait_for(said: Callable[[], Any], seconds: float = 15) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = said()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("not in time")


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
