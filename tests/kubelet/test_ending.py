"""How containers and pods end: preStop and SIGTERM share the grace period, SIGKILL, sidecars last, deadlines, force."""

from __future__ import annotations

import pytest

from cluster import clock
from tests.support.stage import AGNHOST, BUSYBOX, Stage, condition_of, play, reason_of, state_of

Obj = dict[str, object]
STUBBORN = {"image": BUSYBOX, "command": ["sh", "-c", "trap '' TERM; while true; do sleep 1; done"]}


def prestop(**handler: object) -> Obj:
    return {"lifecycle": {"preStop": handler}}


async def delete(stage: Stage, name: str, **options: int) -> tuple[float, float]:
    """Delete a pod that is ready; (seconds until it was gone, the exit code that its last version shows)."""
    await stage.ready(name)
    began = clock.now()
    await stage.admin.delete("v1/pods", name, "default", **options)
    took = await stage.gone(name) - began
    last = next(
        (
            one["status"]["containerStatuses"][0]["state"]["terminated"]
            for one in reversed(stage.story(name))
            if "terminated" in one["status"]["containerStatuses"][0]["state"]
        ),
        {"exitCode": -1},
    )
    return took, last["exitCode"]


@pytest.mark.parametrize(
    ("container", "spec", "least", "most", "code"),
    [
        # nginx hears SIGTERM at once.
        ({}, {}, 0, 3, 0),
        # A shell as process 1 ignores it, and is killed at the end of the grace period.
        ({"image": BUSYBOX, "command": ["sleep", "1000"]}, {"terminationGracePeriodSeconds": 7}, 7, 9, 137),
        (STUBBORN, {"terminationGracePeriodSeconds": 5}, 5, 7, 137),
        ({"image": BUSYBOX, "command": ["sh", "-c", "trap 'exit 3' TERM; sleep 1000 & wait"]}, {}, 0, 3, 3),
        # A hook comes first, and takes its time from the same period.
        (prestop(sleep={"seconds": 4}), {}, 4, 7, 0),
        ({**STUBBORN, **prestop(sleep={"seconds": 4})}, {"terminationGracePeriodSeconds": 10}, 10, 12, 137),
        # Whoever uses it up has two seconds more.
        ({**STUBBORN, **prestop(exec={"command": ["sleep", "60"]})}, {"terminationGracePeriodSeconds": 6}, 8, 10, 137),
        # Go's runtime exits with 2; a server may go on answering for a while.
        ({"image": AGNHOST, "args": ["pause"]}, {}, 0, 3, 2),
        ({"image": AGNHOST, "args": ["netexec", "--delay-shutdown=6"]}, {}, 6, 8, 0),
    ],
)
def test_the_grace_period(container: Obj, spec: Obj, least: float, most: float, code: int) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one", container, **spec)
        took, exit_code = await delete(stage, "one")
        assert least <= took <= most, took
        assert exit_code == code

    play(scenario)


def test_the_grace_period_of_the_deletion_counts() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one", STUBBORN, terminationGracePeriodSeconds=100)
        took, _ = await delete(stage, "one", grace_period_seconds=3)
        assert 3 <= took <= 5

    play(scenario)


def test_a_second_deletion_may_shorten_the_wait_also_during_a_hook() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one", {**STUBBORN, **prestop(sleep={"seconds": 90})}, terminationGracePeriodSeconds=100)
        await stage.ready("one")
        await stage.admin.delete("v1/pods", "one", "default")
        await clock.sleep(10)
        began = clock.now()
        await stage.admin.delete("v1/pods", "one", "default", grace_period_seconds=2)
        assert await stage.gone("one") - began <= 6

    play(scenario)


def test_a_forced_deletion_removes_the_object_at_once() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one", {**STUBBORN, **prestop(sleep={"seconds": 60})}, terminationGracePeriodSeconds=90)
        await stage.ready("one")
        await stage.admin.delete("v1/pods", "one", "default", grace_period_seconds=0)
        assert stage.there("one") is None
        await clock.sleep(1)
        assert not stage.kubelet().runtime.list_containers()

    play(scenario)


def test_a_hook_that_fails_is_told_and_does_not_hold_up_the_end() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one", prestop(exec={"command": ["sh", "-c", "echo no; exit 1"]}))
        took, _ = await delete(stage, "one")
        assert took <= 3
        assert stage.events("one", "FailedPreStopHook") == ["FailedPreStopHook PreStopHook failed"]

    play(scenario)


def test_hooks_speak_http_to_others() -> None:
    """As Kubernetes' own test of lifecycle hooks has it: the handler's log shows the request."""

    async def scenario(stage: Stage) -> None:
        await stage.pod("handler", {"image": AGNHOST, "args": ["netexec"]})
        ip = (await stage.ready("handler"))["status"]["podIP"]
        start = {"httpGet": {"host": ip, "port": 8080, "path": "/echo?msg=poststart"}}
        stop = {"exec": {"command": ["sh", "-c", f"curl http://{ip}:8080/echo?msg=prestop"]}}
        await stage.pod("hooked", {"image": AGNHOST, "lifecycle": {"postStart": start, "preStop": stop}})
        await delete(stage, "hooked")
        log = await stage.log("handler")
        assert "GET /echo?msg=poststart" in log and "GET /echo?msg=prestop" in log

    play(scenario)


def test_a_post_start_hook_holds_up_what_comes_after_it() -> None:
    async def scenario(stage: Stage) -> None:
        hook = {"lifecycle": {"postStart": {"exec": {"command": ["sleep", "10"]}}}}
        await stage.pod("one", hook, {"image": BUSYBOX, "command": ["sleep", "1000"]})
        pod = await stage.ready("one")
        first, second = (
            clock.parse(one["state"]["running"]["startedAt"]) for one in pod["status"]["containerStatuses"]
        )
        assert second - first >= 10

    play(scenario)


def test_a_post_start_hook_that_fails_ends_the_container() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one", {"lifecycle": {"postStart": {"exec": {"command": ["false"]}}}})
        await stage.when("one", lambda pod: reason_of(pod) == "CrashLoopBackOff")
        assert stage.events("one", "FailedPostStartHook", "Killing") == [
            "FailedPostStartHook PostStartHook failed",
            "Killing FailedPostStartHook",
        ]

    play(scenario)


def test_sidecars_start_before_and_end_after_the_others_in_the_opposite_order() -> None:
    async def scenario(stage: Stage) -> None:
        def sidecar(name: str) -> Obj:
            script = f"trap 'echo bye; sleep 2; exit 0' TERM; echo {name}; sleep 10000 & wait"
            return {"name": name, "image": BUSYBOX, "command": ["sh", "-c", script], "restartPolicy": "Always"}

        main = {"image": BUSYBOX, "command": ["sh", "-c", "trap 'sleep 3; exit 0' TERM; sleep 10000 & wait"]}
        await stage.pod("one", main, initContainers=[sidecar("first"), sidecar("second")])
        pod = await stage.ready("one")
        began = [
            clock.parse(one["state"]["running"]["startedAt"])
            for one in (*pod["status"]["initContainerStatuses"], *pod["status"]["containerStatuses"])
        ]
        assert began == sorted(began)
        await stage.admin.delete("v1/pods", "one", "default")
        await stage.gone("one")
        last = stage.story("one")[-1]["status"]
        ended = [
            clock.parse(one["state"]["terminated"]["finishedAt"])
            for one in (*last["containerStatuses"], *reversed(last["initContainerStatuses"]))
        ]
        assert ended == sorted(ended) and ended[2] - ended[0] >= 4
        # Readiness goes when the pod's own containers go.
        assert condition_of({"status": last}, "Ready") == "False"

    play(scenario)


def test_when_the_work_is_done_sidecars_are_ended_and_the_pod_succeeds() -> None:
    async def scenario(stage: Stage) -> None:
        side = {"name": "side", "image": AGNHOST, "args": ["netexec"], "restartPolicy": "Always"}
        work = {"image": BUSYBOX, "command": ["sleep", "5"]}
        await stage.pod("job", work, initContainers=[side], restartPolicy="Never")
        pod = await stage.when("job", lambda pod: pod["status"]["phase"] == "Succeeded")
        assert state_of(pod, field="initContainerStatuses")[0] == "terminated"

    play(scenario)


def test_a_sidecar_is_restarted_while_the_pod_runs() -> None:
    async def scenario(stage: Stage) -> None:
        script = "[ -f /v/seen ] && sleep 10000; touch /v/seen; sleep 5; exit 0"
        mounts = [{"name": "v", "mountPath": "/v"}]
        side = {
            "name": "side",
            "image": BUSYBOX,
            "command": ["sh", "-c", script],
            "restartPolicy": "Always",
            "volumeMounts": mounts,
        }
        await stage.pod("one", initContainers=[side], volumes=[{"name": "v", "emptyDir": {}}], restartPolicy="Never")
        pod = await stage.when("one", lambda pod: pod["status"]["initContainerStatuses"][0]["restartCount"] == 1)
        assert pod["status"]["phase"] == "Running"

    play(scenario)


def test_a_sidecar_that_crashes_holds_up_nobody_once_the_pod_has_begun() -> None:
    async def scenario(stage: Stage) -> None:
        script = "sleep 20; exit 1"
        side = {"name": "side", "image": BUSYBOX, "command": ["sh", "-c", script], "restartPolicy": "Always"}
        await stage.pod("one", {"image": BUSYBOX, "command": ["sh", "-c", "sleep 45; exit 1"]}, initContainers=[side])
        # The side car crashes at 20 s, 40 s and 70 s; the other is restarted at 45 s all the same.
        pod = await stage.when("one", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1)
        assert pod["status"]["initContainerStatuses"][0]["restartCount"] >= 1

    play(scenario)


def test_a_deadline_ends_the_pod_and_may_be_brought_forward() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one", activeDeadlineSeconds=1000)
        pod = await stage.ready("one")
        began = clock.parse(pod["status"]["startTime"])
        await stage.admin.patch("v1/pods", "one", {"spec": {"activeDeadlineSeconds": 20}}, "default")
        pod = await stage.when("one", lambda pod: pod["status"]["phase"] == "Failed")
        assert 20 <= clock.now() - began <= 24
        text = "Pod was active on the node longer than the specified deadline"
        assert (pod["status"]["reason"], pod["status"]["message"]) == ("DeadlineExceeded", text)
        assert state_of(pod)[1]["exitCode"] == 0

    play(scenario)


def test_a_pod_that_never_ran_goes_at_once() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one", node="", nodeSelector={"no": "where"})
        await stage.when("one", lambda pod: condition_of(pod, "PodScheduled") == "False")
        await stage.admin.delete("v1/pods", "one", "default")
        assert stage.there("one") is None

    play(scenario)
