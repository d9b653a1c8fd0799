"""The command line of a container's first process: what it is, what runs it, why it cannot be run."""

from __future__ import annotations

import re

from cluster.kubelet.runtime import agnhostserver
from cluster.kubelet.runtime.container import Container
from cluster.kubelet.runtime.cri import ContainerConfig
from cluster.kubelet.runtime.images import Image
from cluster.kubelet.runtime.shell.commands import COMMANDS
from cluster.kubelet.runtime.shell.files import FileTrouble
from cluster.kubelet.runtime.shell.interpreter import Shell
from cluster.kubelet.runtime.shell.programs import SERVERS, SHELLS

MAX_MESSAGE = 4096


def not_there(program: str) -> str:
    return f"stat {program}: no such file or directory" if "/" in program else "executable file not found in $PATH"


def last_words(container: Container, code: int) -> str:
    """The termination message: the file, or the end of the log where that is wanted and the process failed."""
    config = container.config
    content = b""
    if container.world is not None:
        try:
            content = container.world.files.get(config.termination_path) or b""
        except FileTrouble:
            content = b""
    text = content.decode("utf-8", "replace")
    if not text and code and config.termination_from_log:
        text = container.log.tail(80)[-2048:]
    return text[:MAX_MESSAGE]


def nginx_ports(container: Container) -> tuple[int, ...]:
    """Where a configuration that is mounted makes nginx listen; none when there is no such configuration."""
    found: list[int] = []
    for mount in container.config.mounts:
        if mount.path.startswith("/etc/nginx"):
            for content in mount.files.values():
                for number in re.findall(rb"^\s*listen\s+(?:[^\s;:]*:)?(\d{1,5})", content, re.MULTILINE):
                    found.append(int(number))
    return tuple(found)


def argv(profile: Image, config: ContainerConfig) -> list[str]:
    """The command line of the first process, as far as it is known: what the pod says, over what the image says."""
    if config.command:
        return [*config.command, *config.args]
    words = list(config.args or profile.args)
    return ["/agnhost", *words] if profile.program == "agnhost" else words


def kind_of(profile: Image, config: ContainerConfig, words: list[str]) -> str:
    """server, once or script: what the process of a container is."""
    if profile.program == "agnhost" and words[0].rpartition("/")[2].startswith("agnhost"):
        return "server" if agnhostserver.command_of(words[1:]) in agnhostserver.TCP else "script"
    if config.command:
        program = config.command[0].rpartition("/")[2]
        if program in SHELLS or (program in COMMANDS and program not in SERVERS):
            return "script"
        if profile.kind == "shell":
            # Of an image with a shell only known programs are servers; what they are told decides.
            return "script"
        # A program of the image's own that we know nothing of: taken for its server.
        return "server"
    return "script" if profile.kind == "shell" else profile.kind


async def interpret(shell: Shell, words: list[str]) -> int:
    """Run a command with a shell's eyes: `sh -c` in this very shell, so that it hears the signals."""
    if words[0].rpartition("/")[2] in SHELLS:
        options, rest = "", list(words[1:])
        while rest and rest[0].startswith("-") and rest[0] != "-":
            options += rest.pop(0)[1:]
        if "c" in options and rest:
            shell.options |= {one for one in "eux" if one in options}
            # A shell speaks of itself by the name it was called.
            shell.name, shell.args = (rest[1] if len(rest) > 1 else words[0]), rest[2:]
            return await shell.run(rest[0])
    return await shell.command(words)
