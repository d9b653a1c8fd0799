"""What the processes of one container share, and what one command reads and writes."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from cluster.kubelet.runtime.shell.files import Files, FileTrouble

if TYPE_CHECKING:
    from cluster.kubelet.runtime.cri import HTTPResult

Out = Callable[[str], None]
Record = tuple[str, str, str]


class Net(Protocol):
    """The network as a process sees it: names, addresses, answers. All times are cluster time."""

    def resolve(self, name: str) -> list[str]:
        """The addresses behind a DNS name; none when there is no such name."""
        ...

    def query(self, name: str, kind: str, *, search: bool) -> list[Record]:
        """DNS records of a kind (A, SRV, …): (owner, kind, data). `search`: with the resolver's search list."""
        ...

    async def http(
        self, host: str, port: int, path: str, *, method: str, headers: dict[str, str], body: bytes, timeout: float
    ) -> HTTPResult:
        """One request; status 0 and `error` when there was no answer."""
        ...

    def listening(self) -> list[tuple[str, int]]:
        """Where somebody listens here: (tcp or udp, port)."""
        ...

    async def connect(self, host: str, port: int, timeout: float) -> str:
        """Empty when somebody listens there, else why not."""
        ...

    async def datagram(self, host: str, port: int, text: str, timeout: float) -> str | None:
        """What comes back for a UDP packet; None when nothing does."""
        ...


class Process(Protocol):
    """What a command can do to the container that it runs in."""

    def signal(self, name: str, pid: int) -> bool:
        """Send TERM, KILL, … to a process; False when there is none of that number."""
        ...

    async def serve(self, program: str, args: list[str]) -> int:
        """Be a server until somebody ends it; the exit code."""
        ...

    def log(self, text: str) -> None:
        """Write to the container's own log."""
        ...

    def become(self, program: str) -> None:
        """The first process is this program from now on (`exec`)."""
        ...

    def burn(self, cores: float, memory: int) -> None:
        """Use so much more, from now on (negative: less)."""
        ...


@dataclass(slots=True)
class World:
    """One container's: variables, files, signals that were trapped, network."""

    env: dict[str, str]
    hostname: str
    files: Files = field(default_factory=Files)
    cwd: str = "/"
    net: Net | None = None
    process: Process | None = None
    # Programs of the image that are not the shell's own.
    programs: frozenset[str] = frozenset()
    privileged: bool = False
    no_new_privileges: bool = False
    # Whether a person's terminal is at the other end.
    terminal: bool = False

    def beside(self, cwd: str = "") -> World:
        """The world of another process of the container: the same files, its own variables and directory."""
        return replace(self, env=dict(self.env), cwd=cwd or self.cwd)

    def path(self, name: str) -> str:
        """A name as an absolute path."""
        return posixpath.normpath(posixpath.join(self.cwd, name)).replace("//", "/")


# What a shell shows a person at a terminal.
PROMPT = "/ # "


@dataclass(slots=True)
class Signals:
    """Traps of one shell, and what came in."""

    traps: dict[str, str] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    def raise_(self, name: str) -> bool:
        """Note a signal; False when nobody handles it."""
        if name not in self.traps:
            return False
        self.pending.append(name)
        self.bell.set()
        return True


class BrokenPipe(Exception):
    """Nobody reads any more (SIGPIPE)."""


class Input:
    """What a command reads: text that is there already. `typed`: it comes line by line from somebody who types."""

    typed = False

    def __init__(self, text: str = "") -> None:
        self._text = text
        # What has been read of it already.
        self._at = 0

    async def read(self) -> str:
        """All that is left."""
        return self._take()

    async def line(self) -> str | None:
        """The next line without its end; None when there is nothing more."""
        found = self._line()
        return self._take() or None if found is None else found

    async def some(self) -> str:
        """What is there, as it came; empty when there will be nothing more."""
        return self._take()

    def hang_up(self) -> None:
        """Nobody will read this any more."""

    @property
    def _waits(self) -> int:
        return len(self._text) - self._at

    def _take(self) -> str:
        rest = self._text[self._at :]
        self._text, self._at = "", 0
        return rest

    def _line(self) -> str | None:
        """The next whole line; None while there is none."""
        end = self._text.find("\n", self._at)
        if end < 0:
            return None
        found, self._at = self._text[self._at : end], end + 1
        return found


class Pipe(Input):
    """What another command writes, as it comes. Whoever writes much waits for `room` between: a pipe holds so much and no more."""

    # Characters that may wait while their writer goes on (a pipe's 64 KiB), and what one reader may hold of them in memory.
    ROOM, MOST = 64 * 1024, 64 * 1024 * 1024

    def __init__(self) -> None:
        super().__init__()
        self._closed = False
        self._broken = False
        self._bell = asyncio.Event()
        self._taken = asyncio.Event()

    def write(self, text: str) -> None:
        """BrokenPipe when nobody reads."""
        if self._broken or self._waits + len(text) > 2 * self.MOST:
            raise BrokenPipe
        self._text, self._at = self._text[self._at :] + text, 0
        self._bell.set()

    async def room(self) -> None:
        """Wait while the pipe is full; BrokenPipe when nobody reads any more."""
        while self._waits > self.ROOM:
            if self._broken:
                raise BrokenPipe
            self._taken.clear()
            await self._taken.wait()

    def close(self) -> None:
        """Nothing more will be written."""
        self._closed = True
        self._bell.set()

    def hang_up(self) -> None:
        self._broken = True
        self._taken.set()

    def _take(self) -> str:
        self._taken.set()
        return super()._take()

    async def _more(self) -> None:
        self._bell.clear()
        await self._bell.wait()

    async def read(self) -> str:
        return "".join([part async for part in self._parts()])

    async def _parts(self) -> AsyncIterator[str]:
        """All that comes, to the end; FileTrouble when that is more than a process can hold."""
        size = 0
        while part := await self.some():
            size += len(part)
            if size > self.MOST:
                raise FileTrouble("out of memory")
            yield part

    async def some(self) -> str:
        while not self._waits and not self._closed:
            await self._more()
        return self._take()

    async def line(self) -> str | None:
        parts: list[str] = []
        size = 0
        while (found := self._line()) is None:
            if self._closed:
                return "".join((*parts, self._take())) or None
            # A line may be longer than what a pipe holds.
            size += self._waits
            if size > self.MOST:
                raise FileTrouble("out of memory")
            parts.append(self._take())
            await self._more()
        if self._waits <= self.ROOM:
            self._taken.set()
        return "".join((*parts, found))
