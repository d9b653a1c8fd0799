"""[sig-node] Runtime classes, security contexts and sysctls."""

from __future__ import annotations

import pytest

from tests.conformance.api import Refused
from tests.support.server import wait_for


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
