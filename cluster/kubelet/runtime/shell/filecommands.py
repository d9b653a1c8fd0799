"""Commands that look at files and directories and change them."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase

from cluster import clock
from cluster.kubelet.runtime.shell.files import FileTrouble
from cluster.kubelet.runtime.shell.interpreter import Shell

Handler = Callable[[Shell, list[str]], "int | Awaitable[int]"]


def _operands(args: list[str]) -> list[str]:
    return [arg for arg in args if not arg.startswith("-")]


def _has(args: list[str], letter: str) -> bool:
    return any(letter in arg for arg in args if arg.startswith("-") and not arg.startswith("--"))


def _ls(shell: Shell, args: list[str]) -> int:
    files, status = shell.world.files, 0
    wanted = _operands(args) or ["."]
    for name in wanted:
        path = shell.world.path(name)
        content = files.get(path)
        if content is not None:
            shell.out(_entry(shell, path, name) if _has(args, "l") else f"{name}\n")
            continue
        if not files.is_directory(path):
            shell.err(f"ls: {name}: No such file or directory\n")
            status = 1
            continue
        if len(wanted) > 1:
            shell.out(f"{name}:\n")
        for entry in files.entries(path):
            if entry.startswith(".") and not _has(args, "a"):
                continue
            shell.out(_entry(shell, f"{path.rstrip('/')}/{entry}", entry) if _has(args, "l") else f"{entry}\n")
    return status


def _entry(shell: Shell, path: str, name: str) -> str:
    content = shell.world.files.get(path)
    kind = "drwxr-xr-x    2" if content is None else "-rw-r--r--    1"
    moment = clock.timestamp()
    return f"{kind} root     root {len(content or b''):9} {moment[5:10]} {moment[11:16]} {name}\n"


def _touch(shell: Shell, args: list[str]) -> int:
    return _each(shell, "touch", args, lambda path: shell.world.files.put(path, shell.world.files.get(path) or b""))


def _each(shell: Shell, program: str, args: list[str], act: Callable[[str], object]) -> int:
    status = 0
    for name in _operands(args):
        try:
            act(shell.world.path(name))
        except FileTrouble as error:
            shell.err(f"{program}: {name}: {error}\n")
            status = 1
    return status


def _rm(shell: Shell, args: list[str]) -> int:
    recursive, force = _has(args, "r") or _has(args, "R"), _has(args, "f")

    def remove(path: str) -> None:
        if not shell.world.files.remove(path, recursive=recursive) and not force:
            raise FileTrouble("No such file or directory")

    return _each(shell, "rm", args, remove)


def _rmdir(shell: Shell, args: list[str]) -> int:
    def remove(path: str) -> None:
        if shell.world.files.entries(path):
            raise FileTrouble("Directory not empty")
        shell.world.files.remove(path, recursive=True)

    return _each(shell, "rmdir", args, remove)


def _mkdir(shell: Shell, args: list[str]) -> int:
    def make(path: str) -> None:
        files = shell.world.files
        if files.exists(path) and not _has(args, "p"):
            raise FileTrouble("File exists")
        files.directories.add(path)

    return _each(shell, "mkdir", args, make)


def _copy(shell: Shell, args: list[str], *, move: bool) -> int:
    names, files, program = _operands(args), shell.world.files, "mv" if move else "cp"
    if len(names) < 2:
        shell.err(f"{program}: missing operand\n")
        return 1
    target, status = shell.world.path(names[-1]), 0
    for name in names[:-1]:
        source = shell.world.path(name)
        below = [path for path in files.paths() if path == source or path.startswith(source.rstrip("/") + "/")]
        into = f"{target.rstrip('/')}/{source.rpartition('/')[2]}" if files.is_directory(target) else target
        if not below:
            shell.err(f"{program}: can't stat '{name}': No such file or directory\n")
            status = 1
        try:
            for path in below:
                if path != source:
                    files.directories.add(into + path[len(source) :].rpartition("/")[0])
                files.put(into + path[len(source) :], files.get(path) or b"")
            if move and below:
                files.remove(source, recursive=True)
        except FileTrouble as error:
            shell.err(f"{program}: {names[-1]}: {error}\n")
            status = 1
    return status


def _ln(shell: Shell, args: list[str]) -> int:
    return _copy(shell, args, move=False)


def _find(shell: Shell, args: list[str]) -> int:
    base = args[0] if args and not args[0].startswith("-") else "."
    options = dict(itertools.pairwise(args))
    root = shell.world.path(base)
    found = {root, *(path for path in shell.world.files.paths() if path.startswith(root.rstrip("/") + "/"))}
    for path in sorted(found):
        is_file = shell.world.files.get(path) is not None
        if options.get("-type") in ("f", "d") and is_file != (options["-type"] == "f"):
            continue
        if "-name" in options and not fnmatchcase(path.rpartition("/")[2], options["-name"]):
            continue
        shell.out(base.rstrip("/") + path[len(root.rstrip("/")) :] + "\n" if path != root else base + "\n")
    return 0


def _stat(shell: Shell, args: list[str]) -> int:
    status = 0
    for name in _operands(args):
        if name.startswith("%"):
            continue
        content = shell.world.files.get(shell.world.path(name))
        if content is None and not shell.world.files.is_directory(shell.world.path(name)):
            shell.err(f"stat: can't stat '{name}': No such file or directory\n")
            status = 1
            continue
        shell.out(f"  File: {name}\n  Size: {len(content or b'')}\n")
    return status


def _du(shell: Shell, args: list[str]) -> int:
    for name in _operands(args) or ["."]:
        root = shell.world.path(name)
        size = sum(
            len(shell.world.files.get(path) or b"")
            for path in shell.world.files.paths()
            if path == root or path.startswith(root.rstrip("/") + "/")
        )
        shell.out(f"{-(-size // 1024)}\t{name}\n")
    return 0


def _df(shell: Shell, args: list[str]) -> int:
    shell.out("Filesystem           1K-blocks      Used Available Use% Mounted on\n")
    shell.out("overlay              104857600   8388608  96468992   8% /\n")
    return 0


def _dd(shell: Shell, args: list[str]) -> int:
    options = dict(arg.partition("=")[::2] for arg in args)
    units = {"k": 1024, "M": 1024**2, "G": 1024**3, "K": 1024}
    size = options.get("bs", "512")
    each = int(size.rstrip("kKMGB") or 0) * units.get(size.rstrip("B")[-1:], 1)
    amount = each * int(options.get("count", "1") or 0)
    if "of" in options and options["of"] != "/dev/null":
        try:
            shell.world.files.put(shell.world.path(options["of"]), bytes(min(amount, 64 * 1024 * 1024)))
        except FileTrouble as error:
            shell.err(f"dd: {options['of']}: {error}\n")
            return 1
    shell.err(f"{options.get('count', '1')}+0 records in\n{options.get('count', '1')}+0 records out\n")
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
    number = sum(path.startswith("/tmp/tmp.") for path in shell.world.files.paths())  # noqa: S108
    path = f"/tmp/tmp.{number:06d}"  # noqa: S108
    if _has(args, "d"):
        shell.world.files.directories.add(path)
    else:
        shell.world.files.put(path, b"")
    shell.out(f"{path}\n")
    return 0


def _realpath(shell: Shell, args: list[str]) -> int:
    for name in _operands(args):
        shell.out(f"{shell.world.path(name)}\n")
    return 0


COMMANDS: dict[str, Handler] = {
    "ls": _ls,
    "touch": _touch,
    "rm": _rm,
    "unlink": _rm,
    "rmdir": _rmdir,
    "mkdir": _mkdir,
    "cp": lambda shell, args: _copy(shell, args, move=False),
    "mv": lambda shell, args: _copy(shell, args, move=True),
    "ln": _ln,
    "find": _find,
    "stat": _stat,
    "du": _du,
    "df": _df,
    "dd": _dd,
    "cd": _cd,
    "pwd": _pwd,
    "mktemp": _mktemp,
    "realpath": _realpath,
    "readlink": _realpath,
    "truncate": _touch,
}
