"""The horizontal pod autoscaler: as many replicas as the metrics ask for (pkg/controller/podautoscaler).

Every fifteen seconds for each autoscaler: read the scale of its target, read what the pods use, compute, change the scale. What it
recommended and did lately is kept in memory, as the real one keeps it.
"""

from __future__ import annotations

from typing import Any

from cluster import clock
from cluster.apimachinery.errors import StatusError
from cluster.apimachinery.labels import parse as parse_selector
from cluster.apimachinery.meta import set_condition
from cluster.apimachinery.quantity import milli
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.resources import by_kind
from cluster.controllers.policy.autoscaling import (
    Amounts,
    Asked,
    Memory,
    NoMetric,
    Tolerance,
    behaved,
    by_average,
    by_utilization,
    normalized,
)
from cluster.journeys.trace import step

AUTOSCALERS, PODS, METRICS = "autoscaling/v2/horizontalpodautoscalers", "v1/pods", "metrics.k8s.io/v1beta1/pods"
SYNC_PERIOD = 15.0


class HorizontalPodAutoscalerController(ControlLoop):
    """Scales workloads by what their pods use."""

    name = "horizontalpodautoscaler"
    title = "autoscaler"
    account = "horizontal-pod-autoscaler"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self._memories: dict[str, Memory] = {}
        self._due: dict[str, float] = {}

    def setup(self) -> None:
        self.autoscalers = self.watch(AUTOSCALERS, self._changed)
        self.pods = self.informer(PODS)

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        """Its own status is no news; a new spec is looked at soon."""
        if old is None or new is None or old.get("spec") != new.get("spec"):
            obj = new or old
            assert obj is not None
            self._due.pop(f"{obj['metadata']['namespace']}/{obj['metadata']['name']}", None)
            self.enqueue(old, new)

    async def reconcile(self, key: str) -> float | None:
        autoscaler = self.autoscalers.get(key)
        if autoscaler is None or autoscaler["metadata"].get("deletionTimestamp"):
            self._memories.pop(key, None)
            self._due.pop(key, None)
            return None
        now = clock.now()
        if self._due.get(key, 0.0) > now + 0.001:
            return self._due[key] - now
        self._due[key] = now + SYNC_PERIOD
        await _Turn(self, autoscaler, self._memories.setdefault(key, Memory())).run()
        return SYNC_PERIOD


class _Turn:
    """One look at one autoscaler."""

    def __init__(self, loop: HorizontalPodAutoscalerController, autoscaler: Obj, memory: Memory) -> None:
        self.loop = loop
        self.autoscaler = autoscaler
        self.memory = memory
        self.spec: Obj = autoscaler["spec"]
        before = autoscaler.get("status") or {}
        self.conditions: list[Obj] = list(before.get("conditions") or ())
        self.status: Obj = {key: before[key] for key in ("lastScaleTime",) if key in before}
        # What the metrics API says, by pod: its containers.
        self.measured: dict[str, list[Obj]] = {}
        self.current_metrics: list[Obj] = before.get("currentMetrics") or []

    async def run(self) -> None:
        target, namespace = self.spec["scaleTargetRef"], self.autoscaler["metadata"]["namespace"]
        with step("observe") as span:
            try:
                resource = by_kind(target.get("apiVersion", "v1"), target["kind"])
                if resource is None:
                    raise LookupError(
                        f'no matches for kind "{target["kind"]}" in group "{target.get("apiVersion", "").rpartition("/")[0]}"'
                    )
                scale = await self.loop.client.get(resource.path, target["name"], namespace, subresource="scale")
            except (StatusError, LookupError) as error:
                text = error.message if isinstance(error, StatusError) else str(error.args[0])
                await self._no_scale(text)
                return
            span.detail = {"replicas": scale["spec"].get("replicas", 0)}
        self._condition(
            "AbleToScale", "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale"
        )
        current = int(scale["spec"].get("replicas") or 0)
        wanted, reason = await self._wanted(scale, current)
        self.status["currentReplicas"] = int((scale.get("status") or {}).get("replicas") or 0)
        if wanted is None:
            self.status["desiredReplicas"] = (self.autoscaler.get("status") or {}).get("desiredReplicas", 0)
            await self._write()
            return
        if wanted != current:
            await self._rescale(resource.path, scale, current, wanted, reason)
        self.status["desiredReplicas"] = wanted
        await self._write()

    async def _no_scale(self, text: str) -> None:
        self._condition(
            "AbleToScale",
            "False",
            "FailedGetScale",
            f"the HPA controller was unable to get the target's current scale: {text}",
        )
        self.loop.events.event(self.autoscaler, "Warning", "FailedGetScale", text)
        before = self.autoscaler.get("status") or {}
        for name in ("currentReplicas", "desiredReplicas"):
            self.status[name] = before.get(name, 0)
        await self._write()

    async def _wanted(self, scale: Obj, current: int) -> tuple[int | None, str]:
        """The replicas that there should be, and why; None when that cannot be said."""
        least, most = self.spec.get("minReplicas", 1), self.spec["maxReplicas"]
        if current == 0 and least != 0:
            self._condition(
                "ScalingActive",
                "False",
                "ScalingDisabled",
                "scaling is disabled since the replica count of the target is zero",
            )
            return 0, ""
        if current > most:
            return most, "Current number of replicas above Spec.MaxReplicas"
        if current < least:
            return least, "Current number of replicas below Spec.MinReplicas"
        with step("compare") as span:
            asked, metric = await self._by_metrics(scale, current)
            span.detail = {"wanted": asked, "metric": metric}
        if asked is None:
            return None, ""
        reason = f"{metric} above target" if asked > current else "All metrics below target"
        now = clock.now()
        with step("decide") as span:
            behavior = self.spec.get("behavior")
            if behavior:
                verdict = behaved(self.memory, behavior, current, asked, least, most, now)
            else:
                verdict = normalized(self.memory, current, asked, least, most, now)
            span.detail = {"replicas": verdict.replicas, "limited": verdict.limited[1]}
        self._condition("AbleToScale", *verdict.able)
        self._condition("ScalingLimited", *verdict.limited)
        return verdict.replicas, reason

    # -- metrics -------------------------------------------------------------------------------------------------------

    async def _by_metrics(self, scale: Obj, current: int) -> tuple[int | None, str]:
        """The most that any metric asks for."""
        selector = (scale.get("status") or {}).get("selector") or ""
        if not selector:
            text = "selector is required"
            self._inactive("InvalidSelector", "the HPA target's scale is missing a selector")
            self.loop.events.event(self.autoscaler, "Warning", "SelectorRequired", text)
            return None, ""
        namespace = self.autoscaler["metadata"]["namespace"]
        pods = self.loop.pods.list(namespace, parse_selector(selector))
        measured = await self.loop.client.list(METRICS, namespace, label_selector=selector)
        self.measured = {one["metadata"]["name"]: one["containers"] for one in measured.items}
        best: int | None = None
        named, statuses, wrong = "", list[Obj](), list[str]()
        failed = ""
        metrics = self.spec.get("metrics") or []
        for metric in metrics:
            try:
                asked, name, status = self._one(metric, pods, current)
            except NoMetric as problem:
                failed = failed or f"FailedGet{_REASONS.get(metric['type'], metric['type'] + 'Metric')}"
                wrong.append(str(problem))
                continue
            statuses.append(status)
            if best is None or asked.replicas > best:
                best, named = asked.replicas, name
        if wrong and (best is None or best < current):
            # A metric that is not known must not lead to fewer replicas.
            for text in wrong[:1]:
                self.loop.events.event(self.autoscaler, "Warning", failed, text)
            first = f"invalid metrics ({len(wrong)} invalid out of {len(metrics)}), first error is: {_name(metrics[0])}: {wrong[0]}"
            self._inactive(failed, f"the HPA was unable to compute the replica count: {wrong[0]}")
            self.loop.events.event(self.autoscaler, "Warning", "FailedComputeMetricsReplicas", first)
            return None, ""
        self.current_metrics = statuses
        self._condition(
            "ScalingActive",
            "True",
            "ValidMetricFound",
            f"the HPA was able to successfully calculate a replica count from {named}",
        )
        return best, named

    def _inactive(self, reason: str, message: str) -> None:
        self._condition("ScalingActive", "False", reason, message)

    def _one(self, metric: Obj, pods: list[Obj], current: int) -> tuple[Asked, str, Obj]:
        kind = metric["type"]
        if kind not in ("Resource", "ContainerResource"):
            group = "external.metrics.k8s.io" if kind == "External" else "custom.metrics.k8s.io"
            raise NoMetric(
                f"unable to get metric {_metric_name(metric)}: unable to fetch metrics from {group} API: the server could "
                "not find the requested resource"
            )
        part = metric["resource" if kind == "Resource" else "containerResource"]
        resource, container, target = part["name"], part.get("container", ""), part["target"]
        metrics = self._usage(pods, resource, container)
        now, tolerance = clock.now(), Tolerance.of(self.spec.get("behavior"))
        if target.get("averageValue") is not None:
            wanted = milli(target["averageValue"])
            asked = by_average(current, wanted, pods, metrics, resource, now, tolerance)
            named = f"{resource} resource"
        else:
            if not metrics:
                raise NoMetric(
                    f"failed to get {resource} utilization: unable to get metrics for resource {resource}: no metrics returned "
                    "from resource metrics API"
                )
            requests = self._requests(pods, resource, container)
            try:
                asked = by_utilization(
                    current, int(target["averageUtilization"]), pods, metrics, requests, resource, now, tolerance
                )
            except NoMetric as problem:
                raise NoMetric(f"failed to get {resource} utilization: {problem}") from problem
            named = f"{resource} resource utilization (percentage of request)"
        if container:
            named = named.replace("resource", "container resource", 1)
        value: Obj = {"averageValue": _shown(resource, asked.average)}
        if asked.utilization is not None:
            value["averageUtilization"] = asked.utilization
        status_part = {"name": resource, "current": value, **({"container": container} if container else {})}
        return asked, named, {"type": kind, _PARTS[kind]: status_part}

    def _usage(self, pods: list[Obj], resource: str, container: str) -> Amounts:
        found: Amounts = {}
        for pod in pods:
            name = pod["metadata"]["name"]
            used = [one["usage"] for one in self.measured.get(name, ()) if container in ("", one["name"])]
            if used:
                found[name] = sum(milli(one.get(resource, "0")) for one in used)
        return found

    @staticmethod
    def _requests(pods: list[Obj], resource: str, container: str) -> Amounts:
        found: Amounts = {}
        for pod in pods:
            total = 0
            for spec in [*pod["spec"]["containers"], *_sidecars(pod)]:
                if container and spec["name"] != container:
                    continue
                asked = ((spec.get("resources") or {}).get("requests") or {}).get(resource)
                if asked is None:
                    raise NoMetric(
                        f"missing request for {resource} in container {spec['name']} of Pod {pod['metadata']['name']}"
                    )
                total += milli(asked)
            found[pod["metadata"]["name"]] = total
        return found

    # -- acting --------------------------------------------------------------------------------------------------------

    async def _rescale(self, resource: str, scale: Obj, current: int, wanted: int, reason: str) -> None:
        changed = {**scale, "spec": {**scale["spec"], "replicas": wanted}}
        with step("act", {"replicas": wanted, "reason": reason}):
            try:
                await self.loop.client.update(resource, changed, subresource="scale")
            except StatusError as error:
                text = f"New size: {wanted}; reason: {reason}; error: {error.message}"
                self.loop.events.event(self.autoscaler, "Warning", "FailedRescale", text)
                self._condition(
                    "AbleToScale",
                    "False",
                    "FailedUpdateScale",
                    f"the HPA controller was unable to update the target scale: {error.message}",
                )
                await self._write()
                raise
        self._condition(
            "AbleToScale",
            "True",
            "SucceededRescale",
            f"the HPA controller was able to update the target scale to {wanted}",
        )
        self.loop.events.event(self.autoscaler, "Normal", "SuccessfulRescale", f"New size: {wanted}; reason: {reason}")
        self.memory.note(clock.now(), current, wanted)
        self.status["lastScaleTime"] = clock.timestamp()

    def _condition(self, kind: str, status: str, reason: str, message: str) -> None:
        self.conditions = set_condition(
            self.conditions, {"type": kind, "status": status, "reason": reason, "message": message}
        )

    async def _write(self) -> None:
        self.status["conditions"] = self.conditions
        self.status["currentMetrics"] = self.current_metrics or None
        status = {key: value for key, value in self.status.items() if value is not None}
        with step("verify"):
            if status != self.autoscaler.get("status"):
                await self.loop.client.update(AUTOSCALERS, {**self.autoscaler, "status": status}, subresource="status")


_PARTS = {"Resource": "resource", "ContainerResource": "containerResource"}
_REASONS = {"Resource": "ResourceMetric", "ContainerResource": "ContainerResourceMetric"}


def _sidecars(pod: Obj) -> list[Obj]:
    return [one for one in pod["spec"].get("initContainers") or () if one.get("restartPolicy") == "Always"]


def _metric_name(metric: Obj) -> str:
    part: dict[str, Any] = next((value for value in metric.values() if isinstance(value, dict)), {})
    return str((part.get("metric") or {}).get("name") or part.get("name") or "")


def _name(metric: Obj) -> str:
    return f"failed to get {_metric_name(metric)} {'resource ' if metric['type'] == 'Resource' else ''}metric value"


def _shown(resource: str, amount: int) -> str:
    """A quantity of thousandths, as Kubernetes prints it."""
    if resource == "cpu":
        return f"{amount}m" if amount % 1000 else str(amount // 1000)
    return str(amount // 1000)
