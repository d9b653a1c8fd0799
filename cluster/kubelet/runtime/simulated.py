"""The simulated container runtime: containers that are bookkeeping, with processes that behave.

A server is a state and costs nothing while it runs; a command is a small script on the cluster's clock (`runtime.shell`). Signals,
exit codes, listening ports, logs and files are as the process would have them.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from cluster import clock
from cluster.kubelet.runtime.cri import (
    ContainerConfig,
    ExecResult,
    HTTPResult,
    ImageInfo,
    RuntimeFailure,
    SandboxConfig,
    StartFailure,
)
from cluster.kubelet.runtime.images import Image, resolve
from cluster.kubelet.runtime.profile import Latency
from cluster.kubelet.runtime.shell import FOREVER, Shell, World
from cluster.kubelet.runtime.terminal import Stdin, Terminal, Write, converse

# Lines of log that are kept for one container.
LOG_LINES = 2000
# Bytes that a command reads from its client before it runs.
MAX_STDIN = 4 * 1024 * 1024
_sequence = itertools.count(1)


class Log:
    """A ring of lines; positions count from the first line ever written."""

    __slots__ = ("_bell", "closed", "dropped", "lines")

    def __init__(self) -> None:
        self.lines: deque[tuple[float, str]] = deque(maxlen=LOG_LINES)
        self.dropped = 0
        self.closed = False
        self._bell: asyncio.Event | None = None

    def write(self, text: str, at: float | None = None) -> None:
        if len(self.lines) == LOG_LINES:
            self.dropped += 1
        self.lines.append((clock.now() if at is None else at, text))
        self._ring()

    def close(self) -> None:
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


class Container:
    """One container: created, running or exited."""

    __slots__ = (
        "_log",
        "config",
        "created_at",
        "exit_code",
        "exited",
        "finished_at",
        "id",
        "image",
        "kind",
        "message",
        "ports",
        "profile",
        "reason",
        "sandbox",
        "started_at",
        "state",
        "task",
        "world",
    )

    def __init__(self, sandbox: Sandbox, config: ContainerConfig, image: ImageInfo, profile: Image, id: str) -> None:
        self.sandbox = sandbox
        self.config = config
        self.image = image
        self.profile = profile
        self.id = id
        self.kind = ""
        self.state = "created"
        self.created_at = clock.now()
        self.started_at = 0.0
        self.finished_at = 0.0
        self.exit_code = 0
        self.reason = ""
        self.message = ""
        self.ports: tuple[int, ...] = ()
        self.task: asyncio.Task[None] | None = None
        self.world: World | None = None
        self.exited: asyncio.Event | None = None
        self._log: Log | None = None

    @property
    def log(self) -> Log:
        """Made when first needed: most containers are never asked, and a server's banner can be told later."""
        if self._log is None:
            self._log = Log()
            if self.kind == "server":
                for line in self.profile.banner:
                    self._log.write(line, self.started_at)
        return self._log


class Sandbox:
    """A pod's sandbox: its name, its address, its files."""

    __slots__ = ("config", "files", "id")

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.id = _new_id(config.uid)
        self.files: dict[str, bytes] = {}


def _new_id(salt: str) -> str:
    return hashlib.sha256(f"{salt}/{next(_sequence)}".encode()).hexdigest()


class SimulatedRuntime:
    """One node's runtime. `on_exit(container)` is called when a container exits by itself or is stopped."""

    def __init__(self, latency: Latency) -> None:
        self.latency = latency
        self.on_exit: Callable[[Container], None] = lambda container: None
        self._images: dict[str, tuple[ImageInfo, Image]] = {}
        self._containers: dict[str, Container] = {}

    # -- images --------------------------------------------------------------------------------------------------

    def image_status(self, image: str) -> ImageInfo | None:
        found = self._images.get(image)
        return None if found is None else found[0]

    def list_images(self) -> list[ImageInfo]:
        return [info for info, _ in self._images.values()]

    async def pull_image(self, image: str, credentials: bool = False) -> tuple[ImageInfo, float]:
        began = clock.now()
        await self._take(self.latency.pick(self.latency.profile.resolve))
        info, profile = resolve(image)
        if image not in self._images:
            await self._take(self.latency.transfer(info.size))
        self._images[image] = (info, profile)
        return info, clock.now() - began

    @staticmethod
    async def _take(seconds: float) -> None:
        if seconds > 0:
            await clock.sleep(seconds)

    # -- sandboxes and containers ----------------------------------------------------------------------------------

    async def run_pod_sandbox(self, config: SandboxConfig) -> Sandbox:
        await self._take(self.latency.pick(self.latency.profile.sandbox))
        return Sandbox(config)

    def adopt_sandbox(self, config: SandboxConfig) -> Sandbox:
        """The sandbox of a pod that ran before the kubelet restarted."""
        return Sandbox(config)

    async def remove_pod_sandbox(self, sandbox: Sandbox) -> None:
        for container in self.list_containers(sandbox):
            await self.remove_container(container)

    async def create_container(self, sandbox: Sandbox, config: ContainerConfig) -> Container:
        await self._take(self.latency.pick(self.latency.profile.create))
        return self._create(sandbox, config, _new_id(sandbox.id))

    def _create(self, sandbox: Sandbox, config: ContainerConfig, container_id: str) -> Container:
        found = self._images.get(config.image)
        if found is None:
            found = self._images[config.image] = resolve(config.image)
        container = Container(sandbox, config, found[0], found[1], container_id)
        self._containers[container.id] = container
        return container

    async def start_container(self, container: Container) -> None:
        await self._take(self.latency.pick(self.latency.profile.start))
        config = container.config
        words = [*config.command, *config.args] if config.command else list(config.args)
        if _kind_of(container.profile, config, words) == "script":
            await self._mount(container)
        self._start(container)

    @staticmethod
    async def _mount(container: Container) -> None:
        """Bring the files that nobody has looked at before."""
        for mount in container.config.mounts:
            later, mount.later = mount.later, None
            if later is None:
                continue
            try:
                mount.files.update(await later())
            except RuntimeFailure:
                mount.later = later
                raise
            if container.world is not None:
                for name, content in mount.files.items():
                    container.world.files.setdefault(f"{mount.path.rstrip('/')}/{name}", content)

    def _start(self, container: Container) -> None:
        config, profile = container.config, container.profile
        words = [*config.command, *config.args] if config.command else list(config.args)
        if config.command and not profile.has_shell and config.command[0].rpartition("/")[2] in ("sh", "bash", "ash"):
            raise self._not_found(container, config.command[0])
        container.state, container.started_at = "running", clock.now()
        container.kind = _kind_of(profile, config, words)
        container.ports = (*config.ports, *profile.ports) if container.kind == "server" else config.ports
        if container.kind == "server":
            missing = profile.needs_env
            if missing and not any(name in config.env for name in missing):
                container.log.write(f"Error: you need to specify one of {', '.join(missing)}")
                self._exit_soon(container, 1)
        elif container.kind == "once":
            for line in profile.banner:
                container.log.write(line)
            self._exit_soon(container, 0)
        else:
            self._run_script(container, words)

    @staticmethod
    def _not_found(container: Container, program: str) -> StartFailure:
        container.state, container.exit_code, container.finished_at = "exited", 128, clock.now()
        return StartFailure(
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
            f'unable to start container process: error during container init: exec: "{program}": executable file not '
            "found in $PATH"
        )

    def _world(self, container: Container) -> World:
        if container.world is None:
            files = container.sandbox.files
            for mount in container.config.mounts:
                for name, content in mount.files.items():
                    files.setdefault(f"{mount.path.rstrip('/')}/{name}", content)
            hostname = container.sandbox.config.hostname
            env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME": hostname}
            env.update(container.config.env)
            container.world = World(
                env, hostname, container.log.write, files, serves=lambda url: 200 if self._serving(container) else 0
            )
        return container.world

    def _run_script(self, container: Container, words: list[str]) -> None:
        world = self._world(container)
        program = words[0].rpartition("/")[2] if words else ""
        is_shell = program in ("sh", "bash", "ash")
        if not program or (is_shell and not any(word.startswith("-") and "c" in word for word in words[1:])):
            # A shell: with stdin it waits for somebody to attach, without it reads nothing and ends.
            if container.config.stdin:
                return
            self._exit_soon(container, 0)
            return
        if not is_shell and not _known(program):
            container.state = "created"
            raise self._not_found(container, words[0])

        async def run() -> None:
            shell = Shell(world)
            if is_shell:
                script = next(
                    (words[i + 1] for i, word in enumerate(words[:-1]) if word.startswith("-") and "c" in word), ""
                )
                code = await shell.run(script)
            else:
                code = await shell.command(words)
            self._exited(container, code)

        container.task = asyncio.create_task(run(), name=f"container {container.config.name}")

    def _exit_soon(self, container: Container, code: int) -> None:
        clock.call_later(0.02, lambda: self._exited(container, code))

    def _exited(self, container: Container, code: int, reason: str = "") -> None:
        if container.state != "running":
            return
        container.state, container.finished_at, container.exit_code = "exited", clock.now(), code
        container.reason = reason or ("Completed" if code == 0 else "Error")
        task, container.task = container.task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
        if container._log is not None:
            container._log.close()
        if container.exited is not None:
            container.exited.set()
        self.on_exit(container)

    async def stop_container(self, container: Container, timeout: float) -> str:
        """SIGTERM, and SIGKILL after `timeout`; returns which of them ended it."""
        if container.state != "running":
            return "none"
        code = self._on_term(container)
        if code is not None:
            await self._take(min(self.latency.pick(self.latency.profile.stop), timeout))
            self._exited(container, code)
            return "SIGTERM"
        container.exited = container.exited or asyncio.Event()
        deadline = clock.call_later(timeout, lambda: self._exited(container, 137))
        try:
            await container.exited.wait()
        finally:
            deadline.cancel()
        return "SIGKILL" if container.exit_code == 137 else "SIGTERM"

    @staticmethod
    def _on_term(container: Container) -> int | None:
        """The exit code that SIGTERM leads to; None for a process that does not listen to it."""
        if container.kind == "server":
            return container.profile.exit_on_term
        if container.world is not None and container.world.traps.get("TERM"):
            return 0
        # PID 1 without a handler does not get signals whose default is to end it.
        return None if not container.sandbox.config.shared_pid else 143

    def kill(self, container: Container, reason: str = "") -> None:
        """SIGKILL, at once."""
        self._exited(container, 137, reason)

    def crash(self, container: Container, *, out_of_memory: bool) -> None:
        """The process ends by a fault of its own, or is killed because it wants more memory than it may have."""
        if out_of_memory:
            self._exited(container, 137, "OOMKilled")
        else:
            self._exited(container, 1)

    async def remove_container(self, container: Container) -> None:
        self.kill(container)
        self.drop(container)

    def drop(self, container: Container) -> None:
        """Forget a container that has ended."""
        self._containers.pop(container.id, None)

    def list_containers(self, sandbox: Any = None) -> list[Container]:
        return [one for one in self._containers.values() if sandbox is None or one.sandbox is sandbox]

    def adopt_container(
        self, sandbox: Sandbox, config: ContainerConfig, container_id: str, started_at: float
    ) -> Container:
        """A container that was running before the kubelet restarted, running on."""
        container = self._create(sandbox, config, container_id)
        self._start(container)
        container.started_at = started_at
        return container

    # -- looking into containers -----------------------------------------------------------------------------------

    async def exec_sync(self, container: Container, command: list[str], timeout: float) -> ExecResult:
        if container.state != "running":
            raise RuntimeFailure("container is not running", "NotFound")
        output: list[str] = []
        world = self._world(container)
        inner = World(dict(world.env), world.hostname, output.append, world.files, serves=world.serves)
        shell = Shell(inner)

        async def run() -> int:
            return await shell.command(command)

        task = asyncio.create_task(run())
        timer = clock.call_later(timeout, lambda: _cancel(task)) if timeout > 0 else None
        try:
            code = await task
        except asyncio.CancelledError:
            if not task.cancelled():
                task.cancel()
                raise
            return ExecResult(-1, "\n".join(output), timed_out=True)
        finally:
            if timer is not None:
                timer.cancel()
        return ExecResult(code, "\n".join(output))

    async def execute(
        self,
        container: Container,
        command: list[str],
        stdin: Stdin | None,
        write: Write,
        *,
        tty: bool,
    ) -> int:
        if container.state != "running":
            raise RuntimeFailure("container is not running", "NotFound")
        program = command[0].rpartition("/")[2]
        is_shell = program in ("sh", "bash", "ash")
        if not _known(program) or (is_shell and not container.profile.has_shell):
            raise RuntimeFailure(
                f'failed to exec in container: failed to start exec "{_new_id(container.id)}": OCI runtime exec failed: exec '
                f'failed: unable to start container process: exec: "{command[0]}": executable file not found in $PATH'
            )
        await self._mount(container)
        world = self._world(container)
        terminal = Terminal(stdin or asyncio.Queue(), write, tty=tty)
        inner = World(dict(world.env), world.hostname, terminal.tell, world.files, serves=world.serves)
        if is_shell and not any(word.startswith("-") and "c" in word for word in command[1:]):
            return await converse(inner, terminal) if stdin is not None else 0
        if stdin is not None and not tty:
            inner.files["/dev/stdin"] = await _everything(stdin)
        return await Shell(inner).command(command)

    async def attach(self, container: Container, stdin: Stdin | None, write: Write, *, tty: bool) -> int:
        if container.state != "running":
            raise RuntimeFailure("container is not running", "NotFound")
        if stdin is not None and container.config.stdin and container.kind == "script" and container.task is None:
            # A shell that waits for somebody to type: when the shell ends, so does the container.
            code = await converse(self._world(container), Terminal(stdin, write, tty=tty))
            self._exited(container, code)
            return code
        log, end = container.log, b"\r\n" if tty else b"\n"
        _, position = log.since(0)
        while await log.more(position):
            lines, position = log.since(position)
            for _, text in lines:
                write(text.encode() + end)
        return container.exit_code

    def _serving(self, container: Container) -> bool:
        warm_up = container.profile.warm_up * self.latency.profile.warm_up
        return (
            container.state == "running"
            and container.kind == "server"
            and clock.now() - container.started_at >= warm_up
        )

    async def http_get(
        self, container: Container, port: int, path: str, headers: Mapping[str, str], timeout: float
    ) -> HTTPResult:
        if not self.listens(container, port):
            return HTTPResult(0, error=f"dial tcp {container.sandbox.config.ip}:{port}: connect: connection refused")
        known = path in ("", "/") or any(
            word in path for word in ("health", "ready", "live", "ping", "status", "metrics")
        )
        return HTTPResult(200 if known else 404, "OK" if known else "Not Found")

    def listens(self, container: Container, port: int) -> bool:
        return self._serving(container) and (not container.ports or port in container.ports)


def _known(program: str) -> bool:
    from cluster.kubelet.runtime.shell import _COMMANDS

    return program in _COMMANDS or program == "sleep"


def _kind_of(profile: Image, config: ContainerConfig, words: list[str]) -> str:
    """server, once or script: what the process of a container is."""
    if config.command:
        program = config.command[0].rpartition("/")[2]
        if program in FOREVER or (program not in ("sh", "bash", "ash", "sleep") and not _known(program)):
            # A program of the image's own that we know nothing of: taken for its server.
            return "server" if profile.kind != "shell" or program in FOREVER else "script"
        return "script"
    if profile.kind == "shell":
        return "script"
    return profile.kind


async def _everything(stdin: Stdin) -> bytes:
    """All that the client sends until it closes its end; RuntimeFailure when that is more than a container may hold."""
    parts, size = [], 0
    while (data := await stdin.get()) is not None:
        parts.append(data)
        size += len(data)
        if size > MAX_STDIN:
            raise RuntimeFailure(f"stdin is larger than {MAX_STDIN} bytes", "ResourceExhausted")
    return b"".join(parts)


def _cancel(task: asyncio.Task[int]) -> None:
    task.cancel()
