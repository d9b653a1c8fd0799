"""Pods that are bound to a node by hand: what the kubelet refuses, and how it says so; resizes; runtime classes."""

from __future__ import annotations

import pytest

from cluster.kubelet.admitting import node_predicates, node_resources, operating_system, sysctls
from tests.support.stage import BUSYBOX, Stage, condition_of, play, reason_of

Obj = dict[str, object]


def pod(container: Obj | None = None, **spec: object) -> Obj:
    return {
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"containers": [{"name": "c", **(container or {})}], **spec},
    }


def asks(**requests: str) -> Obj:
    return {"resources": {"requests": requests}}


NODE = {"metadata": {"name": "n", "labels": {"disk": "ssd"}}, "spec": {"taints": [{"key": "k", "effect": "NoExecute"}]}}
TOLERANT = [{"operator": "Exists"}]


@pytest.mark.parametrize(
    ("wanted", "used", "said"),
    [
        (asks(cpu="2"), {"cpu": 2000}, None),
        (asks(cpu="2"), {"cpu": 2001}, ("OutOfcpu", "Node didn't have enough resource: cpu, requested: 2000, used: 2001, capacity: 4000")),
        (asks(memory="1Gi"), {"memory": 0}, ("OutOfmemory", "Node didn't have enough resource: memory, requested: 1073741824, used: 0, capacity: 1024")),
        ({}, {"pods": 110}, ("OutOfpods", "Node didn't have enough resource: pods, requested: 1, used: 110, capacity: 110")),
        (asks(**{"example.com/gpu": "1"}), {}, None),
    ],
)  # fmt: skip
def test_resources(wanted: Obj, used: dict[str, int], said: object) -> None:
    assert node_resources(pod(wanted), used, {"cpu": "4", "memory": "1Ki", "pods": "110"}) == said


@pytest.mark.parametrize(
    ("one", "others", "reason"),
    [
        (pod(tolerations=TOLERANT, nodeSelector={"disk": "ssd"}), [], None),
        (pod(tolerations=TOLERANT, nodeSelector={"disk": "hdd"}), [], "NodeAffinity"),
        (pod(), [], "TaintToleration"),
        (
            pod({"ports": [{"hostPort": 80}]}, tolerations=TOLERANT),
            [pod({"ports": [{"hostPort": 80, "hostIP": "127.0.0.1"}]})],
            "NodePorts",
        ),
        (
            pod({"ports": [{"hostPort": 80}]}, tolerations=TOLERANT),
            [pod({"ports": [{"hostPort": 80, "protocol": "UDP"}]})],
            None,
        ),
    ],
)
def test_what_the_scheduler_checks_is_checked_again(one: Obj, others: list[Obj], reason: str | None) -> None:
    refused = node_predicates(one, NODE, others)
    assert (refused and refused[0]) == reason
    assert refused is None or refused[1].startswith(f"Predicate {reason} failed: node(s) ")


def test_sysctls_and_systems() -> None:
    def setting(name: str, **spec: object) -> Obj:
        return pod(securityContext={"sysctls": [{"name": name, "value": "1"}]}, **spec)

    assert sysctls(setting("kernel.shm_rmid_forced")) is None
    assert sysctls(setting("kernel.msgmax")) == ("SysctlForbidden", 'forbidden sysctl: "kernel.msgmax" not allowlisted')
    assert sysctls(setting("net.ipv4.tcp_syncookies", hostNetwork=True)) is not None
    assert operating_system(pod(os={"name": "windows"})) is not None and operating_system(pod()) is None


def test_a_refused_pod_has_failed_and_says_why() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("big", asks(cpu="5"))
        big = await stage.when("big", lambda pod: pod["status"]["phase"] == "Failed")
        text = "Node didn't have enough resource: cpu, requested: 5000, used: 0, capacity: 4000"
        assert (big["status"]["reason"], big["status"]["message"]) == ("OutOfcpu", f"Pod was rejected: {text}")
        assert stage.events("big", "OutOfcpu") == [f"OutOfcpu {text}"]
        settings = {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}
        await stage.pod("unsafe", securityContext=settings)
        await stage.when("unsafe", lambda pod: pod["status"]["phase"] == "Failed")
        assert stage.events("unsafe", "SysctlForbidden") == [
            'SysctlForbidden forbidden sysctl: "kernel.msgmax" not allowlisted'
        ]
        # A label that came a moment ago counts.
        await stage.admin.patch("v1/nodes", "node-1", {"metadata": {"labels": {"new": "yes"}}})
        await stage.pod("chosen", nodeSelector={"new": "yes"})
        await stage.ready("chosen")

    play(scenario)


def test_a_runtime_class_whose_handler_no_machine_has() -> None:
    async def scenario(stage: Stage) -> None:
        for name, handler in (("good", "test-handler"), ("bad", "gvisor")):
            body = {
                "apiVersion": "node.k8s.io/v1",
                "kind": "RuntimeClass",
                "metadata": {"name": name},
                "handler": handler,
            }
            await stage.create("node.k8s.io/v1/runtimeclasses", body, "")
            await stage.pod(name, runtimeClassName=name)
        await stage.ready("good")
        await stage.until(lambda: stage.events("bad", "FailedCreatePodSandBox"))
        assert stage.events("bad", "FailedCreatePodSandBox")[0] == (
            "FailedCreatePodSandBox Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox "
            'runtime: no runtime for "gvisor" is configured'
        )
        assert reason_of(await stage.get("bad")) == "ContainerCreating"

    play(scenario)


def test_a_resize_in_place_with_a_restart_and_beyond_the_node() -> None:
    async def scenario(stage: Stage) -> None:
        def sized(cpu: str, memory: str) -> Obj:
            both = {"cpu": cpu, "memory": memory}
            return {"name": "c", "resources": {"requests": both, "limits": both}}

        policy = [
            {"resourceName": "cpu", "restartPolicy": "NotRequired"},
            {"resourceName": "memory", "restartPolicy": "RestartContainer"},
        ]
        script = "trap 'exit 0' TERM; sleep 10000 & wait"
        await stage.pod(
            "one", {"image": BUSYBOX, "command": ["sh", "-c", script], "resizePolicy": policy, **sized("1", "64Mi")}
        )
        await stage.ready("one")

        async def resize(cpu: str, memory: str) -> None:
            change = {"spec": {"containers": [sized(cpu, memory)]}}
            await stage.admin.patch("v1/pods", "one", change, "default", subresource="resize", kind="strategic")

        await resize("2", "64Mi")
        one = await stage.when(
            "one", lambda pod: pod["status"]["containerStatuses"][0]["resources"]["limits"]["cpu"] == "2"
        )
        assert one["status"]["containerStatuses"][0]["restartCount"] == 0
        assert stage.events("one", "ResizeCompleted")
        await resize("2", "128Mi")
        one = await stage.when("one", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1)
        await stage.when(
            "one", lambda pod: pod["status"]["containerStatuses"][0]["allocatedResources"]["memory"] == "128Mi"
        )
        await resize("100", "128Mi")
        one = await stage.when("one", lambda pod: condition_of(pod, "PodResizePending") == "True")
        pending = next(one for one in one["status"]["conditions"] if one["type"] == "PodResizePending")
        assert (pending["reason"], pending["message"]) == (
            "Infeasible",
            "Node didn't have enough capacity: cpu, requested: 100000, capacity: 4000",
        )
        await resize("1", "128Mi")
        await stage.when("one", lambda pod: condition_of(pod, "PodResizePending") == "")

    play(scenario)
