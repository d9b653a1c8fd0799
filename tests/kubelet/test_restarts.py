"""Who is restarted and when: back-off, restart policies, init containers, what waits and why."""

from __future__ import annotations

import itertools

import pytest

from cluster import clock
from cluster.kubelet.podstatus import backoff_after
from tests.support.stage import AGNHOST, BUSYBOX, Stage, condition_of, play, reason_of, state_of

Obj = dict[str, object]


def script(text: str, **more: object) -> Obj:
    return {"image": BUSYBOX, "command": ["sh", "-c", text], **more}


def test_the_waits_double_from_ten_seconds_to_five_minutes() -> None:
    backoff, waits = 0.0, []
    for _ in range(8):
        wait, backoff = backoff_after(backoff, 1000.0, 1001.0)
        waits.append(wait)
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300]


def test_who_has_run_for_ten_minutes_begins_anew() -> None:
    assert backoff_after(300.0, 1000.0, 1599.0) == (300.0, 300.0)
    assert backoff_after(300.0, 1000.0, 1601.0) == (0.0, 10.0)
    # A container that never started has no such merit.
    assert backoff_after(20.0, 0.0, 5000.0) == (20.0, 40.0)


def test_a_crashing_container_as_it_is_seen() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("crash", script("echo started; sleep 1; echo so long; exit 4"))
        seen: list[tuple[str, int]] = []
        starts: list[float] = []

        def watch() -> bool:
            pod = stage.there("crash")
            assert pod is not None
            statuses = pod["status"].get("containerStatuses")
            if statuses:
                state, fields = next(iter(statuses[0]["state"].items()))
                entry = (fields.get("reason", state), statuses[0]["restartCount"])
                if not seen or seen[-1] != entry:
                    seen.append(entry)
                if state == "running" and (not starts or starts[-1] != clock.parse(fields["startedAt"])):
                    starts.append(clock.parse(fields["startedAt"]))
            return len(starts) > 4

        await stage.until(watch, 200)
        # It shows what happened before it shows that it waits.
        assert [entry for entry in seen if entry[0] != "ContainerCreating"][:7] == [
            ("running", 0),
            ("Error", 0),
            ("running", 1),
            ("Error", 1),
            ("CrashLoopBackOff", 1),
            ("running", 2),
            ("Error", 2),
        ]
        gaps = [round(after - before) for before, after in itertools.pairwise(starts)]
        for gap, wanted in zip(gaps, (1, 11, 21, 41), strict=True):
            assert wanted <= gap <= wanted + 3, gaps
        pod = await stage.when("crash", lambda pod: reason_of(pod) == "CrashLoopBackOff")
        status = pod["status"]["containerStatuses"][0]
        uid = pod["metadata"]["uid"]
        assert status["state"]["waiting"]["message"] == (
            f"back-off 1m20s restarting failed container=c pod=crash_default({uid})"
        )
        assert status["lastState"]["terminated"]["exitCode"] == 4
        assert pod["status"]["phase"] == "Running" and condition_of(pod, "Ready") == "False"
        assert stage.events("crash", "BackOff")[0] == (
            f"BackOff Back-off restarting failed container c in pod crash_default({uid})"
        )
        assert await stage.log("crash", previous=True) == "started\nso long\n"

    play(scenario)


# policy, exit codes of the container's runs → (phase, restarts, reason of the state it ends in)
POLICIES = [
    ("Never", 0, "Succeeded", 0, "Completed"),
    ("Never", 1, "Failed", 0, "Error"),
    ("OnFailure", 0, "Succeeded", 0, "Completed"),
    ("OnFailure", 1, "Running", 1, "CrashLoopBackOff"),
    ("Always", 0, "Running", 1, "CrashLoopBackOff"),
]


@pytest.mark.parametrize(("policy", "code", "phase", "restarts", "reason"), POLICIES)
def test_restart_policies(policy: str, code: int, phase: str, restarts: int, reason: str) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one", script(f"exit {code}"), restartPolicy=policy)
        pod = await stage.when("one", lambda pod: reason_of(pod) == reason, 30)
        assert pod["status"]["phase"] == phase
        assert pod["status"]["containerStatuses"][0]["restartCount"] == restarts

    play(scenario)


def test_fails_then_succeeds_then_runs() -> None:
    """Kubernetes' conformance test of restart policies: the same script under all three of them."""
    text = """
f=/restart-count/restartCount
count=$(echo 'hello' >> $f ; wc -l $f | awk {'print $1'})
if [ $count -eq 1 ]; then
	exit 1
fi
if [ $count -eq 2 ]; then
	exit 0
fi
while true; do sleep 1; done
"""

    async def scenario(stage: Stage) -> None:
        mounts = [{"name": "v", "mountPath": "/restart-count"}]
        for name, policy in (("rpa", "Always"), ("rpof", "OnFailure"), ("rpn", "Never")):
            volumes = [{"name": "v", "emptyDir": {"medium": "Memory"}}]
            await stage.pod(name, script(text, volumeMounts=mounts), restartPolicy=policy, volumes=volumes)
        for name, phase, state, restarts, ready in (
            ("rpa", "Running", "running", 2, "True"),
            ("rpof", "Succeeded", "terminated", 1, "False"),
            ("rpn", "Failed", "terminated", 0, "False"),
        ):
            pod = await stage.when(
                name,
                lambda pod, phase=phase, state=state: (
                    (pod["status"]["phase"], state_of(pod)[0]) == (phase, state) and condition_of(pod, "Ready") != ""
                ),
            )
            pod = await stage.when(name, lambda pod, ready=ready: condition_of(pod, "Ready") == ready)
            assert pod["status"]["containerStatuses"][0]["restartCount"] == restarts

    play(scenario)


def test_the_last_words_of_a_container() -> None:
    rows = {
        "file": (script("echo -n DONE > /dev/termination-log"), "DONE"),
        "own-path": (
            script(
                "echo -n DONE > /dev/termination-custom-log",
                terminationMessagePath="/dev/termination-custom-log",
                securityContext={"runAsUser": 10000},
            ),
            "DONE",
        ),
        "log": (script("echo -n DONE; false", terminationMessagePolicy="FallbackToLogsOnError"), "DONE"),
        "log-of-success": (script("echo -n DONE; true", terminationMessagePolicy="FallbackToLogsOnError"), None),
        "file-first": (
            script(
                "echo -n OK > /dev/termination-log; echo DONE; false",
                terminationMessagePolicy="FallbackToLogsOnError",
            ),
            "OK",
        ),
        "not-asked": (script("echo DONE; false"), None),
    }

    async def scenario(stage: Stage) -> None:
        for name, (container, _) in rows.items():
            await stage.pod(name, container, restartPolicy="Never")
        for name, (_, words) in rows.items():
            pod = await stage.when(name, lambda pod: state_of(pod)[0] == "terminated")
            assert state_of(pod)[1].get("message") == words, name

    play(scenario)


def test_init_containers_run_one_after_the_other() -> None:
    async def scenario(stage: Stage) -> None:
        inits = [{"name": f"init{number}", **script("sleep 3")} for number in (1, 2)]
        await stage.pod("one", initContainers=inits)
        pod = await stage.when("one", lambda pod: state_of(pod, 0, "initContainerStatuses")[0] == "running")
        assert reason_of(pod) == reason_of(pod, 1, "initContainerStatuses") == "PodInitializing"
        conditions = {one["type"]: one for one in pod["status"]["conditions"]}
        assert conditions["Initialized"]["reason"] == "ContainersNotInitialized"
        assert conditions["Initialized"]["message"] == "containers with incomplete status: [init1 init2]"
        assert pod["status"]["phase"] == "Pending"
        pod = await stage.ready("one")
        times = [
            (
                clock.parse(one["state"]["terminated"]["startedAt"]),
                clock.parse(one["state"]["terminated"]["finishedAt"]),
            )
            for one in pod["status"]["initContainerStatuses"]
        ]
        assert times[0][1] <= times[1][0]
        assert all(one["ready"] for one in pod["status"]["initContainerStatuses"])
        order = [one["type"] for one in pod["status"]["conditions"]]
        assert order[:4] == ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"]

    play(scenario)


def test_an_init_container_that_fails() -> None:
    async def scenario(stage: Stage) -> None:
        inits = [{"name": "init1", **script("exit 1")}, {"name": "init2", **script("true")}]
        await stage.pod("never", initContainers=inits, restartPolicy="Never")
        await stage.pod("always", initContainers=inits)
        pod = await stage.when("never", lambda pod: pod["status"]["phase"] == "Failed")
        assert reason_of(pod, 1, "initContainerStatuses") == reason_of(pod) == "PodInitializing"
        pod = await stage.when("always", lambda pod: reason_of(pod, 0, "initContainerStatuses") == "CrashLoopBackOff")
        assert pod["status"]["phase"] == "Pending"
        assert pod["status"]["initContainerStatuses"][0]["restartCount"] >= 1
        assert "Back-off restarting failed container init1 in pod always" in stage.events("always", "BackOff")[0]

    play(scenario)


def test_two_containers_back_off_each_by_itself() -> None:
    """A long wait of one does not hold up the other."""

    async def scenario(stage: Stage) -> None:
        await stage.pod("two", script("exit 1"), script("sleep 100; exit 1"))
        await stage.when("two", lambda pod: pod["status"]["containerStatuses"][1]["restartCount"] == 1, 130)
        # 10 + 20 + 40 s have passed for the first one.
        pod = await stage.get("two")
        assert pod["status"]["containerStatuses"][0]["restartCount"] == 4

    play(scenario)


@pytest.mark.parametrize(
    ("image", "policy", "reason", "message", "events"),
    [
        (
            "ngnix",
            "IfNotPresent",
            "ErrImagePull",
            'failed to pull and unpack image "docker.io/library/ngnix:latest"',
            ["Failed", "Pulling"],
        ),
        ("UPPER", "IfNotPresent", "InvalidImageName", "", ["Failed", "InspectFailed"]),
        ("nginx", "Never", "ErrImageNeverPull", 'Container image "nginx" is not present with pull policy of Never', []),
    ],
)
def test_images_that_cannot_be_had(image: str, policy: str, reason: str, message: str, events: list[str]) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one", {"image": image, "imagePullPolicy": policy})
        pod = await stage.when("one", lambda pod: reason_of(pod) == reason)
        assert state_of(pod)[1].get("message", "").startswith(message)
        assert pod["status"]["phase"] == "Pending"
        for wanted in events:
            assert stage.events("one", wanted)

    play(scenario)


def test_a_pull_that_failed_is_tried_again_with_back_off() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one", {"image": "ngnix"})
        pod = await stage.when("one", lambda pod: reason_of(pod) == "ImagePullBackOff")
        assert state_of(pod)[1]["message"].startswith('Back-off pulling image "ngnix": ErrImagePull: ')
        assert 'BackOff Back-off pulling image "ngnix"' in stage.events("one", "BackOff")
        await stage.admin.patch(
            "v1/pods", "one", {"spec": {"containers": [{"name": "c", "image": "nginx"}]}}, "default", kind="strategic"
        )
        await stage.ready("one", 30)

    play(scenario)


def test_a_changed_image_restarts_the_container() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.pod("one")
        await stage.ready("one")
        change = {"spec": {"containers": [{"name": "c", "image": "nginx:1.30"}]}}
        await stage.admin.patch("v1/pods", "one", change, "default", kind="strategic")
        pod = await stage.when("one", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1)
        await stage.ready("one")
        assert pod["status"]["containerStatuses"][0]["image"].endswith("nginx:1.30")
        assert stage.events("one", "Killing") == ["Killing Container c definition changed, will be restarted"]

    play(scenario)


@pytest.mark.parametrize("policy", ["Always", "Never"])
def test_a_changed_image_is_put_in_place_in_one_look_whatever_the_restart_policy(policy: str) -> None:
    """Nobody who watches sees the pod unready in between."""

    async def scenario(stage: Stage) -> None:
        await stage.pod("one", {"image": AGNHOST}, restartPolicy=policy)
        await stage.ready("one")
        seen: list[tuple[str, str, int]] = []

        def changed() -> bool:
            pod = stage.there("one")
            assert pod is not None
            one = pod["status"]["containerStatuses"][0]
            seen.append((condition_of(pod, "Ready"), next(iter(one["state"])), one["restartCount"]))
            return bool(one["restartCount"])

        image = {"spec": {"containers": [{"name": "c", "image": "nginx:1.28"}]}}
        await stage.admin.patch("v1/pods", "one", image, "default", kind="strategic")
        await stage.until(changed)
        assert set(seen) == {("True", "running", 0), ("True", "running", 1)}
        assert "Killing Container c definition changed, will be restarted" in stage.events("one", "Killing")

    play(scenario)


def test_a_private_image_needs_a_secret_for_its_registry() -> None:
    async def scenario(stage: Stage) -> None:
        private = {"image": "gcr.io/authenticated-image-pulling/alpine:3.7", "command": ["sleep", "100"]}
        await stage.pod("anonymous", private, imagePullSecrets=[{"name": "nosuch"}])
        pod = await stage.when("anonymous", lambda pod: reason_of(pod) == "ErrImagePull")
        assert "403 Forbidden" in state_of(pod)[1]["message"]
        assert stage.events("anonymous", "FailedToRetrieveImagePullSecret")
        config = '{"auths":{"https://gcr.io":{"auth":"eDp5"}}}'
        body = {"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": config}}
        await stage.create("v1/secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "gcr"}, **body})
        await stage.pod("known", private, imagePullSecrets=[{"name": "gcr"}])
        await stage.ready("known")

    play(scenario)
