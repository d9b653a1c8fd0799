"""The container runtime interface, as the kubelet sees it (k8s.io/cri-api, reduced to what the kubelet needs).

The kubelet knows these names and nothing of how containers are run. `runtime.simulated.SimulatedRuntime` implements it.
Times are seconds since the epoch in cluster time.
"""

from __future__ import annotations

import asyncio
import http
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cluster.kubelet.runtime.tree import Tree


class RuntimeFailure(Exception):
    """A call to the runtime that failed. `code` is the gRPC status code's name, as messages show it."""

    def __init__(self, message: str, code: str = "Unknown") -> None:
        super().__init__(message)
        self.message = message
        self.code = code

    @property
    def text(self) -> str:
        """As the kubelet prints it: the code of an unknown failure says nothing and is left out."""
        return self.message if self.code == "Unknown" else f"rpc error: code = {self.code} desc = {self.message}"


class StartFailure(RuntimeFailure):
    """The container exists, but its process could not be started."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """An image that is present: `name` as containerd reports it, `reference` with its digest, size in bytes."""

    name: str
    reference: str
    size: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container uses now: cores, and bytes of working set."""

    cpu: float
    memory: int


@dataclass(slots=True)
class ExecResult:
    """What a command inside of a container came to."""

    exit_code: int
    output: str
    timed_out: bool = False


@dataclass(slots=True)
class HTTPResult:
    """An answer over HTTP; status 0 with `error` when there was none."""

    status: int
    body: str = ""
    error: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """The status line's words."""
        try:
            return http.HTTPStatus(self.status).phrase
        except ValueError:
            return ""


@dataclass(slots=True)
class HTTPRequest:
    """What a server is asked. `path` comes with its query."""

    path: str = "/"
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = ""


@dataclass(slots=True)
class Mount:
    """A volume in a container. The files are shared by all containers of the pod that mount the volume.

    `later` brings them when somebody first looks: a server that never reads its token needs none signed.
    """

    path: str
    files: Tree
    read_only: bool = False
    sub_path: str = ""
    later: Callable[[], Awaitable[Tree]] | None = None


@dataclass(slots=True)
class ContainerConfig:
    """What CreateContainer needs to know."""

    name: str
    image: str
    command: list[str] = field(default_factory=list)
    args: list[str] = field(default_factory=list)
    env: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    mounts: tuple[Mount, ...] = ()
    working_dir: str = ""
    stdin: bool = False
    tty: bool = False
    memory_limit: int = 0
    # Cores; 0 means no limit.
    cpu_limit: float = 0.0
    attempt: int = 0
    # None: the image's own.
    user: int | None = None
    groups: tuple[int, ...] = (0,)
    read_only_root: bool = False
    privileged: bool = False
    no_new_privileges: bool = False
    # Whether system calls are filtered.
    seccomp: bool = False
    termination_path: str = "/dev/termination-log"
    termination_from_log: bool = False
    # The first who attaches closes stdin when they leave.
    stdin_once: bool = False
    # The writable layer that is kept for the container of an id, or the one that is made for it (None: nothing is kept).
    layer: Callable[[str, Callable[[], Tree]], Tree] | None = None


@dataclass(slots=True)
class SandboxConfig:
    """What RunPodSandbox needs to know. `shared_pid`: the pause process is PID 1 for all."""

    namespace: str
    name: str
    uid: str
    hostname: str
    ip: str
    node: str
    shared_pid: bool = False
    # The content of /etc/hosts and /etc/resolv.conf.
    hosts: str = ""
    resolver: str = ""
    sysctls: tuple[tuple[str, str], ...] = ()


class Log(Protocol):
    """What a container wrote, as far as it is kept."""

    def since(self, position: int) -> tuple[list[tuple[float, str]], int]:
        """The lines (time, text) from `position` on, and the position after them."""
        ...

    async def more(self, position: int) -> bool:
        """Wait until there is something after `position`; False when nothing will come any more."""
        ...


class Container(Protocol):
    """A container's state. `state` is created, running or exited."""

    id: str
    config: ContainerConfig
    image: ImageInfo
    state: str
    created_at: float
    started_at: float
    finished_at: float
    exit_code: int
    reason: str
    message: str

    @property
    def log(self) -> Log: ...


class Sandbox(Protocol):
    """A pod's sandbox: its network and what its containers share."""

    id: str
    config: SandboxConfig


class Runtime(Protocol):
    """The calls. All are coroutines, though the simulated runtime answers most at once."""

    # Called (synchronously) with a container when it exits.
    on_exit: Callable[[Any], None]

    def image_status(self, image: str) -> ImageInfo | None: ...

    def image_user(self, image: str) -> int:
        """Whom an image that is present runs as."""
        ...

    def list_images(self) -> list[ImageInfo]: ...

    async def pull_image(self, image: str, credentials: frozenset[str] = frozenset()) -> tuple[ImageInfo, float]:
        """`credentials`: the registries there are any for. The image and how long the transfer itself took. RuntimeFailure when there is none."""
        ...

    async def run_pod_sandbox(self, config: SandboxConfig) -> Any: ...

    async def remove_pod_sandbox(self, sandbox: Any) -> None: ...

    async def create_container(self, sandbox: Any, config: ContainerConfig) -> Any: ...

    async def start_container(self, container: Any) -> None:
        """StartFailure when the process could not be started."""
        ...

    async def stop_container(self, container: Any, timeout: float) -> None:
        """SIGTERM, and SIGKILL after `timeout`; returns when it has exited.

        Calling again with less time moves the SIGKILL forward.
        """
        ...

    async def remove_container(self, container: Any) -> None: ...

    def list_containers(self, sandbox: Any = None) -> list[Any]: ...

    def adopt_container(self, sandbox: Any, config: ContainerConfig, container_id: str, started_at: float) -> Any:
        """A container that was running before the kubelet restarted, running on."""
        ...

    async def exec_sync(self, container: Any, command: list[str], timeout: float) -> ExecResult: ...

    async def execute(
        self,
        container: Any,
        command: list[str],
        stdin: asyncio.Queue[bytes | None] | None,
        write: Callable[[bytes], None],
        write_error: Callable[[bytes], None],
        room: Callable[[], Awaitable[None]],
        *,
        tty: bool,
    ) -> int:
        """Run a command with streams; its exit code. RuntimeFailure when it cannot be started. Who writes much waits for `room`."""
        ...

    async def attach(
        self,
        container: Any,
        stdin: asyncio.Queue[bytes | None] | None,
        write: Callable[[bytes], None],
        write_error: Callable[[bytes], None],
        room: Callable[[], Awaitable[None]],
        *,
        tty: bool,
    ) -> int:
        """What the container's own process writes from now on, until it ends; its exit code."""
        ...

    async def http(self, container: Any, port: int, request: HTTPRequest, timeout: float) -> HTTPResult:
        """One request to a port of the container; status 0 when nothing answers within `timeout`."""
        ...

    async def datagram(self, container: Any, port: int, text: str) -> str | None:
        """What comes back for a UDP packet; None when nothing does."""
        ...

    def health(self, container: Any, port: int) -> bool | None:
        """What the gRPC health check on a port says; None when nothing answers."""
        ...

    def usage(self, container: Any) -> Usage: ...

    def held(self, container: Any) -> int:
        """Bytes of memory that it holds, or held when it ended."""
        ...

    def ports(self, container: Any) -> tuple[int, ...]:
        """The TCP ports that it listens on, or did until it ended."""
        ...

    async def answers_at(self, container: Any, port: int, paths: tuple[str, ...]) -> list[str]:
        """Which of the paths a GET is answered well at, without the container noticing; its own usual ones besides."""
        ...

    def listens(self, container: Any, port: int) -> bool: ...
