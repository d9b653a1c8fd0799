"""The strings extension: positions, parts, cases, format."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.cel.errors import EvaluationError, no_such_overload
from cluster.apimachinery.cel.functions import define
from cluster.apimachinery.cel.library.standard import double_text
from cluster.apimachinery.cel.syntax import UInt
from cluster.apimachinery.cel.values import Duration, Timestamp, TypeValue

_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
# What a text may grow to by one call.
MAX_TEXT = 3 << 20


def _walk(*sizes: float) -> float:
    return sizes[0] / 10


@define("string.charAt(int): string", cost=_walk, grows=lambda *a: 1)
def _char_at(text: str, index: int) -> str:
    if not 0 <= index <= len(text):
        raise EvaluationError(f"index out of range: {index}")
    return text[index : index + 1]


@define("string.indexOf(string): int", cost=lambda a, b: a * b / 10)
def _index_of(text: str, part: str) -> int:
    return text.find(part)


@define("string.indexOf(string, int): int", cost=lambda a, b, c: a * b / 10)
def _index_from(text: str, part: str, start: int) -> int:
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.find(part, start)


@define("string.lastIndexOf(string): int", cost=lambda a, b: a * b / 10)
def _last_index_of(text: str, part: str) -> int:
    return text.rfind(part)


@define("string.lastIndexOf(string, int): int", cost=lambda a, b, c: a * b / 10)
def _last_index_from(text: str, part: str, start: int) -> int:
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.rfind(part, 0, start + len(part))


define("string.lowerAscii(): string", cost=_walk)(
    lambda text: "".join(one.lower() if one.isascii() else one for one in text)
)
define("string.upperAscii(): string", cost=_walk)(
    lambda text: "".join(one.upper() if one.isascii() else one for one in text)
)
define("string.trim(): string", cost=_walk)(lambda text: text.strip(_SPACE))
define("string.reverse(): string", cost=_walk)(lambda text: text[::-1])


def _bounded(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise EvaluationError("the text grows too long")
    return text


@define("string.replace(string, string): string", cost=_walk, grows=lambda a, b, c: a * max(c, 1))
def _replace(text: str, old: str, new: str) -> str:
    return _replace_some(text, old, new, -1)


@define("string.replace(string, string, int): string", cost=_walk, grows=lambda a, b, c, d: a * max(c, 1))
def _replace_some(text: str, old: str, new: str, limit: int) -> str:
    times = text.count(old) if limit < 0 else min(limit, text.count(old))
    if len(text) + times * len(new) > MAX_TEXT:
        raise EvaluationError("the text grows too long")
    return text.replace(old, new, limit)


@define("string.split(string): list<string>", cost=_walk, grows=lambda a, b: a)
def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(text)


@define("string.split(string, int): list<string>", cost=_walk, grows=lambda a, b, c: a)
def _split_some(text: str, separator: str, limit: int) -> list[str]:
    if limit == 0:
        return []
    if limit == 1:
        return [text]
    if not separator:
        parts = list(text)
        return parts if limit < 0 or len(parts) <= limit else [*parts[: limit - 1], "".join(parts[limit - 1 :])]
    return text.split(separator) if limit < 0 else text.split(separator, limit - 1)


@define("string.substring(int): string", cost=_walk)
def _substring(text: str, start: int) -> str:
    return _between(text, start, len(text))


@define("string.substring(int, int): string", cost=_walk)
def _between(text: str, start: int, end: int) -> str:
    for index in (start, end):
        if not 0 <= index <= len(text):
            raise EvaluationError(f"index out of range: {index}")
    if start > end:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {end}")
    return text[start:end]


@define("list<string>.join(): string", cost=lambda a: a, grows=lambda a: a * 100)
def _join(parts: list[str]) -> str:
    return _joined(parts, "")


@define("list<string>.join(string): string", cost=lambda a, b: a, grows=lambda a, b: a * (100 + b))
def _joined(parts: list[str], separator: str) -> str:
    if not all(type(part) is str for part in parts):
        raise no_such_overload()
    if sum(map(len, parts)) + len(parts) * len(separator) > MAX_TEXT:
        raise EvaluationError("the text grows too long")
    return separator.join(parts)


@define("strings.quote(string): string", cost=_walk, grows=lambda a: 2 * a)
def _quote(text: str) -> str:
    escapes = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
    escapes |= {"\\": "\\\\", '"': '\\"'}
    return '"' + "".join(escapes.get(one, one) for one in text) + '"'


# -- format ----------------------------------------------------------------------------------------------------------


@define("string.format(list<dyn>): string", cost=lambda a, b: a / 10 + b, grows=lambda a, b: a + 100 * b)
def _format(text: str, values: list[Any]) -> str:
    pieces: list[str] = []
    position, used, length = 0, 0, 0
    while True:
        at = text.find("%", position)
        piece = text[position:] if at < 0 else text[position:at]
        pieces.append(piece)
        length += len(piece)
        if at < 0 or length > MAX_TEXT:
            break
        at += 1
        if text[at : at + 1] == "%":
            pieces.append("%")
            position = at + 1
            continue
        precision: int | None = None
        if text[at : at + 1] == ".":
            end = at + 1
            while text[end : end + 1].isdigit():
                end += 1
            precision, at = int(text[at + 1 : end] or 0), end
            if precision > 1000:
                raise EvaluationError("could not parse formatting clause: precision is too large")
        verb = text[at : at + 1]
        if not verb:
            raise EvaluationError("could not parse formatting clause: unexpected end of string")
        if used >= len(values):
            raise EvaluationError(f"index {used} out of range")
        piece = _clause(verb, precision, values[used])
        pieces.append(piece)
        length += len(piece)
        used += 1
        position = at + 1
    return _bounded("".join(pieces))


def _clause(verb: str, precision: int | None, value: Any) -> str:
    number = type(value) in (int, UInt)
    if verb == "s":
        return _shown(value)
    if verb == "d" and (number or type(value) is float):
        return str(int(value)) if number else double_text(value)
    if verb == "f" and (number or type(value) is float):
        return f"{value:.{6 if precision is None else precision}f}"
    if verb == "e" and (number or type(value) is float):
        return f"{value:.{6 if precision is None else precision}e}"
    if verb == "b" and (number or type(value) is bool):
        return f"{int(value):b}"
    if verb == "o" and number:
        return f"{value:o}"
    if verb in "xX":
        if number:
            return format(int(value), verb)
        if type(value) in (str, bytes):
            text = (value.encode() if type(value) is str else value).hex()
            return text.upper() if verb == "X" else text
    if verb not in "sdfeboxX":
        raise EvaluationError(f'could not parse formatting clause: unrecognized formatting clause "{verb}"')
    raise EvaluationError(f"error during formatting: no such overload for %{verb}")


def _shown(value: Any) -> str:
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if value is None:
        return "null"
    if type(value) in (int, UInt):
        return str(int(value))
    if type(value) is float:
        return double_text(value)
    if type(value) is bytes:
        return value.decode("utf-8", "replace")
    if isinstance(value, (Timestamp, Duration)):
        return str(value)
    if isinstance(value, TypeValue):
        return value.name
    if type(value) is list:
        return "[" + ", ".join(map(_shown, value)) + "]"
    if type(value) is dict:
        return "{" + ", ".join(f"{_shown(name)}: {_shown(value[name])}" for name in sorted(value, key=_shown)) + "}"
    if hasattr(value, "cel_text"):
        return str(value.cel_text)
    raise EvaluationError(
        "error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps"
    )
