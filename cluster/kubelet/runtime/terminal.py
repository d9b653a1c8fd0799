"""A person at a shell in a container: lines typed, echoed and run (what a pty and `sh` do for `kubectl exec -it`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from cluster.kubelet.runtime.shell.interpreter import Shell
from cluster.kubelet.runtime.shell.world import PROMPT, Input, World

# What somebody may type ahead, in bytes.
MAX_LINE = 64 * 1024

Stdin = asyncio.Queue[bytes | None]  # None: nothing more will come
Write = Callable[[bytes], None]
# Waits while what was written has not been read.
Room = Callable[[], Awaitable[None]]


async def at_once() -> None:
    """There is always room."""


class Terminal:
    """Turns bytes into lines. With a tty it echoes, deletes, and hears Ctrl-C and Ctrl-D."""

    def __init__(
        self, stdin: Stdin, write: Write, write_error: Write | None = None, room: Room = at_once, *, tty: bool
    ) -> None:
        self.stdin = stdin
        self.write = write
        self.room = room
        # With a tty there is one stream only.
        self._write_error = write if tty or write_error is None else write_error
        self.tty = tty
        self.interrupt: Callable[[], None] = lambda: None
        self._typed = bytearray()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        # True when the client will send nothing more.
        self._over = False

    async def pump(self) -> None:
        """Read until there is nothing more."""
        while True:
            data = await self.stdin.get()
            if data is None:
                if self._typed:
                    self._finish()
                self._over = True
                self._lines.put_nowait(None)
                return
            for byte in data:
                self._key(byte)

    def _key(self, byte: int) -> None:
        if byte in (10, 13):
            if self.tty:
                self.write(b"\r\n")
            self._finish()
        elif self.tty and byte == 3:
            self._typed.clear()
            self.write(b"^C\r\n")
            self.interrupt()
        elif self.tty and byte == 4:
            if not self._typed:
                self._lines.put_nowait(None)
        elif self.tty and byte in (8, 127):
            if self._typed:
                del self._typed[-1]
                self.write(b"\b \b")
        elif len(self._typed) < MAX_LINE:
            self._typed.append(byte)
            if self.tty:
                self.write(bytes((byte,)))

    def _finish(self) -> None:
        self._lines.put_nowait(self._typed.decode("utf-8", "replace"))
        self._typed.clear()

    async def line(self) -> str | None:
        """The next line; None at the end, and (typed as Ctrl-D) at the end of what one command reads."""
        found = await self._lines.get()
        if found is None and self._over:
            # For all who ask after this.
            self._lines.put_nowait(None)
        return found

    def tell(self, text: str) -> None:
        """Output."""
        self.write(self._shown(text))

    def complain(self, text: str) -> None:
        """Output on stderr."""
        self._write_error(self._shown(text))

    def _shown(self, text: str) -> bytes:
        return (text.replace("\n", "\r\n") if self.tty else text).encode("utf-8", "surrogateescape")


class Typed(Input):
    """What the commands at a terminal read: the lines that are typed while they run."""

    typed = True

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    async def line(self) -> str | None:
        return await self._terminal.line()

    async def some(self) -> str:
        found = await self._terminal.line()
        return "" if found is None else found + "\n"

    async def read(self) -> str:
        lines = []
        while (line := await self._terminal.line()) is not None:
            lines.append(line + "\n")
        return "".join(lines)


async def converse(world: World, terminal: Terminal) -> int:
    """Prompt, read, run, until `exit` or the end of the input; the shell's exit code."""
    world.terminal = terminal.tty
    shell = Shell(world, terminal.tell, terminal.complain, Typed(terminal))
    shell.room = terminal.room
    reading = asyncio.create_task(terminal.pump())
    try:
        while True:
            if terminal.tty:
                terminal.write(PROMPT.encode())
            line = await _line_or_interrupt(terminal)
            if line is None:
                return shell.status
            command = asyncio.create_task(shell.line(line))
            terminal.interrupt = partial(_cancel, command)
            try:
                ended = await command
            except asyncio.CancelledError:
                if not command.cancelled():
                    command.cancel()
                    raise
                shell.status, ended = 130, None
            finally:
                terminal.interrupt = lambda: None
            if ended is not None:
                return ended
    finally:
        shell.stop_jobs()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def _cancel(command: asyncio.Task[int | None]) -> None:
    command.cancel()


async def _line_or_interrupt(terminal: Terminal) -> str | None:
    """The next line; Ctrl-C on an empty prompt only shows the prompt again."""
    terminal.interrupt = lambda: terminal.write(PROMPT.encode())
    return await terminal.line()
