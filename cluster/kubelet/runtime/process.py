"""What the processes of a container can do to it: signals, serving, using more (the shell's `Process`), and the network they see."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from cluster import clock
from cluster.kubelet.runtime import agnhostserver
from cluster.kubelet.runtime.container import Container
from cluster.kubelet.runtime.shell.options import whole

if TYPE_CHECKING:
    from cluster.kubelet.runtime.containers import Containers


class Process:
    """The first process of a container, as commands inside of it see it."""

    __slots__ = ("_container", "_runtime")

    def __init__(self, runtime: Containers, container: Container) -> None:
        self._runtime = runtime
        self._container = container

    def signal(self, name: str, pid: int) -> bool:
        if pid != 1:
            return False
        if name in ("0", "KILL", "STOP"):
            # The first process of a container cannot be killed from inside.
            return True
        if name in ("TERM", "INT", "QUIT", "HUP", "USR1", "USR2"):
            # Soon, not now: who sends it may be part of what ends.
            clock.call_later(0.0, lambda: self._runtime.signal(self._container, name))
        return True

    def log(self, text: str) -> None:
        self._container.log.write(text)

    def become(self, program: str) -> None:
        self._container.first = program

    def burn(self, cores: float, memory: int) -> None:
        self._container.burning = max(self._container.burning + cores, 0.0)
        self._container.memory = max(self._container.memory + memory, 0)
        self._runtime.check_memory(self._container)

    async def serve(self, program: str, args: list[str]) -> int:
        """Listen, and wait for the end. A server in front of a shell hears no signal; one that replaced it does."""
        container = self._container
        before = (container.program, container.ports, container.udp, container.args)
        container.ports, container.args = self._listening(program, args), args
        container.program = _ANSWERS.get(program) or container.profile.program or program
        if program.startswith("agnhost"):
            container.program = agnhostserver.command_of(args)
            container.ports, container.udp = agnhostserver.ports_of(container.program, args, dict(container.config.env))
            greeting = agnhostserver.greeting(container.program, container.ports)
            if greeting:
                container.log.line(greeting)
        if program == "httpd" and container.profile.kind == "shell" and not _in_front(args):
            # busybox's goes on by itself; the container lasts as long as its first process.
            return 0
        container.ended = container.ended or asyncio.get_running_loop().create_future()
        try:
            return await asyncio.shield(container.ended)
        finally:
            container.program, container.ports, container.udp, container.args = before

    def _listening(self, program: str, args: list[str]) -> tuple[int, ...]:
        numbers = [number for word in args if (number := whole(word.rpartition("=")[2])) is not None]
        if program in ("python", "python3", "nc", "httpd", "php") and numbers:
            return (numbers[-1],)
        if program == "python" and "http.server" in args:
            return (8000,)
        return (*self._container.config.ports, *self._container.profile.ports)


def _in_front(args: list[str]) -> bool:
    """`-f`, alone or among other letters."""
    return any(re.fullmatch(r"-[a-z]*f[a-z]*", arg) for arg in args)


_ANSWERS = {"httpd": "files", "python": "files", "python3": "files"}
