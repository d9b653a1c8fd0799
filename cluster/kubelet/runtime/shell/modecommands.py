"""Commands that say who may do what with a file: chmod, chown, chgrp."""

from __future__ import annotations

import re

from cluster.kubelet.runtime.shell.filearguments import each, operands
from cluster.kubelet.runtime.shell.files import FileTrouble
from cluster.kubelet.runtime.shell.interpreter import Handler, Shell

_CHANGE = re.compile(r"([ugoa]*)([-+=])([rwxXst]*)")
_WHO = {"u": 6, "g": 3, "o": 0}


def changed_mode(before: int, change: str) -> int:
    """`0640`, `u+x,go-w`; ValueError for nonsense."""
    if re.fullmatch("[0-7]{1,5}", change):
        return int(change, 8)
    mode = before
    for part in change.split(","):
        match = _CHANGE.fullmatch(part)
        if match is None:
            raise ValueError(change)
        bits = sum({"r": 4, "w": 2, "x": 1, "X": 1}.get(letter, 0) for letter in match[3])
        for who in (match[1] or "a").replace("a", "ugo"):
            moved = bits << _WHO[who]
            if match[2] == "=":
                mode &= ~(7 << _WHO[who])
            mode = mode & ~moved if match[2] == "-" else mode | moved
        special = (0o2000 if "s" in match[3] else 0) | (0o1000 if "t" in match[3] else 0)
        mode = mode & ~special if match[2] == "-" else mode | special
    return mode


def _chmod(shell: Shell, args: list[str]) -> int:
    names = [arg for arg in args if not re.fullmatch(r"-[Rvfc]+", arg)]
    if len(names) < 2:
        shell.err("chmod: missing operand\n")
        return 1

    def change(path: str) -> None:
        files = shell.world.files
        if not files.exists(path):
            raise FileTrouble("No such file or directory")
        files.set_attributes(path, mode=changed_mode(files.attributes(path).mode, names[0]))

    try:
        return each(shell, "chmod", names[1:], change)
    except ValueError:
        shell.err(f"chmod: invalid mode '{names[0]}'\n")
        return 1


def _chown(shell: Shell, args: list[str], *, group_only: bool = False) -> int:
    names = operands(args)
    if len(names) < 2:
        return 1
    user, _, group = names[0].replace(".", ":", 1).partition(":")
    if group_only:
        user, group = "", user
    known = {"root": 0, "": None}
    try:
        numbers = [known[name] if name in known else int(name) for name in (user, group)]
    except ValueError:
        shell.err(f"chown: unknown user/group {names[0]}\n")
        return 1

    def change(path: str) -> None:
        shell.world.files.set_attributes(path, uid=numbers[0], gid=numbers[1])

    return each(shell, "chown", names[1:], change)


COMMANDS: dict[str, Handler] = {
    "chmod": _chmod,
    "chown": _chown,
    "chgrp": lambda shell, args: _chown(shell, args, group_only=True),
}
