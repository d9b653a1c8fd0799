"""What processes in a container do that is more than a command: servers that go on by themselves, input that is typed, filters."""

from __future__ import annotations

from cluster import clock
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
