"""Commands that print, filter and change text."""

from __future__ import annotations

import base64
import hashlib
import re

from cluster import clock
from cluster.kubelet.runtime.shell.interpreter import BUSY, Handler, Shell
from cluster.kubelet.runtime.shell.options import signed
from cluster.kubelet.runtime.shell.reading import contents, lines_of, number_of, split, unescape


def _echo(shell: Shell, args: list[str]) -> int:
    end, escapes = "\n", False
    words = list(args)
    while words and re.fullmatch(r"-[neE]+", words[0]):
        option = words.pop(0)
        end = "" if "n" in option else end
        escapes = "e" in option or escapes
    text = " ".join(words)
    shell.out((unescape(text) if escapes else text) + end)
    return 0


def _printf(shell: Shell, args: list[str]) -> int:
    if not args:
        shell.err("printf: usage: printf FORMAT [ARG]...\n")
        return 2
    form, values = args[0], list(args[1:])
    while True:
        used = len(values)
        shell.out(unescape(re.sub(r"%(-?0?\d*(?:\.\d+)?)([sdioxXcfeg%b])", lambda match: _field(match, values), form)))
        if not values or used == len(values):
            return 0


def _field(match: re.Match[str], values: list[str]) -> str:
    width, kind = match.groups()
    if kind == "%":
        return "%"
    text = values.pop(0) if values else ""
    if len(width) > 4:
        width = width[:4]
    if kind in "sbc":
        return f"%{width}s" % text.replace("\\", "\\\\" if kind == "s" else "\\")
    try:
        number = float(text or "0") if kind in "feg" else int(text or "0", 0)
    except ValueError:
        number = 0
    return f"%{width}{kind}" % number


async def _cat(shell: Shell, args: list[str]) -> int:
    options, names = split(args)
    status = number = 0
    for name in names or ["-"]:
        if name == "-" and not names and "n" not in options:
            while piece := await shell.stdin.some():
                await shell.pour(piece)
            continue
        text = await contents(shell, name, "cat")
        if text is None:
            status = 1
        elif "n" in options:
            for line in text.removesuffix("\n").split("\n"):
                number += 1
                shell.out(f"{number:6}\t{line}\n")
        else:
            await shell.pour(text)
    return status


async def _tee(shell: Shell, args: list[str]) -> int:
    options, names = split(args)
    paths = [shell.world.path(name) for name in names]
    files = shell.world.files
    for path in paths:
        files.put(path, (files.get(path) or b"") if "a" in options else b"")
    while (line := await shell.stdin.line()) is not None:
        shell.out(line + "\n")
        for path in paths:
            files.put(path, (files.get(path) or b"") + f"{line}\n".encode("utf-8", "surrogateescape"))
        await shell.drained()
    return 0


async def _head(shell: Shell, args: list[str]) -> int:
    if args and re.fullmatch(r"-\d+", args[0]):
        args = ["-n", args[0][1:], *args[1:]]
    options, names = split(args, "nc")
    if "c" in options:
        return await _first_bytes(shell, names, options["c"])
    left = number_of(options.get("n", ""), 10)
    if left > 0:
        async for line in lines_of(shell, names, "head"):
            shell.out(line + "\n")
            left -= 1
            if left <= 0:
                break
    return 0


async def _first_bytes(shell: Shell, names: list[str], asked: str) -> int:
    """`head -c`: of the input no more is read than is wanted."""
    wanted = signed(asked)
    if wanted is None:
        shell.err(f"head: invalid number '{asked}'\n")
        return 1
    if names or wanted < 0:
        text = await contents(shell, names[0] if names else "-", "head")
        if text is None:
            return 1
        await shell.pour(_text(text.encode("utf-8", "surrogateescape")[:wanted]))
        return 0
    found = b""
    while len(found) < wanted and (piece := await shell.stdin.some()):
        found += piece.encode("utf-8", "surrogateescape")
    await shell.pour(_text(found[:wanted]))
    return 0


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


async def _tail(shell: Shell, args: list[str]) -> int:
    if args and re.fullmatch(r"-\d+f?", args[0]):
        args = ["-n", args[0][1:].rstrip("f"), *(["-f"] if args[0].endswith("f") else []), *args[1:]]
    options, names = split(args, "nc")
    follow = bool({"f", "F", "follow"} & set(options))
    position: dict[str, int] = {}
    for name in names or ["-"]:
        if name == "/dev/null":
            continue
        if "F" in options and shell.world.files.get(shell.world.path(name)) is None:
            continue
        text = await contents(shell, name, "tail")
        if text is None:
            return 1
        lines = text.removesuffix("\n").split("\n") if text else []
        wanted = options.get("n", "10")
        lines = lines[number_of(wanted, 1) - 1 :] if wanted.startswith("+") else lines[-max(number_of(wanted, 10), 0) :]
        if number_of(wanted, 10) != 0:
            await shell.pour("".join(f"{line}\n" for line in lines))
        position[name] = len(text)
    while follow:
        await clock.sleep(1.0)
        for name in names:
            text = (shell.world.files.get(shell.world.path(name)) or b"").decode("utf-8", "surrogateescape")
            if len(text) > position.get(name, 0):
                shell.out(text[position.get(name, 0) :])
            position[name] = len(text)
        await shell.drained()
    return 0


def _seq(shell: Shell, args: list[str]) -> int:
    numbers = [int(arg) for arg in args if re.fullmatch(r"-?\d+", arg)]
    if not 1 <= len(numbers) <= 3:
        return 1
    first = numbers[0] if len(numbers) > 1 else 1
    step = numbers[1] if len(numbers) == 3 else 1
    values = range(first, numbers[-1] + (1 if step > 0 else -1), step or 1)
    shell.out("".join(f"{number}\n" for number in values[:100_000]))
    return 0


async def _yes(shell: Shell, args: list[str]) -> int:
    text = " ".join(args) or "y"
    while True:
        for _ in range(BUSY):
            shell.out(text + "\n")
        await shell.drained()
        await clock.sleep(0.1)


async def _base64(shell: Shell, args: list[str]) -> int:
    options, names = split(args, "w")
    text = await contents(shell, names[0] if names else "-", "base64")
    if text is None:
        return 1
    if "d" in options or "decode" in options:
        try:
            shell.out(base64.b64decode(re.sub(r"\s", "", text)).decode("utf-8", "surrogateescape"))
        except ValueError:
            shell.err("base64: invalid input\n")
            return 1
        return 0
    shell.out(base64.b64encode(text.encode("utf-8", "surrogateescape")).decode() + "\n")
    return 0


def _sum(kind: str) -> Handler:
    async def command(shell: Shell, args: list[str]) -> int:
        for name in args or ["-"]:
            text = await contents(shell, name, f"{kind}sum")
            if text is None:
                return 1
            shell.out(
                f"{hashlib.new(kind, text.encode('utf-8', 'surrogateescape'), usedforsecurity=False).hexdigest()}  {name}\n"
            )
        return 0

    return command


async def _xargs(shell: Shell, args: list[str]) -> int:
    options, words = split(args, "nIL")
    items = (await shell.stdin.read()).split()
    if "I" in options:
        status = 0
        for item in items:
            status = await shell.call([word.replace(options["I"], item) for word in words])
        return status
    size = number_of(options.get("n", ""), len(items) or 1)
    status = 0
    for at in range(0, len(items), max(size, 1)):
        status = await shell.call([*(words or ["echo"]), *items[at : at + size]])
    return status


def _basename(shell: Shell, args: list[str]) -> int:
    name = args[0].rstrip("/").rpartition("/")[2] if args else ""
    shell.out((name.removesuffix(args[1]) if len(args) > 1 else name) + "\n")
    return 0


def _dirname(shell: Shell, args: list[str]) -> int:
    shell.out(
        ((args[0].rstrip("/").rpartition("/")[0] or ("/" if args[0][:1] == "/" else ".")) if args else ".") + "\n"
    )
    return 0


async def _rev(shell: Shell, args: list[str]) -> int:
    async for line in lines_of(shell, args, "rev"):
        shell.out(line[::-1] + "\n")
    return 0


def _expr(shell: Shell, args: list[str]) -> int:
    shell.out(f"{shell.number(' '.join(args))}\n")
    return 0


COMMANDS: dict[str, Handler] = {
    "echo": _echo,
    "printf": _printf,
    "cat": _cat,
    "tee": _tee,
    "head": _head,
    "tail": _tail,
    "seq": _seq,
    "yes": _yes,
    "base64": _base64,
    "md5sum": _sum("md5"),
    "sha1sum": _sum("sha1"),
    "sha256sum": _sum("sha256"),
    "xargs": _xargs,
    "basename": _basename,
    "dirname": _dirname,
    "rev": _rev,
    "expr": _expr,
}
