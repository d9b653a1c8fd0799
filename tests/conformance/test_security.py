"""[sig-node] Runtime classes, security contexts and sysctls."""

from __future__ import annotations

import pytest

from tests.conformance.api import Refused
from tests.support.server import wait_for


def test_runtime_class(ns):
    overhead = {"podFixed": {"cpu": "10m", "memory": "1Mi"}}
    classes = {
        f"{ns.name}-unset": {"handler": "bad-handler"},
        f"{ns.name}-heavy": {"handler": "runc", "overhead": overhead},
        f"{ns.name}-deleted": {"handler": "runc"},
    }
    for name, body in classes.items():
        ns.request("POST", ns.path("runtimeclasses"), {"metadata": {"name": name}, **body})
    ns.pod("bad", "pause", runtimeClassName=f"{ns.name}-unset")
    wait_for(lambda: ns.said("bad", "FailedCreatePodSandBox"), "there is no such handler")
    ns.pod("heavy", "pause", runtimeClassName=f"{ns.name}-heavy")
    assert ns.get("pods", "heavy")["spec"]["overhead"] == overhead["podFixed"]
    for name in classes:
        ns.delete("runtimeclasses", name)
    for name in (f"{ns.name}-missing", f"{ns.name}-deleted"):
        with pytest.raises(Refused) as refused:
            ns.pod("unknown", "pause", runtimeClassName=name)
        assert refused.value.code == 403
        assert f'pod rejected: RuntimeClass "{name}" not found' in str(refused.value.status)


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
