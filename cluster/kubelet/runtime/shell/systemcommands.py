"""Commands that look at the machine from inside of a container, and tar, which `kubectl cp` runs there."""

from __future__ import annotations

import io
import tarfile

from cluster.kubelet.runtime.shell.files import FileTrouble
from cluster.kubelet.runtime.shell.interpreter import Handler, Shell

# Bytes that an archive may come to.
MAX_ARCHIVE = 16 * 1024 * 1024
MEMORY = (8 * 1024 * 1024, 2 * 1024 * 1024)  # KiB in all, and used


def _address(shell: Shell) -> str:
    net = shell.world.net
    found = net.resolve(shell.world.hostname) if net is not None else []
    return found[0] if found else "127.0.0.1"


def _ip(shell: Shell, args: list[str]) -> int:
    words = [arg for arg in args if not arg.startswith("-")]
    changes = len(words) > 1 and words[1] in ("add", "del", "delete", "set", "change", "replace")
    if changes and not shell.world.privileged:
        shell.err("ip: RTNETLINK answers: Operation not permitted\n")
        return 2
    if changes:
        return 0
    what = words[0] if words else "addr"
    if what.startswith("r"):
        shell.out(f"default via {_address(shell).rpartition('.')[0]}.1 dev eth0 \n")
        return 0
    shell.out("1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\n    inet 127.0.0.1/8 scope host lo\n")
    shell.out(
        f"2: eth0@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue\n    inet {_address(shell)}/24 scope global eth0\n"
    )
    return 0


def _ifconfig(shell: Shell, args: list[str]) -> int:
    address = _address(shell)
    shell.out(f"eth0      Link encap:Ethernet\n          inet addr:{address}  Mask:255.255.255.0\n\n")
    shell.out("lo        Link encap:Local Loopback\n          inet addr:127.0.0.1  Mask:255.0.0.0\n\n")
    return 0


def _sysctl(shell: Shell, args: list[str]) -> int:
    bare, status = "-n" in args, 0
    for name in (arg for arg in args if not arg.startswith("-")):
        key, writes, _ = name.partition("=")
        path = f"/proc/sys/{key.replace('.', '/')}"
        if writes:
            shell.err(f"sysctl: error setting key '{key}': Read-only file system\n")
            status = 1
            continue
        found = shell.world.files.get(path)
        if found is None:
            shell.err(f"sysctl: error: '{path}': No such file or directory\n")
            status = 1
            continue
        text = found.decode().rstrip("\n")
        shell.out(f"{text}\n" if bare else f"{key} = {text}\n")
    return status


def _free(shell: Shell, args: list[str]) -> int:
    total, used = MEMORY
    shell.out("              total        used        free      shared  buff/cache   available\n")
    shell.out(f"Mem:       {total:8}    {used:8}    {total - used:8}           0           0    {total - used:8}\n")
    return 0


def _nproc(shell: Shell, args: list[str]) -> int:
    shell.out("4\n")
    return 0


async def _chroot(shell: Shell, args: list[str]) -> int:
    """A command, or a shell, that has a directory for its root."""
    words = [arg for arg in args if not arg.startswith("--")]
    if not words:
        shell.err("chroot: missing operand\n")
        return 125
    root, command = shell.world.path(words[0]), words[1:] or ["sh"]
    files, trouble = shell.world.files, ""
    if not files.is_directory(root):
        trouble = "Not a directory" if files.get(root) is not None else "No such file or directory"
    elif files.user != 0:
        trouble = "Operation not permitted"
    if trouble:
        shell.err(f"chroot: cannot change root directory to '{words[0]}': {trouble}\n")
        return 125
    inner = shell.child(own=True)
    inner.world.files, inner.world.cwd = files.below(root), "/"
    return await inner.command(command)


# -- tar ---------------------------------------------------------------------------------------------------------------


async def _tar(shell: Shell, args: list[str]) -> int:
    """`tar cf - PATH…`, `tar xmf - -C DIR`, `tar tf FILE`."""
    words = list(args)
    if words and not words[0].startswith("-"):
        words[0] = "-" + words[0]
    mode, name, base, operands = "", "-", shell.world.cwd, []
    while words:
        word = words.pop(0)
        if word == "-C" and words:
            base = shell.world.path(words.pop(0))
        elif word.startswith("--") or word == "-":
            continue
        elif word.startswith("-"):
            mode = next((letter for letter in word if letter in "cxt"), mode)
            if "f" in word and words:
                name = words.pop(0)
            if "C" in word and words:
                base = shell.world.path(words.pop(0))
        else:
            operands.append(word)
    if not mode:
        shell.err("tar: need at least one option\n")
        return 1
    if not shell.world.files.is_directory(base):
        shell.err(f"tar: can't change directory to '{base}': No such file or directory\n")
        return 1
    if mode == "c":
        return await _pack(shell, base, name, operands)
    if name == "-":
        data = (await shell.stdin.read()).encode("utf-8", "surrogateescape")
    else:
        found = shell.world.files.read(shell.world.path(name))
        if found is None:
            shell.err(f"tar: can't open '{name}': No such file or directory\n")
            return 1
        data = found
    return _unpack(shell, base, data, list_only=mode == "t")


async def _pack(shell: Shell, base: str, name: str, operands: list[str]) -> int:
    files, buffer, status = shell.world.files, io.BytesIO(), 0
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for operand in operands:
            root = operand.rstrip("/") if operand.startswith("/") else f"{base.rstrip('/')}/{operand}".rstrip("/")
            root = shell.world.path(root or "/")
            if not files.exists(root):
                shell.err(f"tar: {operand}: No such file or directory\n")
                status = 1
                continue
            if operand.startswith("/"):
                shell.err("tar: removing leading '/' from member names\n")
            for path in files.walk(root):
                name_of = (operand.strip("/") + path[len(root.rstrip("/")) :]).lstrip("/") if path != root else ""
                entry, link = tarfile.TarInfo(name_of or operand.strip("/") or "."), files.link_of(path)
                entry.mode = files.attributes(path, follow=link is None).mode
                if link is not None:
                    entry.type, entry.linkname = tarfile.SYMTYPE, link
                    archive.addfile(entry)
                elif files.is_directory(path):
                    entry.type = tarfile.DIRTYPE
                    archive.addfile(entry)
                else:
                    content = files.read(path) or b""
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
    data = buffer.getvalue()
    if name == "-":
        await shell.pour(data.decode("utf-8", "surrogateescape"))
    else:
        files.put(shell.world.path(name), data)
    return status


def _unpack(shell: Shell, base: str, data: bytes, *, list_only: bool) -> int:
    files = shell.world.files
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for entry in archive:
                name = entry.name.strip("/")
                if list_only:
                    shell.out(f"{name}{'/' if entry.isdir() else ''}\n")
                    continue
                if ".." in name.split("/"):
                    shell.err(f"tar: name '{name}' contains '..', skipping\n")
                    continue
                path = shell.world.path(f"{base.rstrip('/')}/{name}")
                if entry.isdir():
                    files.make_directory(path, entry.mode & 0o7777, parents=True)
                elif entry.issym():
                    files.make_directory(path.rpartition("/")[0] or "/", parents=True)
                    if files.link_of(path) is not None:
                        files.remove(path)
                    files.link(path, entry.linkname)
                elif entry.isfile() and entry.size <= MAX_ARCHIVE:
                    files.make_directory(path.rpartition("/")[0] or "/", parents=True)
                    read = archive.extractfile(entry)
                    files.put(path, read.read() if read is not None else b"", entry.mode & 0o7777)
    except (tarfile.TarError, EOFError):
        shell.err("tar: short read\n")
        return 1
    except FileTrouble as error:
        shell.err(f"tar: can't open '{name}': {error}\n")
        return 1
    return 0


COMMANDS: dict[str, Handler] = {
    "ip": _ip,
    "ifconfig": _ifconfig,
    "sysctl": _sysctl,
    "free": _free,
    "nproc": _nproc,
    "tar": _tar,
    "chroot": _chroot,
}
