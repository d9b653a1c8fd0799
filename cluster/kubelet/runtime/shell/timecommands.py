"""Commands that wait, tell the time, set a limit to it, or use the machine for so long."""

from __future__ import annotations

import asyncio
import itertools
import math
import time

from cluster import clock
from cluster.apimachinery.quantity import value as quantity_value
from cluster.kubelet.runtime.shell.interpreter import Handler, Shell
from cluster.kubelet.runtime.shell.options import whole

# Seconds that are for ever.
LONGEST = 10.0**9
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(args: list[str]) -> float:
    """What `sleep` waits; ValueError for nonsense."""
    total = 0.0
    for arg in args or ["0"]:
        if arg in ("infinity", "inf"):
            return LONGEST
        unit = _UNITS.get(arg[-1:], 0)
        total += float(arg[:-1]) * unit if unit else float(arg)
    if math.isnan(total) or total < 0:
        raise ValueError("no time")
    return min(total, LONGEST)


async def _sleep(shell: Shell, args: list[str]) -> int:
    try:
        wanted = seconds(args)
    except ValueError:
        shell.err(f"sleep: invalid number '{args[0]}'\n")
        return 1
    await clock.sleep(wanted)
    return 0


async def _usleep(shell: Shell, args: list[str]) -> int:
    return await _sleep(shell, [str((whole(args[0]) or 0) / 1e6)] if args and whole(args[0]) is not None else args)


def _date(shell: Shell, args: list[str]) -> int:
    form = next((arg[1:] for arg in args if arg.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
    if any(arg.startswith(("-I", "--iso")) for arg in args):
        form = "%Y-%m-%dT%H:%M:%S+00:00" if any("seconds" in arg for arg in args) else "%Y-%m-%d"
    now = clock.now()
    text = form.replace("%s", str(int(now))).replace("%N", f"{int(now % 1 * 1e9):09d}").replace("%3N", "000")
    shell.out(time.strftime(text, time.gmtime(now)) + "\n")
    return 0


async def _timeout(shell: Shell, args: list[str]) -> int:
    words = list(args)
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("-s", "-k", "-t") and words:
            if option == "-t":
                break
            words.pop(0)
    if len(words) < 2:
        return 125
    try:
        limit = seconds([words[0]])
    except ValueError:
        shell.err(f"timeout: invalid number '{words[0]}'\n")
        return 125
    task = asyncio.ensure_future(shell.call(words[1:]))
    timer = clock.call_later(limit, lambda: _stop(task))
    try:
        return await task
    except asyncio.CancelledError:
        if not task.cancelled():
            task.cancel()
            raise
        return 124
    finally:
        timer.cancel()


def _stop(task: asyncio.Future[int]) -> None:
    task.cancel()


async def _stress(shell: Shell, args: list[str]) -> int:
    """`stress --cpu 2 --vm 1 --vm-bytes 250M --timeout 60s`: uses what it is told to."""
    cores, workers, each, wanted = 0.0, 0, 256 * 1024 * 1024, LONGEST
    pairs = [part for arg in args for part in arg.split("=", 1)]
    for name, text in itertools.pairwise(pairs):
        option = name.lstrip("-")
        try:
            if option in ("cpu", "c", "cpus"):
                cores = float(text)
                if not 0 <= cores < LONGEST:
                    raise ValueError(text)
            elif option in ("vm", "m"):
                workers = int(text)
                if workers < 0:
                    raise ValueError(text)
            elif option in ("vm-bytes", "mem-total"):
                each, workers = quantity_value(text if text[-1:].isdigit() else _binary(text)), workers or 1
            elif option in ("timeout", "t"):
                wanted = seconds([text])
        except ValueError:
            shell.err(f"stress: FAIL: unrecognized option: {name} {text}\n")
            return 1
    process, memory = shell.world.process, each * workers
    shell.out(f"stress: info: [1] dispatching hogs: {int(cores)} cpu, 0 io, {workers} vm, 0 hdd\n")
    if process is not None:
        process.burn(cores, memory)
    try:
        await clock.sleep(wanted)
    finally:
        if process is not None:
            process.burn(-cores, -memory)
    return 0


def _binary(text: str) -> str:
    """`250M` of stress is 250 MiB."""
    return text.rstrip("Bb").upper() + "i"


COMMANDS: dict[str, Handler] = {
    "sleep": _sleep,
    "usleep": _usleep,
    "date": _date,
    "timeout": _timeout,
    "stress": _stress,
}
