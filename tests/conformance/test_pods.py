"""[sig-node] Pods: their lifecycle, status, quality of service, resizing and debugging."""

from __future__ import annotations

import pytest

from tests.support.server import wait_for


def test_pods_should_run_through_the_lifecycle_of_pods_and_pod_status(ns):
    ns.create(
        "pods",
        "lc",
        {"containers": [{"name": "main", "image": "nginx:1.27"}], "terminationGracePeriodSeconds": 1},
        metadata={"labels": {"test-pod-static": "true"}},
    )
    ns.ready("lc")
    ns.patch(
        "pods",
        "lc",
        {
            "metadata": {"labels": {"test-pod": "patched"}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": "nginx:1.28"}]},
        },
        "strategic",
    )
    wait_for(
        lambda: ns.get("pods", "lc")["status"]["containerStatuses"][0]["image"].endswith("1.28"),
        "the new image runs",
        60,
    )
    obj = ns.get("pods", "lc")
    conditions = [
        {**one, "status": "False"} if one["type"] in ("Ready",) else one for one in obj["status"]["conditions"]
    ]
    ns.patch("pods", "lc/status", {"status": {"conditions": conditions}}, "strategic")
    wait_for(lambda: ns.condition("pods", "lc", "Ready")["status"] == "True", "the kubelet knows better", 60)
    ns.delete("pods", query="?labelSelector=test-pod-static%3Dtrue")
    wait_for(lambda: ns.find("pods", "lc") is None, "it is gone")


def test_pods_should_get_a_host_ip_and_service_variables_and_active_deadline(ns):
    ns.create("services", "fooservice", {"selector": {"name": "x"}, "ports": [{"port": 8765, "targetPort": 8080}]})
    pod = ns.pod("p", "pause", activeDeadlineSeconds=3600)
    (pod,) = ns.ready("p")
    assert pod["status"]["hostIP"] and pod["status"]["hostIPs"] == [{"ip": pod["status"]["hostIP"]}]
    env = ns.shell("env", "env")
    for name in (
        "FOOSERVICE_SERVICE_HOST=",
        "FOOSERVICE_SERVICE_PORT=8765",
        "FOOSERVICE_PORT_8765_TCP_PORT=8765",
        "FOOSERVICE_PORT=",
    ):
        assert name in env
    ns.patch("pods", "p", {"spec": {"activeDeadlineSeconds": 5}})
    found = ns.phase("p", "Failed")
    assert found["status"]["reason"] == "DeadlineExceeded"


def test_pods_should_patch_a_pod_status_and_be_read_and_deleted_as_a_collection(ns):
    ns.pod("ps", "pause")
    ns.ready("ps")
    ns.patch(
        "pods",
        "ps/status",
        {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": {"message": "Patched by e2e"}},
        "strategic",
    )
    assert ns.get("pods", "ps")["metadata"]["annotations"]["patchedstatus"] == "true"
    for at in range(3):
        ns.pod(f"set-{at}", "pause", metadata={"labels": {"type": "Testing"}})
    ns.delete("pods", query="?labelSelector=type%3DTesting")
    wait_for(lambda: not ns.list("pods", "type=Testing"), "all are gone")


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"requests": {"cpu": "100m", "memory": "100Mi"}, "limits": {"cpu": "100m", "memory": "100Mi"}}, "Guaranteed"),
        ({"requests": {"cpu": "1m"}}, "Burstable"),
        ({}, "BestEffort"),
    ],
)
def test_qos_class_should_be_set(ns, resources, expected):
    ns.pod("q", "pause", container={"resources": resources})
    assert ns.get("pods", "q")["status"]["qosClass"] == expected


def test_ephemeral_containers(ns):
    ns.pod("target", "pause")
    ns.ready("target")
    added = {"name": "debugger", "image": "busybox:1.37", "command": ["/bin/sh"], "stdin": True, "tty": True}
    ns.patch("pods", "target/ephemeralcontainers", {"spec": {"ephemeralContainers": [added]}}, "strategic")
    wait_for(
        lambda: (
            "running"
            in ((ns.get("pods", "target")["status"].get("ephemeralContainerStatuses") or [{}])[0].get("state") or {})
        ),
        "it runs",
    )
    assert ns.exec("target", "/bin/echo", "marco", container="debugger") == "marco\n"
    body = ns.get("pods", "target")
    body["spec"]["ephemeralContainers"].append({**added, "name": "second"})
    ns.put("pods", "target/ephemeralcontainers", body)
    wait_for(lambda: len(ns.get("pods", "target")["status"].get("ephemeralContainerStatuses") or ()) == 2, "both")


def test_pod_templates(ns):
    template = {
        "metadata": {"labels": {"podtemplate": "x"}},
        "spec": {"containers": [{"name": "nginx", "image": "nginx"}]},
    }
    for at in range(3):
        ns.create("podtemplates", f"t{at}", template=template, metadata={"labels": {"podtemplate-set": "true"}})
    assert (
        ns.patch("podtemplates", "t0", {"metadata": {"labels": {"podtemplate": "patched"}}})["metadata"]["labels"][
            "podtemplate"
        ]
        == "patched"
    )
    body = ns.get("podtemplates", "t1")
    body["metadata"]["annotations"] = {"updated": "true"}
    assert ns.put("podtemplates", "t1", body)["metadata"]["annotations"] == {"updated": "true"}
    ns.delete("podtemplates", query="?labelSelector=podtemplate-set%3Dtrue")
    assert not ns.list("podtemplates")


def test_in_place_resize(ns):
    resources = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}}
    ns.pod("r", "pause", container={"resources": resources})
    ns.ready("r")
    bigger = {"requests": {"cpu": "200m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}}
    ns.patch("pods", "r/resize", {"spec": {"containers": [{"name": "main", "resources": bigger}]}}, "strategic")

    def settled():
        found = ns.get("pods", "r")
        status = found["status"]["containerStatuses"][0]
        return (
            status["resources"] == bigger
            and status["allocatedResources"] == bigger["requests"]
            and not [one for one in found["status"]["conditions"] if one["type"].startswith("PodResize")]
        )

    wait_for(settled, "it is given more")
    assert ns.restarts("r") == 0
    assert ns.get("pods", "r")["status"]["observedGeneration"] == ns.get("pods", "r")["metadata"]["generation"]
    wait_for(lambda: ns.said("r", "ResizeStarted") and ns.said("r", "ResizeCompleted"), "events tell")
    huge = {"requests": {"cpu": "9000", "memory": "64Mi"}, "limits": {"cpu": "9000", "memory": "64Mi"}}
    ns.patch("pods", "r/resize", {"spec": {"containers": [{"name": "main", "resources": huge}]}}, "strategic")
    wait_for(lambda: ns.condition("pods", "r", "PodResizePending")["reason"] == "Infeasible", "it cannot be")
    assert ns.get("pods", "r")["status"]["containerStatuses"][0]["resources"] == bigger
    ns.patch("pods", "r/resize", {"spec": {"containers": [{"name": "main", "resources": resources}]}}, "strategic")
    wait_for(lambda: ns.get("pods", "r")["status"]["containerStatuses"][0]["resources"] == resources, "back again")
    assert ns.condition("pods", "r", "PodResizePending")["status"] == ""
