"""What simulated containers answer: HTTP, UDP packets, health checks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

from cluster import clock
from cluster.kubelet.runtime import agnhostserver, guestbook, sampleapiserver, servers, streams
from cluster.kubelet.runtime.container import Container
from cluster.kubelet.runtime.containers import Containers
from cluster.kubelet.runtime.cri import (
    HTTPRequest,
    HTTPResult,
)
from cluster.kubelet.runtime.shell.interpreter import Caught, Shell
from cluster.kubelet.runtime.shell.options import flag
from cluster.kubelet.runtime.shell.processes import crashed

# Programs that only wait.
SILENT = frozenset({"pause", "sleep"})
ANSWERS = {**servers.PROGRAMS, **agnhostserver.PROGRAMS, "sample-apiserver": sampleapiserver.serve}


class Answering(Containers):
    """Containers with ports."""

    def _serving(self, container: Container) -> bool:
        if container.state != "running" or not container.program or container.stopping:
            return False
        warm_up = container.profile.warm_up * self.latency.profile.warm_up if container.kind == "server" else 0.0
        return clock.now() - container.started_at >= warm_up

    def listens(self, container: Container, port: int) -> bool:
        if container.program in SILENT or not self._serving(container):
            return False
        return not container.ports or port in container.ports

    def ports(self, container: Container) -> tuple[int, ...]:
        return tuple(dict.fromkeys(container.ports)) if container.program and not container.hung else ()

    def held(self, container: Container) -> int:
        return container.base_memory + container.memory

    async def answers_at(self, container: Container, port: int, paths: tuple[str, ...]) -> list[str]:
        """Asked of a copy of the server that writes no log, remembers nothing and cannot end."""
        answers = dict(container.profile.answers) if container.kind == "server" else {}
        me = self._self(container, port)
        me = replace(me, log=lambda line: None, end=lambda code: None, heard=dict(me.heard))
        found = []
        for path in dict.fromkeys((*answers, *paths)):
            request = HTTPRequest(path)
            if answers:
                answer = servers.fixed(answers, request)
            else:
                answer = await servers.answer(ANSWERS.get(container.program, servers.plain), me, request)
            if 200 <= answer.status < 400:
                found.append(path)
        return found

    async def http(self, container: Container, port: int, request: HTTPRequest, timeout: float) -> HTTPResult:
        if not self.listens(container, port):
            return HTTPResult(0, error=f"dial tcp {container.sandbox.config.ip}:{port}: connect: connection refused")
        if container.hung:
            await clock.sleep(timeout)
            return HTTPResult(0, error="context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
        container.worked(container.profile.work)
        took = self.latency.pick(self.latency.profile.answer) + (
            container.profile.work * container.throttled if self.latency.profile.bandwidth else 0.0
        )
        await self._take(min(took, timeout))
        if container.state != "running":
            return HTTPResult(0, error="read: connection reset by peer")
        if took > timeout:
            return HTTPResult(0, error="context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
        answers = container.profile.answers if container.kind == "server" else ()
        if answers:
            return servers.fixed(dict(answers), request)
        return await servers.answer(ANSWERS.get(container.program, servers.plain), self._self(container, port), request)

    async def datagram(self, container: Container, port: int, text: str) -> str | None:
        """What comes back for a UDP packet; None when nothing does."""
        if not self._serving(container) or container.hung or port not in container.udp:
            return None
        await self._take(self.latency.pick(self.latency.profile.answer))
        return agnhostserver.datagram(container.program, self._self(container, port), text)

    def health(self, container: Container, port: int) -> bool | None:
        """What the gRPC health check on a port says; None when nothing answers."""
        if not self.listens(container, port) or container.hung:
            return None
        if container.program == "grpc-health-checking":
            return agnhostserver.serving(container.args, container.heard, container.started_at)
        return True

    def serves(self, container: Container) -> None:
        if container.program == "guestbook" and flag(container.args, "replicaof"):

            async def register() -> None:
                try:
                    code = await guestbook.register(self._self(container, 0))
                except Exception as error:
                    code = crashed(error, container.log.line)
                if code is not None:
                    self._exited(container, code)

            container.task = asyncio.create_task(register(), name=f"container {container.config.name}")

    async def converse(self, container: Container, port: int, incoming: streams.Incoming, write: streams.Write) -> bool:
        """A connection to a server that speaks no HTTP, until it is over; False for one that does."""
        talk = streams.PROGRAMS.get(container.program)
        if talk is None:
            return False
        try:
            await talk(self._self(container, port), incoming, write)
        except Exception as error:
            self._exit_soon(container, crashed(error, container.log.line))
        return True

    def _self(self, container: Container, port: int) -> servers.Self:
        world, name = self._world(container), container.image.name

        async def run(script: str) -> tuple[int, str]:
            caught = Caught()
            shell = Shell(self._beside(container), caught.write)
            status = await shell.run(script)
            # What is printed may be any bytes; what is told over HTTP is text.
            return status, caught.text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

        async def fetch(url: str) -> HTTPResult:
            parts = urlsplit(url)
            if world.net is None or not parts.hostname:
                return HTTPResult(0, error="dial: network is unreachable")
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            return await world.net.http(
                parts.hostname,
                parts.port or 80,
                path,
                method="GET",
                headers={},
                body=b"",
                timeout=agnhostserver.PATIENCE,
            )

        async def packet(host: str, number: int, text: str) -> str | None:
            if world.net is None:
                return None
            return await world.net.datagram(host, number, text, agnhostserver.PATIENCE)

        return servers.Self(
            world.hostname,
            container.sandbox.config.ip,
            port,
            name.rpartition(":")[2] if ":" in name.rpartition("/")[2] else "",
            container.args,
            world.env,
            world.files,
            container.started_at,
            run,
            lambda code: self._exit_soon(container, code),
            fetch,
            packet,
            container.log.line,
            container.heard,
        )
