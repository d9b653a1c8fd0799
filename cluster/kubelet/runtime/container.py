"""A simulated container: its state, its log, what it uses."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import math
from collections import deque
from typing import TYPE_CHECKING, Any

from cluster import clock
from cluster.kubelet.runtime.cri import ContainerConfig, ImageInfo, SandboxConfig, Usage

if TYPE_CHECKING:
    from cluster.kubelet.runtime.images import Image
    from cluster.kubelet.runtime.shell.interpreter import Shell
    from cluster.kubelet.runtime.shell.world import World

# Lines of log that are kept for one container, and characters of one line.
LOG_LINES, LINE_LENGTH = 2000, 16 * 1024
# Usage is a moving average over about so many seconds, as metrics-server's window is.
WINDOW = 15.0
_sequence = itertools.count(1)


def new_id(salt: str) -> str:
    """An id like containerd's: 64 hex digits. The time is in it: the count begins anew with each process."""
    return hashlib.sha256(f"{salt}/{clock.now()}/{next(_sequence)}".encode()).hexdigest()


class Log:
    """A ring of lines; positions count from the first line ever written. A line ends in a newline, unless the process wrote none."""

    __slots__ = ("_bell", "_open", "closed", "dropped", "lines")

    def __init__(self) -> None:
        self.lines: deque[tuple[float, str]] = deque(maxlen=LOG_LINES)
        self.dropped = 0
        self.closed = False
        self._open = ""
        self._bell: asyncio.Event | None = None

    def line(self, text: str, at: float | None = None) -> None:
        """One whole line."""
        self._keep(text[:LINE_LENGTH] + "\n", at)

    def _keep(self, text: str, at: float | None = None) -> None:
        if len(self.lines) == LOG_LINES:
            self.dropped += 1
        self.lines.append((clock.now() if at is None else at, text))
        self._ring()

    def write(self, text: str) -> None:
        """Text as a process writes it, in whole lines or not; long lines are cut in pieces, as containerd does."""
        *whole, self._open = (self._open + text).split("\n")
        for line in whole:
            self._pieces(line + "\n")
        if len(self._open) > LINE_LENGTH:
            self._open, rest = "", self._open
            self._pieces(rest)

    def _pieces(self, text: str) -> None:
        at = 0
        while len(text) - at > LINE_LENGTH + 1:
            self._keep(text[at : at + LINE_LENGTH])
            at += LINE_LENGTH
        self._keep(text[at:])

    def close(self) -> None:
        if self._open:
            self._keep(self._open)
            self._open = ""
        self.closed = True
        self._ring()

    def _ring(self) -> None:
        if self._bell is not None:
            self._bell.set()
            self._bell = None

    def since(self, position: int) -> tuple[list[tuple[float, str]], int]:
        skip = max(position - self.dropped, 0)
        found = list(itertools.islice(self.lines, skip, None))
        return found, self.dropped + len(self.lines)

    async def more(self, position: int) -> bool:
        while self.dropped + len(self.lines) <= position:
            if self.closed:
                return False
            if self._bell is None:
                self._bell = asyncio.Event()
            await self._bell.wait()
        return True

    def tail(self, lines: int) -> str:
        """The last lines, as the kubelet takes them for a termination message."""
        return "".join(text for _, text in list(self.lines)[-lines:])


class Sandbox:
    """A pod's sandbox: its name and its address."""

    __slots__ = ("config", "id")

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.id = new_id(config.uid)


class Container:
    """One container: created, running or exited.

    `kind`: server, once, script, or waiting (a shell that nobody types to yet). `program` answers HTTP on `ports` (none known: on any).
    """

    __slots__ = (
        "_log",
        "_rate",
        "_rated_at",
        "args",
        "burning",
        "config",
        "created_at",
        "deadline",
        "ended",
        "exit_code",
        "exited",
        "finished_at",
        "first",
        "heard",
        "hung",
        "id",
        "image",
        "kind",
        "memory",
        "message",
        "ports",
        "profile",
        "program",
        "reason",
        "requests",
        "sandbox",
        "shell",
        "started_at",
        "state",
        "stopping",
        "task",
        "udp",
        "world",
    )

    def __init__(self, sandbox: Sandbox, config: ContainerConfig, image: ImageInfo, profile: Image, id: str) -> None:
        self.sandbox = sandbox
        self.config = config
        self.image = image
        self.profile = profile
        self.id = id
        self.kind = ""
        # The program of the first process, where that is no shell: who hears signals.
        self.first = ""
        self.program = ""
        self.args: list[str] = []
        self.state = "created"
        self.created_at = clock.now()
        self.started_at = 0.0
        self.finished_at = 0.0
        self.exit_code = 0
        self.reason = ""
        self.message = ""
        self.ports: tuple[int, ...] = ()
        self.udp: tuple[int, ...] = ()
        # What its server has been told and remembers.
        self.heard: dict[str, Any] = {}
        # True between SIGTERM and the end: nothing new is accepted.
        self.stopping = False
        # True while the process does not answer anybody.
        self.hung = False
        self.requests = 0
        self.burning = 0.0
        self.memory = 0
        self._rate = 0.0
        self._rated_at = 0.0
        self.task: asyncio.Task[None] | None = None
        self.shell: Shell | None = None
        self.world: World | None = None
        self.exited: asyncio.Event | None = None
        # What a server in the foreground of a script waits for.
        self.ended: asyncio.Future[int] | None = None
        self.deadline: Any = None
        self._log: Log | None = None

    @property
    def log(self) -> Log:
        """Made when first needed: most containers are never asked, and a server's banner can be told later."""
        if self._log is None:
            self._log = Log()
            if self.kind == "server":
                for line in self.profile.banner:
                    self._log.line(line, self.started_at)
        return self._log

    def close_log(self) -> None:
        if self._log is not None:
            self._log.close()

    # -- what it uses ------------------------------------------------------------------------------------------------

    def worked(self, seconds: float) -> None:
        """Count `seconds` of a core for something that was done just now."""
        self.requests += 1
        self._rate = self._decayed() + seconds / WINDOW
        self._rated_at = clock.now()

    def _decayed(self) -> float:
        return self._rate * math.exp((self._rated_at - clock.now()) / WINDOW) if self._rate else 0.0

    def usage(self) -> Usage:
        """Cores and bytes, now. Nobody gets more cores than the limit allows."""
        if self.state != "running":
            return Usage(0.0, 0)
        cores = self.profile.cpu + self._decayed() + self.burning
        limit = self.config.cpu_limit
        return Usage(min(cores, limit) if limit else cores, self.base_memory + self.memory)

    @property
    def base_memory(self) -> int:
        """What the process holds while nothing happens, in bytes."""
        return 1024 * 1024 if self.kind in ("script", "waiting") else self.profile.memory

    @property
    def throttled(self) -> float:
        """How much slower everything is because the limit of cores is reached: 1 is not at all."""
        limit = self.config.cpu_limit
        wanted = self.profile.cpu + self._decayed() + self.burning
        return max(wanted / limit, 1.0) if limit else 1.0
