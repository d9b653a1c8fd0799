"""Simulated containers from creation to removal: images, processes that behave, signals, exits.

A server is a state and costs nothing while it runs; a command is a small script on the cluster's clock (`runtime.shell`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from cluster import clock
from cluster.kubelet.runtime import agnhostserver
from cluster.kubelet.runtime.commandline import argv, interpret, kind_of, last_words, nginx_ports, not_there
from cluster.kubelet.runtime.container import Container, Sandbox, new_id
from cluster.kubelet.runtime.cri import (
    ContainerConfig,
    ImageInfo,
    RuntimeFailure,
    SandboxConfig,
    StartFailure,
    Usage,
)
from cluster.kubelet.runtime.etc import files_of, fresh
from cluster.kubelet.runtime.images import Catalogue, Image
from cluster.kubelet.runtime.process import Process
from cluster.kubelet.runtime.profile import Latency
from cluster.kubelet.runtime.shell import agnhostcommands
from cluster.kubelet.runtime.shell.commands import COMMANDS
from cluster.kubelet.runtime.shell.interpreter import Shell
from cluster.kubelet.runtime.shell.options import flag, klog, whole
from cluster.kubelet.runtime.shell.processes import crashed
from cluster.kubelet.runtime.shell.programs import SERVERS, SHELLS
from cluster.kubelet.runtime.shell.world import Net, Pipe, World
from cluster.kubelet.runtime.tree import Tree
from cluster.kubelet.runtime.troubles import Troubles

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENDING = frozenset({"TERM", "INT", "QUIT"})


class Containers:
    """One node's runtime. `on_exit(container)` is called when a container exits by itself or is stopped.

    `net` is the network as processes in a sandbox see it; `troubles` is what goes wrong on purpose.
    """

    def __init__(
        self,
        latency: Latency,
        net: Callable[[Sandbox], Net | None] | None = None,
        troubles: Troubles | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        self.latency = latency
        self.catalogue = catalogue or Catalogue()
        self.troubles = troubles or Troubles()
        self.on_exit: Callable[[Container], None] = lambda container: None
        self._net = net or (lambda sandbox: None)
        self._images: dict[str, tuple[ImageInfo, Image]] = {}
        self._containers: dict[str, Container] = {}

    # -- images --------------------------------------------------------------------------------------------------

    def image_status(self, image: str) -> ImageInfo | None:
        found = self._images.get(image)
        return None if found is None else found[0]

    def image_user(self, image: str) -> int:
        found = self._images.get(image)
        return 0 if found is None else found[1].user

    def list_images(self) -> list[ImageInfo]:
        return [info for info, _ in self._images.values()]

    async def pull_image(self, image: str, credentials: frozenset[str] = frozenset()) -> tuple[ImageInfo, float]:
        began = clock.now()
        await self._take(self.latency.pick(self.latency.profile.resolve))
        info, profile = self.catalogue.resolve(image)
        self.catalogue.check_access(image, credentials)
        await self._take(self.troubles.of_registry(image))
        if image not in self._images:
            await self._take(self.latency.transfer(info.size))
        self._images[image] = (info, profile)
        return info, clock.now() - began

    def drop_unused_images(self) -> int:
        """Free the disk of images that no container uses; the bytes freed."""
        used = {container.config.image for container in self._containers.values()}
        unused = [image for image in self._images if image not in used]
        return sum(self._images.pop(image)[0].size for image in unused)

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
        return self._create(sandbox, config, new_id(sandbox.id))

    def _create(self, sandbox: Sandbox, config: ContainerConfig, container_id: str) -> Container:
        found = self._images.get(config.image)
        if found is None:
            found = self._images[config.image] = self.catalogue.resolve(config.image)
        container = Container(sandbox, config, found[0], found[1], container_id)
        self._containers[container.id] = container
        return container

    async def start_container(self, container: Container) -> None:
        await self._take(self.latency.pick(self.latency.profile.start))
        config = container.config
        words = argv(container.profile, config)
        if kind_of(container.profile, config, words) == "script":
            await self._mount(container)
        self._start(container)

    async def _mount(self, container: Container) -> None:
        """Bring the files that nobody has looked at before."""
        for mount in container.config.mounts:
            later, mount.later = mount.later, None
            if later is None:
                continue
            try:
                mount.files.replace(await later())
            except RuntimeFailure:
                mount.later = later
                raise

    def _start(self, container: Container) -> None:
        config, profile = container.config, container.profile
        words = argv(profile, config)
        if config.command and not profile.has_shell and config.command[0].rpartition("/")[2] in SHELLS:
            raise self._not_found(container, config.command[0])
        container.state, container.started_at = "running", clock.now()
        container.kind = kind_of(profile, config, words)
        if container.kind == "server":
            self._serve(container, words)
            self.serves(container)
        elif container.kind == "once":
            for line in profile.banner:
                container.log.line(line)
            self._exit_soon(container, 0)
        else:
            self._run_script(container, words)
        self.check_memory(container)

    def _serve(self, container: Container, words: list[str]) -> None:
        """The image's server, or a program that is taken for it."""
        config, profile = container.config, container.profile
        program = words[0].rpartition("/")[2] if config.command else ""
        container.args = words
        container.program = container.first = profile.program or program or "server"
        container.ports = (*config.ports, *profile.ports)
        if container.program == "agnhost":
            self._agnhost(container, words[1:])
        elif container.program == "nginx":
            container.ports = nginx_ports(container) or profile.ports or config.ports
        elif container.program == "stress":
            container.kind = "script"
            self._run_script(container, ["stress", *words])
            return
        missing = profile.needs_env
        if missing and not any(name in config.env for name in missing):
            container.log.line(f"Error: you need to specify one of {', '.join(missing)}")
            self._exit_soon(container, 1)

    @staticmethod
    def _agnhost(container: Container, words: list[str]) -> None:
        """One of the subcommands that serve."""
        container.args, container.program = words, agnhostserver.command_of(words)
        container.ports, container.udp = agnhostserver.ports_of(container.program, words, dict(container.config.env))
        greeting = agnhostserver.greeting(container.program, container.ports)
        if greeting:
            container.log.line(greeting)

    @staticmethod
    def _not_found(container: Container, program: str) -> StartFailure:
        container.state, container.exit_code, container.finished_at = "exited", 128, clock.now()
        return StartFailure(
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
            f'unable to start container process: error during container init: exec: "{program}": {not_there(program)}'
        )

    def _world(self, container: Container) -> World:
        if container.world is None:
            config, sandbox = container.config, container.sandbox.config
            files = files_of(container)
            home = "/root" if files.user == 0 else "/"
            container.world = World(
                {"PATH": PATH, "HOSTNAME": sandbox.hostname, "HOME": home, **config.env},
                sandbox.hostname,
                files,
                config.working_dir or "/",
                self._net(container.sandbox),
                Process(self, container),
                frozenset({container.profile.program} - {""}),
                config.privileged,
                config.no_new_privileges,
            )
        return container.world

    def serves(self, container: Container) -> None:
        """A server has started."""

    def _run_script(self, container: Container, words: list[str]) -> None:
        world = self._world(container)
        program = words[0].rpartition("/")[2] if words else ""
        if not program or (program in SHELLS and len(words) == 1):
            # A shell: with stdin it waits for somebody to attach, without it reads nothing and ends.
            if container.config.stdin:
                container.kind = "waiting"
                return
            self._exit_soon(container, 0)
            return
        if program not in SHELLS and not self._known(container, words[0]):
            container.state = "created"
            raise self._not_found(container, words[0])
        shell = container.shell = Shell(world, container.log.write)
        if program not in SHELLS:
            container.first = program
        if container.config.stdin:
            # Who reads waits for what somebody types who attaches.
            shell.stdin = Pipe()

        async def run() -> None:
            try:
                code = await interpret(shell, words)
            except Exception as error:
                code = crashed(error, container.log.line)
            shell.stop_jobs()
            self._exited(container, code)

        container.task = asyncio.create_task(run(), name=f"container {container.config.name}")

    def _known(self, container: Container, program: str) -> bool:
        name = program.rpartition("/")[2]
        if name in agnhostcommands.COMMANDS:
            # These exist in one image only.
            profile = container.profile
            return profile.program in (name, "agnhost") or name in profile.args or name in container.image.name
        if name in COMMANDS or name in SERVERS or name == container.profile.program:
            return True
        world = container.world
        return world is not None and "/" in program and world.files.get(world.path(program)) is not None

    def _must_know(self, container: Container, program: str) -> None:
        """RuntimeFailure when the image has no such program."""
        name = program.rpartition("/")[2]
        if name in SHELLS and container.profile.has_shell:
            return
        if name in SHELLS or not self._known(container, program):
            raise RuntimeFailure(
                f'failed to exec in container: failed to start exec "{new_id(container.id)}": OCI runtime exec failed: exec '
                f'failed: unable to start container process: exec: "{program}": {not_there(program)}'
            )

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
        if container.shell is not None:
            container.shell.stop_jobs()
        if container.deadline is not None:
            container.deadline.cancel()
        container.close_log()
        container.message = last_words(container, code)
        if container.exited is not None:
            container.exited.set()
        self.on_exit(container)

    # -- signals and ends ------------------------------------------------------------------------------------------

    def signal(self, container: Container, name: str) -> None:
        """A signal for the first process."""
        if container.state != "running" or container.hung:
            return
        serving = container.kind == "server" or (container.first and container.ended is not None)
        if name in _ENDING and serving and container.profile.ignores_term:
            return
        if name in _ENDING and (serving or container.sandbox.config.shared_pid):
            delay = whole(flag(container.args, "delay-shutdown"))
            if serving and container.profile.program == "agnhost" and delay:
                # It goes on answering for so long.
                container.log.line(klog(f"Sleeping {delay} seconds before terminating..."))
                clock.call_later(float(delay), lambda: self._exited(container, 0))
                return
            # The listener closes at once; the process takes a moment to end.
            container.stopping = True
            code = container.profile.exit_on_term if serving else 143
            latency = self.latency.pick(self.latency.profile.stop) if serving else 0.0
            clock.call_later(latency, lambda: self._exited(container, code))
        elif container.shell is not None and not container.first:
            # A shell hears what it has a trap for. Without one the first process of a container ignores the signal.
            container.shell.signals.raise_(name)

    async def stop_container(self, container: Container, timeout: float) -> str:
        """SIGTERM, and SIGKILL after `timeout`; returns which of them ended it. Again with less time moves the SIGKILL forward."""
        if container.state != "running":
            return "none"
        container.exited = container.exited or asyncio.Event()
        again = container.deadline is not None
        if again:
            container.deadline.cancel()
        container.deadline = clock.call_later(timeout, lambda: self._exited(container, 137))
        if not again:
            self.signal(container, "TERM")
        await container.exited.wait()
        return "SIGKILL" if container.exit_code == 137 else "SIGTERM"

    def kill(self, container: Container, reason: str = "") -> None:
        """SIGKILL, at once."""
        self._exited(container, 137, reason)

    def crash(self, container: Container, *, out_of_memory: bool) -> None:
        """The process ends by a fault of its own, or is killed because it wants more memory than it may have."""
        if out_of_memory:
            self._exited(container, 137, "OOMKilled")
        else:
            self._exited(container, 1)

    def check_memory(self, container: Container) -> None:
        """The kernel kills what grows over its limit."""
        limit = container.config.memory_limit
        if limit and container.state == "running" and container.base_memory + container.memory > limit:
            clock.call_later(0.05, lambda: self.crash(container, out_of_memory=True))

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
        try:
            if kind_of(container.profile, config, argv(container.profile, config)) == "script":
                self._run_again(container)
            else:
                self._start(container)
        except RuntimeFailure:
            self.drop(container)
            raise
        container.started_at = started_at
        return container

    def _run_again(self, container: Container) -> None:
        """Start a script that ran before and whose process is lost: from its beginning, to where it first waits, on files as it found them.

        What it prepared (`mkdir /x`) would be in its way. Then its own files are those that were kept.
        """
        own, kept = self._world(container).files.own, Tree()
        kept.replace(own)
        own.replace(fresh(container))
        try:
            self._start(container)
        finally:
            # After the first step of the task that was made just now.
            asyncio.get_running_loop().call_soon(own.replace, kept)

    def _beside(self, container: Container) -> World:
        """The world of a command beside the first process: the same files, its own variables."""
        return self._world(container).beside(container.config.working_dir or "/")

    @staticmethod
    def usage(container: Container) -> Usage:
        return container.usage()
