"""Commands that look at files and directories: ls, find, stat, du, df, mount."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from fnmatch import fnmatchcase

from cluster import clock
from cluster.kubelet.runtime.shell.filearguments import has, operands
from cluster.kubelet.runtime.shell.files import READ, FileTrouble
from cluster.kubelet.runtime.shell.interpreter import Handler, Shell
from cluster.kubelet.runtime.shell.options import whole


def _ls(shell: Shell, args: list[str]) -> int:
    files, status = shell.world.files, 0
    wanted = operands(args) or ["."]
    for name in wanted:
        path = shell.world.path(name)
        if files.get(path) is not None or (files.link_of(path) is not None and has(args, "l")) or has(args, "d"):
            if not files.exists(path) and files.link_of(path) is None:
                shell.err(f"ls: {name}: No such file or directory\n")
                status = 1
                continue
            shell.out(_entry(shell, path, name, args) if has(args, "l") or has(args, "n") else f"{name}\n")
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
        if has(args, "a"):
            entries = [".", "..", *entries]
        for entry in entries:
            if entry.startswith(".") and not (has(args, "a") or has(args, "A")):
                continue
            if has(args, "l") or has(args, "n"):
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
    target = None if has(args, "L") and files.exists(path) else files.link_of(path)
    content = None if target is not None else files.get(path)
    found = files.attributes(path, follow=target is None)
    kind = "l" if target is not None else "d" if content is None else "-"
    moment, numeric = time.strftime("%b %e %H:%M", time.gmtime(clock.now())), has(args, "n")
    owners = f"{_owner(found.uid, numeric=numeric):8} {_owner(found.gid, numeric=numeric):8}"
    links = 2 if kind == "d" else 1
    size = len(target or "") if kind == "l" else len(content or b"")
    return (
        f"{shown_mode(found.mode, kind)} {links:4} {owners} {size:9} {moment} {name}"
        + (f" -> {target}" if target is not None else "")
        + "\n"
    )


_TESTS_WITH_VALUE = frozenset({"-type", "-name", "-iname", "-path", "-maxdepth", "-mindepth"})


def _find(shell: Shell, args: list[str]) -> int:
    """Tests are joined by `and`; links are followed with -L alone."""
    follow, words, roots = False, list(args), []
    while words and (words[0] in ("-L", "-H", "-P") or not words[0].startswith(("-", "!", "("))):
        word = words.pop(0)
        follow = follow or word == "-L"
        roots += [] if word.startswith("-") else [word]
    options: dict[str, str] = {}
    while words:
        word = words.pop(0)
        if word in _TESTS_WITH_VALUE and words:
            options[word] = words.pop(0)
            if word in ("-maxdepth", "-mindepth") and whole(options[word]) is None:
                shell.err(f"find: invalid number '{options[word]}'\n")
                return 1
        elif word not in ("-print", "-follow", "-xdev", "-mount"):
            shell.err(f"find: unrecognized: {word}\n")
            return 1
    status = 0
    for base in roots or ["."]:
        root = shell.world.path(base)
        if not shell.world.files.exists(root) and shell.world.files.link_of(root) is None:
            shell.err(f"find: {base}: No such file or directory\n")
            status = 1
            continue
        try:
            for path in shell.world.files.walk(root, follow=follow):
                below = path[len(root.rstrip("/")) :] if path != root else ""
                if _wanted(shell, path, below, options, follow=follow):
                    shell.out(f"{base.rstrip('/') if below else base}{below}\n")
        except FileTrouble as error:
            shell.err(f"find: {base}: {error}\n")
            status = 1
    return status


def _wanted(shell: Shell, path: str, below: str, options: dict[str, str], *, follow: bool) -> bool:
    files, depth, name = shell.world.files, below.count("/"), path.rpartition("/")[2]
    kind = "l" if not follow and files.link_of(path) is not None else "d" if files.is_directory(path) else "f"
    tests: dict[str, Callable[[str], bool]] = {
        "-type": lambda text: text == kind,
        "-name": lambda text: fnmatchcase(name, text),
        "-iname": lambda text: fnmatchcase(name.lower(), text.lower()),
        "-path": lambda text: fnmatchcase(path, text),
        "-maxdepth": lambda text: depth <= int(text),
        "-mindepth": lambda text: depth >= int(text),
    }
    return all(tests[test](text) for test, text in options.items())


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
        follow = has(args, "L")
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
    files = shell.world.files
    for name in operands(args) or ["."]:
        below = files.walk(shell.world.path(name))
        size = sum(len(files.get(path) or b"") for path in below if files.link_of(path) is None)
        shell.out(f"{-(-size // 1024)}\t{name}\n")
    return 0


def _df(shell: Shell, args: list[str]) -> int:
    shell.out("Filesystem           1K-blocks      Used Available Use% Mounted on\n")
    shell.out("overlay              104857600   8388608  96468992   8% /\n")
    for name in operands(args):
        mounted = shell.world.files.mounted_at(shell.world.path(name))
        if mounted.point:
            medium = "tmpfs" if mounted.tree.medium == "tmpfs" else "/dev/vda1"
            shell.out(f"{medium:20} 104857600   8388608  96468992   8% {mounted.point}\n")
    return 0


def _mount(shell: Shell, args: list[str]) -> int:
    """What is mounted; mounting needs privileges that no simulated container has."""
    if operands(args):
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
    "find": _find,
    "stat": _stat,
    "du": _du,
    "df": _df,
    "mount": _mount,
}
