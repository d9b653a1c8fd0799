"""[sig-node]: what Kubernetes' conformance tests ask of the kubelet and its containers."""

from __future__ import annotations

import pytest

from tests.conformance.api import Refused, dumps
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


def restarts(ns, name):
    return (ns.get("pods", name)["status"].get("containerStatuses") or [{}])[0].get("restartCount", 0)


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
        wait_for(lambda one=name: restarts(ns, one) >= 1, f"{name} is restarted", 60)
    ns.ready("grpc", "tcp")
    assert restarts(ns, "grpc") == restarts(ns, "tcp") == restarts(ns, "never") == 0
    assert ns.condition("pods", "never", "Ready")["status"] == "False"


def test_runtime_class(ns):
    for name in ("missing", "deleted"):
        try:
            ns.pod(name, "pause", runtimeClassName=f"{ns.name}-{name}")
            raise AssertionError("a pod of an unknown class was taken")
        except Refused as refused:
            assert refused.code == 403 and f'pod rejected: RuntimeClass "{ns.name}-{name}" not found' in str(
                refused.status
            )
    ns.request(
        "POST",
        "/apis/node.k8s.io/v1/runtimeclasses",
        {"metadata": {"name": f"{ns.name}-unset"}, "handler": "bad-handler"},
    )
    ns.pod("bad", "pause", runtimeClassName=f"{ns.name}-unset")
    wait_for(lambda: ns.said("bad", "FailedCreatePodSandBox"), "there is no such handler")
    overhead = {"podFixed": {"cpu": "10m", "memory": "1Mi"}}
    ns.request(
        "POST",
        "/apis/node.k8s.io/v1/runtimeclasses",
        {"metadata": {"name": f"{ns.name}-heavy"}, "handler": "runc", "overhead": overhead},
    )
    ns.pod("heavy", "pause", runtimeClassName=f"{ns.name}-heavy")
    assert ns.get("pods", "heavy")["spec"]["overhead"] == overhead["podFixed"]


def test_security_context(ns):
    assert ns.shell("user", "id -u", container={"securityContext": {"runAsUser": 65534}}) == "65534\n"
    assert "uid=1001 gid=2002" in ns.shell("group", "id", securityContext={"runAsUser": 1001, "runAsGroup": 2002})
    ns.pod("root", "pause", container={"securityContext": {"runAsNonRoot": True, "runAsUser": 0}})
    wait_for(lambda: ns.said("root", "Failed"), "root is not wanted")
    assert "container's runAsUser breaks non-root policy" in ns.said("root", "Failed")[0]
    text = ns.shell(
        "esc",
        "grep NoNewPrivs /proc/self/status",
        container={"securityContext": {"allowPrivilegeEscalation": False, "runAsUser": 1000}},
    )
    assert "NoNewPrivs:\t1" in text
    text = ns.shell(
        "priv", "ip link add dummy0 type dummy || true", container={"securityContext": {"privileged": False}}
    )
    assert "Operation not permitted" in text


def test_sysctls(ns):
    text = ns.shell(
        "s",
        "/bin/sysctl kernel.shm_rmid_forced",
        securityContext={"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]},
    )
    assert text == "kernel.shm_rmid_forced = 1\n"
    with pytest.raises(Refused) as refused:
        ns.pod(
            "bad",
            "pause",
            securityContext={"sysctls": [{"name": "foo-", "value": "bar"}, {"name": "bar..", "value": "42"}]},
        )
    assert refused.value.code == 422 and "spec.securityContext.sysctls[0].name" in str(refused.value.status)


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


def test_node_lease_and_heartbeat(ns):
    def lease():
        return ns.request("GET", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1")["spec"]

    first = lease()
    assert first["holderIdentity"] == "node-1" and first["leaseDurationSeconds"] == 40
    wait_for(lambda: lease()["renewTime"] > first["renewTime"], "it is renewed", 30)


def test_lease_api(ns):
    ns.create(
        "leases",
        "l",
        {
            "holderIdentity": "holder",
            "leaseDurationSeconds": 30,
            "leaseTransitions": 0,
            "acquireTime": "2024-01-01T00:00:00.000000Z",
        },
    )
    body = ns.get("leases", "l")
    body["spec"]["holderIdentity"] = "holder2"
    ns.put("leases", "l", body)
    assert ns.patch("leases", "l", {"spec": {"leaseDurationSeconds": 60}})["spec"]["leaseDurationSeconds"] == 60
    ns.delete("leases", query="?labelSelector=")
    assert not ns.list("leases")


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


def test_events(ns):
    body = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "namespace": ns.name, "name": "x"},
        "reason": "Test",
        "message": "This is a test",
        "type": "Normal",
    }
    ns.request("POST", ns.path("events"), body)
    assert (
        ns.patch("events", "e", {"message": "This is a patched test"}, "strategic")["message"]
        == "This is a patched test"
    )
    new = f"/apis/events.k8s.io/v1/namespaces/{ns.name}/events"
    found = ns.request("GET", f"{new}/e")
    assert found["note"] == "This is a patched test" and found["regarding"]["name"] == "x"
    ns.delete("events", query="?fieldSelector=metadata.name%3De")
    assert ns.find("events", "e") is None


def test_no_execute_taint_manager_evicts_pods_with_min_toleration(ns):
    def tolerant(name, seconds):
        toleration = {
            "key": "kubernetes.io/e2e-evict-taint-key",
            "operator": "Equal",
            "value": "evictTaintVal",
            "effect": "NoExecute",
        }
        ns.pod(
            name,
            "pause",
            nodeName="node-3",
            tolerations=[{**toleration, "tolerationSeconds": seconds}] if seconds else None,
        )

    tolerant("a", 10)
    tolerant("b", 600)
    ns.pod("c", "pause", nodeName="node-3")
    ns.ready("a", "b", "c")
    taint = {"key": "kubernetes.io/e2e-evict-taint-key", "value": "evictTaintVal", "effect": "NoExecute"}
    ns.patch("nodes", "node-3", {"spec": {"taints": [taint]}})
    wait_for(lambda: ns.find("pods", "c") is None, "c does not tolerate it")
    wait_for(lambda: ns.find("pods", "a") is None, "a does for a while", 60)
    assert ns.find("pods", "b") is not None
    ns.patch("nodes", "node-3", {"spec": {"taints": None}})


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
    assert restarts(ns, "r") == 0
    assert ns.get("pods", "r")["status"]["observedGeneration"] == ns.get("pods", "r")["metadata"]["generation"]
    wait_for(lambda: ns.said("r", "ResizeStarted") and ns.said("r", "ResizeCompleted"), "events tell")
    huge = {"requests": {"cpu": "9000", "memory": "64Mi"}, "limits": {"cpu": "9000", "memory": "64Mi"}}
    ns.patch("pods", "r/resize", {"spec": {"containers": [{"name": "main", "resources": huge}]}}, "strategic")
    wait_for(lambda: ns.condition("pods", "r", "PodResizePending")["reason"] == "Infeasible", "it cannot be")
    assert ns.get("pods", "r")["status"]["containerStatuses"][0]["resources"] == bigger
    ns.patch("pods", "r/resize", {"spec": {"containers": [{"name": "main", "resources": resources}]}}, "strategic")
    wait_for(lambda: ns.get("pods", "r")["status"]["containerStatuses"][0]["resources"] == resources, "back again")
    assert ns.condition("pods", "r", "PodResizePending")["status"] == ""


def test_removing_taint_cancels_eviction(ns):
    toleration = {
        "key": "kubernetes.io/e2e-evict",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 20,
    }
    ns.pod("stays", "pause", nodeName="node-2", tolerations=[toleration])
    ns.ready("stays")
    ns.patch("nodes", "node-2", {"spec": {"taints": [{"key": "kubernetes.io/e2e-evict", "effect": "NoExecute"}]}})
    ns.exec("stays", "sleep", "5")
    ns.patch("nodes", "node-2", {"spec": {"taints": None}})
    wait_for(
        lambda: any("Cancelling deletion" in one for one in ns.said("stays", "TaintManagerEviction")), "and let off"
    )
    ns.exec("stays", "sleep", "25")
    assert "deletionTimestamp" not in ns.get("pods", "stays")["metadata"]


def test_node_lifecycle(ns):
    name = f"fake-{ns.name}"
    ns.create("nodes", name, {"unschedulable": True}, metadata={"labels": {"kubernetes.io/e2e-node": "yes"}})
    assert ns.patch("nodes", name, {"metadata": {"labels": {name: "patched"}}})["metadata"]["labels"][name] == "patched"
    assert [one["metadata"]["name"] for one in ns.list("nodes", f"{name}=patched")] == [name]

    def updated():
        body = ns.get("nodes", name)
        body["metadata"]["labels"][name] = "updated"
        try:
            return ns.put("nodes", name, body)["metadata"]["labels"][name] == "updated"
        except Refused as refused:
            assert refused.code == 409
            return False

    wait_for(updated, "updated")
    ns.delete("nodes", name)
    wait_for(lambda: ns.find("nodes", name) is None, "gone")


def test_events_api_series(ns):
    path = f"/apis/events.k8s.io/v1/namespaces/{ns.name}/events"
    body = {
        "metadata": {"name": "series"},
        "eventTime": "2017-09-19T13:49:16.000000Z",
        "action": "Do",
        "reason": "Test",
        "note": "first",
        "type": "Normal",
        "regarding": {"kind": "Pod", "name": "x", "namespace": ns.name},
        "reportingController": "test-controller",
        "reportingInstance": "test-node",
    }
    ns.request("POST", path, body)
    found = ns.request("GET", f"{path}/series")
    found["series"] = {"count": 100, "lastObservedTime": "2014-09-19T13:49:16.000000Z"}
    assert ns.request("PUT", f"{path}/series", found)["series"]["count"] == 100
    ns.request("DELETE", f"{path}/series")
    assert ns.find("events", "series") is None


def test_the_default_limits_come_from_node_allocatable(ns):
    env = [
        {"name": key, "valueFrom": {"resourceFieldRef": {"resource": path}}}
        for key, path in (("CPU_LIMIT", "limits.cpu"), ("MEMORY_LIMIT", "limits.memory"))
    ]
    text = ns.shell("d", "env", container={"env": env}, nodeName="node-1")
    assert "CPU_LIMIT=4" in text and f"MEMORY_LIMIT={8 * 1024**3}" in text
