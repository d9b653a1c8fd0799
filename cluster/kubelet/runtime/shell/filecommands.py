"""Commands that make files and directories and remove them: touch, rm, mkdir, dd, mktemp; cd and pwd."""

from __future__ import annotations

import os
import re

from cluster.kubelet.runtime.shell.filearguments import each, has
from cluster.kubelet.runtime.shell.files import MAX_BYTES, FileTrouble
from cluster.kubelet.runtime.shell.interpreter import PIECE, Handler, Shell
from cluster.kubelet.runtime.shell.options import MAX_NUMBER, whole


def _touch(shell: Shell, args: list[str]) -> int:
    return each(shell, "touch", args, lambda path: shell.world.files.put(path, shell.world.files.get(path) or b""))


def _rm(shell: Shell, args: list[str]) -> int:
    recursive, force = has(args, "r") or has(args, "R"), has(args, "f")

    def remove(path: str) -> None:
        if not shell.world.files.remove(path, recursive=recursive) and not force:
            raise FileTrouble("No such file or directory")

    return each(shell, "rm", args, remove)


def _rmdir(shell: Shell, args: list[str]) -> int:
    def remove(path: str) -> None:
        if shell.world.files.entries(path):
            raise FileTrouble("Directory not empty")
        shell.world.files.remove(path, recursive=True)

    return each(shell, "rmdir", args, remove)


def _mkdir(shell: Shell, args: list[str]) -> int:
    def make(path: str) -> None:
        shell.world.files.make_directory(path, parents=has(args, "p") or "--parents" in args)

    operands = list(args)
    if "-m" in operands[:-1]:
        del operands[operands.index("-m") : operands.index("-m") + 2]
    return each(shell, "mkdir", operands, make)


# Where bytes come from without end.
_ENDLESS = {"/dev/zero": bytes, "/dev/urandom": os.urandom, "/dev/random": os.urandom}
# What one copy takes from there at most.
_MOST = 64 * 1024 * 1024


# What a number may end in (busybox's cwbkMG suffixes).
_UNITS: dict[str, int] = {"": 1, "c": 1, "w": 2, "b": 512}
_UNITS |= {letter: 1024**power for letter, power in (("k", 1), ("K", 1), ("M", 2), ("G", 3))}
_UNITS |= {f"{letter}B": 1000**power for letter, power in (("k", 1), ("K", 1), ("M", 2), ("G", 3))}


def _amount(text: str, least: int = 0) -> int:
    """A number with a unit; ValueError in dd's words."""
    match = re.fullmatch(r"([0-9]+)([A-Za-z]*)", text)
    number = whole(match[1]) if match else None
    unit = _UNITS.get(match[2]) if match else None
    if number is None or unit is None:
        raise ValueError(f"invalid number '{text}'")
    if not least <= number * unit <= MAX_NUMBER:
        raise ValueError(f"number {text} is not in {least}..{MAX_NUMBER} range")
    return number * unit


async def _dd(shell: Shell, args: list[str]) -> int:
    options = dict(arg.partition("=")[::2] for arg in args)
    try:
        block = _amount(options.get("bs", "512"), 1)
        count, skip, seek = (_amount(options.get(name, "0")) for name in ("count", "skip", "seek"))
    except ValueError as error:
        shell.err(f"dd: {error}\n")
        return 1
    amount = min(block * count, _MOST) if "count" in options else _MOST
    source, target = options.get("if", ""), options.get("of", "")
    data = await _from(shell, source, block * skip, amount)
    if data is None:
        return 1
    if not target:
        await shell.pour(data.decode("utf-8", "surrogateescape"))
    elif target != "/dev/null":
        try:
            _write_at(shell, target, block * seek, data, keep="notrunc" in options.get("conv", "").split(","))
        except FileTrouble as error:
            shell.err(f"dd: {error}\n")
            return 1
    records = f"{len(data) // block}+{int(len(data) % block > 0)} records"
    if options.get("status") != "none":
        shell.err(f"{records} in\n{records} out\n")
    return 0


async def _from(shell: Shell, source: str, skip: int, amount: int) -> bytes | None:
    """So many bytes of a file, a device or the input; a complaint and None where there is none."""
    if source in _ENDLESS:
        return _ENDLESS[source](amount)
    if source:
        try:
            found = shell.world.files.read(shell.world.path(source))
        except FileTrouble as error:
            shell.err(f"dd: can't open '{source}': {error}\n")
            return None
        if found is None:
            shell.err(f"dd: can't open '{source}': No such file or directory\n")
            return None
        return found[skip : skip + amount]
    data = bytearray()
    # Of an input without end no more is read than is wanted.
    while len(data) < skip + amount and (piece := await shell.stdin.some()):
        data += piece.encode("utf-8", "surrogateescape")
        if skip and len(data) > PIECE:
            passed = min(skip, len(data))
            del data[:passed]
            skip -= passed
    return bytes(data[skip : skip + amount])


def _write_at(shell: Shell, target: str, seek: int, data: bytes, *, keep: bool) -> None:
    """Into a file from a place on; what lies behind it stays with `keep`. FileTrouble in dd's words."""
    files, path = shell.world.files, shell.world.path(target)
    try:
        before = files.get(path) or b""
        if seek + len(data) > MAX_BYTES:
            raise FileTrouble("No space left on device")
        after = before[seek + len(data) :] if keep else b""
        files.put(path, before[:seek].ljust(seek, b"\0") + data + after)
    except FileTrouble as error:
        doing = "writing" if str(error).startswith("No space") else "can't open"
        raise FileTrouble(f"{doing} '{target}': {error}") from None


def _cd(shell: Shell, args: list[str]) -> int:
    path = shell.world.path(args[0] if args else shell.world.env.get("HOME", "/root"))
    if not shell.world.files.is_directory(path):
        shell.err(f"{shell.name}: cd: can't cd to {args[0] if args else path}: No such file or directory\n")
        return 2
    shell.world.cwd = path
    shell.world.env["PWD"] = path
    return 0


def _pwd(shell: Shell, args: list[str]) -> int:
    shell.out(f"{shell.world.cwd}\n")
    return 0


def _mktemp(shell: Shell, args: list[str]) -> int:
    number = sum(name.startswith("tmp.") for name in shell.world.files.entries("/tmp"))  # noqa: S108
    path = f"/tmp/tmp.{number:06d}"  # noqa: S108
    if has(args, "d"):
        shell.world.files.make_directory(path, 0o700)
    else:
        shell.world.files.put(path, b"")
    shell.out(f"{path}\n")
    return 0


COMMANDS: dict[str, Handler] = {
    "touch": _touch,
    "rm": _rm,
    "unlink": _rm,
    "rmdir": _rmdir,
    "mkdir": _mkdir,
    "dd": _dd,
    "cd": _cd,
    "pwd": _pwd,
    "mktemp": _mktemp,
    "truncate": _touch,
}
