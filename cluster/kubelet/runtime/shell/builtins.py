"""What a command does to the shell itself: its variables, options, functions, traps and jobs, and where it goes on (special built-ins)."""

from __future__ import annotations

import re
from collections.abc import Awaitable

from cluster.kubelet.runtime.shell.control import Exit, Leave, Return
from cluster.kubelet.runtime.shell.interpreter import Handler, Shell
from cluster.kubelet.runtime.shell.options import signed, whole
from cluster.kubelet.runtime.shell.programs import SHELLS
from cluster.kubelet.runtime.shell.syntax import parse


def _exit(shell: Shell, args: list[str]) -> int:
    number = signed(args[0]) if args else None
    raise Exit(shell.status if number is None else number & 255)


def _return(shell: Shell, args: list[str]) -> int:
    number = whole(args[0]) if args else None
    raise Return(shell.status if number is None else number & 255)


def _leave(again: bool) -> Handler:
    def command(shell: Shell, args: list[str]) -> int:
        raise Leave(again=again, levels=(whole(args[0]) if args else None) or 1)

    return command


async def _shell(shell: Shell, args: list[str]) -> int:
    """`sh -c SCRIPT [NAME ARGS…]`, `sh FILE`, or a script on its input."""
    options = ""
    while args and args[0].startswith(("-", "+")) and args[0] != "-":
        options += args.pop(0)[1:]
    inner = shell.child(own=True)
    inner.options |= {one for one in "eux" if one in options}
    if "c" in options:
        if not args:
            shell.err(f"{shell.name}: -c requires an argument\n")
            return 2
        inner.name, inner.args = (args[1] if len(args) > 1 else "sh"), args[2:]
        return await inner.run(args[0])
    if args and args[0] != "-":
        content = shell.world.files.get(shell.world.path(args[0]))
        if content is None:
            shell.err(f"{shell.name}: can't open '{args[0]}': No such file or directory\n")
            return 2
        inner.name, inner.args = args[0], args[1:]
        return await inner.run(content.decode("utf-8", "surrogateescape"))
    return await (inner.dialogue() if shell.stdin.typed else inner.run(await shell.stdin.read()))


async def _exec(shell: Shell, args: list[str]) -> int:
    if not args:
        return 0
    if shell.world.process is not None and shell.depth == 0:
        shell.world.process.become(args[0].rpartition("/")[2])
    raise Exit(await shell.call(args))


async def _eval(shell: Shell, args: list[str]) -> int:
    await shell.evaluate(parse(" ".join(args)))
    return shell.status


async def _source(shell: Shell, args: list[str]) -> int:
    content = shell.world.files.get(shell.world.path(args[0])) if args else None
    if content is None:
        shell.err(f"{shell.name}: {args[0] if args else '.'}: not found\n")
        return 127
    await shell.evaluate(parse(content.decode("utf-8", "surrogateescape")))
    return shell.status


async def _run(shell: Shell, args: list[str]) -> int:
    """`env A=b CMD`, `time CMD`, `nohup CMD`, `command CMD`."""
    while args and (args[0].startswith("-") or re.match(r"\w+=", args[0])):
        name, equals, text = args.pop(0).partition("=")
        if equals:
            shell.world.env[name] = text
    return await shell.call(args) if args else 0


def _env(shell: Shell, args: list[str]) -> int | Awaitable[int]:
    if args:
        return _run(shell.child(own=True), list(args))
    for name, text in shell.world.env.items():
        if name != "!":
            shell.out(f"{name}={text}\n")
    return 0


def _printenv(shell: Shell, args: list[str]) -> int:
    if not args:
        _env(shell, [])
        return 0
    missing = 0
    for name in args:
        if name in shell.world.env:
            shell.out(f"{shell.world.env[name]}\n")
        else:
            missing = 1
    return missing


def _export(shell: Shell, args: list[str]) -> int:
    for arg in args:
        name, equals, text = arg.partition("=")
        if equals:
            shell.world.env[name] = text
    return 0


def _unset(shell: Shell, args: list[str]) -> int:
    for name in args:
        shell.world.env.pop(name, None)
        shell.functions.pop(name, None)
    return 0


def _set(shell: Shell, args: list[str]) -> int:
    while args and args[0][:1] in "-+" and len(args[0]) > 1:
        word = args.pop(0)
        if word == "--":
            shell.args = args
            return 0
        if word[1:] in ("o", "eo", "euo", "euxo") and args:
            args.pop(0)
        change = shell.options.update if word[0] == "-" else shell.options.difference_update
        change({one for one in word[1:] if one in "eux"})
    if args:
        shell.args = args
    return 0


def _shift(shell: Shell, args: list[str]) -> int:
    count = whole(args[0]) if args else 1
    if count is None:
        shell.err(f"{shell.name}: shift: Illegal number: {args[0]}\n")
        return 2
    if count > len(shell.args):
        return 1
    shell.args = shell.args[count:]
    return 0


def _trap(shell: Shell, args: list[str]) -> int:
    args = [arg for arg in args if arg != "--"]
    for signal in args[1:]:
        name = _SIGNALS.get(signal, signal.upper().removeprefix("SIG"))
        if args[0] == "-":
            shell.signals.traps.pop(name, None)
        else:
            shell.signals.traps[name] = args[0]
    return 0


_SIGNALS = {"0": "EXIT", "1": "HUP", "2": "INT", "3": "QUIT", "9": "KILL", "15": "TERM", "10": "USR1", "12": "USR2"}


def _kill(shell: Shell, args: list[str]) -> int:
    signal, status = "TERM", 0
    words = list(args)
    if words and words[0] == "-s" and len(words) > 1:
        signal, words = words[1], words[2:]
    elif words and words[0].startswith("-"):
        signal, words = words[0][1:], words[1:]
    signal = _SIGNALS.get(signal, signal.upper().removeprefix("SIG"))
    for word in words:
        number = signed(word)
        if number is None:
            shell.err(f"{shell.name}: kill: invalid number '{word}'\n")
            status = 1
            continue
        jobs = shell.jobs
        if 2 <= number < 2 + len(jobs):
            if signal != "0":
                jobs[number - 2].cancel()
        elif shell.world.process is None or not shell.world.process.signal(signal, number):
            shell.err(f"{shell.name}: can't kill pid {number}: No such process\n")
            status = 1
    return status


async def _wait(shell: Shell, args: list[str]) -> int:
    jobs = shell.jobs
    numbers = [number for number in map(whole, args) if number is not None and 2 <= number < 2 + len(jobs)]
    wanted = [jobs[number - 2] for number in numbers] if args else jobs
    status = await shell.wait(list(wanted))
    return status if args or status == 143 else 0


async def _read(shell: Shell, args: list[str]) -> int:
    names = [arg for arg in args if not arg.startswith("-")] or ["REPLY"]
    line = await shell.stdin.line()
    parts = (line or "").split(None, len(names) - 1)
    for name, text in zip(names, [*parts, *[""] * len(names)], strict=False):
        shell.world.env[name] = text.strip()
    return int(line is None)


COMMANDS: dict[str, Handler] = {
    **dict.fromkeys(SHELLS, _shell),
    "exit": _exit,
    "return": _return,
    "break": _leave(False),
    "continue": _leave(True),
    "exec": _exec,
    "eval": _eval,
    **dict.fromkeys((".", "source"), _source),
    "env": _env,
    "printenv": _printenv,
    **dict.fromkeys(("export", "local", "readonly", "declare"), _export),
    "unset": _unset,
    "set": _set,
    "shift": _shift,
    "trap": _trap,
    "kill": _kill,
    "wait": _wait,
    "read": _read,
    **dict.fromkeys(("time", "nohup", "command", "nice", "setsid", "sudo"), _run),
}
