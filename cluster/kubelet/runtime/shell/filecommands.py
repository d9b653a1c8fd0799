"""Commands that make files and directories and remove them: touch, rm, mkdir, dd, mktemp; cd and pwd."""

from __future__ import annotations

import os

from cluster.kubelet.runtime.shell.filearguments import each, has
from cluster.kubelet.runtime.shell.files import FileTrouble
from cluster.kubelet.runtime.shell.interpreter import Handler, Shell


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


async def _dd(shell: Shell, args: list[str]) -> int:
    options = dict(arg.partition("=")[::2] for arg in args)
    units = {"k": 1024, "M": 1024**2, "G": 1024**3, "K": 1024}
    size = options.get("bs", "512")
    number = size.rstrip("kKMGB")
    block = (int(number) if number.isdigit() else 0) * units.get(size.rstrip("B")[-1:], 1)
    if block <= 0 or not all(options.get(name, "0").isdigit() for name in ("count", "skip", "seek")):
        shell.err("dd: invalid number\n")
        return 1
    amount = min(block * int(options["count"]), _MOST) if "count" in options else _MOST
    skip, seek = block * int(options.get("skip", "0")), block * int(options.get("seek", "0"))
    source, target = options.get("if", ""), options.get("of", "")
    files = shell.world.files
    if source in _ENDLESS:
        data = _ENDLESS[source](amount)
    elif source:
        found = files.get(shell.world.path(source))
        if found is None:
            shell.err(f"dd: can't open '{source}': No such file or directory\n")
            return 1
        data = found[skip : skip + amount]
    else:
        data = (await shell.stdin.read()).encode("utf-8", "surrogateescape")[skip : skip + amount]
    if not target:
        shell.out(data.decode("utf-8", "surrogateescape"))
    elif target != "/dev/null":
        path = shell.world.path(target)
        before = files.get(path) or b""
        after = before[seek + len(data) :] if "notrunc" in options.get("conv", "") else b""
        try:
            files.put(path, before[:seek].ljust(seek, b"\0") + data + after)
        except FileTrouble as error:
            shell.err(f"dd: {target}: {error}\n")
            return 1
    records = f"{len(data) // block}+{int(len(data) % block > 0)} records"
    if options.get("status") != "none":
        shell.err(f"{records} in\n{records} out\n")
    return 0


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
