"""`test`, `[` and `[[`: what a script asks about words, numbers and files."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from cluster.kubelet.runtime.shell.interpreter import Handler, Shell
from cluster.kubelet.runtime.shell.options import signed
from cluster.kubelet.runtime.shell.syntax import SyntaxTrouble


def _test(shell: Shell, args: list[str]) -> int:
    words = [arg for arg in args if arg not in ("]", "]]")]
    return int(not _either(shell, words))


def _either(shell: Shell, words: list[str]) -> bool:
    for joint, both in (("-o", False), ("||", False), ("-a", True), ("&&", True)):
        if joint in words[1:-1]:
            at = words.index(joint, 1)
            left, right = words[:at], words[at + 1 :]
            if both:
                return _either(shell, left) and _either(shell, right)
            return _either(shell, left) or _either(shell, right)
    if words and words[0] == "!":
        return not _either(shell, words[1:])
    return _holds(shell, words)


def _holds(shell: Shell, words: list[str]) -> bool:
    files = shell.world.files
    if len(words) == 2 and words[0].startswith("-"):
        kind, text = words
        path = shell.world.path(text)
        if kind in ("-z", "-n"):
            return (text == "") == (kind == "-z")
        if kind == "-t":
            return shell.world.terminal and text in ("0", "1", "2")
        if kind == "-d":
            return files.is_directory(path)
        if kind == "-s":
            return bool(files.get(path))
        if kind == "-f":
            return files.get(path) is not None
        if kind in ("-h", "-L"):
            return files.link_of(path) is not None
        if kind in ("-r", "-w", "-x"):
            return files.exists(path) and files.may(path, {"-r": 4, "-w": 2, "-x": 1}[kind])
        return kind == "-e" and files.exists(path)
    if len(words) == 1:
        return words[0] != ""
    if len(words) != 3:
        return False
    left, operator, right = words
    if operator in ("=", "=="):
        return left == right or fnmatchcase(left, right)
    if operator == "!=":
        return left != right
    if operator == "=~":
        return bool(re.search(right[:500], left[:5000]))
    if operator in ("<", ">"):
        return (left < right) == (operator == "<")
    compared = _COMPARE.get(operator)
    if compared is None:
        raise SyntaxTrouble(f"{operator}: unknown operand")
    first, second = signed(left.strip()), signed(right.strip())
    if first is None or second is None:
        shell.err(f"{shell.name}: {left if first is None else right}: bad number\n")
        return False
    return compared(first, second)


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}


COMMANDS: dict[str, Handler] = dict.fromkeys(("test", "[", "[["), _test)
