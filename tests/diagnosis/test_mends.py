"""What would mend it, as manifests: only where the cluster itself tells what is meant."""

from __future__ import annotations

import yaml

from cluster import clock
from cluster.diagnosis.facts import Facts
from cluster.diagnosis.mends import mend

NODE = {
    "metadata": {"name": "n1"},
    "spec": {},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}],
        "allocatable": {"cpu": "4", "memory": "8Gi"},
        "images": [{"names": ["docker.io/library/nginx:1.27"]}],
    },
}


class View:
    def __init__(self, **objects):
        self.objects = {key.replace("__", "/"): value for key, value in objects.items()}

    def get(self, resource, namespace, name):
        return next((one for one in self.list(resource) if one["metadata"]["name"] == name), None)

    def list(self, resource, namespace=""):
        return self.objects.get(resource, [])


def deployment(**pod_spec):
    spec = {"containers": [{"name": "web", "image": "ngnix:1.27"}], **pod_spec}
    metadata = {"name": "web", "namespace": "shop", "uid": "u"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": spec}}}


def mended(reason, *evidence, obj=None, resource="apps/deployments", **objects):
    facts = Facts(View(**{"nodes": [NODE], **objects}), resource, obj or deployment(), clock.now())
    found = mend(facts, {"reason": reason, "evidence": list(evidence)})
    return None if found is None else (found["sentence"], list(yaml.safe_load_all(found["manifest"])))


def said(field, value="", about="pod/web-1"):
    return {"object": about, "field": field, "value": value}


def test_a_misspelled_image_becomes_the_one_that_nodes_know():
    sentence, (manifest,) = mended("ImagePullBackOff", said("status.containerStatuses[web].state"))
    assert sentence == "Use nginx:1.27, which nodes know."
    assert manifest["spec"]["template"]["spec"] == {"containers": [{"name": "web", "image": "nginx:1.27"}]}
    assert manifest["metadata"] == {"name": "web", "namespace": "shop"}


def test_what_runs_somewhere_has_been_pulled():
    bare = {**NODE, "status": {}}
    running = {
        "metadata": {"name": "p"},
        "spec": {"containers": []},
        "status": {"containerStatuses": [{"image": "docker.io/library/nginx:1.27", "imageID": "sha256:1"}]},
    }
    sentence, _ = mended("ImagePullBackOff", said("status.containerStatuses[web].state"), nodes=[bare], pods=[running])
    assert sentence.startswith("Use nginx:1.27")


def test_what_ran_before_comes_first():
    owner = [{"kind": "Deployment", "uid": "u", "controller": True, "name": "web"}]
    old = {
        "metadata": {"name": "web-1", "ownerReferences": owner},
        "status": {"readyReplicas": 2},
        "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.26"}]}}},
    }
    sentence, _ = mended("ErrImagePull", said("status.containerStatuses[web].state"), apps__replicasets=[old])
    assert sentence == "Use nginx:1.26, which it ran before."


def test_an_unheard_of_image_is_for_a_person_to_decide():
    obj = deployment(containers=[{"name": "web", "image": "registry.example.com/private:7"}])
    assert mended("ErrImagePull", said("status.containerStatuses[web].state"), obj=obj) is None


def test_a_pod_of_a_controller_is_not_mended_by_itself():
    metadata = {
        "name": "web-1",
        "namespace": "shop",
        "uid": "p",
        "ownerReferences": [{"controller": True, "uid": "u", "kind": "ReplicaSet", "name": "x"}],
    }
    pod = {"apiVersion": "v1", "metadata": metadata, "spec": {"containers": [{"name": "web", "image": "ngnix:1.27"}]}}
    assert mended("ErrImagePull", said("status.containerStatuses[web].state"), obj=pod, resource="pods") is None


def test_a_cordoned_node_is_let_go():
    tainted = {**NODE, "spec": {"taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]}}
    shown = said("spec.taints", "node.kubernetes.io/unschedulable:NoSchedule", "node/n1")
    _, (manifest,) = mended("UntoleratedTaint", shown, nodes=[tainted])
    assert (manifest["kind"], manifest["spec"]) == ("Node", {"unschedulable": False})


def test_a_taint_of_the_owners_is_tolerated_and_a_sick_node_is_not():
    own = {**NODE, "spec": {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}}
    kept = {"key": "other", "operator": "Exists"}
    _, (manifest,) = mended(
        "UntoleratedTaint",
        said("spec.taints", "gpu=yes:NoSchedule", "node/n1"),
        nodes=[own],
        obj=deployment(tolerations=[kept]),
    )
    assert manifest["spec"]["template"]["spec"]["tolerations"] == [
        kept,
        {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"},
    ]
    sick = {**NODE, "spec": {"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]}}
    assert (
        mended(
            "UntoleratedTaint", said("spec.taints", "node.kubernetes.io/not-ready:NoExecute", "node/n1"), nodes=[sick]
        )
        is None
    )


def test_a_node_gets_the_label_that_is_asked_for():
    sentence, (manifest,) = mended("NodeSelectorMismatch", obj=deployment(nodeSelector={"disk": "ssd"}))
    assert sentence == "Label node n1 with disk=ssd."
    assert manifest["metadata"] == {"name": "n1", "labels": {"disk": "ssd"}}


def test_too_much_becomes_half_of_what_is_left():
    obj = deployment(containers=[{"name": "web", "image": "x", "resources": {"requests": {"cpu": "16"}}}])
    running = {
        "metadata": {"name": "p"},
        "spec": {"nodeName": "n1", "containers": [{"resources": {"requests": {"cpu": "1"}}}]},
    }
    sentence, (manifest,) = mended(
        "InsufficientResources", said("spec.containers[*].resources.requests.cpu", "16"), obj=obj, pods=[running]
    )
    assert sentence.startswith("Ask for 1500m of cpu")
    assert manifest["spec"]["template"]["spec"]["containers"] == [
        {"name": "web", "resources": {"requests": {"cpu": "1500m"}}}
    ]


def test_what_is_missing_is_created_with_the_keys_that_are_named():
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}}]
    obj = deployment(containers=[{"name": "web", "image": "x", "env": env}])
    _, (manifest,) = mended("MissingConfigMap", said("spec…", "settings"), obj=obj)
    assert manifest == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "shop"},
        "data": {"colour": ""},
    }


def test_twice_the_memory_after_an_oom():
    obj = deployment(containers=[{"name": "web", "image": "x", "resources": {"limits": {"memory": "64Mi"}}}])
    _, (manifest,) = mended("OOMKilled", said("status.containerStatuses[web].state"), obj=obj)
    assert manifest["spec"]["template"]["spec"]["containers"][0]["resources"] == {"limits": {"memory": "128Mi"}}


def test_a_crash_has_no_mend():
    assert mended("CrashLoopBackOff", said("status.containerStatuses[web].state")) is None
