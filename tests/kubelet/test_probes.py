"""Probes in virtual time: when they ask, what they count, whom they end."""

from __future__ import annotations

import pytest

from cluster import clock
from tests.support.stage import AGNHOST, BUSYBOX, Stage, condition_of, play, reason_of, state_of

Obj = dict[str, object]


def http(path: str = "/", port: int = 80, **more: object) -> Obj:
    return {"httpGet": {"path": path, "port": port}, **more}


def command(*words: str, **more: object) -> Obj:
    return {"exec": {"command": list(words)}, **more}


def test_liveness_fails_three_times_and_the_container_starts_anew() -> None:
    """The example of Kubernetes' documentation: well for 30 s, then three failures 5 s apart."""

    async def scenario(stage: Stage) -> None:
        script = "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"
        probe = command("cat", "/tmp/healthy", initialDelaySeconds=5, periodSeconds=5)
        await stage.pod("sick", {"image": BUSYBOX, "args": ["/bin/sh", "-c", script], "livenessProbe": probe})
        pod = await stage.when("sick", lambda pod: state_of(pod)[0] == "running")
        began = clock.parse(state_of(pod)[1]["startedAt"])
        await stage.until(lambda: stage.events("sick", "Killing"), 90)
        # Failures at 35, 40 and 45 s after the start, or just before.
        assert 39 <= clock.now() - began <= 47
        assert stage.events("sick", "Unhealthy") == [
            "Unhealthy Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory\n"
        ]
        assert stage.events("sick", "Killing") == ["Killing Container c failed liveness probe, will be restarted"]
        # The shell as process 1 does not hear SIGTERM: the grace period passes.
        pod = await stage.when("sick", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1, 60)
        last = pod["status"]["containerStatuses"][0]["lastState"]["terminated"]
        assert (last["exitCode"], last["reason"]) == (137, "Error")

    play(scenario)


def test_a_liveness_probe_has_a_grace_period_of_its_own() -> None:
    async def scenario(stage: Stage) -> None:
        probe = command("false", periodSeconds=1, failureThreshold=1, terminationGracePeriodSeconds=5)
        container = {"image": BUSYBOX, "command": ["sh", "-c", "sleep 1000"], "livenessProbe": probe}
        await stage.pod("own", container, terminationGracePeriodSeconds=500)
        await stage.until(lambda: stage.events("own", "Killing"))
        began = clock.now()
        await stage.when("own", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1, 60)
        assert 4.5 <= clock.now() - began <= 9

    play(scenario)


def test_nothing_else_is_asked_before_the_startup_probe_is_through() -> None:
    async def scenario(stage: Stage) -> None:
        startup = command("test", "-f", "/tmp/up", periodSeconds=2, failureThreshold=30)
        container = {
            "image": BUSYBOX,
            "command": ["sh", "-c", "sleep 20; touch /tmp/up; sleep 1000"],
            "startupProbe": startup,
            "livenessProbe": command("test", "-f", "/tmp/up", periodSeconds=1, failureThreshold=1),
            "readinessProbe": command("true", periodSeconds=3),
        }
        await stage.pod("slow", container)
        pod = await stage.when("slow", lambda pod: state_of(pod)[0] == "running")
        began = clock.parse(state_of(pod)[1]["startedAt"])
        assert pod["status"]["containerStatuses"][0]["started"] is False
        pod = await stage.when("slow", lambda pod: pod["status"]["containerStatuses"][0]["started"])
        assert 18 <= clock.now() - began <= 25
        pod = await stage.ready("slow", 10)
        assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
        assert all("Startup" in event for event in stage.events("slow", "Unhealthy"))

    play(scenario)


def test_a_startup_probe_that_never_succeeds_ends_the_container() -> None:
    async def scenario(stage: Stage) -> None:
        container = {"image": BUSYBOX, "command": ["sleep", "1000"], "startupProbe": command("false", periodSeconds=1)}
        await stage.pod("never", container, terminationGracePeriodSeconds=1)
        await stage.when("never", lambda pod: pod["status"].get("containerStatuses", [{}])[0].get("restartCount") == 1)
        assert stage.events("never", "Killing") == ["Killing Container c failed startup probe, will be restarted"]

    play(scenario)


def test_readiness_goes_and_comes_by_its_thresholds_and_restarts_nothing() -> None:
    async def scenario(stage: Stage) -> None:
        probe = command("test", "-f", "/tmp/ok", periodSeconds=2, failureThreshold=3, successThreshold=2)
        container = {"image": BUSYBOX, "command": ["sh", "-c", "touch /tmp/ok; sleep 10000"], "readinessProbe": probe}
        await stage.pod("moody", container)
        pod = await stage.ready("moody")
        await stage.run("moody", "rm", "/tmp/ok")
        began = clock.now()
        pod = await stage.when("moody", lambda pod: condition_of(pod, "Ready") == "False")
        assert 4 <= clock.now() - began <= 6.5
        ready = next(one for one in pod["status"]["conditions"] if one["type"] == "ContainersReady")
        assert (ready["reason"], ready["message"]) == ("ContainersNotReady", "containers with unready status: [c]")
        await stage.run("moody", "touch", "/tmp/ok")
        began = clock.now()
        pod = await stage.ready("moody")
        assert 2 <= clock.now() - began <= 4.5
        assert pod["status"]["containerStatuses"][0]["restartCount"] == 0

    play(scenario)


def test_readiness_waits_for_its_initial_delay() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("delayed", {"readinessProbe": http(initialDelaySeconds=30, periodSeconds=5)})
        pod = await stage.when("delayed", lambda pod: state_of(pod)[0] == "running")
        began = clock.parse(state_of(pod)[1]["startedAt"])
        await stage.ready("delayed")
        assert 30 <= clock.now() - began <= 37

    play(scenario)


@pytest.mark.parametrize(
    ("container", "probe", "said"),
    [
        ({}, http("/nosuch"), "HTTP probe failed with statuscode: 404"),
        ({}, http(port=8080), 'Get "http://{ip}:8080/": dial tcp {ip}:8080: connect: connection refused'),
        ({}, {"tcpSocket": {"port": 81}}, "dial tcp {ip}:81: connect: connection refused"),
        (
            {},
            {"grpc": {"port": 81}},
            'timeout: failed to connect service "{ip}:81" within 1s: context deadline exceeded',
        ),
        (
            {"image": AGNHOST, "args": ["grpc-health-checking", "--delay-unhealthy-sec=0"]},
            {"grpc": {"port": 5000}},
            'service unhealthy (responded with "NOT_SERVING")',
        ),
        ({}, command("sh", "-c", "echo not yet; exit 3"), "not yet\n"),
        ({}, command("sleep", "5"), 'command timed out: "sleep 5" timed out after 1s'),
    ],
)
def test_what_a_failed_probe_says(container: Obj, probe: Obj, said: str) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("web", {**container, "readinessProbe": {**probe, "periodSeconds": 2}})
        pod = await stage.when("web", lambda pod: state_of(pod)[0] == "running")
        await stage.until(lambda: stage.events("web", "Unhealthy"))
        assert stage.events("web", "Unhealthy")[0] == f"Unhealthy Readiness probe failed: {said}".replace(
            "{ip}", pod["status"]["podIP"]
        )

    play(scenario)


@pytest.mark.parametrize(
    ("container", "probe"),
    [
        ({}, http()),
        ({"ports": [{"name": "web", "containerPort": 80}]}, {"httpGet": {"port": "web"}}),
        ({}, {"tcpSocket": {"port": 80}}),
        ({"image": AGNHOST, "args": ["grpc-health-checking"]}, {"grpc": {"port": 5000}}),
        ({"image": AGNHOST, "args": ["netexec"]}, http("/redirect?location=/healthz", 8080)),
    ],
)
def test_what_succeeds(container: Obj, probe: Obj) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("web", {**container, "readinessProbe": {**probe, "periodSeconds": 2}})
        await stage.ready("web")

    play(scenario)


def test_a_redirect_elsewhere_is_a_success_with_a_warning() -> None:
    async def scenario(stage: Stage) -> None:
        probe = http("/redirect?loc=http%3A%2F%2F0.0.0.0%2F", 8080, periodSeconds=1)
        await stage.pod("away", {"image": AGNHOST, "args": ["liveness"], "livenessProbe": probe})
        await stage.until(lambda: stage.events("away", "ProbeWarning"))
        text = "ProbeWarning Liveness probe warning: Probe terminated redirects, Response body: "
        assert stage.events("away", "ProbeWarning")[0].startswith(text)
        assert not stage.events("away", "Unhealthy", "Killing")

    play(scenario)


def test_a_command_that_is_not_there_says_nothing_about_the_container() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("odd", {"livenessProbe": command("nosuch", periodSeconds=1, failureThreshold=1)})
        await stage.until(lambda: stage.events("odd", "Unhealthy"))
        await clock.sleep(10)
        event = stage.events("odd", "Unhealthy")[0]
        assert event.startswith("Unhealthy Liveness probe errored and resulted in unknown state: ")
        assert 'exec: "nosuch": executable file not found in $PATH' in event
        assert (await stage.get("odd"))["status"]["containerStatuses"][0]["restartCount"] == 0

    play(scenario)


def test_while_a_pod_ends_only_readiness_is_asked() -> None:
    async def scenario(stage: Stage) -> None:
        container = {
            "image": BUSYBOX,
            "command": [
                "sh",
                "-c",
                "touch /tmp/ok; trap 'rm /tmp/ok; sleep 15; exit 0' TERM; while true; do sleep 1; done",
            ],
            "livenessProbe": command("test", "-f", "/tmp/ok", periodSeconds=1, failureThreshold=1),
            "readinessProbe": command("test", "-f", "/tmp/ok", periodSeconds=1, failureThreshold=1),
        }
        await stage.pod("leaving", container)
        await stage.ready("leaving")
        began = clock.now()
        await stage.admin.delete("v1/pods", "leaving", "default")
        await stage.when("leaving", lambda pod: condition_of(pod, "Ready") == "False", 10)
        assert clock.now() - began < 8
        ended = await stage.gone("leaving")
        assert 14 <= ended - began <= 20
        assert stage.events("leaving", "Killing") == ["Killing Stopping container c"]

    play(scenario)


def test_the_readiness_of_a_container_that_has_ended_is_false_at_once() -> None:
    async def scenario(stage: Stage) -> None:
        probe = command("true", periodSeconds=60)
        await stage.pod(
            "over", {"image": BUSYBOX, "command": ["sleep", "20"], "readinessProbe": probe}, restartPolicy="Never"
        )
        await stage.ready("over")
        pod = await stage.when("over", lambda pod: pod["status"]["phase"] == "Succeeded")
        assert reason_of(pod) == "Completed" and pod["status"]["containerStatuses"][0]["ready"] is False
        assert {one["type"]: one.get("reason") for one in pod["status"]["conditions"] if one["type"] == "Ready"} == {
            "Ready": "PodCompleted"
        }

    play(scenario)


def test_a_probe_may_ask_another_host() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("other", {"image": "nginx"})
        ip = (await stage.ready("other"))["status"]["podIP"]
        sleeps = {"image": BUSYBOX, "command": ["sleep", "1000"]}
        await stage.pod("asks", {**sleeps, "readinessProbe": {"httpGet": {"path": "/", "port": 80, "host": ip}}})
        await stage.pod("dials", {**sleeps, "readinessProbe": {"tcpSocket": {"port": 80, "host": ip}}})
        await stage.ready("asks")
        await stage.ready("dials")
        probe = {"httpGet": {"path": "/", "port": 80, "host": "127.0.0.1"}, "periodSeconds": 1}
        await stage.pod("lost", {"image": "nginx", "readinessProbe": probe})
        await stage.until(lambda: stage.events("lost", "Unhealthy"), 30)
        (text,) = stage.events("lost", "Unhealthy")
        assert text.startswith('Unhealthy Readiness probe failed: Get "http://127.0.0.1:80/": dial tcp 127.0.0.1:80: ')

    play(scenario)
