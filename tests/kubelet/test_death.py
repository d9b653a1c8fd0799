"""The death of a pod in its eight steps, from what was stored, what was told and what was recorded; and what its clients felt.

1 deletionTimestamp, 2 Terminating, 3 out of the endpoints (ready false, serving and terminating true), 4 preStop, 5 SIGTERM, 6 the rest
of the grace period, 7 SIGKILL where that is not enough, 8 gone.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster import clock
from cluster.journeys import trace
from tests.support.stage import AGNHOST, BUSYBOX, Stage, play

Obj = dict[str, Any]
Story = dict[str, float]
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
}
SLOW = {"image": AGNHOST, "args": ["netexec", "--delay-shutdown=4"]}
DEAF = {"image": BUSYBOX, "command": ["sh", "-c", "trap '' TERM; httpd -f -p 8080 & while true; do sleep 1; done"]}
SLEEPS = {"lifecycle": {"preStop": {"sleep": {"seconds": 3}}}}


class Record:
    """What happened to the pod, each with its first moment in cluster time."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.began: Story = {}
        self.journeys: dict[str, trace.Journey] = {}
        self.slices: list[Obj] = []

    def note(self, what: str) -> None:
        self.began.setdefault(what, clock.now())

    def commit(self, revisions: list[Any]) -> None:
        for one in revisions:
            if one.resource == "pods" and one.name == "web":
                pod = orjson.loads(one.value) if one.value else {}
                if one.verb == "delete":
                    self.note("gone")
                elif pod["metadata"].get("deletionTimestamp"):
                    self.note("deletionTimestamp")
                    states = [next(iter(status["state"])) for status in pod["status"].get("containerStatuses") or ()]
                    if states and set(states) == {"terminated"}:
                        self.note("terminated shown")
            elif one.resource == "discovery.k8s.io/endpointslices" and one.value:
                for endpoint in orjson.loads(one.value).get("endpoints") or ():
                    conditions = endpoint["conditions"]
                    if conditions.get("terminating"):
                        self.slices.append(conditions)
                        self.note("endpoint terminating")

    def span(self, stage: str) -> trace.Span:
        return next(span for one in self.journeys.values() for span in one.spans if span.stage == stage)

    def stages(self) -> list[str]:
        ending = next(one for one in self.journeys.values() if one.verb == "terminate")
        return [span.stage for span in ending.spans if span.stage in ("prestop", "sigterm", "sigkill", "remove")]


def recorded(container: Obj, monkeypatch: pytest.MonkeyPatch, **spec: Any) -> Record:
    """Run a Service and its pod, delete the pod, and tell all."""
    monkeypatch.setattr(trace, "wall", clock.now)

    async def scenario(stage: Stage) -> Record:
        record = Record(stage)
        await stage.create("v1/services", SERVICE)
        await stage.pod("web", container, labels={"app": "web"}, **spec)
        await stage.ready("web")
        await clock.sleep(5)
        trace.recorder.enabled = True
        stop = trace.recorder.add_sink(lambda journey: record.journeys.__setitem__(journey.id, journey))
        stage.world.log.on_commit.append(record.commit)
        await stage.admin.delete("v1/pods", "web", "default")
        await stage.gone("web")
        await clock.sleep(1)
        stop()
        return record

    return play(scenario)


def test_the_eight_steps_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    record = recorded({**SLOW, **SLEEPS}, monkeypatch)
    began, prestop, sigterm = record.began, record.span("prestop"), record.span("sigterm")
    start = began["deletionTimestamp"]
    assert record.stages() == ["prestop", "sigterm", "remove"]
    # Out of the endpoints while the hook runs, still serving.
    assert record.slices[0] == {"ready": False, "serving": True, "terminating": True}
    assert start <= began["endpoint terminating"] < sigterm.start
    # The hook and SIGTERM share one grace period.
    assert start <= prestop.start < start + 0.5
    assert 3.0 <= prestop.end - prestop.start < 3.2
    assert sigterm.start == pytest.approx(prestop.end, abs=0.1)
    assert sigterm.detail["grace"] == pytest.approx(27.0, abs=0.2)
    assert sigterm.end - sigterm.start == pytest.approx(4.0, abs=0.2)
    # How the container ended is shown before the object goes, and the kubelet's delete is the last thing.
    assert sigterm.end <= began["terminated shown"] <= began["gone"]
    assert began["gone"] - start == pytest.approx(7.0, abs=1.0)
    assert record.stage.events("web", "Killing") == ["Killing Stopping container c"]


def test_who_ignores_sigterm_is_killed_when_the_grace_period_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    record = recorded({**DEAF, **SLEEPS}, monkeypatch, terminationGracePeriodSeconds=10)
    sigterm, start = record.span("sigterm"), record.began["deletionTimestamp"]
    assert record.stages() == ["prestop", "sigterm", "sigkill", "remove"]
    assert sigterm.detail["grace"] == pytest.approx(7.0, abs=0.2)
    assert sigterm.detail["exit_code"] == 137
    assert record.began["gone"] - start == pytest.approx(10.0, abs=1.0)


def test_without_a_hook_sigterm_and_the_endpoints_race(monkeypatch: pytest.MonkeyPatch) -> None:
    record = recorded(SLOW, monkeypatch)
    assert record.stages() == ["sigterm", "remove"]
    # SIGTERM does not wait for the endpoints: it is there before their controller has looked.
    assert record.span("sigterm").start <= record.began["endpoint terminating"]


def felt(container: Obj, rounds: int = 4, **spec: Any) -> Obj:
    """The status of a Traffic to a Deployment of three while it is rolled again and again."""

    async def scenario(stage: Stage) -> Obj:
        labels = {"app": "web"}
        body = {"containers": [{"name": "c", "image": "nginx", **container}], **spec}
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": body},
            },
        }
        service = {**SERVICE, "spec": {"selector": labels, "ports": [{"port": 80}]}}
        await stage.create("v1/services", service)
        await stage.create("apps/v1/deployments", deployment)

        def done() -> bool:
            status = (stage.there("web", "apps/deployments") or {}).get("status") or {}
            found = stage.there("web", "apps/deployments") or {}
            return status.get("observedGeneration") == found["metadata"]["generation"] and all(
                status.get(field) == 3 for field in ("replicas", "updatedReplicas", "availableReplicas")
            )

        await stage.until(done, 120)
        # All proxies have heard of the endpoints.
        await clock.sleep(5)
        traffic = {
            "apiVersion": "sim.kubeweb.dev/v1alpha1",
            "kind": "Traffic",
            "metadata": {"name": "clients"},
            "spec": {"service": "web", "requestsPerSecond": 60},
        }
        await stage.create("sim.kubeweb.dev/v1alpha1/traffics", traffic)
        await clock.sleep(5)
        for number in range(rounds):
            change = {"spec": {"template": {"metadata": {"annotations": {"round": str(number)}}}}}
            await stage.admin.patch("apps/v1/deployments", "web", change, "default")
            await clock.sleep(1)
            await stage.until(done, 200)
        await clock.sleep(10)
        found = stage.there("clients", "sim.kubeweb.dev/traffics")
        assert found is not None
        return dict(found["status"])

    return play(scenario, nodes=2)


READY = {"readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 1}}


@pytest.mark.parametrize(
    ("container", "whole"),
    [
        # nginx closes its listener at once: whoever has not heard of it yet still sends requests there.
        (READY, False),
        # Waiting before SIGTERM gives everybody the time to hear.
        ({**READY, "lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}, True),
    ],
)
def test_a_hook_that_sleeps_spares_the_clients(container: Obj, whole: bool) -> None:
    status = felt(container)
    assert status["succeeded"] > 1000
    assert (status.get("failed", 0) == 0) is whole, str(status)
