"""One simulation: `python -m tests.simulation.play --seed 7 --hours 24`. Prints what happened as one line of JSON.

From the seed come the faults, what a person does, and every random choice of the cluster itself; two runs of one seed write the same
revisions at the same times (the digest says so; PYTHONHASHSEED has to be the same, too).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import logging
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kubeweb.settings")
django.setup()

from cluster import clock  # noqa: E402
from cluster.apimachinery.errors import StatusError  # noqa: E402
from tests.simulation.invariants import Invariants  # noqa: E402
from tests.simulation.rules import Rules, excuse  # noqa: E402
from tests.simulation.virtual import VirtualLoop  # noqa: E402
from tests.simulation.world import World, seed_everything, until  # noqa: E402

Obj = dict[str, Any]
FAULTS, TRAFFICS = "sim.kubeweb.dev/v1alpha1/faults", "sim.kubeweb.dev/v1alpha1/traffics"
# Seconds of quiet at the end, in which everything must come right by itself.
CALM = 3600.0
STEP = 5.0


def _workload(kind: str, name: str, container: Obj, **spec: Any) -> Obj:
    labels = {"app": name}
    pod = {"containers": [{"name": "main", **container}], **spec.pop("pod", {})}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
            **spec,
        },
    }


def _service(name: str, **spec: Any) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}], **spec},
    }


async def furnish(world: World) -> None:
    """What runs in the cluster."""
    cpu = {"requests": {"cpu": "100m"}}
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5}
    web = {
        "image": "nginx:1.27",
        "resources": cpu,
        "readinessProbe": probe,
        "livenessProbe": {**probe, "periodSeconds": 10},
    }
    await world.apply("v1/services", _service("web"))
    await world.apply(
        "apps/v1/deployments",
        _workload(
            "Deployment", "web", web, replicas=5, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
        ),
    )
    await world.apply(
        "policy/v1/poddisruptionbudgets",
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
        },
    )
    await world.apply(
        "v1/resourcequotas",
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "all", "namespace": "default"},
            "spec": {"hard": {"pods": "60", "count/deployments.apps": "5"}},
        },
    )
    await world.apply("v1/services", _service("db", clusterIP="None"))
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    mounts = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    await world.apply(
        "apps/v1/statefulsets",
        _workload(
            "StatefulSet",
            "db",
            {"image": "redis:7", "resources": cpu, **mounts},
            replicas=3,
            serviceName="db",
            volumeClaimTemplates=[claim],
        ),
    )
    await world.apply("apps/v1/daemonsets", _workload("DaemonSet", "agent", {"image": "fluentd:v1"}))
    api = {"image": "registry.k8s.io/hpa-example", "resources": {"requests": {"cpu": "10m"}}}
    await world.apply("v1/services", _service("api"))
    await world.apply("apps/v1/deployments", _workload("Deployment", "api", api, replicas=1))
    await world.apply(
        "autoscaling/v2/horizontalpodautoscalers",
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "api", "namespace": "default"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
                "maxReplicas": 6,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}},
                    }
                ],
            },
        },
    )
    for name, rate in (("web", 0.5), ("api", 0.5)):
        await world.apply(
            TRAFFICS,
            {
                "apiVersion": "sim.kubeweb.dev/v1alpha1",
                "kind": "Traffic",
                "metadata": {"name": name, "namespace": "default"},
                "spec": {"service": name, "requestsPerSecond": rate},
            },
        )
    job = {
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "main", "image": "busybox", "command": ["sh", "-c", "sleep 45"]}],
            }
        },
        "backoffLimit": 20,
    }
    await world.apply(
        "batch/v1/cronjobs",
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "report", "namespace": "default"},
            "spec": {"schedule": "*/30 * * * *", "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": job}},
        },
    )


class Mischief:
    """Faults and people, from the seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.done: Counter[str] = Counter()
        # Pods that were deleted by hand.
        self.by_hand: set[str] = set()
        self._number = 0
        self._tasks: set[asyncio.Future[None]] = set()

    def _pod(self) -> Obj | None:
        pods = sorted(
            (pod for pod in self.world.list("pods", "default") if not pod["metadata"].get("deletionTimestamp")),
            key=lambda pod: pod["metadata"]["name"],
        )
        return self.dice.choice(pods) if pods else None

    async def fault(self) -> float:
        """Break something for a while; for how many seconds."""
        dice = self.dice
        node, pod = dice.choice(self.world.names), self._pod()
        target = {"namespace": "default", "pod": pod["metadata"]["name"]} if pod else None
        kinds: list[tuple[str, Obj | None, float]] = [
            ("NodeDown", {"node": node}, 900),
            ("NetworkPartition", {"node": node}, 900),
            ("MemoryPressure", {"node": node}, 300),
            ("DiskPressure", {"node": node}, 60),
            ("PIDPressure", {"node": node}, 30),
            ("ClockSkew", {"node": node, "skewSeconds": dice.choice((-600, 600))}, 600),
            ("RegistryDown", {}, 300),
            ("RegistrySlow", {"delaySeconds": 20}, 300),
            ("ContainerCrash", target, 1),
            ("OutOfMemory", target, 1),
            ("ContainerHang", target, 120),
            ("ProbeFailure", target and {**target, "probe": dice.choice(("liveness", "readiness"))}, 120),
            ("SlowEtcd", {"delaySeconds": 0.2}, 120),
            ("APIServerOverload", {"percent": 40}, 60),
            (
                "ControllerStopped",
                {"controller": dice.choice(("deployment", "replicaset", "endpointslice", "node"))},
                120,
            ),
        ]
        kind, spec, longest = dice.choice(kinds)
        if spec is None:
            return 0.0
        seconds = dice.randint(1, int(longest))
        self._number += 1
        body = {"type": kind, "durationSeconds": seconds, **spec}
        await self.world.apply(
            FAULTS,
            {
                "apiVersion": "sim.kubeweb.dev/v1alpha1",
                "kind": "Fault",
                "metadata": {"name": f"f{self._number}"},
                "spec": body,
            },
        )
        self.done[kind] += 1
        return float(seconds) if kind in ("SlowEtcd", "APIServerOverload", "ControllerStopped") else 0.0

    async def person(self) -> None:
        """Somebody does something."""
        dice, world = self.dice, self.world
        what = dice.choice(("roll", "roll", "scale", "delete", "drain", "load", "typo"))
        if what == "roll":
            resource, name, image = dice.choice(
                (
                    ("apps/v1/deployments", "web", f"nginx:1.{dice.randint(20, 29)}"),
                    ("apps/v1/statefulsets", "db", f"redis:{dice.randint(6, 8)}"),
                    ("apps/v1/daemonsets", "agent", f"fluentd:v1.{dice.randint(1, 19)}"),
                )
            )
            change = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}
            await world.patch(resource, name, change)
        elif what == "scale":
            await world.patch("apps/v1/deployments", "web", {"spec": {"replicas": dice.randint(3, 8)}})
        elif what == "delete":
            pod = self._pod()
            if pod is not None:
                self.by_hand.add(pod["metadata"]["name"])
                try:
                    await world.admin.delete("v1/pods", pod["metadata"]["name"], "default")
                except StatusError as error:
                    if error.code != 404:
                        raise
        elif what == "drain":
            self._later(self._drain(dice.choice(world.names), dice.randint(60, 900)))
        elif what == "load":
            await world.patch(
                TRAFFICS,
                "api",
                {"spec": {"requestsPerSecond": dice.choice((0.2, 1, 2, 4))}},
            )
        else:
            change = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "nginx:nonexistent"}]}}}}
            await world.patch("apps/v1/deployments", "web", change)
            self._later(self._mend(dice.randint(30, 600)))
        self.done[what] += 1

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _mend(self, seconds: float) -> None:
        await clock.sleep(seconds)
        change = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "nginx:1.27"}]}}}}
        await self.world.patch("apps/v1/deployments", "web", change)

    async def _drain(self, node: str, seconds: float) -> None:
        """kubectl drain, a while of maintenance, kubectl uncordon."""
        await self.world.patch("v1/nodes", node, {"spec": {"unschedulable": True}}, "")
        for pod in self.world.list("pods", "default"):
            owner = next(iter(pod["metadata"].get("ownerReferences") or ()), {})
            if pod["spec"].get("nodeName") != node or owner.get("kind") == "DaemonSet":
                continue
            eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod["metadata"]["name"]}}
            for _ in range(20):
                try:
                    await self.world.admin.create(
                        "v1/pods", eviction, "default", name=pod["metadata"]["name"], subresource="eviction"
                    )
                    break
                except StatusError as error:
                    if error.code != 429:
                        break
                    await clock.sleep(5.0)
        await clock.sleep(seconds)
        await self.world.patch("v1/nodes", node, {"spec": {"unschedulable": None}}, "")


async def play(seed: int, hours: float) -> Obj:
    """The simulation."""
    seed_everything(seed)
    world = World(5)
    await world.start()
    digest, counted = hashlib.sha256(), Counter[str]()

    def note(revisions: list[Any]) -> None:
        for one in revisions:
            counted[one.resource] += 1
            digest.update(f"{one.revision} {one.verb} {one.key} {clock.now():.3f}\n".encode())
            digest.update(one.value)

    world.log.on_commit.append(note)
    invariants, mischief = Invariants(world), Mischief(world, seed)
    rules = Rules(invariants.note, excuse(lambda: invariants.excused_until))
    rules.by_hand = mischief.by_hand
    world.log.on_commit.append(rules.see)
    await furnish(world)
    began = clock.now()
    end, next_fault, next_person = began + hours * 3600, began + 300, began + 200
    while clock.now() < end:
        await until(world, min(clock.now() + STEP, end))
        if clock.now() >= next_fault:
            excused = await mischief.fault()
            if excused:
                invariants.excused_until = max(invariants.excused_until, clock.now() + excused + 30)
            next_fault = clock.now() + mischief.dice.expovariate(1 / 600)
        if clock.now() >= next_person:
            await mischief.person()
            next_person = clock.now() + mischief.dice.expovariate(1 / 900)
        invariants.check()
    # No new mischief: what has been begun ends by itself, then everything must come right.
    calm = clock.now() + CALM
    while clock.now() < calm:
        await until(world, clock.now() + STEP)
        invariants.check()
    invariants.finally_()
    felt = {
        one["metadata"]["name"]: one["status"].get("successPercent") for one in world.list("sim.kubeweb.dev/traffics")
    }
    await world.stop()
    return {
        "seed": seed,
        "hours": hours,
        "revisions": world.log.head,
        "digest": digest.hexdigest(),
        "done": dict(sorted(mischief.done.items())),
        "felt": felt,
        "judged": rules.asked,
        "broken": invariants.broken,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=24.0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.ERROR, force=True)
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    started = time.perf_counter()
    result = loop.run_until_complete(play(arguments.seed, arguments.hours))
    result["seconds"] = round(time.perf_counter() - started, 1)
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
