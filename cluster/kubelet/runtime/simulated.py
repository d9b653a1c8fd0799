"""The simulated container runtime: containers that are bookkeeping, with processes that behave.

Here are the ways into them (exec, attach); what they do by themselves is in `containers`, what they answer in `answering`.
"""

from __future__ import annotations

import asyncio
import codecs
from typing import Any

from cluster import clock
from cluster.kubelet.runtime.answering import Answering
from cluster.kubelet.runtime.commandline import interpret
from cluster.kubelet.runtime.container import Container
from cluster.kubelet.runtime.cri import (
    ExecResult,
    RuntimeFailure,
)
from cluster.kubelet.runtime.shell.interpreter import Caught, Shell
from cluster.kubelet.runtime.shell.processes import crashed
from cluster.kubelet.runtime.shell.programs import SHELLS
from cluster.kubelet.runtime.shell.world import BrokenPipe, Pipe
from cluster.kubelet.runtime.terminal import Room, Stdin, Terminal, Write, at_once, converse


class SimulatedRuntime(Answering):
    """One node's runtime (the CRI)."""

    async def exec_sync(self, container: Container, command: list[str], timeout: float) -> ExecResult:
        if container.state != "running":
            raise RuntimeFailure("container is not running", "NotFound")
        self._must_know(container, command[0])
        await self._mount(container)
        caught = Caught()
        shell = Shell(self._beside(container), caught.write)
        task = asyncio.ensure_future(self._while_awake(container, interpret(shell, command)))
        timer = clock.call_later(timeout, lambda: _cancel(task)) if timeout > 0 else None
        try:
            code = await task
        except asyncio.CancelledError:
            if not task.cancelled():
                task.cancel()
                raise
            return ExecResult(-1, caught.text, timed_out=True)
        except Exception as error:
            said: list[str] = []
            code = crashed(error, said.append)
            return ExecResult(code, caught.text + "".join(said))
        finally:
            shell.stop_jobs()
            if timer is not None:
                timer.cancel()
        return ExecResult(code, caught.text)

    @staticmethod
    async def _while_awake(container: Container, work: Any) -> int:
        """A command in a container that hangs hangs, too."""
        while container.hung:
            await clock.sleep(0.2)
        return int(await work)

    async def execute(
        self,
        container: Container,
        command: list[str],
        stdin: Stdin | None,
        write: Write,
        write_error: Write,
        room: Room = at_once,
        *,
        tty: bool,
    ) -> int:
        if container.state != "running":
            raise RuntimeFailure("container is not running", "NotFound")
        self._must_know(container, command[0])
        program, world = command[0].rpartition("/")[2], self._beside(container)
        await self._mount(container)
        terminal = Terminal(stdin or asyncio.Queue(), write, write_error, room, tty=tty)
        world.terminal = tty
        if program in SHELLS and len(command) == 1:
            return await converse(world, terminal) if stdin is not None else 0
        shell = Shell(world, terminal.tell, terminal.complain)
        shell.room = room
        interrupted = asyncio.ensure_future(self._while_awake(container, interpret(shell, command)))
        reading = None
        if stdin is not None:
            terminal.interrupt = lambda: _cancel(interrupted)
            pipe = shell.stdin = Pipe()
            reading = asyncio.ensure_future(_typed(terminal, pipe) if tty else _passed_on(stdin, pipe, once=True))
        try:
            return await interrupted
        except asyncio.CancelledError:
            if not interrupted.cancelled():
                interrupted.cancel()
                raise
            return 130
        finally:
            shell.stop_jobs()
            if reading is not None:
                reading.cancel()

    async def attach(
        self,
        container: Container,
        stdin: Stdin | None,
        write: Write,
        write_error: Write,
        room: Room = at_once,
        *,
        tty: bool,
    ) -> int:
        # An attachment is well when the stream was: how the container ended is told in its status.
        if container.state != "running":
            raise RuntimeFailure("container is not running", "NotFound")
        if stdin is not None and container.kind == "waiting":
            # A shell that waits for somebody to type: when the shell ends, so does the container.
            code = await converse(self._world(container), Terminal(stdin, write, write_error, room, tty=tty))
            self._exited(container, code)
            return 0
        pipe = container.shell.stdin if container.shell is not None else None
        typing = None
        if stdin is not None and isinstance(pipe, Pipe):
            terminal = Terminal(stdin, write, write_error, tty=tty)
            once = container.config.stdin_once
            typing = asyncio.ensure_future(_typed(terminal, pipe) if tty else _passed_on(stdin, pipe, once=once))
        log = container.log
        _, position = log.since(0)
        try:
            while await log.more(position):
                lines, position = log.since(position)
                for _, text in lines:
                    write((text.replace("\n", "\r\n") if tty else text).encode("utf-8", "surrogateescape"))
                    await room()
        finally:
            if typing is not None:
                typing.cancel()
        return 0


async def _passed_on(stdin: Stdin, pipe: Pipe, *, once: bool) -> None:
    """What comes from outside, as the process reads it. Its end is the process's end of input only where stdin is had `once`."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    try:
        while (data := await stdin.get()) is not None:
            pipe.write(decoder.decode(data))
            await pipe.room()
        pipe.write(decoder.decode(b"", True))
    except BrokenPipe:
        return
    finally:
        if once:
            pipe.close()


async def _typed(terminal: Terminal, pipe: Pipe) -> None:
    """What somebody types at a command that reads it."""
    reading = asyncio.ensure_future(terminal.pump())
    try:
        while (line := await terminal.line()) is not None:
            pipe.write(line + "\n")
            await pipe.room()
        pipe.close()
    except BrokenPipe:
        return
    finally:
        reading.cancel()


def _cancel(task: asyncio.Future[int]) -> None:
    task.cancel()
