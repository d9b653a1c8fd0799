"""A kubelet that starts anew finds its pods: those that ran on go on, those that lost their machine start again."""

from __future__ import annotations

from typing import Any

import pytest

from cluster import clock
from cluster.apimachinery.errors import internal
from cluster.kubelet.kubelet import Kubelet
from cluster.kubelet.podstatus import Record
from cluster.kubelet.runtime.shell.commands import COMMANDS
from cluster.kubelet.starting import Starter
from tests.support.stage import BUSYBOX, Stage, condition_of, play, reason_of

Obj = dict[str, Any]


async def restart(stage: Stage) -> None:
    """Only the kubelet's process ends and starts again; the machine has not stopped."""
    machines = stage.world.machines
    old: Kubelet = machines.kubelets.pop("node-1")
    await old.stop()
    machines._plug_in(await stage.get("node-1", "v1/nodes", ""))
    await stage.kubelet().synced.wait()


def test_containers_run_on_with_their_volumes_and_variables() -> None:
    async def scenario(stage: Stage) -> None:
        settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}, "data": {"a": "1"}}
        await stage.create("v1/configmaps", settings)
        container = {
            "image": BUSYBOX,
            "command": ["sleep", "100000"],
            "env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "s", "key": "a"}}}],
            "volumeMounts": [{"name": "v", "mountPath": "/v"}],
            "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 5},
        }
        await stage.pod("one", container, volumes=[{"name": "v", "configMap": {"name": "s"}}])
        before = await stage.ready("one")
        await restart(stage)
        await clock.sleep(30)
        after = await stage.get("one")
        assert after["status"]["containerStatuses"] == before["status"]["containerStatuses"]
        assert condition_of(after, "Ready") == "True"
        assert after["status"]["podIP"] == before["status"]["podIP"]
        assert await stage.run("one", "sh", "-c", "cat /v/a; echo $X") == (0, "11\n")

    play(scenario)


def test_a_container_that_waits_for_its_next_start_finds_its_volumes() -> None:
    async def scenario(stage: Stage) -> None:
        settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}, "data": {"a": "1"}}
        await stage.create("v1/configmaps", settings)
        crashing = {
            "image": BUSYBOX,
            "command": ["sh", "-c", "cat /v/a; exit 1"],
            "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        }
        await stage.pod("one", crashing, volumes=[{"name": "v", "configMap": {"name": "s"}}])
        await stage.when("one", lambda pod: reason_of(pod) == "CrashLoopBackOff")
        await restart(stage)
        pod = await stage.when("one", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 3, 120)
        assert pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 1
        assert await stage.log("one") == "1"

    play(scenario)


def test_a_pod_that_was_ending_ends() -> None:
    async def scenario(stage: Stage) -> None:
        stubborn = {"image": BUSYBOX, "command": ["sleep", "100000"]}
        await stage.pod("one", stubborn, terminationGracePeriodSeconds=20)
        await stage.ready("one")
        await stage.admin.delete("v1/pods", "one", "default")
        await clock.sleep(2)
        await restart(stage)
        await stage.gone("one", 40)

    play(scenario)


def test_after_a_reboot_everything_starts_again() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one")
        await stage.pod("done", {"image": BUSYBOX, "command": ["true"]}, restartPolicy="Never")
        await stage.ready("one")
        await stage.when("done", lambda pod: pod["status"]["phase"] == "Succeeded")
        node = await stage.get("node-1", "v1/nodes", "")
        await stage.world.machines.fail(node)
        await clock.sleep(5)
        stage.world.machines.recover("node-1")
        pod = await stage.when("one", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1)
        last = pod["status"]["containerStatuses"][0]["lastState"]["terminated"]
        assert (last["reason"], last["exitCode"]) == ("Unknown", 255)
        assert stage.events("one", "SandboxChanged") == [
            "SandboxChanged Pod sandbox changed, it will be killed and re-created."
        ]
        await stage.ready("one")
        assert (await stage.get("done"))["status"]["phase"] == "Succeeded"
        assert stage.events("node-1", "Rebooted")

    play(scenario)


@pytest.mark.parametrize("ending", [False, True])
def test_a_failure_while_containers_are_found_loses_none_of_them(monkeypatch: pytest.MonkeyPatch, ending: bool) -> None:
    config, failing = Starter.config, set()

    async def fails_once(self: Starter, record: Record) -> Any:
        if record.spec["name"] in failing:
            failing.discard(record.spec["name"])
            raise internal("the server is not itself")
        return await config(self, record)

    monkeypatch.setattr(Starter, "config", fails_once)

    async def scenario(stage: Stage) -> None:
        box = {"image": BUSYBOX, "command": ["sh", "-c", "trap 'echo bye; exit 0' TERM; sleep 100000 & wait"]}
        await stage.pod("one", box, box)
        before = (await stage.ready("one"))["status"]["containerStatuses"]
        failing.update(("c", "c1"))
        if ending:
            began = clock.now()
            await stage.admin.delete("v1/pods", "one", "default")
            await restart(stage)
            # They are found, hear of it and end by themselves, well before they would be killed.
            assert await stage.gone("one", 20) - began < 10
            return
        await restart(stage)
        await stage.until(lambda: not failing)
        await clock.sleep(30)
        assert (await stage.get("one"))["status"]["containerStatuses"] == before
        for name in ("c", "c1"):
            assert await stage.run("one", "echo", "here", container=name) == (0, "here\n")

    play(scenario)


def test_what_cannot_run_any_more_is_found_dead_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one", {"image": BUSYBOX, "command": ["sleep", "100000"]})
        await stage.ready("one")
        monkeypatch.delitem(COMMANDS, "sleep")
        await restart(stage)
        told = await stage.until(lambda: stage.events("one", "Failed"))
        assert "executable file not found" in told[0]
        monkeypatch.undo()
        pod = await stage.when("one", lambda pod: "running" in pod["status"]["containerStatuses"][0]["state"], 60)
        assert pod["status"]["containerStatuses"][0]["restartCount"] >= 1

    play(scenario)


def test_what_a_container_wrote_in_its_own_file_system_stays_as_long_as_the_container() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod(
            "one", {"image": BUSYBOX, "command": ["sh", "-c", "mkdir /made && echo a >/made/f && sleep 600; exit 1"]}
        )
        before = (await stage.ready("one"))["status"]["containerStatuses"][0]
        assert await stage.run("one", "sh", "-c", "echo kept > /made/f; rm /etc/os-release; mkdir /d") == (0, "")
        await restart(stage)
        await clock.sleep(30)
        after = (await stage.get("one"))["status"]["containerStatuses"][0]
        assert (after["containerID"], after["restartCount"]) == (before["containerID"], 0)
        look = "cat /made/f; ls -d /d; test -e /etc/os-release || echo gone"
        assert await stage.run("one", "sh", "-c", look) == (0, "kept\n/d\ngone\n")
        # The next run of it is another container.
        pod = await stage.when("one", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1, 700)
        assert pod["status"]["containerStatuses"][0]["containerID"] != before["containerID"]
        await stage.ready("one")
        assert await stage.run("one", "sh", "-c", "cat /made/f; test -e /d || echo new") == (0, "a\nnew\n")
        disks = stage.kubelet().disks
        keys = [key for key in disks._trees if "/container/" in key]
        assert [key.rpartition("/")[2] for key in keys] == [
            (await stage.get("one"))["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
        ]

    play(scenario)
