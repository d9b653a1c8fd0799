"""The commands that every simulated image has, by name (busybox and coreutils, as far as people use them in pods).

A command is a function of the shell and its arguments; it returns the exit code, or a coroutine of it when it has to wait.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase

from cluster import clock
from cluster.apimachinery.quantity import value as quantity_value
from cluster.kubelet.runtime.shell import (
    agnhostcommands,
    dnscommands,
    filecommands,
    filtercommands,
    netcommands,
    systemcommands,
    textcommands,
)
from cluster.kubelet.runtime.shell.interpreter import SHELLS, Exit, Leave, Return, Shell
from cluster.kubelet.runtime.shell.syntax import SyntaxTrouble

Handler = Callable[[Shell, list[str]], "int | Awaitable[int]"]
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(args: list[str]) -> float:
    """What `sleep` waits; ValueError for nonsense."""
    total = 0.0
    for arg in args or ["0"]:
        if arg in ("infinity", "inf"):
            return 10.0**9
        unit = _UNITS.get(arg[-1:], 0)
        total += float(arg[:-1]) * unit if unit else float(arg)
    return total


async def _sleep(shell: Shell, args: list[str]) -> int:
    try:
        wanted = seconds(args)
    except ValueError:
        shell.err(f"sleep: invalid number '{args[0]}'\n")
        return 1
    await clock.sleep(wanted)
    return 0


async def _usleep(shell: Shell, args: list[str]) -> int:
    return await _sleep(shell, [str(int(args[0]) / 1e6)] if args and args[0].isdigit() else args)


def _exit(shell: Shell, args: list[str]) -> int:
    raise Exit(int(args[0]) & 255 if args and args[0].lstrip("-").isdigit() else shell.status)


def _return(shell: Shell, args: list[str]) -> int:
    raise Return(int(args[0]) & 255 if args and args[0].isdigit() else shell.status)


def _leave(again: bool) -> Handler:
    def command(shell: Shell, args: list[str]) -> int:
        raise Leave(again=again, levels=int(args[0]) if args and args[0].isdigit() else 1)

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
    return await inner.run(await shell.stdin.read())


async def _exec(shell: Shell, args: list[str]) -> int:
    if not args:
        return 0
    if shell.world.process is not None and shell.depth == 0:
        shell.world.process.become(args[0].rpartition("/")[2])
    raise Exit(await shell.call(args))


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
    count = int(args[0]) if args and args[0].isdigit() else 1
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
        if not word.lstrip("-").isdigit():
            shell.err(f"{shell.name}: kill: invalid number '{word}'\n")
            status = 1
            continue
        number = int(word)
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
    wanted = [jobs[int(arg) - 2] for arg in args if arg.isdigit() and 2 <= int(arg) < 2 + len(jobs)] if args else jobs
    status = await shell.wait(list(wanted))
    return status if args or status == 143 else 0


async def _read(shell: Shell, args: list[str]) -> int:
    names = [arg for arg in args if not arg.startswith("-")] or ["REPLY"]
    line = await shell.stdin.line()
    parts = (line or "").split(None, len(names) - 1)
    for name, text in zip(names, [*parts, *[""] * len(names)], strict=False):
        shell.world.env[name] = text.strip()
    return int(line is None)


def _date(shell: Shell, args: list[str]) -> int:
    form = next((arg[1:] for arg in args if arg.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
    if any(arg.startswith(("-I", "--iso")) for arg in args):
        form = "%Y-%m-%dT%H:%M:%S+00:00" if any("seconds" in arg for arg in args) else "%Y-%m-%d"
    now = clock.now()
    text = form.replace("%s", str(int(now))).replace("%N", f"{int(now % 1 * 1e9):09d}").replace("%3N", "000")
    shell.out(time.strftime(text, time.gmtime(now)) + "\n")
    return 0


def _test(shell: Shell, args: list[str]) -> int:
    words = [arg for arg in args if arg not in ("]", "]]")]
    return int(not _either(shell, words))


def _either(shell: Shell, words: list[str]) -> bool:
    for joint, both in (("-o", False), ("||", False), ("-a", True), ("&&", True)):
        if joint in words[1:-1]:
            at = words.index(joint, 1)
            left, right = words[:at], words[at + 1 :]
            if both:
                return _either(shell, left) and _either(shell, right)
            return _either(shell, left) or _either(shell, right)
    if words and words[0] == "!":
        return not _either(shell, words[1:])
    return _holds(shell, words)


def _holds(shell: Shell, words: list[str]) -> bool:
    files = shell.world.files
    if len(words) == 2 and words[0].startswith("-"):
        kind, text = words
        path = shell.world.path(text)
        if kind in ("-z", "-n"):
            return (text == "") == (kind == "-z")
        if kind == "-d":
            return files.is_directory(path)
        if kind == "-s":
            return bool(files.get(path))
        if kind == "-f":
            return files.get(path) is not None
        if kind in ("-h", "-L"):
            return files.link_of(path) is not None
        if kind in ("-r", "-w", "-x"):
            return files.exists(path) and files.may(path, {"-r": 4, "-w": 2, "-x": 1}[kind])
        return kind == "-e" and files.exists(path)
    if len(words) == 1:
        return words[0] != ""
    if len(words) != 3:
        return False
    left, operator, right = words
    if operator in ("=", "=="):
        return left == right or fnmatchcase(left, right)
    if operator == "!=":
        return left != right
    if operator == "=~":
        return bool(re.search(right[:500], left[:5000]))
    if operator in ("<", ">"):
        return (left < right) == (operator == "<")
    compared = _COMPARE.get(operator)
    if compared is None:
        raise SyntaxTrouble(f"{operator}: unknown operand")
    if not all(re.fullmatch(r"\s*-?\d+\s*", one) for one in (left, right)):
        shell.err(f"{shell.name}: {left if not left.strip().lstrip('-').isdigit() else right}: bad number\n")
        return False
    return compared(int(left), int(right))


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}


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
    task = asyncio.ensure_future(shell.call(words[1:]))
    timer = clock.call_later(seconds([words[0]]), lambda: _stop(task))
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
    cores, workers, each, wanted = 0.0, 0, 256 * 1024 * 1024, 10.0**9
    pairs = [part for arg in args for part in arg.split("=", 1)]
    for name, text in itertools.pairwise(pairs):
        option = name.lstrip("-")
        try:
            if option in ("cpu", "c", "cpus"):
                cores = float(text)
            elif option in ("vm", "m"):
                workers = int(text)
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


def _hostname(shell: Shell, args: list[str]) -> int:
    if "-f" in args:
        # What the hosts file says of the name.
        hosts = (shell.world.files.get("/etc/hosts") or b"").decode().splitlines()
        lines = [line.split() for line in hosts if shell.world.hostname in line.split()[1:]]
        shell.out(f"{lines[0][1] if lines else shell.world.hostname}\n")
        return 0
    if "-s" in args:
        shell.out(f"{shell.world.hostname.partition('.')[0]}\n")
        return 0
    if "-i" in args or "-I" in args:
        shell.out(f"{(shell.world.net.resolve(shell.world.hostname) or [''])[0] if shell.world.net else ''}\n")
        return 0
    shell.out(f"{shell.world.hostname}\n")
    return 0


def _uname(shell: Shell, args: list[str]) -> int:
    if any("a" in arg for arg in args if arg.startswith("-")):
        shell.out(f"Linux {shell.world.hostname} 6.12.0-kubeweb #1 SMP x86_64 GNU/Linux\n")
    elif "-r" in args:
        shell.out("6.12.0-kubeweb\n")
    elif "-m" in args:
        shell.out("x86_64\n")
    elif "-n" in args:
        shell.out(f"{shell.world.hostname}\n")
    else:
        shell.out("Linux\n")
    return 0


def _whoami(shell: Shell, args: list[str]) -> int:
    if shell.world.files.user == 0:
        shell.out("root\n")
        return 0
    shell.err(f"whoami: unknown uid {shell.world.files.user}\n")
    return 1


def _id(shell: Shell, args: list[str]) -> int:
    user, groups = shell.world.files.user, shell.world.files.groups
    flags = "".join(arg[1:] for arg in args if arg.startswith("-"))
    if "u" in flags:
        shell.out(f"{'root' if 'n' in flags and user == 0 else user}\n")
    elif "G" in flags:
        shell.out(" ".join(map(str, groups)) + "\n")
    elif "g" in flags:
        shell.out(f"{'root' if 'n' in flags and groups[0] == 0 else groups[0]}\n")
    else:
        named = [f"{number}(root)" if number == 0 else str(number) for number in groups]
        shell.out(f"uid={user}{'(root)' if user == 0 else ''} gid={named[0]} groups={','.join(named)}\n")
    return 0


def _which(shell: Shell, args: list[str]) -> int:
    words = [arg for arg in args if not arg.startswith("-")]
    found = [word for word in words if word in COMMANDS or word in shell.world.programs]
    for word in found:
        shell.out(f"/bin/{word}\n")
    return int(len(found) < len(words))


async def _eval(shell: Shell, args: list[str]) -> int:
    from cluster.kubelet.runtime.shell.syntax import parse

    await shell.evaluate(parse(" ".join(args)))
    return shell.status


async def _source(shell: Shell, args: list[str]) -> int:
    from cluster.kubelet.runtime.shell.syntax import parse

    content = shell.world.files.get(shell.world.path(args[0])) if args else None
    if content is None:
        shell.err(f"{shell.name}: {args[0] if args else '.'}: not found\n")
        return 127
    await shell.evaluate(parse(content.decode("utf-8", "surrogateescape")))
    return shell.status


def _ps(shell: Shell, args: list[str]) -> int:
    shell.out("PID   USER     TIME  COMMAND\n    1 root      0:00 /bin/sh\n")
    return 0


def _quiet(shell: Shell, args: list[str]) -> int:
    return 0


COMMANDS: dict[str, Handler] = {
    **dict.fromkeys(SHELLS, _shell),
    "sleep": _sleep,
    "usleep": _usleep,
    "exit": _exit,
    "return": _return,
    "break": _leave(False),
    "continue": _leave(True),
    "exec": _exec,
    "eval": _eval,
    ".": _source,
    "source": _source,
    "env": _env,
    "printenv": _printenv,
    "export": _export,
    "local": _export,
    "readonly": _export,
    "declare": _export,
    "unset": _unset,
    "set": _set,
    "shift": _shift,
    "trap": _trap,
    "kill": _kill,
    "wait": _wait,
    "read": _read,
    "date": _date,
    "test": _test,
    "[": _test,
    "[[": _test,
    "timeout": _timeout,
    "stress": _stress,
    "hostname": _hostname,
    "uname": _uname,
    "whoami": _whoami,
    "id": _id,
    "which": _which,
    "ps": _ps,
    "true": _quiet,
    ":": _quiet,
    "false": lambda shell, args: 1,
    **dict.fromkeys(("time", "nohup", "command", "nice", "setsid", "sudo"), _run),
    **dict.fromkeys(("sync", "ulimit", "umask", "stty", "clear", "type", "hash"), _quiet),
    **textcommands.COMMANDS,
    **filtercommands.COMMANDS,
    **filecommands.COMMANDS,
    **netcommands.COMMANDS,
    **dnscommands.COMMANDS,
    **systemcommands.COMMANDS,
    **agnhostcommands.COMMANDS,
}
