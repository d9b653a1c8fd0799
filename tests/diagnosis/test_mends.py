"""What would mend it, as manifests: only where the cluster itself tells what is meant."""

from __future__ import annotations

import pytest
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

    def said(self, namespace):
        return lambda uid: [one for one in self.list("events") if (one.get("involvedObject") or {}).get("uid") == uid]


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
    _, (manifest,) = mended("MissingConfigMap", said("spec.containers[web].env[A]", "settings"), obj=obj)
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


class Inside:
    """What a look into every pod finds."""

    def __init__(self, **found):
        self.found = {"web": found}

    def of(self, pod):
        return self.found


def probing(action, finding_event, **found):
    """The mend of a deployment whose pod's readiness probe fails so, when a look inside finds that."""
    container = {"name": "web", "image": "nginx", "ports": [{"name": "http", "containerPort": 80}]}
    obj = deployment(containers=[{**container, "readinessProbe": action}])
    owner = [{"kind": "Deployment", "uid": "u", "controller": True, "name": "web"}]
    pod = {"metadata": {"name": "web-1", "namespace": "shop", "uid": "p", "ownerReferences": owner}, "spec": {}}
    facts = Facts(View(nodes=[NODE], pods=[pod]), "apps/deployments", obj, clock.now(), None, Inside(**found))
    evidence = [said("status.containerStatuses[web].ready", "false"), said("Event", f"Unhealthy: {finding_event}")]
    found_mend = mend(facts, {"reason": "Unhealthy", "evidence": evidence})
    if found_mend is None:
        return None
    return yaml.safe_load(found_mend["manifest"])["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]


@pytest.mark.parametrize(
    ("action", "listens", "expected"),
    [
        ({"httpGet": {"port": 81, "path": "/"}}, {80: ["/"]}, {"httpGet": {"port": 80}}),
        ({"httpGet": {"port": "http", "path": "/nope"}}, {80: ["/", "/healthz"]}, {"httpGet": {"path": "/"}}),
        (
            {"httpGet": {"port": 81, "path": "/nope"}},
            {80: [], 90: ["/health"]},
            {"httpGet": {"port": 90, "path": "/health"}},
        ),
        ({"httpGet": {"port": "web", "path": "/"}}, {80: ["/"]}, {"httpGet": {"port": 80}}),
        ({"tcpSocket": {"port": 81}}, {8080: [], 80: []}, {"tcpSocket": {"port": 80}}),
        # It answers there: the port and the path are not what is wrong.
        ({"httpGet": {"port": 80, "path": "/"}}, {80: ["/"]}, None),
        ({"httpGet": {"port": 80, "path": "/x"}}, {80: []}, None),
        # It asks somebody else, or nothing is known of what listens.
        ({"httpGet": {"port": 81, "host": "example.com"}}, {80: ["/"]}, None),
        ({"httpGet": {"port": 81}}, {}, None),
        ({"exec": {"command": ["false"]}}, {80: ["/"]}, None),
    ],
)
def test_a_probe_asks_where_it_is_answered(action, listens, expected):
    assert probing(action, "Readiness probe failed: no", listens=listens) == expected


def test_memory_that_is_enough_for_what_was_held():
    obj = deployment(containers=[{"name": "web", "image": "x", "resources": {"limits": {"memory": "64Mi"}}}])
    owner = [{"kind": "Deployment", "uid": "u", "controller": True, "name": "web"}]
    pod = {"metadata": {"name": "web-1", "namespace": "shop", "uid": "p", "ownerReferences": owner}, "spec": {}}
    facts = Facts(
        View(nodes=[NODE], pods=[pod]), "apps/deployments", obj, clock.now(), None, Inside(memory=300 * 1024**2)
    )
    found = mend(facts, {"reason": "OOMKilled", "evidence": [said("status.containerStatuses[web].state")]})
    assert found["sentence"] == "8 times the memory: 512Mi for container web, of which it held 300Mi."


def refused(reason, message, obj=None, **objects):
    finding = {"reason": reason, "message": message, "evidence": []}
    found = mend(
        Facts(View(**{"nodes": [NODE], **objects}), "apps/deployments", obj or deployment(), clock.now()), finding
    )
    return None if found is None else list(yaml.safe_load_all(found["manifest"]))


def quota(hard, used):
    return {"metadata": {"name": "q", "namespace": "shop"}, "spec": {"hard": hard}, "status": {"used": used}}


def test_a_quota_becomes_large_enough_and_no_larger():
    obj = deployment()
    obj["spec"]["replicas"] = 3
    message = "exceeded quota: q, requested: pods=1,requests.memory=100Mi, used: pods=2,requests.memory=200Mi, limited: pods=2,requests.memory=250Mi"
    held = quota({"pods": "2", "requests.memory": "250Mi", "services": "1"}, {"pods": "2", "requests.memory": "200Mi"})
    (manifest,) = refused("QuotaExceeded", message, obj, resourcequotas=[held])
    assert manifest["spec"] == {"hard": {"pods": "5", "requests.memory": "500Mi"}}
    # The status follows a moment behind what was refused.
    late = quota(held["spec"]["hard"], {"pods": "0"})
    (manifest,) = refused("QuotaExceeded", message, obj, resourcequotas=[late])
    assert manifest["spec"] == {"hard": {"pods": "5", "requests.memory": "500Mi"}}
    assert refused("QuotaExceeded", message, obj) is None, "a quota that is gone is not raised"


def test_what_a_quota_counts_is_named_as_far_as_it_reaches():
    message = "failed quota: q: must specify limits.memory for: web; requests.cpu for: web"
    held = quota({"limits.memory": "64Mi", "requests.cpu": "1"}, {"limits.memory": "0", "requests.cpu": "950m"})
    (manifest,) = refused("QuotaNeedsRequests", message, resourcequotas=[held])
    resources = {"limits": {"memory": "64Mi"}, "requests": {"cpu": "50m"}}
    assert manifest["spec"]["template"]["spec"]["containers"] == [{"name": "web", "resources": resources}]
    full = quota({"limits.memory": "64Mi", "requests.cpu": "1"}, {"limits.memory": "64Mi", "requests.cpu": "0"})
    assert refused("QuotaNeedsRequests", message, resourcequotas=[full]) is None


def test_what_ran_before_only_where_nothing_else_has_changed():
    owner = [{"kind": "Deployment", "uid": "u", "controller": True, "name": "web"}]

    def before(**container):
        spec = {"containers": [{"name": "web", "image": "ngnix:1.27", **container}]}
        metadata = {"name": "web-1", "ownerReferences": owner}
        return {"metadata": metadata, "status": {"readyReplicas": 1}, "spec": {"template": {"spec": spec}}}

    crash = said("status.containerStatuses[web].state")
    obj = deployment(containers=[{"name": "web", "image": "ngnix:1.27", "command": ["false"]}])
    _, (manifest,) = mended("CrashLoopBackOff", crash, obj=obj, apps__replicasets=[before(args=["-x"])])
    expected = {"name": "web", "command": [], "args": ["-x"]}
    assert manifest["spec"]["template"]["spec"]["containers"] == [expected]
    other = before(env=[{"name": "A", "value": "1"}])
    assert mended("CrashLoopBackOff", crash, obj=obj, apps__replicasets=[other]) is None


def test_a_message_that_only_reads_like_a_quotas_is_no_mend():
    held = quota({"pods": "2"}, {"pods": "2"})
    for asked, used in (
        ("pods=abc", "pods=1"),
        ("pods=1", "pods=abc"),
        ("pods=1e999999999", "pods=1"),
        ("pods=1e99999", "pods=1"),
    ):
        message = f"exceeded quota: q, requested: {asked}, used: {used}, limited: pods=2"
        assert refused("QuotaExceeded", message, resourcequotas=[held]) is None, message
