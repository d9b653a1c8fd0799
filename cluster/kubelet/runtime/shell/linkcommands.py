"""Commands about copies and links: cp, mv, ln, readlink, realpath."""

from __future__ import annotations

from cluster.kubelet.runtime.shell.filearguments import has, operands
from cluster.kubelet.runtime.shell.files import Files, FileTrouble
from cluster.kubelet.runtime.shell.interpreter import Handler, Shell


def _copy(shell: Shell, args: list[str], *, program: str) -> int:
    names, files, move = operands(args), shell.world.files, program == "mv"
    if len(names) < 2:
        shell.err(f"{program}: missing operand\n")
        return 1
    recursive = move or any(has(args, letter) for letter in "rRa")
    follow = not move and (has(args, "L") or not recursive)
    target, status = shell.world.path(names[-1]), 0
    for name in names[:-1]:
        source = shell.world.path(name)
        into = f"{target.rstrip('/')}/{source.rpartition('/')[2]}" if files.is_directory(target) else target
        shown = into if into == target else names[-1].rstrip("/") + into[len(target.rstrip("/")) :]
        if not files.exists(source) and (follow or files.link_of(source) is None):
            shell.err(f"{program}: can't stat '{name}': No such file or directory\n")
            status = 1
            continue
        if files.is_directory(source) and not recursive:
            shell.err(f"{program}: omitting directory '{name}'\n")
            status = 1
            continue
        try:
            trouble = _collision(files, source, into, (name, names[-1] if into == target else shown), program, follow)
            if trouble:
                shell.err(f"{program}: {trouble}\n")
                status = 1
                continue
            if move and files.link_of(into) is not None:
                # What is moved takes the place of a link, not of what the link points to.
                files.remove(into)
            _copy_tree(files, source, into, follow=follow)
            if move:
                files.remove(source, recursive=True)
            if has(args, "v"):
                shell.out(f"'{name}' -> '{shown}'\n")
        except FileTrouble as error:
            shell.err(f"{program}: {names[-1]}: {error}\n")
            status = 1
    return status


def _collision(files: Files, source: str, into: str, names: tuple[str, str], program: str, follow: bool) -> str:
    """Why copying would destroy what it copies, in coreutils' words (`names`: as they were typed); empty when it would not."""
    moved, link = program == "mv", None if follow else files.link_of(source)
    if files.same(source, into):
        replaced = files.link_of(into) is not None and (moved or link is not None)
        if not replaced or files.real(source, last=False) == files.real(into, last=False):
            return f"'{names[0]}' and '{names[1]}' are the same file"
    elif link is None and files.is_directory(source) and files.within(into.rpartition("/")[0] or "/", source):
        if moved:
            return f"cannot move '{names[0]}' to a subdirectory of itself, '{names[1]}'"
        return f"cannot copy a directory, '{names[0]}', into itself, '{names[1]}'"
    return ""


def _copy_tree(files: Files, source: str, into: str, *, follow: bool) -> None:
    """A file, a link as it is (`follow`: what it points to), or a directory with all that is in it."""
    for path in list(files.walk(source, follow=follow)):
        place, link = into + path[len(source.rstrip("/")) :], None if follow else files.link_of(path)
        if link is not None:
            if files.link_of(place) is not None or files.get(place) is not None:
                files.remove(place)
            files.link(place, link)
        elif files.is_directory(path):
            files.make_directory(place, files.attributes(path).mode & 0o777, parents=True)
        else:
            content = files.read(path)
            if content is None:
                raise FileTrouble("No such file or directory")
            files.put(place, content, files.attributes(path).mode & 0o777)


def _ln(shell: Shell, args: list[str]) -> int:
    names = operands(args)
    if not has(args, "s") or not names:
        return _copy(shell, args, program="ln")
    files, target = shell.world.files, names[0]
    path = shell.world.path(names[1] if len(names) > 1 else target.rpartition("/")[2])
    if files.is_directory(path) and files.link_of(path) is None:
        path = f"{path.rstrip('/')}/{target.rstrip('/').rpartition('/')[2]}"
    try:
        if has(args, "f") and files.link_of(path) is not None:
            files.remove(path)
        files.link(path, target)
    except FileTrouble as error:
        shell.err(f"ln: {path}: {error}\n")
        return 1
    return 0


def _realpath(shell: Shell, args: list[str]) -> int:
    for name in operands(args):
        shell.out(f"{shell.world.files.real(shell.world.path(name))}\n")
    return 0


def _readlink(shell: Shell, args: list[str]) -> int:
    if has(args, "f"):
        return _realpath(shell, args)
    status = 0
    for name in operands(args):
        target = shell.world.files.link_of(shell.world.path(name))
        if target is None:
            status = 1
        else:
            shell.out(f"{target}\n")
    return status


COMMANDS: dict[str, Handler] = {
    "cp": lambda shell, args: _copy(shell, args, program="cp"),
    "mv": lambda shell, args: _copy(shell, args, program="mv"),
    "ln": _ln,
    "realpath": _realpath,
    "readlink": _readlink,
}
