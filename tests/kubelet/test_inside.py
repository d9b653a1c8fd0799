"""What processes in a container do that is more than a command: servers that go on by themselves, input that is typed, filters."""

from __future__ import annotations

import asyncio

import pytest

from cluster import clock
from cluster.kubelet.runtime.shell.commands import COMMANDS
from cluster.kubelet.runtime.shell.interpreter import Shell
from tests.support.stage import BUSYBOX, Stage, play


def test_a_server_that_goes_to_the_background_does_not_keep_its_container() -> None:
    async def scenario(stage: Stage) -> None:
        command = ["sh", "-c", "mkdir -p /www; echo hi > /www/index.html; httpd -p 8080 -h /www; sleep 100"]
        await stage.pod("served", {"image": BUSYBOX, "command": command}, restartPolicy="Never")
        await stage.pod("gone", {"image": BUSYBOX, "command": ["httpd", "-p", "8080"]}, restartPolicy="Never")
        await stage.pod("front", {"image": BUSYBOX, "command": ["httpd", "-f", "-p", "8080"]}, restartPolicy="Never")
        await stage.ready("served")
        await clock.sleep(5)
        assert await stage.run("served", "wget", "-q", "-O-", "http://localhost:8080/") == (0, "hi\n")
        await stage.when("gone", lambda pod: pod["status"]["phase"] == "Succeeded")
        await stage.when("served", lambda pod: pod["status"]["phase"] == "Succeeded", within=150)
        assert (await stage.get("front"))["status"]["phase"] == "Running"

    play(scenario)


def test_filters_of_system_calls_are_seen() -> None:
    async def scenario(stage: Stage) -> None:
        filtered, open_ = ({"seccompProfile": {"type": kind}} for kind in ("RuntimeDefault", "Unconfined"))
        look = {"image": BUSYBOX, "command": ["grep", "Seccomp:", "/proc/self/status"]}
        await stage.pod(
            "pod", look, {**look, "securityContext": open_}, securityContext=filtered, restartPolicy="Never"
        )
        await stage.when("pod", lambda pod: pod["status"]["phase"] == "Succeeded")
        assert [await stage.log("pod", one) for one in ("c", "c1")] == ["Seccomp:\t2\n", "Seccomp:\t0\n"]

    play(scenario)


def test_a_sub_path_that_is_made_is_as_open_as_its_volume() -> None:
    async def scenario(stage: Stage) -> None:
        mount = {"name": "v", "mountPath": "/v", "subPath": "sub"}
        look = {"image": BUSYBOX, "command": ["stat", "-c", "%A %g", "/v"], "volumeMounts": [mount]}
        group = {"securityContext": {"fsGroup": 123}}
        for name, source in (("memory", {"medium": "Memory"}), ("disk", {})):
            volumes = [{"name": "v", "emptyDir": source}]
            await stage.pod(name, look, volumes=volumes, restartPolicy="Never", **group)
            await stage.when(name, lambda pod: pod["status"]["phase"] == "Succeeded")
        assert await stage.log("memory") == "drwxrwsrwt 123\n"
        assert await stage.log("disk") == "drwxrwsrwx 123\n"

    play(scenario)


def test_a_fault_of_ours_ends_the_container_and_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fault(shell: Shell, args: list[str]) -> int:
        raise KeyError("ours")

    monkeypatch.setitem(COMMANDS, "uname", fault)

    async def scenario(stage: Stage) -> None:
        for name, command in (("front", "uname"), ("piped", "echo a | uname"), ("behind", "uname & wait; echo on")):
            await stage.pod(name, {"image": BUSYBOX, "command": ["sh", "-c", command]}, restartPolicy="Never")
        words = "Segmentation fault (the simulated program failed: KeyError)\n"
        for name in ("front", "piped"):
            pod = await stage.when(name, lambda pod: pod["status"]["phase"] == "Failed")
            assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 139
            assert await stage.log(name) == words
        await stage.when("behind", lambda pod: pod["status"]["phase"] == "Succeeded")
        assert await stage.log("behind") == words + "on\n"

    play(scenario)
    assert caplog.text.count("a simulated process has crashed") == 3


def test_a_probe_that_meets_a_fault_of_ours_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(shell: Shell, args: list[str]) -> int:
        raise KeyError("ours")

    monkeypatch.setitem(COMMANDS, "uname", fault)

    async def scenario(stage: Stage) -> None:
        probe = {"exec": {"command": ["uname"]}, "periodSeconds": 1}
        await stage.pod("one", {"image": BUSYBOX, "command": ["sleep", "1000"], "readinessProbe": probe})
        await stage.until(lambda: stage.events("one", "Unhealthy"))
        assert "Segmentation fault" in stage.events("one", "Unhealthy")[0]

    play(scenario)


def test_input_is_read_as_it_comes_however_much_it_is() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one", {"image": BUSYBOX, "command": ["sleep", "1000"]})
        await stage.ready("one")

        async def run(stdin: asyncio.Queue[bytes | None], *command: str) -> bytes:
            out = bytearray()
            execute = stage.world.machines.execute
            assert await execute("node-1", "default", "one", "c", list(command), stdin, out.extend, out.extend) == 0
            return bytes(out)

        # More than a pipe holds, cut in the middle of a letter, and then its end.
        stdin: asyncio.Queue[bytes | None] = asyncio.Queue()
        for part in (b"\xc3", b"\xa9" + b"x" * (5 * 1024 * 1024), b"y" * (1024 * 1024), None):
            stdin.put_nowait(part)
        assert await run(stdin, "wc", "-c") == b"6291458\n"
        # One that reads nothing does not wait for the end, which never comes.
        assert await run(asyncio.Queue(), "echo", "now") == b"now\n"

    play(scenario)


def test_who_attaches_is_heard_to_the_end_however_much_that_is() -> None:
    async def scenario(stage: Stage) -> None:
        command = ["sh", "-c", "wc -c"]
        await stage.pod(
            "one", {"image": BUSYBOX, "command": command, "stdin": True, "stdinOnce": True}, restartPolicy="Never"
        )
        await stage.ready("one")
        stdin: asyncio.Queue[bytes | None] = asyncio.Queue()
        for part in (*[b"x" * (1024 * 1024)] * 5, None):
            stdin.put_nowait(part)
        out = bytearray()
        await stage.world.machines.execute("node-1", "default", "one", "c", [], stdin, out.extend, out.extend)
        await stage.when("one", lambda pod: pod["status"]["phase"] == "Succeeded")
        assert await stage.log("one") == "5242880\n"

    play(scenario)
