"""[sig-storage]: volumes as files, and the storage API's own objects."""

from __future__ import annotations

import base64

import pytest

from tests.conformance.api import Refused
from tests.support.server import wait_for


def mounted(ns, name, volume, script, *, path="/etc/v", fs_group=None, user=None, **mount):
    security = {key: value for key, value in (("fsGroup", fs_group), ("runAsUser", user)) if value is not None}
    container = {"volumeMounts": [{"name": "v", "mountPath": path, **mount}]}
    return ns.shell(name, script, volumes=[{"name": "v", **volume}], container=container, securityContext=security)


def mode_of(ns, name, volume, file, **more):
    return mounted(ns, name, volume, f"ls -lL /etc/v/{file}; stat -L -c %a /etc/v/{file}", **more).split()


@pytest.mark.parametrize("kind", ["configMap", "secret", "projected-configMap", "projected-secret"])
def test_volumes_from_config_maps_and_secrets(ns, kind):
    secret = kind.endswith("secret")
    ns.request(
        "POST",
        ns.path("secrets" if secret else "configmaps"),
        {
            "metadata": {"name": "src"},
            "data": {
                f"data-{at}": base64.b64encode(f"value-{at}".encode()).decode() if secret else f"value-{at}"
                for at in (1, 2)
            },
        },
    )

    def source(**more):
        if kind.startswith("projected"):
            mode = {"defaultMode": more.pop("defaultMode")} if "defaultMode" in more else {}
            return {"projected": {"sources": [{"secret" if secret else "configMap": {"name": "src", **more}}], **mode}}
        return {"secret": {"secretName": "src", **more}} if secret else {"configMap": {"name": "src", **more}}

    assert mounted(ns, "plain", source(), "cat /etc/v/data-1") == "value-1"
    assert mode_of(ns, "mode", source(defaultMode=0o400), "data-1")[0] == "-r--------"
    assert mode_of(ns, "group", source(defaultMode=0o440), "data-1", fs_group=1001, user=1000)[0] == "-r--r-----"
    mapped = source(items=[{"key": "data-2", "path": "path/to/data-2", "mode": 0o400}])
    assert mode_of(ns, "mapped", mapped, "path/to/data-2")[0] == "-r--------"
    optional = {"projected": {"sources": [{"secret" if secret else "configMap": {"name": "none", "optional": True}}]}}
    assert mounted(ns, "optional", optional, "ls /etc/v") == ""


def test_volumes_follow_updates(ns):
    ns.request(
        "POST",
        ns.path("configmaps"),
        {
            "metadata": {"name": "upd"},
            "data": {"data-1": "value-1"},
            "binaryData": {"dump.bin": base64.b64encode(b"\xde\xca\xfe").decode()},
        },
    )
    ns.pod(
        "w",
        image="busybox:1.37",
        volumes=[
            {"name": "v", "configMap": {"name": "upd"}},
            {"name": "d", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        ],
        container={
            "command": ["sleep", "9000"],
            "volumeMounts": [{"name": "v", "mountPath": "/v"}, {"name": "d", "mountPath": "/d"}],
        },
        metadata={"labels": {"key1": "value1"}},
    )
    ns.ready("w")
    assert ns.exec("w", "hexdump", "-C", "/v/dump.bin").startswith("00000000  de ca fe")
    ns.patch("configmaps", "upd", {"data": {"data-1": "value-2", "data-3": "new"}})
    ns.patch("pods", "w", {"metadata": {"labels": {"key3": "value3"}}})
    wait_for(
        lambda: ns.exec("w", "cat", "/v/data-1") == "value-2" and ns.exec("w", "cat", "/v/data-3") == "new",
        "it follows",
        60,
    )
    wait_for(lambda: 'key3="value3"' in ns.exec("w", "cat", "/d/labels"), "labels, too", 60)


def test_immutable_config_maps_and_secrets(ns):
    for resource in ("configmaps", "secrets"):
        value = base64.b64encode(b"v").decode()
        ns.request("POST", ns.path(resource), {"metadata": {"name": "i"}, "data": {"k": value}})
        ns.patch(resource, "i", {"data": {"k": base64.b64encode(b"w").decode()}})
        ns.patch(resource, "i", {"immutable": True})
        for change in ({"data": {"k": value}}, {"immutable": False}):
            with pytest.raises(Refused) as refused:
                ns.patch(resource, "i", change)
            assert refused.value.code == 422


def test_empty_directories(ns):
    assert "drwxrwxrwx" in mounted(ns, "default", {"emptyDir": {}}, "ls -ld /etc/v")
    text = mounted(
        ns, "tmpfs", {"emptyDir": {"medium": "Memory"}}, "mount | grep /etc/v; echo hi > /etc/v/f; cat /etc/v/f"
    )
    assert "tmpfs" in text and text.endswith("hi\n")
    mount = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}
    ns.create(
        "pods",
        "two",
        {
            "volumes": [{"name": "shared", "emptyDir": {}}],
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {"name": "a", "image": "busybox", "command": ["sleep", "9000"], **mount},
                {
                    "name": "b",
                    "image": "busybox",
                    "command": ["sh", "-c", "echo Hello from b > /shared/data; sleep 9000"],
                    **mount,
                },
            ],
        },
    )
    ns.ready("two")
    wait_for(lambda: ns.exec("two", "cat", "/shared/data", container="a", check=False) == "Hello from b\n", "shared")


def test_sub_paths(ns):
    ns.request(
        "POST", ns.path("configmaps"), {"metadata": {"name": "sub"}, "data": {"configmap-key": "configmap-value"}}
    )
    text = mounted(
        ns, "s", {"configMap": {"name": "sub"}}, "cat /etc/v/file", path="/etc/v/file", subPath="configmap-key"
    )
    assert text == "configmap-value"


def test_persistent_volumes_and_claims_lifecycle(ns):
    name = f"pv-{ns.name}"
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/tmp/x"},
        "storageClassName": ns.name,
        "persistentVolumeReclaimPolicy": "Retain",
    }
    ns.create("persistentvolumes", name, spec, metadata={"labels": {"e2e": ns.name}})
    ns.create(
        "persistentvolumeclaims",
        "c",
        {"accessModes": ["ReadWriteOnce"], "storageClassName": ns.name, "resources": {"requests": {"storage": "1Gi"}}},
    )
    wait_for(lambda: ns.get("persistentvolumeclaims", "c")["status"]["phase"] == "Bound", "bound")
    for resource, one in (("persistentvolumes", name), ("persistentvolumeclaims", "c")):
        assert (
            ns.patch(resource, one, {"metadata": {"labels": {one: "patched"}}})["metadata"]["labels"][one] == "patched"
        )
        condition = {"type": "StatusPatched", "status": "True", "reason": "E2E", "message": "x"}
        if resource == "persistentvolumeclaims":
            ns.patch(resource, f"{one}/status", {"status": {"conditions": [condition]}})
            assert ns.condition(resource, one, "StatusPatched")["status"] == "True"
        else:
            ns.patch(resource, f"{one}/status", {"status": {"message": "StatusPatched", "reason": "E2E"}})
            assert ns.get(resource, f"{one}/status")["status"]["message"] == "StatusPatched"
    ns.delete("persistentvolumeclaims", "c")
    wait_for(lambda: ns.find("persistentvolumeclaims", "c") is None, "the claim is gone")
    ns.delete("persistentvolumes", query=f"?labelSelector=e2e%3D{ns.name}")
    wait_for(lambda: ns.find("persistentvolumes", name) is None, "the volume is gone")


@pytest.mark.parametrize(
    ("resource", "body"),
    [
        ("storageclasses", {"provisioner": "e2e-fake-provisioner"}),
        ("csidrivers", {"spec": {"attachRequired": False}}),
        ("csinodes", {"spec": {"drivers": []}}),
        ("csistoragecapacities", {"storageClassName": "example"}),
        (
            "volumeattachments",
            {"spec": {"attacher": "e2e", "nodeName": "node-1", "source": {"persistentVolumeName": "x"}}},
        ),
    ],
)
def test_storage_api_operations(ns, resource, body):
    names = [f"{ns.name}-{at}" for at in range(3)]
    for name in names:
        ns.request("POST", ns.path(resource), {"metadata": {"name": name, "labels": {"e2e": ns.name}}, **body})
    assert len(ns.list(resource, f"e2e={ns.name}")) == 3
    assert (
        ns.patch(resource, names[0], {"metadata": {"labels": {names[0]: "patched"}}})["metadata"]["labels"][names[0]]
        == "patched"
    )
    found = ns.get(resource, names[1])
    found["metadata"]["annotations"] = {"updated": "true"}
    assert ns.put(resource, names[1], found)["metadata"]["annotations"]["updated"] == "true"
    if resource == "volumeattachments":
        assert ns.patch(resource, f"{names[0]}/status", {"status": {"attached": True}})["status"]["attached"] is True
    ns.delete(resource, names[0])
    ns.delete(resource, query=f"?labelSelector=e2e%3D{ns.name}")
    wait_for(lambda: not ns.list(resource, f"e2e={ns.name}"), "all are gone")
