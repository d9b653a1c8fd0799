"""What commands that read text share: files or the input, line by line, and their options."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from cluster.kubelet.runtime.shell.files import FileTrouble
from cluster.kubelet.runtime.shell.interpreter import Shell
from cluster.kubelet.runtime.shell.options import signed

_ESCAPE = re.compile(r"\\(n|t|r|a|b|e|0[0-7]{0,3}|x[0-9a-fA-F]{1,2}|\\|\")")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "\\": "\\", '"': '"'}


def unescape(text: str) -> str:
    """Backslash sequences as printf and `echo -e` read them."""

    def letter(match: re.Match[str]) -> str:
        code = match[1]
        if code in _ESCAPES:
            return _ESCAPES[code]
        return chr(int(code[1:] or "0", 16 if code[0] == "x" else 8))

    return _ESCAPE.sub(letter, text)


async def contents(shell: Shell, name: str, program: str) -> str | None:
    """What a file holds, `-` is the input; a complaint and None when there is none."""
    if name in ("-", "/dev/stdin"):
        return await shell.stdin.read()
    path = shell.world.path(name)
    try:
        found = shell.world.files.read(path)
        if found is not None:
            return found.decode("utf-8", "surrogateescape")
        why = "Is a directory" if shell.world.files.is_directory(path) else "No such file or directory"
    except FileTrouble as error:
        why = str(error)
    if program == "cat" and why[0] != "I":
        shell.err(f"cat: can't open '{name}': {why}\n")
    else:
        shell.err(f"{program}: {name}: {why}\n")
    return None


async def lines_of(shell: Shell, names: list[str], program: str) -> AsyncIterator[str]:
    """The lines of files, or of the input as they come."""
    if not names:
        while (line := await shell.stdin.line()) is not None:
            yield line
            await shell.drained()
        return
    for name in names:
        text = await contents(shell, name, program)
        if text is None:
            shell.status = 1
            continue
        for line in text.removesuffix("\n").split("\n") if text else ():
            yield line
            await shell.drained()


def split(args: list[str], with_value: str = "") -> tuple[dict[str, str], list[str]]:
    """Options and operands: `-n 5`, `-n5`, `-xyz`; letters in `with_value` take one."""
    options: dict[str, str] = {}
    rest: list[str] = []
    words = list(args)
    while words:
        word = words.pop(0)
        if word == "--":
            rest += words
            break
        if not word.startswith("-") or word == "-":
            rest.append(word)
            continue
        if word.startswith("--"):
            name, _, text = word[2:].partition("=")
            options[name] = text
            continue
        for at, letter in enumerate(word[1:], 1):
            if letter in with_value:
                options[letter] = word[at + 1 :] or (words.pop(0) if words else "")
                break
            options[letter] = ""
    return options, rest


def number_of(text: str, otherwise: int) -> int:
    number = signed(text)
    return otherwise if number is None else number
