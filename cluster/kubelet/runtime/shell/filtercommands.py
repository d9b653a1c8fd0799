"""Commands that let lines through, changed or not: grep, sed, awk and their kind."""

from __future__ import annotations

import re

from cluster.kubelet.runtime.shell.interpreter import Handler, Shell
from cluster.kubelet.runtime.shell.options import whole
from cluster.kubelet.runtime.shell.reading import contents, lines_of, number_of, split, unescape

# A pattern that backtracks without end is a fault of its writer; lines are cut before they are matched.
MAX_LINE = 10_000


async def _grep(shell: Shell, args: list[str]) -> int:
    options, rest = split(args, "emABC")
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
    async for line in lines_of(shell, rest, "grep"):
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
        if "m" in options and count >= number_of(options["m"], 1):
            break
    if "c" in options:
        shell.out(f"{count}\n")
    if "l" in options and count and rest:
        shell.out(f"{rest[0]}\n")
    return int(count == 0)


_SUBSTITUTE = re.compile(r"s(.)((?:\\.|(?!\1).)*)\1((?:\\.|(?!\1).)*)\1([gip\d]*)", re.DOTALL)


async def _sed(shell: Shell, args: list[str]) -> int:
    """`s/a/b/g` and `-n Np`, the uses that pods make of it."""
    options, rest = split(args, "e")
    scripts = [options["e"]] if "e" in options else [rest.pop(0)] if rest else []
    number = 0
    result: list[str] = []
    async for line in lines_of(shell, rest, "sed"):
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
        await shell.pour(text)
    return 0


async def _wc(shell: Shell, args: list[str]) -> int:
    options, names = split(args)
    text = await contents(shell, names[0] if names else "-", "wc")
    if text is None:
        return 1
    counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(text.encode("utf-8", "surrogateescape"))}
    shown = [str(count) for kind, count in counts.items() if kind in options or not options]
    shell.out(" ".join([*shown, *names[:1]]) + "\n")
    return 0


async def _cut(shell: Shell, args: list[str]) -> int:
    options, names = split(args, "dfcb")
    mark = options.get("d", "\t")
    wanted = options.get("f") or options.get("c") or options.get("b") or ""
    async for line in lines_of(shell, names, "cut"):
        parts = line.split(mark) if "f" in options else list(line)
        chosen: list[str] = []
        for span in wanted.split(","):
            first, dash, last = span.partition("-")
            low = number_of(first, 1) - 1
            chosen += parts[low : number_of(last, len(parts))] if dash else parts[low : low + 1]
        shell.out((mark if "f" in options else "").join(chosen) + "\n")
    return 0


async def _sort(shell: Shell, args: list[str]) -> int:
    options, names = split(args, "kt")
    lines = [line async for line in lines_of(shell, names, "sort")]
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
    options, names = split(args)
    seen: list[tuple[str, int]] = []
    async for line in lines_of(shell, names, "uniq"):
        if seen and seen[-1][0] == line:
            seen[-1] = (line, seen[-1][1] + 1)
        else:
            seen.append((line, 1))
    for line, count in seen:
        shell.out(f"{count:7} {line}\n" if "c" in options else f"{line}\n")
    return 0


async def _tr(shell: Shell, args: list[str]) -> int:
    options, sets = split(args)
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
    await shell.pour(text)
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
    options, rest = split(args, "Fv")
    program = rest.pop(0) if rest else ""
    match = re.fullmatch(r"\s*(?:/(.*?)/|NR\s*==\s*(\d+))?\s*(?:\{\s*print\s*(.*?)\s*;?\s*\})?\s*", program, re.DOTALL)
    if match is None:
        shell.err("awk: this program is more than the simulated awk knows\n")
        return 2
    number = 0
    async for line in lines_of(shell, rest, "awk"):
        number += 1
        if match[1] is not None and not re.search(match[1], line[:MAX_LINE]):
            continue
        if match[2] is not None and number != whole(match[2]):
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
    if word.startswith("$"):
        at = whole(word[1:])
        return fields[at - 1] if at is not None and 0 < at <= len(fields) else ""
    return word if word.isdecimal() else ""


async def _hexdump(shell: Shell, args: list[str]) -> int:
    """`hexdump -C FILE`: sixteen bytes a line, as numbers and as characters."""
    options, names = split(args)
    text = await contents(shell, names[0] if names else "-", "hexdump")
    if text is None:
        return 1
    if "C" not in options:
        shell.err("hexdump: only -C is simulated\n")
        return 1
    data = text.encode("utf-8", "surrogateescape")
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        halves = ["".join(f" {byte:02x}" for byte in row[half : half + 8]) for half in (0, 8)]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        shell.out(f"{at:08x} {halves[0]:<24} {halves[1]:<24}  |{shown}|\n")
    if data:
        shell.out(f"{len(data):08x}\n")
    return 0


COMMANDS: dict[str, Handler] = {
    "hexdump": _hexdump,
    "egrep": lambda shell, args: _grep(shell, ["-E", *args]),
    "fgrep": lambda shell, args: _grep(shell, ["-F", *args]),
    "grep": _grep,
    "sed": _sed,
    "wc": _wc,
    "cut": _cut,
    "sort": _sort,
    "uniq": _uniq,
    "tr": _tr,
    "awk": _awk,
}
