"""Redirections: where what a command writes goes, and where what it reads comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.kubelet.runtime.shell.files import FileTrouble
from cluster.kubelet.runtime.shell.syntax import Redirect
from cluster.kubelet.runtime.shell.world import Input, Out

if TYPE_CHECKING:
    from cluster.kubelet.runtime.shell.interpreter import Shell


async def redirect(shell: Shell, redirects: list[Redirect]) -> None:
    """Put `out`, `err` and `stdin` in place."""
    for one in redirects:
        if one.kind == "<<":
            text = one.target if one.raw else await shell.expander.here(one.target)
            shell.stdin = Input(text)
        elif one.kind == "<<<":
            shell.stdin = Input(await shell.expander.text(one.target) + "\n")
        elif one.kind == "&":
            streams = {"1": shell.out, "2": shell.err}
            _set(shell, one.fd, streams.get(one.target, _nowhere))
        elif one.kind == "<":
            name = await shell.expander.text(one.target)
            try:
                content = shell.world.files.read(shell.world.path(name))
            except FileTrouble as error:
                raise FileTrouble(f"can't open {name}: {error}") from None
            if content is None:
                raise FileTrouble(f"can't open {name}: no such file")
            shell.stdin = Input(content.decode("utf-8", "surrogateescape"))
        else:
            name = await shell.expander.text(one.target)
            _set(shell, one.fd, _target(shell, name, append=one.kind == ">>"))


def _target(shell: Shell, name: str, *, append: bool) -> Out:
    """Where output goes that was redirected to `name`: written as it comes."""
    if name == "/dev/null":
        return _nowhere
    if name in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        return shell.out
    if name in ("/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"):
        return shell.err
    if name in ("/proc/1/fd/1", "/proc/1/fd/2", "/dev/console") and shell.world.process is not None:
        return shell.world.process.log
    path, files = shell.world.path(name), shell.world.files
    try:
        files.put(path, (files.get(path) or b"") if append else b"")
    except FileTrouble as error:
        raise FileTrouble(f"can't create {name}: {error}") from None

    def write(text: str) -> None:
        files.put(path, (files.get(path) or b"") + text.encode("utf-8", "surrogateescape"))

    return write


def _set(shell: Shell, fd: int, stream: Out) -> None:
    if fd == 2:
        shell.err = stream
    elif fd == 1:
        shell.out = stream


def _nowhere(text: str) -> None:
    """/dev/null."""
