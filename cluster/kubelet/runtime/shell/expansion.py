"""Words of the shell as they are used: quotes taken off, variables and substitutions put in, split into fields, globbed."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cluster.kubelet.runtime.shell.options import whole
from cluster.kubelet.runtime.shell.syntax import SyntaxTrouble, closing

if TYPE_CHECKING:
    from cluster.kubelet.runtime.shell.interpreter import Shell

# A variable that doubles itself does not fill the machine: so many characters are the most that a word may have.
MAX_WORD = 256 * 1024
_PARAMETER = re.compile(r"[A-Za-z_]\w*|[0-9]+|[@*#?$!-]")
_OPERATION = re.compile(r"(:?[-=+?]|%%?|##?|//?|:)(.*)", re.DOTALL)


class Expander:
    """Expands for one shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def text(self, word: str) -> str:
        """A word as one string: nothing is split."""
        return "".join([text for text, _ in await self._pieces(word)])

    async def here(self, text: str) -> str:
        """The text of a here-document: variables and substitutions, quotes stay."""
        return "".join([piece for piece, _ in await self._quoted(text)])

    async def fields(self, words: list[str]) -> list[str]:
        """The arguments that words come to."""
        found: list[str] = []
        for word in words:
            if word in ('"$@"', "$@"):
                found += self._shell.args
            elif not any(mark in word for mark in "$`'\"\\*?[~{"):
                found.append(word)
            else:
                for one in _braces(word):
                    found += await self._fields_of(one)
        return found

    async def _fields_of(self, word: str) -> list[str]:
        fields: list[str] = []
        current: str | None = None
        wild = False
        for text, kind in await self._pieces(word):
            if kind != "split":
                current = (current or "") + text
                wild = wild or (kind == "plain" and any(mark in text for mark in "*?["))
                continue
            parts = text.split()
            if not parts:
                if text and current is not None:
                    fields.append(current)
                    current = None
                continue
            if text[0].isspace() and current is not None:
                fields.append(current)
                current = None
            parts[0] = (current or "") + parts[0]
            fields += parts[:-1]
            current = parts[-1]
            if text[-1].isspace():
                fields.append(current)
                current = None
        if current is not None:
            fields.append(current)
        if wild and len(fields) == 1:
            world = self._shell.world
            matches = world.files.glob(world.path(fields[0]))
            if matches and not fields[0].startswith("/"):
                base = world.cwd.rstrip("/") + "/"
                matches = [one.removeprefix(base) for one in matches]
            return matches or fields
        return fields

    async def _pieces(self, word: str) -> list[tuple[str, str]]:
        """(text, kind): plain, quoted, or split (an expansion outside of quotes)."""
        found: list[tuple[str, str]] = []
        at = 0
        if word == "~" or word.startswith("~/"):
            found.append((self._shell.world.env.get("HOME", "/root"), "quoted"))
            at = 1
        while at < len(word):
            letter = word[at]
            if letter == "'":
                end = word.index("'", at + 1)
                found.append((word[at + 1 : end], "quoted"))
                at = end + 1
            elif letter == '"':
                end = _closing_quote(word, at)
                found += await self._quoted(word[at + 1 : end]) or [("", "quoted")]
                at = end + 1
            elif letter == "\\":
                found.append((word[at + 1 : at + 2], "quoted"))
                at += 2
            elif letter in "$`":
                text, at = await self._substitution(word, at)
                found.append((text, "split") if text is not None else ("$", "plain"))
            else:
                end = at + 1
                while end < len(word) and word[end] not in "'\"\\$`":
                    end += 1
                found.append((word[at:end], "plain"))
                at = end
        if sum(len(text) for text, _ in found) > MAX_WORD:
            raise SyntaxTrouble("word too long")
        return found

    async def _quoted(self, text: str) -> list[tuple[str, str]]:
        """Between double quotes: only $, ` and \\ mean something."""
        found, at, plain = [], 0, ""
        while at < len(text):
            letter = text[at]
            if letter == "\\" and text[at + 1 : at + 2] in ("$", "`", '"', "\\", "\n"):
                plain += "" if text[at + 1] == "\n" else text[at + 1]
                at += 2
            elif letter in "$`":
                value, at = await self._substitution(text, at)
                plain += "$" if value is None else value
            else:
                plain += letter
                at += 1
            if len(plain) > MAX_WORD:
                raise SyntaxTrouble("word too long")
        found.append((plain, "quoted"))
        return found

    async def _substitution(self, text: str, at: int) -> tuple[str | None, int]:
        """What stands at a `$` or a backquote, and where it ends; None: the dollar is only a dollar."""
        if text[at] == "`":
            end = text.find("`", at + 1)
            if end < 0:
                raise SyntaxTrouble("unterminated quoted string")
            return await self._shell.catch(text[at + 1 : end].replace("\\$", "$")), end + 1
        after = text[at + 1 : at + 2]
        if text.startswith("((", at + 1):
            end = closing(text, at + 1)
            if text[end - 1] == ")":
                inner = await self.here(text[at + 3 : end - 1])
                return str(self._shell.number(inner)), end + 1
        if after == "(":
            end = closing(text, at + 1)
            return await self._shell.catch(text[at + 2 : end]), end + 1
        if after == "{":
            end = closing(text, at + 1)
            return await self._braced(text[at + 2 : end]), end + 1
        match = _PARAMETER.match(text, at + 1)
        if match is None:
            return None, at + 1
        name = match[0]
        if name.isdigit():
            name = name[0]
        return self.value(name) or "", at + 1 + len(name)

    def value(self, name: str) -> str | None:
        """A parameter; None when it is not set."""
        shell = self._shell
        if name.isdigit():
            number = whole(name)
            if number == 0:
                return shell.name
            return shell.args[number - 1] if number is not None and number <= len(shell.args) else None
        special = {
            "?": str(shell.status),
            "$": "1",
            "#": str(len(shell.args)),
            "@": " ".join(shell.args),
            "*": " ".join(shell.args),
            "-": "",
        }
        if name in special:
            return special[name]
        if name == "RANDOM":
            import random

            return str(random.randrange(32768))
        if name == "SECONDS":
            return "0"
        found = shell.world.env.get(name)
        if found is None and "u" in shell.options:
            raise SyntaxTrouble(f"{name}: parameter not set")
        return found

    async def _braced(self, inner: str) -> str:
        if inner.startswith("#") and len(inner) > 1:
            return str(len(self.value(inner[1:]) or ""))
        match = _PARAMETER.match(inner)
        if match is None:
            raise SyntaxTrouble("bad substitution")
        name, rest = match[0], inner[match.end() :]
        options, self._shell.options = self._shell.options, self._shell.options - {"u"} if rest else self._shell.options
        try:
            found = self.value(name)
        finally:
            self._shell.options = options
        if not rest:
            return found or ""
        operation = _OPERATION.fullmatch(rest)
        if operation is None:
            raise SyntaxTrouble("bad substitution")
        operator, argument = operation.groups()
        return await self._operate(name, found, operator, argument)

    async def _operate(self, name: str, found: str | None, operator: str, argument: str) -> str:
        text = found or ""
        missing = found is None or (operator[0] == ":" and not found)
        kind = operator.lstrip(":")
        if kind == "-":
            return await self.text(argument) if missing else text
        if kind == "+":
            return "" if missing else await self.text(argument)
        if kind == "=":
            if missing:
                text = self._shell.world.env[name] = await self.text(argument)
            return text
        if kind == "?":
            if missing:
                raise SyntaxTrouble(f"{name}: {await self.text(argument) or 'parameter not set'}")
            return text
        if operator in ("/", "//"):
            pattern, _, new = argument.partition("/")
            pattern, new = await self.text(pattern), await self.text(new)
            return text.replace(pattern, new, -1 if operator == "//" else 1) if pattern else text
        if operator == ":":
            first, _, length = argument.partition(":")
            start = self._shell.number(await self.text(first))
            cut = text[start:] if start >= 0 or len(text) >= -start else ""
            return cut[: self._shell.number(await self.text(length))] if length else cut
        return _trimmed(text, operator, await self.text(argument))


def _trimmed(text: str, operator: str, pattern: str) -> str:
    """`%` and `#`: without the shortest or longest end or beginning that matches."""
    cuts = range(len(text) + 1)
    if operator in ("#", "##"):
        order = cuts if operator == "#" else reversed(cuts)
        return next((text[cut:] for cut in order if fnmatchcase(text[:cut], pattern)), text)
    order = reversed(cuts) if operator == "%" else cuts
    return next((text[:cut] for cut in order if fnmatchcase(text[cut:], pattern)), text)


def _closing_quote(word: str, at: int) -> int:
    end = at + 1
    while end < len(word) and word[end] != '"':
        if word[end] == "\\":
            end += 2
        elif word[end] == "$" and word[end + 1 : end + 2] in ("(", "{"):
            end = closing(word, end + 1) + 1
        else:
            end += 1
    if end >= len(word):
        raise SyntaxTrouble("unterminated quoted string")
    return end


_RANGE = re.compile(r"(?<!\$)\{(-?[0-9]{1,18})\.\.(-?[0-9]{1,18})\}")
_LIST = re.compile(r"(?<!\$)\{([^{}$\s\"']*,[^{}$\s\"']*)\}")


def _braces(word: str) -> list[str]:
    """`{1..3}` and `{a,b}`."""
    if "{" not in word or word[0] in "'\"":
        return [word]
    match = _RANGE.search(word)
    if match:
        first, last = int(match[1]), int(match[2])
        if abs(last - first) > 10_000:
            return [word]
        numbers = range(first, last + 1) if first <= last else range(first, last - 1, -1)
        return [one for number in numbers for one in _braces(word[: match.start()] + str(number) + word[match.end() :])]
    match = _LIST.search(word)
    if match:
        return [
            one for part in match[1].split(",") for one in _braces(word[: match.start()] + part + word[match.end() :])
        ]
    return [word]
