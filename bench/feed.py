"""A generated stream for the page: 5,000 nodes and 50,000 pods that nobody runs, said as the explorer's consumer says them.

It measures the browser alone. Objects are shaped as the API server's own and summarized by the explorer's own functions, in messages
of the consumer's size and rate; pods come, are bound, start, end and go, kubelets renew their leases, and nothing else uses the cores.

python -m bench.feed PORT NODES PODS serves it until it is stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import django
import orjson
from aiohttp import WSMsgType, web

from bench.crowd import APPS, NAMESPACES
from cluster.explorer.summaries import SUMMARIES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kubeweb.settings")
django.setup()
from cluster.explorer.consumers import OBJECTS_PER_MESSAGE, TICK, WINDOW  # noqa: E402

Obj = dict[str, Any]
Event = tuple[str, str, Obj]  # resource, what happened, summary

# Pods that come (and as many that go) in a second; seconds in which a kubelet renews its lease, and writes its node's status.
ARRIVALS, LEASE_PERIOD, STATUS_PERIOD = 100, 10.0, 300.0
# Seconds from one word of a pod's life to the next: bound, creating, running; and the end of one that is deleted.
STEPS, GRACE = (0.1, 0.3, 0.8), 1.0


class World:
    """The objects and what becomes of them; seeded, so that two runs see the same."""

    def __init__(self, nodes: int, pods: int) -> None:
        self.random = random.Random(7)
        self.revision = 1000
        self.names = [f"node-{number}" for number in range(1, nodes + 1)]
        self.pods: dict[str, Obj] = {}
        self.due: list[deque[tuple[float, str]]] = [deque() for _ in range(len(STEPS) + 1)]
        self.number = 0
        self.standing: list[str] = []
        for index in range(pods):
            pod = self._fresh(self.names[index % nodes] if index % 97 else self.random.choice(self.names))
            self._become(pod, "Running", ready=index % 700 != 0)
            if index % 1300 == 0:
                pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
        self.owed = self.leases = self.statuses = 0.0

    def node(self, name: str) -> Obj:
        number = int(name.removeprefix("node-"))
        dead = number % 400 == 123
        return {
            "metadata": {
                "name": name,
                "uid": f"n-{number}",
                "resourceVersion": str(self.revision),
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {
                    "topology.kubernetes.io/zone": f"zone-{'abc'[number % 3]}",
                    "kubernetes.io/hostname": name,
                },
            },
            "spec": {"unschedulable": True} if number % 100 == 7 else {},
            "status": {
                "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
                "conditions": [{"type": "Ready", "status": "Unknown" if dead else "True", "message": ""}],
            },
        }

    def lease(self, name: str) -> Obj:
        renewed = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
        metadata = {"name": name, "namespace": "kube-node-lease", "resourceVersion": str(self.revision), "uid": name}
        return {"metadata": metadata, "spec": {"renewTime": renewed}}

    def _fresh(self, node: str) -> Obj:
        self.number += 1
        namespace = NAMESPACES[min(int(self.random.expovariate(0.35)), len(NAMESPACES) - 1)]
        app, _, cpu, memory, _ = self.random.choices(APPS, [one[1] for one in APPS])[0]
        name = f"{app}-{self.random.getrandbits(40):010x}-{self.number:x}"
        owner = {"kind": "ReplicaSet", "name": f"{app}-5d", "uid": f"{namespace}-{app}", "controller": True}
        requests = {"cpu": cpu, "memory": memory}
        pod = {
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": f"p-{self.number}",
                "resourceVersion": str(self.revision),
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"app": app, "pod-template-hash": "5d"},
                "ownerReferences": [owner],
            },
            "spec": {
                "nodeName": node,
                "containers": [{"name": "c", "image": "nginx:1.27", "resources": {"requests": requests}}],
            },
            "status": {"phase": "Pending", "qosClass": "Burstable"},
        }
        key = f"{namespace}/{name}"
        self.pods[key] = pod
        self.standing.append(key)
        return pod

    def _become(self, pod: Obj, phase: str, *, ready: bool = False) -> None:
        state = {"running": {}} if phase == "Running" else {"waiting": {"reason": "ContainerCreating"}}
        conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
        pod["status"] |= {"phase": phase, "containerStatuses": [{"ready": ready, "state": state}], "podIP": "10.1.2.3"}
        pod["status"]["conditions"] = conditions

    def snapshot(self, resource: str) -> list[Obj]:
        if resource == "v1/pods":
            return list(self.pods.values())
        if resource == "v1/nodes":
            return [self.node(name) for name in self.names]
        if resource == "coordination.k8s.io/v1/leases":
            return [self.lease(name) for name in self.names]
        if resource == "v1/namespaces":
            return [{"metadata": {"name": name, "uid": name}, "status": {"phase": "Active"}} for name in NAMESPACES]
        return []

    def pass_time(self, now: float, seconds: float) -> Iterator[Event]:
        """What changes in so many seconds."""
        self.revision += 1
        self.owed += ARRIVALS * seconds
        while self.owed >= 1:
            self.owed -= 1
            pod = self._fresh("")
            key = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            self.due[0].append((now + STEPS[0], key))
            yield "v1/pods", "ADDED", pod
            where = self.random.randrange(len(self.standing) - 1)
            leaving = self.standing[where]
            self.standing[where] = self.standing[-1]
            self.standing.pop()
            metadata = self.pods[leaving]["metadata"]
            ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + GRACE))
            metadata |= {"deletionTimestamp": ends, "deletionGracePeriodSeconds": GRACE}
            self.due[-1].append((now + GRACE, leaving))
            yield "v1/pods", "MODIFIED", self.pods[leaving]
        yield from self._lives_on(now)
        self.leases += seconds * len(self.names) / LEASE_PERIOD
        self.statuses += seconds * len(self.names) / STATUS_PERIOD
        while self.leases >= 1:
            self.leases -= 1
            yield "coordination.k8s.io/v1/leases", "MODIFIED", self.lease(self.random.choice(self.names))
        while self.statuses >= 1:
            self.statuses -= 1
            yield "v1/nodes", "MODIFIED", self.node(self.random.choice(self.names))

    def _lives_on(self, now: float) -> Iterator[Event]:
        for step, queue in enumerate(self.due):
            while queue and queue[0][0] <= now:
                key = queue.popleft()[1]
                pod = self.pods.get(key)
                if pod is None:
                    continue
                if step == len(STEPS):
                    del self.pods[key]
                    yield "v1/pods", "DELETED", pod
                    continue
                if "deletionTimestamp" in pod["metadata"]:
                    continue
                if step == 0:
                    pod["spec"]["nodeName"] = self.random.choice(self.names)
                else:
                    self._become(pod, "Pending" if step == 1 else "Running", ready=step == 2)
                if step + 1 < len(STEPS):
                    self.due[step + 1].append((now + STEPS[step + 1], key))
                yield "v1/pods", "MODIFIED", pod


class Stream:
    """One browser's stream; `changing` says whether anything happens."""

    def __init__(self, world: World, socket: web.WebSocketResponse) -> None:
        self.world, self.socket = world, socket
        self.sent = self.acknowledged = 0
        self.room = asyncio.Event()
        self.changing = False
        # Nothing is told before the bench says so: it measures from there.
        self.begun = asyncio.Event()
        self.wanted: list[str] = []

    async def send(self, message: Obj) -> None:
        while self.sent - self.acknowledged >= WINDOW:
            self.room.clear()
            await self.room.wait()
        self.sent += 1
        await self.socket.send_str(orjson.dumps({**message, "seq": self.sent}).decode())

    async def cut(self, events: list[Event], fresh: str = "") -> None:
        resources = dict.fromkeys([fresh] if fresh else [one[0] for one in events])
        parts: list[Obj] = []
        size = 0
        for resource in resources:
            told = [
                [kind, SUMMARIES[resource](obj) if kind != "DELETED" else obj["metadata"]]
                for one, kind, obj in events
                if one == resource
            ]
            started = False
            while told or not started:
                room = max(OBJECTS_PER_MESSAGE - size, 1)
                parts.append({"resource": resource, "fresh": bool(fresh) and not started, "events": told[:room]})
                size += len(told[:room])
                told, started = told[room:], True
                if size >= OBJECTS_PER_MESSAGE:
                    await self.send({"op": "changes", "revision": self.world.revision, "parts": parts, "more": True})
                    parts, size = [], 0
        await self.send({"op": "changes", "revision": self.world.revision, "parts": parts, "more": False})

    async def run(self) -> None:
        hello = {"op": "hello", "user": "admin", "cluster": "bench", "instance": "bench", "sequence": 0}
        await self.send({**hello, "revision": self.world.revision, "server_time": time.time()})
        await self.begun.wait()
        last = told = time.monotonic()
        while not self.socket.closed:
            await asyncio.sleep(TICK)
            wanted, self.wanted = self.wanted, []
            for resource in wanted:
                if resource in SUMMARIES:
                    await self.cut([(resource, "SET", one) for one in self.world.snapshot(resource)], resource)
            now = time.monotonic()
            if self.changing:
                await self.cut(list(self.world.pass_time(now, now - last)))
            last = now
            if now - told >= 1.0:
                told = now
                await self.send({"op": "stats", "server_time": time.time(), "revision": self.world.revision})

    def hear(self, message: Obj) -> None:
        if message["op"] == "ack":
            self.acknowledged = message["seq"]
            self.room.set()
        elif message["op"] == "subscribe":
            self.wanted += list(message["resources"])


async def _until_closed(one: Stream) -> None:
    with contextlib.suppress(ConnectionError):
        await one.run()


def application(nodes: int, pods: int) -> web.Application:
    streams: set[Stream] = set()
    # Made while nobody waits for it.
    spare = [World(nodes, pods)]

    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=2**20)
        await socket.prepare(request)
        one = Stream(spare.pop() if spare else World(nodes, pods), socket)
        streams.add(one)
        task = asyncio.create_task(_until_closed(one))
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    one.hear(orjson.loads(message.data))
        finally:
            streams.discard(one)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if not spare:
                spare.append(World(nodes, pods))
        return socket

    async def begin(request: web.Request) -> web.Response:
        asked = [one for one in streams if one.wanted]
        for one in asked:
            one.begun.set()
        return web.Response(status=200 if asked else 409)

    async def change(request: web.Request) -> web.Response:
        for one in streams:
            one.changing = request.match_info["on"] == "on"
        return web.Response(status=200 if streams else 409)

    app = web.Application()
    app.add_routes([web.get("/ws/explorer/", stream), web.post("/begin", begin), web.post("/changing/{on}", change)])
    return app


if __name__ == "__main__":
    web.run_app(application(int(sys.argv[2]), int(sys.argv[3])), host="127.0.0.1", port=int(sys.argv[1]), print=None)
