"""How many replicas metrics ask for, and how fast there may be more or fewer (pkg/controller/podautoscaler). Pure.

Amounts are thousandths (millicores, or bytes times 1000), as the real one counts them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cluster import clock
from cluster.apimachinery.meta import get_condition
from cluster.apimachinery.quantity import milli
from cluster.client.client import Obj

TOLERANCE = 0.1


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far below and above its target a metric may be before anything is scaled (behavior.scaleDown/scaleUp.tolerance)."""

    down: float = TOLERANCE
    up: float = TOLERANCE

    @classmethod
    def of(cls, behavior: Obj | None) -> Tolerance:
        """What an autoscaler's behavior says, or else the controller's own."""
        given = [((behavior or {}).get(side) or {}).get("tolerance") for side in ("scaleDown", "scaleUp")]
        return cls(*(TOLERANCE if one is None else milli(one) / 1000 for one in given))

    def holds(self, ratio: float) -> bool:
        """Near enough to the target to leave things as they are."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


DEFAULT_TOLERANCE = Tolerance()
CPU_INITIALIZATION, INITIAL_READINESS = 300.0, 30.0
DOWNSCALE_STABILIZATION = 300.0
Amounts = dict[str, int]
Ratio = Callable[[Amounts], float]


class NoMetric(Exception):
    """The replicas cannot be computed; the message says why."""


@dataclass(slots=True)
class Grouped:
    """Pods by what their metrics are good for."""

    ready: int = 0
    unready: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)


def group(pods: Iterable[Obj], metrics: Mapping[str, int], resource: str, now: float) -> Grouped:
    """Sort the pods (groupPods): those that go do not count, those that begin count later."""
    found = Grouped()
    for pod in pods:
        name, status = pod["metadata"]["name"], pod.get("status") or {}
        if pod["metadata"].get("deletionTimestamp") or status.get("phase") == "Failed":
            found.ignored.add(name)
        elif status.get("phase") == "Pending":
            found.unready.add(name)
        elif name not in metrics:
            found.missing.add(name)
        elif resource == "cpu" and _begins(pod, status, now):
            found.unready.add(name)
        else:
            found.ready += 1
    return found


def _begins(pod: Obj, status: Obj, now: float) -> bool:
    """Whether a pod's use of cores says nothing yet: it starts up, or has never been ready."""
    condition = get_condition(pod, "Ready")
    if condition is None or not status.get("startTime"):
        return True
    started = clock.parse(status["startTime"])
    changed = clock.parse(condition["lastTransitionTime"]) if condition.get("lastTransitionTime") else started
    if started + CPU_INITIALIZATION > now:
        return condition["status"] == "False" or now < changed + 15.0
    return condition["status"] == "False" and started + INITIAL_READINESS > changed


@dataclass(frozen=True, slots=True)
class Asked:
    """What one metric asks: replicas; and what it measured (percent or None, average amount)."""

    replicas: int
    utilization: int | None
    average: int


def by_utilization(
    current: int,
    target: int,
    pods: Sequence[Obj],
    metrics: Amounts,
    requests: Amounts,
    resource: str,
    now: float,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
) -> Asked:
    """Replicas for a utilization in percent of the requests (GetResourceReplicas)."""
    groups = group(pods, metrics, resource, now)
    used = {name: amount for name, amount in metrics.items() if name not in groups.ignored | groups.unready}
    if not used:
        raise NoMetric("did not receive metrics for targeted pods (pods might be unready)")

    def ratio(amounts: Amounts) -> float:
        asked = sum(requests.get(name, 0) for name in amounts)
        if not asked:
            raise NoMetric("no metrics returned matched known pods")
        return sum(amounts.values()) * 100 // asked / target

    measured = ratio(used)
    percent = sum(used.values()) * 100 // sum(requests[name] for name in used)
    average = sum(used.values()) // len(used)
    fill = {
        name: requests.get(name, 0) * max(100, target) // 100 if measured < 1.0 else 0
        for name in sorted(groups.missing)
    }
    replicas = _replicas(current, measured, groups, used, fill, ratio, tolerance)
    return Asked(replicas, percent, average)


def by_average(
    current: int,
    target: int,
    pods: Sequence[Obj],
    metrics: Amounts,
    resource: str,
    now: float,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
) -> Asked:
    """Replicas for an average amount per pod (GetRawResourceReplicas)."""
    groups = group(pods, metrics, resource, now)
    used = {name: amount for name, amount in metrics.items() if name not in groups.ignored | groups.unready}
    if not used:
        raise NoMetric("did not receive metrics for targeted pods (pods might be unready)")

    def ratio(amounts: Amounts) -> float:
        return sum(amounts.values()) / len(amounts) / target

    measured = ratio(used)
    fill = dict.fromkeys(sorted(groups.missing), target if measured < 1.0 else 0)
    replicas = _replicas(current, measured, groups, used, fill, ratio, tolerance)
    return Asked(replicas, None, sum(used.values()) // len(used))


def _replicas(
    current: int,
    measured: float,
    groups: Grouped,
    used: Amounts,
    fill: Amounts,
    ratio: Ratio,
    tolerance: Tolerance,
) -> int:
    """From the ratio to replicas: unready and missing pods are counted so that the answer is the careful one."""
    with_unready = bool(groups.unready) and measured > 1.0
    if not with_unready and not groups.missing:
        return current if tolerance.holds(measured) else math.ceil(measured * groups.ready)
    amounts = dict(used)
    if measured != 1.0:
        amounts.update(fill)
    if with_unready:
        amounts.update(dict.fromkeys(sorted(groups.unready), 0))
    again = ratio(amounts)
    if tolerance.holds(again) or (measured < 1.0 < again) or (again < 1.0 < measured):
        return current
    wanted = math.ceil(again * len(amounts))
    if (again < 1.0 and wanted > current) or (again > 1.0 and wanted < current):
        return current
    return wanted


# -- how fast ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Memory:
    """What an autoscaler recommended and did: (time, replicas) and (time, change)."""

    recommendations: list[tuple[float, int]] = field(default_factory=list)
    ups: list[tuple[float, int]] = field(default_factory=list)
    downs: list[tuple[float, int]] = field(default_factory=list)

    def note(self, now: float, before: int, after: int) -> None:
        """A change of the replicas."""
        (self.ups if after > before else self.downs).append((now, abs(after - before)))
        self.ups = [one for one in self.ups if now - one[0] <= 1800]
        self.downs = [one for one in self.downs if now - one[0] <= 1800]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Replicas after all limits; (status, reason, message) of AbleToScale and ScalingLimited."""

    replicas: int
    able: tuple[str, str, str]
    limited: tuple[str, str, str]


_READY = ("True", "ReadyForNewScale", "recommended size matches current size")
_WITHIN = ("False", "DesiredWithinRange", "the desired count is within the acceptable range")


def normalized(memory: Memory, current: int, wanted: int, least: int, most: int, now: float) -> Verdict:
    """Without a behavior: five minutes of looking back before there are fewer, at most twice as many at once."""
    memory.recommendations = [one for one in memory.recommendations if now - one[0] < DOWNSCALE_STABILIZATION]
    highest = max((one for _, one in memory.recommendations), default=wanted)
    memory.recommendations.append((now, wanted))
    able, stabilized = _READY, wanted
    if highest > wanted:
        stabilized = highest
        able = (
            "True",
            "ScaleDownStabilized",
            "recent recommendations were higher than current one, applying the highest recent recommendation",
        )
    limit = max(current * 2, 4)
    return _verdict(stabilized, least, limit, most, able)


def _verdict(wanted: int, least: int, limit: int, most: int, able: tuple[str, str, str]) -> Verdict:
    if wanted < least:
        text = "the desired replica count is less than the minimum replica count"
        if least == 0:
            text = "the desired replica count is zero"
        return Verdict(least, able, ("True", "TooFewReplicas", text))
    if limit < most and wanted > limit:
        text = "the desired replica count is increasing faster than the maximum scale rate"
        return Verdict(limit, able, ("True", "ScaleUpLimit", text))
    if wanted > most:
        return Verdict(
            most, able, ("True", "TooManyReplicas", "the desired replica count is more than the maximum replica count")
        )
    return Verdict(wanted, able, _WITHIN)


def _period_change(events: list[tuple[float, int]], period: float, now: float) -> int:
    return sum(change for at, change in events if now - at < period)


def behaved(memory: Memory, behavior: Obj, current: int, wanted: int, least: int, most: int, now: float) -> Verdict:
    """With a behavior: windows and policies of its own for each direction (normalizeDesiredReplicasWithBehaviors)."""
    up, down = behavior.get("scaleUp") or {}, behavior.get("scaleDown") or {}
    up_window = float(up.get("stabilizationWindowSeconds") or 0)
    down_seconds = down.get("stabilizationWindowSeconds")
    down_window = DOWNSCALE_STABILIZATION if down_seconds is None else float(down_seconds)
    longest = max(up_window, down_window)
    recent = [(at, one) for at, one in memory.recommendations if now - at < longest]
    lowest = min([wanted, *(one for at, one in recent if now - at < up_window)])
    highest = max([wanted, *(one for at, one in recent if now - at < down_window)])
    memory.recommendations = [*recent, (now, wanted)]
    stabilized = current
    stabilized = max(stabilized, lowest)
    stabilized = min(stabilized, highest)
    able = _READY
    if stabilized != wanted:
        direction = "ScaleUpStabilized" if wanted > current else "ScaleDownStabilized"
        which = ("lower", "lowest") if wanted > current else ("higher", "highest")
        able = (
            "True",
            direction,
            f"recent recommendations were {which[0]} than current one, applying the {which[1]} recent recommendation",
        )
    if stabilized > current:
        limit = _up_limit(up, current, memory, now)
        limit = max(limit, current)
        if limit < most and stabilized > limit:
            text = "the desired replica count is increasing faster than the maximum scale rate"
            return Verdict(limit, able, ("True", "ScaleUpLimit", text))
    elif stabilized < current:
        limit = min(_down_limit(down, current, memory, now), current)
        if limit > least and stabilized < limit:
            text = "the desired replica count is decreasing faster than the maximum scale rate"
            return Verdict(limit, able, ("True", "ScaleDownLimit", text))
    return _verdict(stabilized, least, most, most, able)


_DEFAULT_UP: tuple[Obj, ...] = (
    {"type": "Pods", "value": 4, "periodSeconds": 15},
    {"type": "Percent", "value": 100, "periodSeconds": 15},
)
_DEFAULT_DOWN: tuple[Obj, ...] = ({"type": "Percent", "value": 100, "periodSeconds": 15},)


def _up_limit(rules: Obj, current: int, memory: Memory, now: float) -> int:
    choose = rules.get("selectPolicy") or "Max"
    if choose == "Disabled":
        return current
    limits: list[int] = []
    for policy in rules.get("policies") or _DEFAULT_UP:
        period = policy["periodSeconds"]
        start = current - _period_change(memory.ups, period, now) + _period_change(memory.downs, period, now)
        if policy["type"] == "Pods":
            limits.append(start + policy["value"])
        else:
            limits.append(math.ceil(start * (1 + policy["value"] / 100)))
    return min(limits) if choose == "Min" else max(limits)


def _down_limit(rules: Obj, current: int, memory: Memory, now: float) -> int:
    choose = rules.get("selectPolicy") or "Max"
    if choose == "Disabled":
        return current
    limits: list[int] = []
    for policy in rules.get("policies") or _DEFAULT_DOWN:
        period = policy["periodSeconds"]
        start = current + _period_change(memory.downs, period, now) - _period_change(memory.ups, period, now)
        if policy["type"] == "Pods":
            limits.append(start - policy["value"])
        else:
            limits.append(int(start * (1 - policy["value"] / 100)))
    return max(limits) if choose == "Min" else min(limits)
