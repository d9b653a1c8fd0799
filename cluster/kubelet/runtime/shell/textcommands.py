"""Commands that print, filter and change text."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable

from cluster import clock
from cluster.kubelet.runtime.shell.files import FileTrouble
from cluster.kubelet.runtime.shell.interpreter import BUSY, Shell

Handler = Callable[[Shell, list[str]], "int | Awaitable[int]"]
_ESCAPE = re.compile(r"\\(n|t|r|a|b|e|0[0-7]{0,3}|x[0-9a-fA-F]{1,2}|\\|\")")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "\\": "\\", '"': '"'}
# A pattern that backtracks without end is a fault of its writer; lines are cut before they are matched.
MAX_LINE = 10_000


def unescape(text: str) -> str:
    """Backslash sequences as printf and `echo -e` read them."""

    def letter(match: re.Match[str]) -> str:
        code = match[1]
        if code in _ESCAPES:
            return _ESCAPES[code]
        return chr(int(code[1:] or "0", 16 if code[0] == "x" else 8))

    return _ESCAPE.sub(letter, text)


async def contents(shell: Shell, name: str, program: str) -> str | None:
    """What a file holds, `-` is the input; a complaint and None when there is none."""
    if name in ("-", "/dev/stdin"):
        return await shell.stdin.read()
    path = shell.world.path(name)
    try:
        found = shell.world.files.read(path)
        if found is not None:
            return found.decode("utf-8", "surrogateescape")
        why = "Is a directory" if shell.world.files.is_directory(path) else "No such file or directory"
    except FileTrouble as error:
        why = str(error)
    if program == "cat" and why[0] != "I":
        shell.err(f"cat: can't open '{name}': {why}\n")
    else:
        shell.err(f"{program}: {name}: {why}\n")
    return None


async def _lines(shell: Shell, names: list[str], program: str) -> AsyncIterator[str]:
    """The lines of files, or of the input as they come."""
    if not names:
        while (line := await shell.stdin.line()) is not None:
            yield line
        return
    for name in names:
        text = await contents(shell, name, program)
        if text is None:
            shell.status = 1
            continue
        for line in text.removesuffix("\n").split("\n") if text else ():
            yield line


def _split(args: list[str], with_value: str = "") -> tuple[dict[str, str], list[str]]:
    """Options and operands: `-n 5`, `-n5`, `-xyz`; letters in `with_value` take one."""
    options: dict[str, str] = {}
    rest: list[str] = []
    words = list(args)
    while words:
        word = words.pop(0)
        if word == "--":
            rest += words
            break
        if not word.startswith("-") or word == "-":
            rest.append(word)
            continue
        if word.startswith("--"):
            name, _, text = word[2:].partition("=")
            options[name] = text
            continue
        for at, letter in enumerate(word[1:], 1):
            if letter in with_value:
                options[letter] = word[at + 1 :] or (words.pop(0) if words else "")
                break
            options[letter] = ""
    return options, rest


def _echo(shell: Shell, args: list[str]) -> int:
    end, escapes = "\n", False
    words = list(args)
    while words and re.fullmatch(r"-[neE]+", words[0]):
        option = words.pop(0)
        end = "" if "n" in option else end
        escapes = "e" in option or escapes
    text = " ".join(words)
    shell.out((unescape(text) if escapes else text) + end)
    return 0


def _printf(shell: Shell, args: list[str]) -> int:
    if not args:
        shell.err("printf: usage: printf FORMAT [ARG]...\n")
        return 2
    form, values = args[0], list(args[1:])
    while True:
        used = len(values)
        shell.out(unescape(re.sub(r"%(-?0?\d*(?:\.\d+)?)([sdioxXcfeg%b])", lambda match: _field(match, values), form)))
        if not values or used == len(values):
            return 0


def _field(match: re.Match[str], values: list[str]) -> str:
    width, kind = match.groups()
    if kind == "%":
        return "%"
    text = values.pop(0) if values else ""
    if len(width) > 4:
        width = width[:4]
    if kind in "sbc":
        return f"%{width}s" % text.replace("\\", "\\\\" if kind == "s" else "\\")
    try:
        number = float(text or "0") if kind in "feg" else int(text or "0", 0)
    except ValueError:
        number = 0
    return f"%{width}{kind}" % number


async def _cat(shell: Shell, args: list[str]) -> int:
    options, names = _split(args)
    status = number = 0
    for name in names or ["-"]:
        if name == "-" and not names and "n" not in options:
            while (line := await shell.stdin.line()) is not None:
                shell.out(line + "\n")
            continue
        text = await contents(shell, name, "cat")
        if text is None:
            status = 1
        elif "n" in options:
            for line in text.removesuffix("\n").split("\n"):
                number += 1
                shell.out(f"{number:6}\t{line}\n")
        elif text:
            shell.out(text)
    return status


async def _tee(shell: Shell, args: list[str]) -> int:
    options, names = _split(args)
    paths = [shell.world.path(name) for name in names]
    files = shell.world.files
    for path in paths:
        files.put(path, (files.get(path) or b"") if "a" in options else b"")
    while (line := await shell.stdin.line()) is not None:
        shell.out(line + "\n")
        for path in paths:
            files.put(path, (files.get(path) or b"") + f"{line}\n".encode("utf-8", "surrogateescape"))
    return 0


async def _head(shell: Shell, args: list[str]) -> int:
    if args and re.fullmatch(r"-\d+", args[0]):
        args = ["-n", args[0][1:], *args[1:]]
    options, names = _split(args, "nc")
    if "c" in options:
        text = await contents(shell, names[0] if names else "-", "head")
        shell.out((text or "")[: _number(options["c"], 0)])
        return int(text is None)
    left = _number(options.get("n", ""), 10)
    if left > 0:
        async for line in _lines(shell, names, "head"):
            shell.out(line + "\n")
            left -= 1
            if left <= 0:
                break
    return 0


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.lstrip("-+").isdigit() else otherwise


async def _tail(shell: Shell, args: list[str]) -> int:
    if args and re.fullmatch(r"-\d+f?", args[0]):
        args = ["-n", args[0][1:].rstrip("f"), *(["-f"] if args[0].endswith("f") else []), *args[1:]]
    options, names = _split(args, "nc")
    follow = bool({"f", "F", "follow"} & set(options))
    position: dict[str, int] = {}
    for name in names or ["-"]:
        if name == "/dev/null":
            continue
        if "F" in options and shell.world.files.get(shell.world.path(name)) is None:
            continue
        text = await contents(shell, name, "tail")
        if text is None:
            return 1
        lines = text.removesuffix("\n").split("\n") if text else []
        wanted = options.get("n", "10")
        lines = lines[_number(wanted, 1) - 1 :] if wanted.startswith("+") else lines[-max(_number(wanted, 10), 0) :]
        if _number(wanted, 10) != 0:
            shell.out("".join(f"{line}\n" for line in lines))
        position[name] = len(text)
    while follow:
        await clock.sleep(1.0)
        for name in names:
            text = (shell.world.files.get(shell.world.path(name)) or b"").decode("utf-8", "surrogateescape")
            if len(text) > position.get(name, 0):
                shell.out(text[position.get(name, 0) :])
            position[name] = len(text)
    return 0


async def _grep(shell: Shell, args: list[str]) -> int:
    options, rest = _split(args, "emABC")
    pattern = options.get("e") or (rest.pop(0) if rest else "")
    flags = re.IGNORECASE if "i" in options else 0
    text = re.escape(pattern) if "F" in options else pattern
    if "E" not in options and "P" not in options and "F" not in options:
        text = re.sub(r"\\([|+?(){}])", r"\1", re.sub(r"(?<!\\)([|+?(){}])", r"\\\1", text))
    if "w" in options:
        text = rf"\b(?:{text})\b"
    if "x" in options:
        text = rf"^(?:{text})$"
    try:
        wanted = re.compile(text, flags)
    except re.error as error:
        shell.err(f"grep: bad regex '{pattern}': {error}\n")
        return 2
    count = number = 0
    async for line in _lines(shell, rest, "grep"):
        number += 1
        match = wanted.search(line[:MAX_LINE])
        if (match is None) != ("v" in options):
            continue
        count += 1
        if "q" in options or ("s" in options and "q" in options):
            return 0
        if "c" not in options and "l" not in options:
            shown = match[0] if match and "o" in options else line
            shell.out(f"{number}:{shown}\n" if "n" in options else f"{shown}\n")
        if "m" in options and count >= _number(options["m"], 1):
            break
    if "c" in options:
        shell.out(f"{count}\n")
    if "l" in options and count and rest:
        shell.out(f"{rest[0]}\n")
    return int(count == 0)


_SUBSTITUTE = re.compile(r"s(.)((?:\\.|(?!\1).)*)\1((?:\\.|(?!\1).)*)\1([gip\d]*)", re.DOTALL)


async def _sed(shell: Shell, args: list[str]) -> int:
    """`s/a/b/g` and `-n Np`, the uses that pods make of it."""
    options, rest = _split(args, "e")
    scripts = [options["e"]] if "e" in options else [rest.pop(0)] if rest else []
    number = 0
    result: list[str] = []
    async for line in _lines(shell, rest, "sed"):
        number += 1
        keep = "n" not in options
        for script in (part.strip() for one in scripts for part in re.split(r"[;\n](?=\s*(?:s\W|\d|/|$))", one)):
            match = _SUBSTITUTE.fullmatch(script)
            if match:
                _, pattern, new, flags = match.groups()
                if "E" not in options and "r" not in options:
                    pattern = re.sub(r"\\([|+?(){}])", r"\1", re.sub(r"(?<!\\)([|+?(){}])", r"\\\1", pattern))
                new = re.sub(r"(?<!\\)&", r"\\g<0>", new)
                line = re.sub(
                    pattern,
                    new,
                    line[:MAX_LINE],
                    count=0 if "g" in flags else 1,
                    flags=re.IGNORECASE if "i" in flags else 0,
                )
            elif script in (f"{number}p", "p"):
                result.append(line)
            elif script == f"{number}d":
                keep = False
        if keep:
            result.append(line)
    text = "".join(f"{line}\n" for line in result)
    if "i" in options and rest:
        shell.world.files.put(shell.world.path(rest[0]), text.encode("utf-8", "surrogateescape"))
    else:
        shell.out(text)
    return 0


async def _wc(shell: Shell, args: list[str]) -> int:
    options, names = _split(args)
    text = await contents(shell, names[0] if names else "-", "wc")
    if text is None:
        return 1
    counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(text.encode("utf-8", "surrogateescape"))}
    shown = [str(count) for kind, count in counts.items() if kind in options or not options]
    shell.out(" ".join([*shown, *names[:1]]) + "\n")
    return 0


async def _cut(shell: Shell, args: list[str]) -> int:
    options, names = _split(args, "dfcb")
    mark = options.get("d", "\t")
    wanted = options.get("f") or options.get("c") or options.get("b") or ""
    async for line in _lines(shell, names, "cut"):
        parts = line.split(mark) if "f" in options else list(line)
        chosen: list[str] = []
        for span in wanted.split(","):
            first, dash, last = span.partition("-")
            low = _number(first, 1) - 1
            chosen += parts[low : _number(last, len(parts))] if dash else parts[low : low + 1]
        shell.out((mark if "f" in options else "").join(chosen) + "\n")
    return 0


async def _sort(shell: Shell, args: list[str]) -> int:
    options, names = _split(args, "kt")
    lines = [line async for line in _lines(shell, names, "sort")]
    if "n" in options:
        lines.sort(key=lambda line: float((re.match(r"\s*-?\d+(?:\.\d+)?", line) or ["0"])[0]))
    else:
        lines.sort()
    if "r" in options:
        lines.reverse()
    for line in dict.fromkeys(lines) if "u" in options else lines:
        shell.out(line + "\n")
    return 0


async def _uniq(shell: Shell, args: list[str]) -> int:
    options, names = _split(args)
    seen: list[tuple[str, int]] = []
    async for line in _lines(shell, names, "uniq"):
        if seen and seen[-1][0] == line:
            seen[-1] = (line, seen[-1][1] + 1)
        else:
            seen.append((line, 1))
    for line, count in seen:
        shell.out(f"{count:7} {line}\n" if "c" in options else f"{line}\n")
    return 0


async def _tr(shell: Shell, args: list[str]) -> int:
    options, sets = _split(args)
    text = await shell.stdin.read()
    first = _range(sets[0]) if sets else ""
    if "d" in options:
        shell.out("".join(letter for letter in text if letter not in first))
        return 0
    second = _range(sets[1]) if len(sets) > 1 else ""
    if second:
        second = second.ljust(len(first), second[-1])
        text = text.translate(str.maketrans(first, second[: len(first)]))
    if "s" in options:
        squeezed = second or first
        text = re.sub(rf"([{re.escape(squeezed)}])\1+", r"\1", text)
    shell.out(text)
    return 0


def _range(text: str) -> str:
    for name, letters in (("[:upper:]", "A-Z"), ("[:lower:]", "a-z"), ("[:digit:]", "0-9"), ("[:space:]", " \t\n")):
        text = text.replace(name, letters)
    text = unescape(text)
    return re.sub(
        r"(.)-(.)", lambda match: "".join(chr(code) for code in range(ord(match[1]), ord(match[2]) + 1)), text
    )


async def _awk(shell: Shell, args: list[str]) -> int:
    """`awk '{print $1, $NF}'` with `-F` and a `/pattern/`: what one-liners in pods use."""
    options, rest = _split(args, "Fv")
    program = rest.pop(0) if rest else ""
    match = re.fullmatch(r"\s*(?:/(.*?)/|NR\s*==\s*(\d+))?\s*(?:\{\s*print\s*(.*?)\s*;?\s*\})?\s*", program, re.DOTALL)
    if match is None:
        shell.err("awk: this program is more than the simulated awk knows\n")
        return 2
    number = 0
    async for line in _lines(shell, rest, "awk"):
        number += 1
        if match[1] is not None and not re.search(match[1], line[:MAX_LINE]):
            continue
        if match[2] is not None and number != int(match[2]):
            continue
        fields = line.split(options.get("F")) if options.get("F") else line.split()
        words = []
        for part in re.split(r"\s*,\s*", match[3]) if match[3] else ["$0"]:
            words.append("".join(_awk_value(one, line, fields, number) for one in re.findall(r'"[^"]*"|\$?\w+', part)))
        shell.out(" ".join(words) + "\n")
    return 0


def _awk_value(word: str, line: str, fields: list[str], number: int) -> str:
    if word.startswith('"'):
        return unescape(word[1:-1])
    names = {"$0": line, "$NF": fields[-1] if fields else "", "NF": str(len(fields)), "NR": str(number)}
    if word in names:
        return names[word]
    if word.startswith("$") and word[1:].isdigit():
        at = int(word[1:])
        return fields[at - 1] if at <= len(fields) else ""
    return word if word.isdigit() else ""


def _seq(shell: Shell, args: list[str]) -> int:
    numbers = [int(arg) for arg in args if re.fullmatch(r"-?\d+", arg)]
    if not 1 <= len(numbers) <= 3:
        return 1
    first = numbers[0] if len(numbers) > 1 else 1
    step = numbers[1] if len(numbers) == 3 else 1
    values = range(first, numbers[-1] + (1 if step > 0 else -1), step or 1)
    shell.out("".join(f"{number}\n" for number in values[:100_000]))
    return 0


async def _yes(shell: Shell, args: list[str]) -> int:
    text = " ".join(args) or "y"
    while True:
        for _ in range(BUSY):
            shell.out(text + "\n")
        await clock.sleep(0.1)


async def _base64(shell: Shell, args: list[str]) -> int:
    options, names = _split(args, "w")
    text = await contents(shell, names[0] if names else "-", "base64")
    if text is None:
        return 1
    if "d" in options or "decode" in options:
        try:
            shell.out(base64.b64decode(re.sub(r"\s", "", text)).decode("utf-8", "surrogateescape"))
        except ValueError:
            shell.err("base64: invalid input\n")
            return 1
        return 0
    shell.out(base64.b64encode(text.encode("utf-8", "surrogateescape")).decode() + "\n")
    return 0


def _sum(kind: str) -> Handler:
    async def command(shell: Shell, args: list[str]) -> int:
        for name in args or ["-"]:
            text = await contents(shell, name, f"{kind}sum")
            if text is None:
                return 1
            shell.out(
                f"{hashlib.new(kind, text.encode('utf-8', 'surrogateescape'), usedforsecurity=False).hexdigest()}  {name}\n"
            )
        return 0

    return command


async def _xargs(shell: Shell, args: list[str]) -> int:
    options, words = _split(args, "nIL")
    items = (await shell.stdin.read()).split()
    if "I" in options:
        status = 0
        for item in items:
            status = await shell.call([word.replace(options["I"], item) for word in words])
        return status
    size = _number(options.get("n", ""), len(items) or 1)
    status = 0
    for at in range(0, len(items), max(size, 1)):
        status = await shell.call([*(words or ["echo"]), *items[at : at + size]])
    return status


def _basename(shell: Shell, args: list[str]) -> int:
    name = args[0].rstrip("/").rpartition("/")[2] if args else ""
    shell.out((name.removesuffix(args[1]) if len(args) > 1 else name) + "\n")
    return 0


def _dirname(shell: Shell, args: list[str]) -> int:
    shell.out(
        ((args[0].rstrip("/").rpartition("/")[0] or ("/" if args[0][:1] == "/" else ".")) if args else ".") + "\n"
    )
    return 0


async def _rev(shell: Shell, args: list[str]) -> int:
    async for line in _lines(shell, args, "rev"):
        shell.out(line[::-1] + "\n")
    return 0


def _expr(shell: Shell, args: list[str]) -> int:
    shell.out(f"{shell.number(' '.join(args))}\n")
    return 0


COMMANDS: dict[str, Handler] = {
    "echo": _echo,
    "printf": _printf,
    "cat": _cat,
    "tee": _tee,
    "head": _head,
    "tail": _tail,
    "grep": _grep,
    "egrep": lambda shell, args: _grep(shell, ["-E", *args]),
    "fgrep": lambda shell, args: _grep(shell, ["-F", *args]),
    "sed": _sed,
    "wc": _wc,
    "cut": _cut,
    "sort": _sort,
    "uniq": _uniq,
    "tr": _tr,
    "awk": _awk,
    "seq": _seq,
    "yes": _yes,
    "base64": _base64,
    "md5sum": _sum("md5"),
    "sha1sum": _sum("sha1"),
    "sha256sum": _sum("sha256"),
    "xargs": _xargs,
    "basename": _basename,
    "dirname": _dirname,
    "rev": _rev,
    "expr": _expr,
}
