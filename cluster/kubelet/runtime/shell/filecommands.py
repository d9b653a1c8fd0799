"""Commands that look at files and directories and change them."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from fnmatch import fnmatchcase

from cluster import clock
from cluster.kubelet.runtime.shell.files import READ, FileTrouble
from cluster.kubelet.runtime.shell.interpreter import Handler, Shell


def _operands(args: list[str]) -> list[str]:
    return [arg for arg in args if not arg.startswith("-")]


def _has(args: list[str], letter: str) -> bool:
    return any(letter in arg for arg in args if arg.startswith("-") and not arg.startswith("--"))


def _ls(shell: Shell, args: list[str]) -> int:
    files, status = shell.world.files, 0
    wanted = _operands(args) or ["."]
    for name in wanted:
        path = shell.world.path(name)
        if files.get(path) is not None or (files.link_of(path) is not None and _has(args, "l")) or _has(args, "d"):
            if not files.exists(path) and files.link_of(path) is None:
                shell.err(f"ls: {name}: No such file or directory\n")
                status = 1
                continue
            shell.out(_entry(shell, path, name, args) if _has(args, "l") or _has(args, "n") else f"{name}\n")
            continue
        if not files.is_directory(path):
            shell.err(f"ls: {name}: No such file or directory\n")
            status = 1
            continue
        if not files.may(path, READ):
            shell.err(f"ls: can't open '{name}': Permission denied\n")
            status = 1
            continue
        if len(wanted) > 1:
            shell.out(f"{name}:\n")
        entries = files.entries(path)
        if _has(args, "a"):
            entries = [".", "..", *entries]
        for entry in entries:
            if entry.startswith(".") and not (_has(args, "a") or _has(args, "A")):
                continue
            if _has(args, "l") or _has(args, "n"):
                shell.out(_entry(shell, shell.world.path(f"{path.rstrip('/')}/{entry}"), entry, args))
            else:
                shell.out(f"{entry}\n")
    return status


def shown_mode(mode: int, kind: str) -> str:
    """Permission bits as `ls` shows them: drwxrwsrwt."""
    letters = [letter if mode >> (8 - at) & 1 else "-" for at, letter in enumerate("rwxrwxrwx")]
    for bit, at, letter in ((0o4000, 2, "s"), (0o2000, 5, "s"), (0o1000, 8, "t")):
        if mode & bit:
            letters[at] = letter if letters[at] == "x" else letter.upper()
    return kind + "".join(letters)


def _owner(number: int, *, numeric: bool) -> str:
    return "root" if number == 0 and not numeric else str(number)


def _entry(shell: Shell, path: str, name: str, args: list[str]) -> str:
    files = shell.world.files
    target = files.link_of(path)
    content = None if target is not None else files.get(path)
    found = files.attributes(path, follow=target is None)
    kind = "l" if target is not None else "d" if content is None else "-"
    moment, numeric = time.strftime("%b %e %H:%M", time.gmtime(clock.now())), _has(args, "n")
    owners = f"{_owner(found.uid, numeric=numeric):8} {_owner(found.gid, numeric=numeric):8}"
    links = 2 if kind == "d" else 1
    size = len(target or "") if kind == "l" else len(content or b"")
    return (
        f"{shown_mode(found.mode, kind)} {links:4} {owners} {size:9} {moment} {name}"
        + (f" -> {target}" if target is not None else "")
        + "\n"
    )


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
        shell.world.files.make_directory(path, parents=_has(args, "p") or "--parents" in args)

    operands = list(args)
    if "-m" in operands[:-1]:
        del operands[operands.index("-m") : operands.index("-m") + 2]
    return _each(shell, "mkdir", operands, make)


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
                    files.make_directory(into + path[len(source) :].rpartition("/")[0], parents=True)
                files.put(into + path[len(source) :], files.get(path) or b"")
            if move and below:
                files.remove(source, recursive=True)
            if below and _has(args, "v"):
                shell.out(
                    f"'{name}' -> '{into if into == target else names[-1].rstrip('/') + into[len(target.rstrip('/')) :]}'\n"
                )
        except FileTrouble as error:
            shell.err(f"{program}: {names[-1]}: {error}\n")
            status = 1
    return status


def _ln(shell: Shell, args: list[str]) -> int:
    names = _operands(args)
    if not _has(args, "s") or not names:
        return _copy(shell, args, move=False)
    files, target = shell.world.files, names[0]
    path = shell.world.path(names[1] if len(names) > 1 else target.rpartition("/")[2])
    if files.is_directory(path) and files.link_of(path) is None:
        path = f"{path.rstrip('/')}/{target.rstrip('/').rpartition('/')[2]}"
    try:
        if _has(args, "f") and files.link_of(path) is not None:
            files.remove(path)
        files.link(path, target)
    except FileTrouble as error:
        shell.err(f"ln: {path}: {error}\n")
        return 1
    return 0


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
        return _each(shell, "chmod", names[1:], change)
    except ValueError:
        shell.err(f"chmod: invalid mode '{names[0]}'\n")
        return 1


def _chown(shell: Shell, args: list[str], *, group_only: bool = False) -> int:
    names = _operands(args)
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

    return _each(shell, "chown", names[1:], change)


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
    status, form, names = 0, "", []
    words = list(args)
    while words:
        word = words.pop(0)
        if word in ("-c", "--format", "--printf") and words:
            form = words.pop(0)
        elif word.startswith("--format="):
            form = word.partition("=")[2]
        elif word.startswith("-c") and len(word) > 2:
            form = word[2:]
        elif not word.startswith("-"):
            names.append(word)
    for name in names:
        path, files = shell.world.path(name), shell.world.files
        follow = _has(args, "L")
        target = None if follow else files.link_of(path)
        if target is None and not files.exists(path):
            shell.err(f"stat: can't stat '{name}': No such file or directory\n")
            status = 1
            continue
        content = None if target is not None else files.get(path)
        found = files.attributes(path, follow=target is None)
        kind = "l" if target is not None else "d" if content is None else "-"
        said = {"l": "symbolic link", "d": "directory", "-": "regular file" if content else "regular empty file"}[kind]
        facts = {
            "n": name,
            "N": name if target is None else f"'{name}' -> '{target}'",
            "a": f"{found.mode:o}",
            "A": shown_mode(found.mode, kind),
            "u": str(found.uid),
            "g": str(found.gid),
            "U": "root" if found.uid == 0 else "UNKNOWN",
            "G": "root" if found.gid == 0 else "UNKNOWN",
            "s": str(len(target or "") if target is not None else len(content or b"")),
            "F": said,
            "T": files.mounted_at(path).tree.medium or "ext2/ext3",
            "Y": str(int(clock.now())),
            "h": "1",
            "%": "%",
        }
        if form:
            shell.out(re.sub(r"%(.)", lambda match: facts.get(match[1], "?"), form) + "\n")  # noqa: B023
            continue
        shell.out(
            f"  File: {facts['N']}\n  Size: {facts['s']:<10}\tBlocks: 8          IO Block: 4096   {said}\n"
            f"Access: ({found.mode:04o}/{facts['A']})  Uid: ({found.uid:5}/{facts['U']:>8})   "
            f"Gid: ({found.gid:5}/{facts['G']:>8})\n"
        )
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
    for name in _operands(args):
        mounted = shell.world.files.mounted_at(shell.world.path(name))
        if mounted.point:
            medium = "tmpfs" if mounted.tree.medium == "tmpfs" else "/dev/vda1"
            shell.out(f"{medium:20} 104857600   8388608  96468992   8% {mounted.point}\n")
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
        shell.world.files.make_directory(path, 0o700)
    else:
        shell.world.files.put(path, b"")
    shell.out(f"{path}\n")
    return 0


def _realpath(shell: Shell, args: list[str]) -> int:
    for name in _operands(args):
        shell.out(f"{shell.world.files.real(shell.world.path(name))}\n")
    return 0


def _readlink(shell: Shell, args: list[str]) -> int:
    if _has(args, "f"):
        return _realpath(shell, args)
    status = 0
    for name in _operands(args):
        target = shell.world.files.link_of(shell.world.path(name))
        if target is None:
            status = 1
        else:
            shell.out(f"{target}\n")
    return status


def _mount(shell: Shell, args: list[str]) -> int:
    """What is mounted; mounting needs privileges that no simulated container has."""
    if _operands(args):
        shell.err("mount: permission denied (are you root?)\n")
        return 1
    for mounted in reversed(shell.world.files.mounts):
        medium = mounted.tree.medium or "ext4"
        device = medium if medium in ("tmpfs", "overlay") else "/dev/vda1"
        how = "ro" if mounted.read_only else "rw"
        shell.out(f"{device} on {mounted.point or '/'} type {medium} ({how},relatime)\n")
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
    "readlink": _readlink,
    "chmod": _chmod,
    "chown": _chown,
    "chgrp": lambda shell, args: _chown(shell, args, group_only=True),
    "mount": _mount,
    "truncate": _touch,
}
