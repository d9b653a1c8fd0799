"""What containers get from other objects: variables, files, tokens; what is missing and how it heals; updates; disks that stay."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cluster import clock
from tests.support.stage import BUSYBOX, Stage, play, reason_of, state_of

Obj = dict[str, Any]


def config(name: str = "settings", **data: str) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str = "hidden", **data: str) -> Obj:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def env(kind: str, name: str, key: str, **more: Any) -> Obj:
    return {"env": [{"name": "X", "valueFrom": {f"{kind}KeyRef": {"name": name, "key": key, **more}}}]}


def sleeper(**more: Any) -> Obj:
    return {"image": BUSYBOX, "command": ["sleep", "100000"], **more}


def mounted(source: Obj, path: str = "/v", **mount: Any) -> tuple[Obj, Obj]:
    return sleeper(volumeMounts=[{"name": "v", "mountPath": path, **mount}]), {"volumes": [{"name": "v", **source}]}


# what the container asks for, what it is told, what heals it
MISSING_VARIABLES = [
    (env("configMap", "settings", "a"), 'configmap "settings" not found', ("v1/configmaps", config(a="1"))),
    (env("secret", "hidden", "a"), 'secret "hidden" not found', ("v1/secrets", secret(a="1"))),
    (
        env("configMap", "other", "b"),
        "couldn't find key b in ConfigMap default/other",
        ("patch", {"data": {"b": "1"}}),
    ),
    (
        {"envFrom": [{"configMapRef": {"name": "settings"}}]},
        'configmap "settings" not found',
        ("v1/configmaps", config(a="1")),
    ),
]


@pytest.mark.parametrize(("container", "told", "cure"), MISSING_VARIABLES)
def test_a_missing_variable_is_told_and_heals(container: Obj, told: str, cure: tuple[str, Obj]) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.create("v1/configmaps", config("other", a="1"))
        await stage.pod("one", sleeper(**container))
        pod = await stage.when("one", lambda pod: reason_of(pod) == "CreateContainerConfigError")
        assert state_of(pod)[1]["message"] == told
        assert f"Failed Error: {told}" in stage.events("one", "Failed")
        how, obj = cure
        if how == "patch":
            await stage.admin.patch("v1/configmaps", "other", obj, "default")
        else:
            await stage.create(how, obj)
        await stage.ready("one", 30)

    play(scenario)


MISSING_FILES = [
    ({"configMap": {"name": "settings"}}, 'configmap "settings" not found', ("v1/configmaps", config(a="1"))),
    ({"secret": {"secretName": "hidden"}}, 'secret "hidden" not found', ("v1/secrets", secret(a="1"))),
    (
        {"configMap": {"name": "other", "items": [{"key": "b", "path": "b"}]}},
        "references non-existent config key: b",
        ("patch", {"data": {"b": "1"}}),
    ),
    (
        {"hostPath": {"path": "/none", "type": "Directory"}},
        "hostPath type check failed: /none is not a directory",
        None,
    ),
    (
        {"hostPath": {"path": "/etc/hosts", "type": "Directory"}},
        "hostPath type check failed: /etc/hosts is not a directory",
        None,
    ),
]


@pytest.mark.parametrize(("source", "told", "cure"), MISSING_FILES)
def test_a_missing_volume_is_told_and_heals(source: Obj, told: str, cure: tuple[str, Obj] | None) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.create("v1/configmaps", config("other", a="1"))
        container, spec = mounted(source)
        await stage.pod("one", container, **spec)
        await stage.until(lambda: stage.events("one", "FailedMount"))
        assert stage.events("one", "FailedMount")[0] == f'FailedMount MountVolume.SetUp failed for volume "v" : {told}'
        assert reason_of(await stage.get("one")) == "ContainerCreating"
        if cure is None:
            return
        how, obj = cure
        if how == "patch":
            await stage.admin.patch("v1/configmaps", "other", obj, "default")
        else:
            await stage.create(how, obj)
        await stage.ready("one", 200)

    play(scenario)


def test_what_is_optional_may_be_missing() -> None:
    async def scenario(stage: Stage) -> None:
        container, spec = mounted({"configMap": {"name": "none", "optional": True}})
        await stage.pod("one", {**container, **env("secret", "none", "a", optional=True)}, **spec)
        await stage.ready("one")
        assert await stage.run("one", "ls", "/v") == (0, "")
        assert await stage.run("one", "sh", "-c", "echo [$X]") == (0, "[]\n")
        await stage.create("v1/configmaps", config("none", late="yes"))
        await clock.sleep(120)
        assert await stage.run("one", "cat", "/v/late") == (0, "yes")

    play(scenario)


def test_files_follow_their_objects_and_variables_do_not() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.create("v1/configmaps", config(a="1", gone="x"))
        container, spec = mounted({"configMap": {"name": "settings"}})
        one = {**container, **env("configMap", "settings", "a")}
        one["volumeMounts"] = [*one["volumeMounts"], {"name": "v", "mountPath": "/fixed", "subPath": "a"}]
        await stage.pod("one", one, **spec)
        await stage.ready("one")
        await stage.admin.patch("v1/configmaps", "settings", {"data": {"a": "2", "new": "y", "gone": None}}, "default")
        await clock.sleep(120)
        assert await stage.run("one", "cat", "/v/a") == (0, "2")
        assert await stage.run("one", "ls", "/v") == (0, "a\nnew\n")
        # Of a single file that is mounted the old one stays.
        assert await stage.run("one", "cat", "/fixed") == (0, "1")
        assert await stage.run("one", "sh", "-c", "echo $X") == (0, "1\n")

    play(scenario)


def test_files_stand_behind_a_link_that_is_switched_at_once() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.create("v1/configmaps", config(a="1", b="x"))
        items = [{"key": "a", "path": "a"}, {"key": "b", "path": "deep/er/b", "mode": 0o400}]
        container, spec = mounted({"configMap": {"name": "settings", "items": items}})
        await stage.pod("one", container, **spec)
        await stage.ready("one")

        async def out(*command: str) -> str:
            code, text = await stage.run("one", *command)
            assert code == 0, text
            return text

        stamp = (await out("readlink", "/v/..data")).strip()
        assert re.fullmatch(r"\.\.\d{4}(_\d\d){5}\.\d+", stamp)
        assert await out("readlink", "/v/a") == "..data/a\n" and await out("readlink", "/v/deep") == "..data/deep\n"
        assert await out("readlink", "-f", "/v/deep/er/b") == f"/v/{stamp}/deep/er/b\n"
        assert (await out("ls", "-A", "/v")).split() == [stamp, "..data", "a", "deep"]
        assert "lrwxrwxrwx" in await out("ls", "-l", "/v") and await out("ls", "/v") == "a\ndeep\n"
        assert await out("stat", "-L", "-c", "%a", "/v/deep/er/b") == "400\n"
        assert await out("sh", "-c", "cat /v/* 2>/dev/null; cd /v/deep; cat er/b") == "1x"
        assert await out("find", "/v", "-type", "f") == f"/v/{stamp}/a\n/v/{stamp}/deep/er/b\n"
        assert await out("sh", "-c", "cp -rL /v/deep /tmp/copy; cat /tmp/copy/er/b") == "x"
        await stage.admin.patch("v1/configmaps", "settings", {"data": {"a": "2"}}, "default")
        await clock.sleep(120)
        assert await out("cat", "/v/a") == "2"
        assert (await out("readlink", "/v/..data")).strip() != stamp
        assert (await out("ls", "-A", "/v")).count("\n") == 4

    play(scenario)


def test_the_downward_api_follows_labels_and_annotations() -> None:
    async def scenario(stage: Stage) -> None:
        items = [
            {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
            {"path": "note", "fieldRef": {"fieldPath": "metadata.annotations['note']"}},
        ]
        container, spec = mounted({"downwardAPI": {"items": items}})
        await stage.pod("one", container, metadata={"annotations": {"note": "first"}}, **spec)
        await stage.ready("one")
        assert await stage.run("one", "cat", "/v/labels") == (0, 'app="one"')
        change = {"metadata": {"labels": {"colour": "blue"}, "annotations": {"note": "second"}}}
        await stage.admin.patch("v1/pods", "one", change, "default")
        await clock.sleep(120)
        assert await stage.run("one", "cat", "/v/labels") == (0, 'app="one"\ncolour="blue"')
        assert await stage.run("one", "cat", "/v/note") == (0, "second")

    play(scenario)


def test_tokens_are_renewed_before_they_expire() -> None:
    async def scenario(stage: Stage) -> None:
        token = {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 600}}
        container, spec = mounted({"projected": {"sources": [token]}})
        await stage.pod("one", container, **spec)
        await stage.ready("one")
        _, first = await stage.run("one", "cat", "/v/token")
        assert first.count(".") == 2
        await clock.sleep(300)
        assert (await stage.run("one", "cat", "/v/token"))[1] == first
        await clock.sleep(400)
        assert (await stage.run("one", "cat", "/v/token"))[1] != first

    play(scenario)


def test_containers_share_an_empty_directory_that_goes_with_the_pod() -> None:
    async def scenario(stage: Stage) -> None:
        mount = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
        await stage.pod("one", sleeper(**mount), sleeper(**mount), volumes=[{"name": "v", "emptyDir": {}}])
        await stage.ready("one")
        assert await stage.run("one", "sh", "-c", "echo hi > /v/f; mkdir /v/d", container="c") == (0, "")
        assert await stage.run("one", "sh", "-c", "cat /v/f; test -d /v/d && echo dir", container="c1") == (
            0,
            "hi\ndir\n",
        )
        # It outlives a container, not the pod.
        stage.world.machines.crash("default", "one", "c", out_of_memory=False)
        await stage.when("one", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1)
        await stage.ready("one")
        assert await stage.run("one", "cat", "/v/f") == (0, "hi\n")

    play(scenario)


def test_a_disk_behind_a_claim_outlives_the_pod_and_a_host_path_the_claim() -> None:
    async def scenario(stage: Stage) -> None:
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
        await stage.create("v1/persistentvolumeclaims", claim)
        volumes = [
            {"name": "v", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "h", "hostPath": {"path": "/opt/shared", "type": "DirectoryOrCreate"}},
        ]
        mounts = [{"name": "v", "mountPath": "/v"}, {"name": "h", "mountPath": "/h"}]
        for turn in (1, 2):
            await stage.pod(
                "one", sleeper(volumeMounts=mounts), volumes=volumes, terminationGracePeriodSeconds=1, node=""
            )
            await stage.ready("one")
            code, out = await stage.run("one", "sh", "-c", "cat /v/f /h/f; echo kept > /v/f; echo here > /h/f")
            assert (code, out) == ((0, "kept\nhere\n") if turn == 2 else (0, out))
            await stage.admin.delete("v1/pods", "one", "default")
            await stage.gone("one")

    play(scenario)


def test_a_claim_used_by_a_pod_that_names_its_node_must_exist() -> None:
    async def scenario(stage: Stage) -> None:
        container, spec = mounted({"persistentVolumeClaim": {"claimName": "none"}})
        await stage.pod("one", container, **spec)
        await stage.until(lambda: stage.events("one", "FailedMount"))
        assert 'persistentvolumeclaim "none" not found' in stage.events("one", "FailedMount")[0]

    play(scenario)


def test_paths_that_lead_out_of_a_volume_are_refused_and_may_be_mended() -> None:
    async def scenario(stage: Stage) -> None:
        note = {"name": "NOTE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['sub']"}}}
        container, spec = mounted({"emptyDir": {}}, subPathExpr="$(NOTE)/x")
        await stage.pod("abs", {**container, "env": [note]}, **spec)
        pod = await stage.when("abs", lambda pod: reason_of(pod) == "CreateContainerConfigError")
        assert state_of(pod)[1]["message"] == 'missing value for "NOTE"'
        text = "error SubPath `/y/x` must not be an absolute path"
        await stage.admin.patch("v1/pods", "abs", {"metadata": {"annotations": {"sub": "/y"}}}, "default")
        await stage.when("abs", lambda pod: state_of(pod)[1].get("message") == text)
        await stage.admin.patch("v1/pods", "abs", {"metadata": {"annotations": {"sub": "mine"}}}, "default")
        await stage.ready("abs", 10)
        up = {**container, "env": [{"name": "NOTE", "value": ".."}]}
        await stage.pod("up", up, **spec)
        pod = await stage.when("up", lambda pod: reason_of(pod) == "CreateContainerConfigError")
        assert state_of(pod)[1]["message"] == "unable to provision SubPath `../x`: must not contain '..'"

    play(scenario)
