"""Parts of a script that are processes of their own: pipelines, and how a process ends that nobody ends on purpose."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from cluster.kubelet.runtime.shell.control import Exit, Leave
from cluster.kubelet.runtime.shell.syntax import Node
from cluster.kubelet.runtime.shell.world import BrokenPipe, Out, Pipe

if TYPE_CHECKING:
    from cluster.kubelet.runtime.shell.interpreter import Shell

log = logging.getLogger(__name__)
# What a process ends with that a signal has ended: SIGPIPE, and SIGSEGV for a fault of the program's own.
NOBODY_READS, CRASHED = 141, 139


async def flow(shell: Shell, parts: list[Node]) -> None:
    """All parts side by side, each in a process of its own, the output of one the input of the next. The status is the last one's."""
    before: Pipe | None = None
    stages = []
    for part in parts[:-1]:
        pipe = Pipe()
        stage = shell.child(pipe.write, before, own=True)
        stage.room = pipe.room
        stages.append(asyncio.ensure_future(_stage(stage, part, before, pipe)))
        before = pipe
    try:
        last = shell.child(shell.out, before, own=True)
        last.room = shell.room
        await _stage(last, parts[-1], before)
        shell.status = last.status
        await asyncio.gather(*stages)
    finally:
        for one in stages:
            one.cancel()


async def _stage(shell: Shell, node: Node, before: Pipe | None, after: Pipe | None = None) -> None:
    """One part. At its end nobody reads the pipe before it any more, and nobody writes to the one after it."""
    try:
        await in_its_own(shell, node)
    finally:
        if after is not None:
            after.close()
        if before is not None:
            before.hang_up()


async def in_its_own(shell: Shell, node: Node) -> None:
    """Evaluate in a process of its own (`shell`): `exit` ends that one."""
    try:
        await shell.evaluate(node)
    except Exit as end:
        shell.status = end.code
    except BrokenPipe:
        shell.status = NOBODY_READS
    except Leave:
        pass


def crashed(error: Exception, tell: Out) -> int:
    """A fault of ours in what runs a process: the process has crashed, and says so in a line. The exit code."""
    log.error("a simulated process has crashed", exc_info=error)
    tell(f"Segmentation fault (the simulated program failed: {type(error).__name__})")
    return CRASHED
