"""What runs in a container, as Kubernetes' own conformance tests look at it: one pod a row, all started at once."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.server import wait_for

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.56"
BUSYBOX = "registry.k8s.io/e2e-test-images/busybox:1.37.0-1"
OBJECTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {data-1: value-1, data-2: value-2, path.to: nested}
binaryData: {raw: 3q3+7w==}
---
apiVersion: v1
kind: Secret
metadata: {name: hidden}
stringData: {data-1: value-1, password: hunter2}
---
apiVersion: v1
kind: Service
metadata: {name: fooservice}
spec: {ports: [{port: 8765, targetPort: 8080}], selector: {app: none}}
"""


def agnhost(*args, **spec):
    return {"image": AGNHOST, "args": list(args), **spec}


def mounttest(*args, **spec):
    return agnhost("mounttest", *args, **spec)


def shell(script, **spec):
    return {"image": BUSYBOX, "command": ["sh", "-c", script], **spec}


def mounted(volume, path="/etc/volume", **spec):
    """Pod fields with one volume, and its mount."""
    return {"volumes": [{"name": "v", **volume}]}, {"volumeMounts": [{"name": "v", "mountPath": path, **spec}]}


CONFIG = {"configMap": {"name": "settings"}}
SECRET = {"secret": {"secretName": "hidden"}}
POD_INFO = {
    "downwardAPI": {
        "items": [
            {"path": "podname", "fieldRef": {"fieldPath": "metadata.name"}},
            {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}, "mode": 0o400},
            {"path": "cpu_limit", "resourceFieldRef": {"containerName": "c", "resource": "limits.cpu"}},
            {"path": "memory_request", "resourceFieldRef": {"containerName": "c", "resource": "requests.memory"}},
        ]
    }
}
NON_ROOT = {"securityContext": {"runAsUser": 1000}}

# name: (container, other fields of the pod, what its log must match, how it ends)
PODS = {
    # -- the entrypoint and its arguments
    "defaults": (agnhost(), {}, [r"^Paused$"], "Running"),
    "arguments": (agnhost("entrypoint-tester", "override", "arguments"), {}, [r"^\[/agnhost entrypoint-tester override arguments\]$"], "Succeeded"),
    "command": (
        {"image": AGNHOST, "command": ["/agnhost-2", "entrypoint-tester"], "args": ["override"]},
        {},
        [r"^\[/agnhost-2 entrypoint-tester override\]$"],
        "Succeeded",
    ),
    # -- variables
    "composed": (
        shell("env", env=[{"name": "FOO", "value": "foo-value"}, {"name": "BAR", "value": "$(FOO);;$$(FOO);;$(NONE)"}]),
        {},
        [r"^FOO=foo-value$", r"^BAR=foo-value;;\$\(FOO\);;\$\(NONE\)$"],
        "Succeeded",
    ),
    "expanded-command": (shell('TEST=wrong echo "$(TEST)"', env=[{"name": "TEST", "value": "test-value"}]), {}, [r"^test-value$"], "Succeeded"),
    "service-links": (
        shell("env"),
        {},
        [
            r"^FOOSERVICE_SERVICE_HOST=10\.",
            r"^FOOSERVICE_SERVICE_PORT=8765$",
            r"^FOOSERVICE_PORT=tcp://10\.[\d.]+:8765$",
            r"^FOOSERVICE_PORT_8765_TCP_PROTO=tcp$",
            r"^KUBERNETES_SERVICE_PORT_HTTPS=443$",
        ],
        "Succeeded",
    ),
    "downward-env": (
        shell(
            "env",
            env=[
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "POD_UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
                {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                {"name": "HOST_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
                {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
            ],
        ),
        {},
        [r"^POD_NAME=downward-env$", r"^POD_UID=[-0-9a-f]{36}$", r"^POD_IP=10\.", r"^HOST_IP=172\.", r"^CPU=4$", r"^MEMORY=8192$"],
        "Succeeded",
    ),
    "env-from": (
        shell("env", envFrom=[{"prefix": "P_", "configMapRef": {"name": "settings"}}, {"secretRef": {"name": "hidden"}}]),
        {},
        [r"^P_data-1=value-1$", r"^password=hunter2$"],
        "Succeeded",
    ),
    # -- volumes, as mounttest sees them
    "config-map": (
        mounttest("--file_content=/etc/volume/data-1", "--file_mode=/etc/volume/data-1", **mounted(CONFIG)[1]),
        mounted(CONFIG)[0],
        [r'^content of file "/etc/volume/data-1": value-1$', r'^mode of file "/etc/volume/data-1": -rw-r--r--$'],
        "Succeeded",
    ),
    "config-map-mode": (
        mounttest("--file_mode=/etc/volume/data-1", **mounted(CONFIG)[1]),
        mounted({"configMap": {"name": "settings", "defaultMode": 0o400}})[0],
        [r'^mode of file "/etc/volume/data-1": -r--------$'],
        "Succeeded",
    ),
    "config-map-items": (
        mounttest("--file_content=/etc/volume/path/to/data-2", "--file_mode=/etc/volume/path/to/data-2", **mounted(CONFIG)[1]),
        mounted({"configMap": {"name": "settings", "items": [{"key": "data-2", "path": "path/to/data-2", "mode": 0o400}]}})[0],
        [r'^content of file "/etc/volume/path/to/data-2": value-2$', r"-r--------$"],
        "Succeeded",
    ),
    "secret-non-root": (
        mounttest("--file_content=/etc/volume/data-1", "--file_mode=/etc/volume/data-1", **mounted(SECRET)[1]),
        {
            **mounted({"secret": {"secretName": "hidden", "defaultMode": 0o440}})[0],
            "securityContext": {"runAsUser": 1000, "fsGroup": 1001},
        },
        [r'^content of file "/etc/volume/data-1": value-1$', r"-r--r-----$"],
        "Succeeded",
    ),
    "downward": (
        mounttest("--file_content=/etc/volume/labels", "--file_mode=/etc/volume/labels", **mounted(POD_INFO)[1]),
        mounted(POD_INFO)[0],
        [r'^content of file "/etc/volume/labels": app="downward"$', r"-r--------$"],
        "Succeeded",
    ),
    "downward-resources": (
        shell("cd /etc/volume; cat cpu_limit; echo; cat memory_request; echo", resources={"limits": {"cpu": "1250m", "memory": "64Mi"}}, **mounted(POD_INFO)[1]),
        mounted(POD_INFO)[0],
        [r"^2$", r"^67108864$"],
        "Succeeded",
    ),
    "empty-dir": (
        mounttest("--fs_type=/test-volume", "--file_perm=/test-volume", "--new_file_0666=/test-volume/f", "--file_perm=/test-volume/f", **mounted({}, "/test-volume")[1]),
        mounted({"emptyDir": {}})[0],
        [r'^mount type of "/test-volume": 61267$', r'^perms of file "/test-volume": -rwxrwxrwx$', r'^content of file "/test-volume/f": mount-tester new file$'],
        "Succeeded",
    ),
    "empty-dir-memory": (
        mounttest("--fs_type=/test-volume", "--new_file_0644=/test-volume/f", "--file_perm=/test-volume/f", **mounted({}, "/test-volume")[1], **NON_ROOT),
        mounted({"emptyDir": {"medium": "Memory"}})[0],
        [r'^mount type of "/test-volume": tmpfs$', r'^perms of file "/test-volume/f": -rw-r--r--$'],
        "Succeeded",
    ),
    "host-path": (
        mounttest("--file_mode=/test-volume", **mounted({}, "/test-volume")[1]),
        mounted({"hostPath": {"path": "/tmp"}})[0],
        [r'^mode of file "/test-volume": dtrwxrwxrwx$'],
        "Succeeded",
    ),
    "token-owner": (
        mounttest("--file_mode=/etc/volume/token", "--file_owner=/etc/volume/token", **mounted({})[1]),
        {
            **mounted({"projected": {"sources": [{"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 600}}]}})[0],
            "securityContext": {"runAsUser": 1000, "fsGroup": 10000},
        },
        [r'^mode of file "/etc/volume/token": -rw-r-----$', r'^owner UID of "/etc/volume/token": 1000$', r'^owner GID of "/etc/volume/token": 10000$'],
        "Succeeded",
    ),
    "sub-path": (
        shell("test -d /all/sub-path && cat /one && echo x > /sub/new && ls /all/sub-path", volumeMounts=[
            {"name": "w", "mountPath": "/sub", "subPathExpr": "$(POD)"}, {"name": "w", "mountPath": "/all"},
            {"name": "v", "mountPath": "/one", "subPath": "data-1"},
        ], env=[{"name": "POD", "value": "sub-path"}]),
        {"volumes": [{"name": "w", "emptyDir": {}}, {"name": "v", **CONFIG}]},
        [r"^value-1new$"],
        "Succeeded",
    ),
    "read-only": (shell("echo x > /etc/volume/data-1", **mounted(CONFIG)[1]), mounted(CONFIG)[0], [r"Read-only file system$"], "Failed"),
    # -- who it runs as, and what it may
    "user": (shell("id; whoami", securityContext={"runAsUser": 1000, "runAsGroup": 3000}), {"securityContext": {"supplementalGroups": [1234], "fsGroup": 2000}},
             [r"^uid=1000 gid=3000 groups=3000,1234,2000$", r"^whoami: unknown uid 1000$"], "Failed"),
    "root-file-system": (shell("touch checkfile", securityContext={"readOnlyRootFilesystem": True}), {}, [r"^touch: checkfile: Read-only file system$"], "Failed"),
    "writable-root": (shell("touch checkfile && ls -l checkfile", securityContext={"readOnlyRootFilesystem": False}), {}, [r"^-rw-r--r-- +1 root"], "Succeeded"),
    "may-not-write": (shell("touch /etc/x", **NON_ROOT), {}, [r"^touch: /etc/x: Permission denied$"], "Failed"),
    "unprivileged": (shell("ip link add dummy0 type dummy || true"), {}, [r"Operation not permitted"], "Succeeded"),
    "no-new-privileges": ({"image": "registry.k8s.io/e2e-test-images/nonewprivs:1.3", "securityContext": {"allowPrivilegeEscalation": False, "runAsUser": 1000}}, {}, [r"^Effective uid: 1000$"], "Succeeded"),
    "new-privileges": ({"image": "registry.k8s.io/e2e-test-images/nonewprivs:1.3", "securityContext": {"allowPrivilegeEscalation": True, "runAsUser": 1000}}, {}, [r"^Effective uid: 0$"], "Succeeded"),
    "image-user": ({"image": "registry.k8s.io/e2e-test-images/nonroot:1.4", "command": ["id", "-u"], "securityContext": {"runAsNonRoot": True}}, {}, [r"^1234$"], "Succeeded"),
    # -- names
    "aliases": (shell("cat /etc/hosts"), {"hostAliases": [{"ip": "123.45.67.89", "hostnames": ["foo", "bar"]}]},
                [r"^# Kubernetes-managed hosts file\.$", r"^10\.[\d.]+\taliases$", r"^# Entries added by HostAliases\.$", r"^123\.45\.67\.89\tfoo\tbar$"], "Succeeded"),
    "host-network": (shell("head -1 /etc/hosts; cat /etc/resolv.conf; hostname"), {"hostNetwork": True},
                     [r"^# Kubernetes-managed hosts file \(host network\)\.$", r"^nameserver 172", r"^node-\d$"], "Succeeded"),
    "fqdn": (shell("hostname; hostname -f; cat /etc/hosts"), {"hostname": "one", "subdomain": "two", "setHostnameAsFQDN": True},
             [r"^one\.two\.default\.svc\.cluster\.local$", r"^10\.[\d.]+\tone\.two\.default\.svc\.cluster\.local\tone$"], "Succeeded"),
    "resolver": (agnhost("dns-suffix"), {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["1.1.1.1"], "searches": ["resolv.conf.local"]}}, [r"^resolv\.conf\.local$"], "Succeeded"),
    "name-server": (agnhost("dns-server-list"), {"dnsConfig": {"nameservers": ["1.1.1.1"]}}, [r"^10\.96\.0\.10,1\.1\.1\.1$"], "Succeeded"),
    "cluster-first": (shell("cat /etc/resolv.conf"), {}, [r"^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local$", r"^nameserver 10\.96\.0\.10$", r"^options ndots:5$"], "Succeeded"),
    "sysctl": (shell("/bin/sysctl kernel.shm_rmid_forced; cat /proc/sys/kernel/shm_rmid_forced"), {"securityContext": {"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]}},
               [r"^kernel\.shm_rmid_forced = 1$", r"^1$"], "Succeeded"),
    # -- reaching others
    "services": (shell("nslookup kubernetes.default.svc.cluster.local; nc -vz -w 2 kubernetes 443"), {}, [r"^Name:\s+kubernetes\.default\.svc\.cluster\.local$", r"^Address: 10\.96\.0\.1$", r"open$"], "Succeeded"),
    "nowhere": (agnhost("connect", "no-such-service:80", "--timeout=1s"), {}, [r"^DNS:"], "Failed"),
    "refused": (agnhost("connect", "127.0.0.1:80", "--timeout=1s"), {}, [r"^REFUSED$"], "Failed"),
}  # fmt: skip


@pytest.fixture(scope="module")
def ended(cluster):
    """name → (pod, log) when all have come to their end."""
    cluster.kubectl("apply", "-f", "-", stdin=OBJECTS)
    items = []
    for name, (container, fields, _, _) in PODS.items():
        container = {"name": "c", "imagePullPolicy": "IfNotPresent", **container}
        spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, **fields, "containers": [container]}
        items.append(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}
        )
    cluster.kubectl("create", "-f", "-", stdin="\n---\n".join(map(json.dumps, items)))

    def pods():
        found = json.loads(cluster.kubectl("get", "pods", "-o", "json"))["items"]
        by_name = {pod["metadata"]["name"]: pod for pod in found}
        there = all(by_name[name]["status"]["phase"] != "Pending" for name in PODS)
        over = all(
            by_name[name]["status"]["phase"] in ("Succeeded", "Failed") or PODS[name][3] == "Running" for name in PODS
        )
        return by_name if there and over else None

    try:
        return cluster, wait_for(pods, "all pods have run", 60)
    except AssertionError:
        return cluster, {
            pod["metadata"]["name"]: pod for pod in json.loads(cluster.kubectl("get", "pods", "-o", "json"))["items"]
        }


@pytest.mark.parametrize("name", PODS)
def test_a_container(ended, name):
    cluster, pods = ended
    log = cluster.kubectl("logs", name, check=False)
    for pattern in PODS[name][2]:
        assert re.search(pattern, log, re.MULTILINE), f"{pattern}\n{log}"
    assert pods[name]["status"]["phase"] == PODS[name][3], pods[name]["status"]
