"""[sig-node] What a container finds when it starts: its command, the downward API, expanded variables."""

from __future__ import annotations

from tests.conformance.api import Refused
from tests.support.server import wait_for


def test_containers_arguments_and_commands(ns):
    ns.pod("args", "entrypoint-tester", "override", "arguments", restartPolicy="Never")
    ns.phase("args", "Succeeded")
    assert "[/agnhost entrypoint-tester override arguments]" in ns.log("args")
    ns.pod(
        "both",
        "entrypoint-tester",
        "override",
        "arguments",
        restartPolicy="Never",
        container={"command": ["/agnhost-2"]},
    )
    ns.phase("both", "Succeeded")
    assert "[/agnhost-2 entrypoint-tester override arguments]" in ns.log("both")


def test_downward_api_env(ns):
    fields = {
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "POD_IP": "status.podIP",
        "HOST_IP": "status.hostIP",
        "POD_UID": "metadata.uid",
        "HOST_IPS": "status.hostIPs",
        "POD_IPS": "status.podIPs",
    }
    env = [{"name": key, "valueFrom": {"fieldRef": {"fieldPath": path}}} for key, path in fields.items()]
    env += [
        {"name": key, "valueFrom": {"resourceFieldRef": {"resource": path}}}
        for key, path in (
            ("CPU_LIMIT", "limits.cpu"),
            ("MEMORY_LIMIT", "limits.memory"),
            ("CPU_REQUEST", "requests.cpu"),
        )
    ]
    resources = {"requests": {"cpu": "250m", "memory": "32Mi"}, "limits": {"cpu": "1250m", "memory": "64Mi"}}
    text = ns.shell("d", "env", container={"env": env, "resources": resources})
    found = ns.get("pods", "d")
    for line in (
        "POD_NAME=d",
        f"POD_NAMESPACE={ns.name}",
        f"POD_UID={found['metadata']['uid']}",
        f"HOST_IP={found['status']['hostIP']}",
        "CPU_LIMIT=2",
        "MEMORY_LIMIT=67108864",
        "CPU_REQUEST=1",
    ):
        assert line in text.splitlines(), line


def test_variable_expansion(ns):
    env = [
        {"name": "FOO", "value": "foo-value"},
        {"name": "BAR", "value": "bar-value"},
        {"name": "FOOBAR", "value": "$(FOO);;$(BAR)"},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    ns.pod("v", image="busybox:1.37", restartPolicy="Never", container={"env": env, "command": ["sh", "-c", "env"]})
    ns.phase("v", "Succeeded")
    assert "FOOBAR=foo-value;;bar-value" in ns.log("v")
    ns.pod(
        "c",
        image="busybox:1.37",
        restartPolicy="Never",
        container={
            "env": [{"name": "TEST_VAR", "value": "test-value"}],
            "command": ["sh", "-c"],
            "args": ['TEST_VAR=wrong echo "$(TEST_VAR)"'],
        },
    )
    ns.phase("c", "Succeeded")
    assert ns.log("c") == "test-value\n"
    mount = {"name": "workdir1", "mountPath": "/logscontainer", "subPathExpr": "$(POD)"}
    whole = {"name": "workdir1", "mountPath": "/testcontainer"}
    ns.pod(
        "s",
        image="busybox:1.37",
        restartPolicy="Never",
        volumes=[{"name": "workdir1", "emptyDir": {}}],
        container={
            "env": env,
            "volumeMounts": [mount, whole],
            "command": ["sh", "-c", "test -d /testcontainer/s;echo $?"],
        },
    )
    ns.phase("s", "Succeeded")
    assert ns.log("s") == "0\n"
    for at in range(2):
        bad = {"name": "workdir1", "mountPath": "/logscontainer", "subPathExpr": "/tmp" if at else "..$(POD)/.."}
        try:
            ns.pod(
                f"bad{at}",
                "pause",
                volumes=[{"name": "workdir1", "emptyDir": {}}],
                container={"env": env, "volumeMounts": [bad]},
            )
        except Refused as refused:
            assert refused.code == 422
            continue
        wait_for(
            lambda one=f"bad{at}": (
                (ns.get("pods", one)["status"].get("containerStatuses") or [{}])[0]
                .get("state", {})
                .get("waiting", {})
                .get("reason")
                == "CreateContainerConfigError"
            ),
            "it does not start",
        )


def test_variable_expansion_should_verify_that_a_failing_subpath_expansion_can_be_modified(ns):
    env = [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['mysubpath']"}}}]
    mount = {"name": "workdir1", "mountPath": "/volume_mount", "subPathExpr": "$(POD_NAME)"}
    ns.pod(
        "m",
        "pause",
        volumes=[{"name": "workdir1", "emptyDir": {}}],
        container={"env": env, "volumeMounts": [mount]},
        metadata={"annotations": {"notmysubpath": "mypath"}},
    )
    wait_for(
        lambda: (
            (ns.get("pods", "m")["status"].get("containerStatuses") or [{}])[0]
            .get("state", {})
            .get("waiting", {})
            .get("reason")
            == "CreateContainerConfigError"
        ),
        "it does not start",
    )
    ns.patch("pods", "m", {"metadata": {"annotations": {"mysubpath": "mypath"}}})
    ns.ready("m")


def test_the_default_limits_come_from_node_allocatable(ns):
    env = [
        {"name": key, "valueFrom": {"resourceFieldRef": {"resource": path}}}
        for key, path in (("CPU_LIMIT", "limits.cpu"), ("MEMORY_LIMIT", "limits.memory"))
    ]
    text = ns.shell("d", "env", container={"env": env}, nodeName="node-1")
    assert "CPU_LIMIT=4" in text and f"MEMORY_LIMIT={8 * 1024**3}" in text
