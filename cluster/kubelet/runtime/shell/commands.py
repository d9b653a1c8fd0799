"""The commands that every simulated image has, by name (busybox and coreutils, as far as people use them in pods).

A command is a function of the shell and its arguments; it returns the exit code, or a coroutine of it when it has to wait.
"""

from __future__ import annotations

from cluster.kubelet.runtime.shell import (
    agnhostcommands,
    builtins,
    conditions,
    dnscommands,
    filecommands,
    filtercommands,
    identitycommands,
    linkcommands,
    listcommands,
    modecommands,
    netcommands,
    systemcommands,
    textcommands,
    timecommands,
    webcommands,
)
from cluster.kubelet.runtime.shell.interpreter import Handler, Shell


def _which(shell: Shell, args: list[str]) -> int:
    words = [arg for arg in args if not arg.startswith("-")]
    found = [word for word in words if word in COMMANDS or word in shell.world.programs]
    for word in found:
        shell.out(f"/bin/{word}\n")
    return int(len(found) < len(words))


def _quiet(shell: Shell, args: list[str]) -> int:
    return 0


COMMANDS: dict[str, Handler] = {
    "which": _which,
    "false": lambda shell, args: 1,
    **dict.fromkeys(("true", ":", "sync", "ulimit", "umask", "stty", "clear", "type", "hash"), _quiet),
    **builtins.COMMANDS,
    **conditions.COMMANDS,
    **timecommands.COMMANDS,
    **identitycommands.COMMANDS,
    **textcommands.COMMANDS,
    **filtercommands.COMMANDS,
    **filecommands.COMMANDS,
    **linkcommands.COMMANDS,
    **listcommands.COMMANDS,
    **modecommands.COMMANDS,
    **netcommands.COMMANDS,
    **webcommands.COMMANDS,
    **dnscommands.COMMANDS,
    **systemcommands.COMMANDS,
    **agnhostcommands.COMMANDS,
}
