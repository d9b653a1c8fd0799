"""[sig-node] Containers: how they start, what they say at their end, hooks, probes and logs."""

from __future__ import annotations

import pytest

from tests.conformance.api import dumps
from tests.support.server import wait_for

TERMINATION = [
    (
        {
            "terminationMessagePath": "/dev/termination-custom-log",
            "command": ["sh", "-c", "/bin/echo -n DONE > /dev/termination-custom-log"],
            "securityContext": {"runAsUser": 1000},
        },
        "DONE",
        "Succeeded",
    ),
    (
        {"terminationMessagePolicy": "FallbackToLogsOnError", "command": ["sh", "-c", "/bin/echo -n DONE; /bin/false"]},
        "DONE",
        "Failed",
    ),
    (
        {"terminationMessagePolicy": "FallbackToLogsOnError", "command": ["sh", "-c", "/bin/echo DONE; /bin/true"]},
        "",
        "Succeeded",
    ),
    (
        {
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "command": ["sh", "-c", "/bin/echo -n OK > /dev/termination-log; /bin/echo DONE; /bin/true"],
        },
        "OK",
        "Succeeded",
    ),
]


@pytest.mark.parametrize(("container", "message", "phase"), TERMINATION)
def test_termination_message(ns, container, message, phase):
    ns.pod("t", image="busybox:1.37", restartPolicy="Never", container=container)
    found = ns.phase("t", "Succeeded", "Failed")
    assert found["status"]["phase"] == phase
    assert found["status"]["containerStatuses"][0]["state"]["terminated"].get("message", "") == message


@pytest.mark.parametrize(
    ("policy", "phase", "restarts"), [("Always", "Running", 2), ("OnFailure", "Succeeded", 1), ("Never", "Failed", 0)]
)
def test_container_runtime_starts_a_container_that_exits(ns, policy, phase, restarts):
    """The blackbox test: runs, fails once or twice, with the expected count of restarts, phase and Ready condition."""
    script = "f=/restart-count/restartCount; count=$(echo 'hello' >> $f ; wc -l $f | awk {'print $1'}); if [ $count -eq 1 ]; then exit 1; fi; if [ $count -eq 2 ]; then exit 0; fi; while true; do sleep 1; done"
    mount = {"volumeMounts": [{"name": "restart-count", "mountPath": "/restart-count"}]}
    ns.pod(
        "b",
        image="busybox:1.37",
        restartPolicy=policy,
        volumes=[{"name": "restart-count", "emptyDir": {}}],
        container={"command": ["sh", "-c", script], **mount},
    )
    wait_for(
        lambda: (
            (ns.get("pods", "b")["status"].get("containerStatuses") or [{}])[0].get("restartCount") == restarts
            and ns.get("pods", "b")["status"]["phase"] == phase
        ),
        "as often as expected",
        90,
    )
    if policy == "Always":
        wait_for(lambda: ns.condition("pods", "b", "Ready")["status"] == "True", "ready")


def init_pod(ns, name, policy, *scripts, main="pause"):
    inits = [
        {"name": f"init{at}", "image": "busybox:1.37", "command": ["/bin/" + script]}
        for at, script in enumerate(scripts, 1)
    ]
    return ns.create(
        "pods",
        name,
        {
            "restartPolicy": policy,
            "initContainers": inits,
            "containers": [
                {"name": "run1", "image": "busybox:1.37", "command": ["/bin/true"]}
                if main == "true"
                else {"name": "run1", "image": "registry.k8s.io/pause:3.10"}
            ],
            "terminationGracePeriodSeconds": 1,
        },
    )


def test_init_containers(ns):
    init_pod(ns, "never", "Never", "true", "true", main="true")
    found = ns.phase("never", "Succeeded")
    assert ns.condition("pods", "never", "Initialized")["status"] == "True"
    assert all(
        one["ready"] and one["state"]["terminated"]["exitCode"] == 0 for one in found["status"]["initContainerStatuses"]
    )
    init_pod(ns, "always", "Always", "true", "true")
    ns.ready("always")
    init_pod(ns, "stuck", "Always", "false", "true")
    wait_for(
        lambda: (ns.get("pods", "stuck")["status"].get("initContainerStatuses") or [{}])[0].get("restartCount", 0) >= 3,
        "it is tried again and again",
        90,
    )
    found = ns.get("pods", "stuck")
    assert found["status"]["phase"] == "Pending"
    condition = ns.condition("pods", "stuck", "Initialized")
    assert (condition["reason"], condition["message"]) == (
        "ContainersNotInitialized",
        "containers with incomplete status: [init1 init2]",
    )
    assert found["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "PodInitializing"
    init_pod(ns, "fails", "Never", "true", "false")
    found = ns.phase("fails", "Failed")
    assert ns.condition("pods", "fails", "Initialized")["message"] == "containers with incomplete status: [init2]"


def test_container_lifecycle_hooks(ns):
    ns.pod("handler", "netexec", "--http-port=8080", "--udp-port=8081")
    ip = ns.ready("handler")[0]["status"]["podIP"]
    http = {"httpGet": {"path": "/echo?msg=poststart", "host": ip, "port": 8080}}
    stop = {"httpGet": {"path": "/echo?msg=prestop", "host": ip, "port": 8080}}
    ns.pod(
        "hooked",
        "pause",
        container={"lifecycle": {"postStart": http, "preStop": stop}},
        terminationGracePeriodSeconds=10,
    )
    ns.ready("hooked")
    wait_for(lambda: "GET /echo?msg=poststart" in ns.log("handler"), "poststart")
    ns.delete("pods", "hooked")
    wait_for(lambda: "GET /echo?msg=prestop" in ns.log("handler"), "prestop")
    run = {"exec": {"command": ["sh", "-c", f"curl http://{ip}:8080/echo?msg=execstart"]}}
    ns.pod(
        "run",
        "pause",
        container={
            "lifecycle": {
                "postStart": run,
                "preStop": {"exec": {"command": ["sh", "-c", f"curl http://{ip}:8080/echo?msg=execstop"]}},
            }
        },
        terminationGracePeriodSeconds=10,
    )
    ns.ready("run")
    wait_for(lambda: "GET /echo?msg=execstart" in ns.log("handler"), "exec poststart")
    ns.delete("pods", "run")
    wait_for(lambda: "GET /echo?msg=execstop" in ns.log("handler"), "exec prestop")


def test_prestop_should_call_prestop_when_killing_a_pod(ns):
    ns.pod("server", "nettest", "-port=8080")
    ip = ns.ready("server")[0]["status"]["podIP"]
    command = ["wget", "-O-", '--post-data={"Source": "prestop"}', f"http://{ip}:8080/write"]
    ns.pod(
        "tester",
        image="busybox:1.37",
        container={"command": ["sleep", "600"], "lifecycle": {"preStop": {"exec": {"command": command}}}},
    )
    ns.ready("tester")
    ns.delete("pods", "tester")
    wait_for(
        lambda: '"prestop": 1' in dumps(ns.request("GET", f"/api/v1/namespaces/{ns.name}/pods/server:8080/proxy/read")),
        "the server has heard of it",
    )


def test_kubelet_logs_read_only_root_and_etc_hosts(ns):
    assert ns.shell("logs", "echo 'Hello World' ; sleep 1") == "Hello World\n"
    text = ns.shell("ro", "echo test > /file; sleep 1", container={"securityContext": {"readOnlyRootFilesystem": True}})
    assert "Read-only file system" in text or "read-only" in text
    aliases = [{"ip": "123.45.67.89", "hostnames": ["foo", "bar"]}]
    text = ns.shell("hosts", "cat /etc/hosts", hostAliases=aliases)
    assert "# Kubernetes-managed hosts file." in text and "123.45.67.89\tfoo\tbar" in text
    ns.pod(
        "own",
        image="busybox:1.37",
        volumes=[{"name": "h", "hostPath": {"path": "/etc/hosts", "type": "File"}}],
        container={"command": ["sleep", "900"], "volumeMounts": [{"name": "h", "mountPath": "/etc/hosts"}]},
    )
    ns.ready("own")
    assert "Kubernetes-managed hosts file" not in ns.exec("own", "cat", "/etc/hosts")
    ns.pod("hostnet", image="busybox:1.37", hostNetwork=True, container={"command": ["sleep", "900"]})
    ns.ready("hostnet")
    assert "# Kubernetes-managed hosts file." not in ns.exec("hostnet", "cat", "/etc/hosts")


def probe(**more):
    return {"initialDelaySeconds": 1, "periodSeconds": 2, "failureThreshold": 1, **more}


def test_probes(ns):
    ns.pod(
        "exec",
        image="busybox:1.37",
        container={
            "command": ["sh", "-c", "echo ok >/tmp/health; sleep 10; rm -rf /tmp/health; sleep 600"],
            "livenessProbe": probe(exec={"command": ["cat", "/tmp/health"]}),
        },
    )
    ns.pod("http", "liveness", container={"livenessProbe": probe(httpGet={"path": "/healthz", "port": 8080})})
    ns.pod(
        "local",
        "liveness",
        container={"livenessProbe": probe(httpGet={"path": "/redirect?loc=http://0.0.0.0/", "port": 8080})},
    )
    ns.pod("grpc", "grpc-health-checking", container={"livenessProbe": probe(grpc={"port": 5000})})
    ns.pod("grpc-off", "grpc-health-checking", container={"livenessProbe": probe(grpc={"port": 2333})})
    ns.pod("tcp", "liveness", container={"livenessProbe": probe(tcpSocket={"port": 8080})})
    ns.pod("never", "test-webserver", container={"readinessProbe": probe(exec={"command": ["/bin/false"]})})
    for name in ("exec", "http", "grpc-off"):
        wait_for(lambda one=name: ns.restarts(one) >= 1, f"{name} is restarted", 60)
    ns.ready("grpc", "tcp")
    assert ns.restarts("grpc") == ns.restarts("tcp") == ns.restarts("never") == 0
    assert ns.condition("pods", "never", "Ready")["status"] == "False"
