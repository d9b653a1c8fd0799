"""What the processes of one container share, and what one command reads and writes."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from cluster.kubelet.runtime.shell.files import Files

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

    async def read(self) -> str:
        """All that is left."""
        rest, self._text = self._text, ""
        return rest

    async def line(self) -> str | None:
        """The next line without its end; None when there is nothing more."""
        if not self._text:
            return None
        found, _, self._text = self._text.partition("\n")
        return found

    async def some(self) -> str:
        """What is there, as it came; empty when there will be nothing more."""
        return await self.read()

    def hang_up(self) -> None:
        """Nobody will read this any more."""


class Pipe(Input):
    """What another command writes, as it comes."""

    # Characters that may wait to be read.
    MOST = 4 * 1024 * 1024

    def __init__(self) -> None:
        super().__init__()
        self._closed = False
        self._broken = False
        self._bell = asyncio.Event()

    def write(self, text: str) -> None:
        if self._broken or len(self._text) + len(text) > self.MOST:
            raise BrokenPipe
        self._text += text
        self._bell.set()

    def close(self) -> None:
        """Nothing more will be written."""
        self._closed = True
        self._bell.set()

    def hang_up(self) -> None:
        self._broken = True

    async def read(self) -> str:
        while not self._closed:
            self._bell.clear()
            await self._bell.wait()
        return await super().read()

    async def some(self) -> str:
        while not self._text and not self._closed:
            self._bell.clear()
            await self._bell.wait()
        found, self._text = self._text, ""
        return found

    async def line(self) -> str | None:
        while "\n" not in self._text and not self._closed:
            self._bell.clear()
            await self._bell.wait()
        return await super().line()
