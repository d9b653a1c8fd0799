"""The grammar of the small shell: text → words and operators → a tree (POSIX shell, as far as examples and tests use it).

Words stay as they were written, with their quotes; `expansion` takes them apart when they are used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field


class SyntaxTrouble(Exception):
    """What a shell answers with `syntax error: …` and status 2."""


@dataclass(slots=True)
class Redirect:
    """`fd` 0, 1 or 2; `kind` <, >, >>, <<, <<< or &; the target word, descriptor or text. `raw`: a here-document without expansion."""

    fd: int
    kind: str
    target: str
    raw: bool = False


@dataclass(slots=True)
class Command:
    """A simple command: assignments, words, redirections."""

    assigns: list[tuple[str, str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class Pipeline:
    parts: list[Node]
    negated: bool = False


@dataclass(slots=True)
class AndOr:
    operator: str
    left: Node
    right: Node


@dataclass(slots=True)
class Sequence:
    """Commands in order; each with whether it runs in the background."""

    parts: list[tuple[Node, bool]] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """`{ …; }` or, as a subshell, `( … )`; also any compound command with redirections."""

    body: Node
    subshell: bool = False
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class If:
    branches: list[tuple[Node, Node]]
    otherwise: Node | None


@dataclass(slots=True)
class Loop:
    condition: Node
    body: Node
    until: bool


@dataclass(slots=True)
class For:
    """`words` None: over the positional parameters."""

    name: str
    words: list[str] | None
    body: Node


@dataclass(slots=True)
class Case:
    word: str
    branches: list[tuple[list[str], Node]]


@dataclass(slots=True)
class Function:
    name: str
    body: Node


Node = Command | Pipeline | AndOr | Sequence | Group | If | Loop | For | Case | Function

_OPERATOR = re.compile(r"&&|\|\||;;|<<<|<<-|<<|>>|>&|<&|&>|>\||[;&|()<>\n]")
_FD = re.compile(r"\d(?=[<>])")
_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_RESERVED = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})


@dataclass(slots=True)
class Token:
    """`kind`: word, op or here (the text of a here-document stands in `text`)."""

    kind: str
    text: str
    raw: bool = False


def word_end(text: str, at: int) -> int:
    """Where the word that begins at `at` ends."""
    while at < len(text):
        letter = text[at]
        if letter in " \t\r\n;&|<>()":
            return at
        at = _skip(text, at)
    return at


def _skip(text: str, at: int) -> int:
    """Past one character, quotation or substitution."""
    letter = text[at]
    if letter == "\\":
        return at + 2
    if letter == "'":
        return _past(text, "'", at + 1)
    if letter == '"':
        at += 1
        while at < len(text) and text[at] != '"':
            at = _skip(text, at) if text[at] in "\\$`" else at + 1
        if at >= len(text):
            raise SyntaxTrouble("unterminated quoted string")
        return at + 1
    if letter == "`":
        return _past(text, "`", at + 1)
    if letter == "$" and text[at + 1 : at + 2] in ("(", "{"):
        return closing(text, at + 1) + 1
    return at + 1


def _past(text: str, mark: str, at: int) -> int:
    end = text.find(mark, at)
    if end < 0:
        raise SyntaxTrouble("unterminated quoted string")
    return end + 1


def closing(text: str, at: int) -> int:
    """The place of the bracket that closes the one at `at`."""
    opener = text[at]
    closer = ")" if opener == "(" else "}"
    depth, at = 1, at + 1
    while at < len(text):
        letter = text[at]
        if letter == opener:
            depth += 1
        elif letter == closer:
            depth -= 1
            if depth == 0:
                return at
        at = _skip(text, at) if letter in "\\'\"`" else at + 1
    raise SyntaxTrouble(f'missing "{closer}"')


def tokenize(script: str) -> list[Token]:
    """Words and operators; a newline is an operator, a here-document's text follows its operator."""
    found: list[Token] = []
    waiting: list[tuple[Token, str, bool]] = []
    at = 0
    while at < len(script):
        letter = script[at]
        if letter in " \t\r":
            at += 1
        elif script.startswith("\\\n", at):
            at += 2
        elif letter == "#":
            end = script.find("\n", at)
            at = len(script) if end < 0 else end
        elif _FD.match(script, at):
            found.append(Token("fd", letter))
            at += 1
        elif operator := _OPERATOR.match(script, at):
            at = operator.end()
            if operator[0] in ("<<", "<<-"):
                while script[at : at + 1] in (" ", "\t"):
                    at += 1
                end = word_end(script, at)
                mark = script[at:end]
                here = Token("here", "", any(quote in mark for quote in "'\"\\"))
                found += [Token("op", "<<"), here]
                waiting.append((here, re.sub(r"['\"\\]", "", mark), operator[0] == "<<-"))
                at = end
                continue
            found.append(Token("op", operator[0]))
            if operator[0] == "\n":
                for here, mark, stripped in waiting:
                    here.text, at = _here(script, at, mark, stripped)
                waiting.clear()
        else:
            end = word_end(script, at)
            found.append(Token("word", script[at:end]))
            at = end
    return found


def _here(script: str, at: int, mark: str, stripped: bool) -> tuple[str, int]:
    lines = []
    while at < len(script):
        end = script.find("\n", at)
        line = script[at:] if end < 0 else script[at:end]
        at = len(script) if end < 0 else end + 1
        if stripped:
            line = line.lstrip("\t")
        if line == mark:
            break
        lines.append(line + "\n")
    return "".join(lines), at


def parse(script: str) -> Sequence:
    """The tree of a script; SyntaxTrouble when it makes no sense."""
    parser = _Parser(tokenize(script))
    tree = parser.sequence()
    if parser.peek() is not None:
        raise SyntaxTrouble(f"unexpected {_shown(parser.peek())}")
    return tree


def _shown(token: Token | None) -> str:
    if token is None:
        return "end of file"
    return "newline" if token.text == "\n" else f'"{token.text}"'


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> Token:
        token = self.peek()
        if token is None:
            raise SyntaxTrouble("unexpected end of file")
        self._at += 1
        return token

    def _is(self, *texts: str, kind: str = "op") -> bool:
        token = self.peek()
        return token is not None and token.kind == kind and token.text in texts

    def _word(self, *texts: str) -> bool:
        return self._is(*texts, kind="word")

    def _expect(self, text: str) -> None:
        token = self.peek()
        if token is None or token.text != text:
            raise SyntaxTrouble(f'unexpected {_shown(token)} (expecting "{text}")')
        self._at += 1

    def _skip_newlines(self) -> None:
        while self._is("\n"):
            self._at += 1

    def sequence(self) -> Sequence:
        """Until a word or operator that ends it."""
        self._depth += 1
        if self._depth > 60:
            raise SyntaxTrouble("nested too deeply")
        parts: list[tuple[Node, bool]] = []
        while True:
            while self._is("\n", ";"):
                self._at += 1
            token = self.peek()
            if token is None or self._is(")", ";;") or self._word(*_RESERVED):
                self._depth -= 1
                return Sequence(parts)
            node = self._and_or()
            background = self._is("&")
            if background:
                self._at += 1
            parts.append((node, background))
            if not background and not (self.peek() is None or self._is("\n", ";", ")", ";;")):
                raise SyntaxTrouble(f"unexpected {_shown(self.peek())}")

    def _and_or(self) -> Node:
        left = self._pipeline()
        while self._is("&&", "||"):
            operator = self._next().text
            self._skip_newlines()
            left = AndOr(operator, left, self._pipeline())
        return left

    def _pipeline(self) -> Node:
        negated = False
        while self._word("!"):
            self._at += 1
            negated = not negated
        parts = [self._command()]
        while self._is("|"):
            self._at += 1
            self._skip_newlines()
            parts.append(self._command())
        return parts[0] if len(parts) == 1 and not negated else Pipeline(parts, negated)

    def _command(self) -> Node:
        token = self.peek()
        if token is None:
            raise SyntaxTrouble("unexpected end of file")
        compound = self._compound(token)
        if compound is None:
            return self._simple()
        redirects = self._redirects()
        return Group(compound, redirects=redirects) if redirects else compound

    def _compound(self, token: Token) -> Node | None:
        if token.kind == "op" and token.text == "(":
            self._at += 1
            body = self.sequence()
            self._expect(")")
            return Group(body, subshell=True)
        if token.kind != "word":
            return None
        makers = {"if": self._if, "while": self._loop, "until": self._loop, "for": self._for, "case": self._case}
        if token.text in makers:
            return makers[token.text]()
        if token.text == "{":
            self._at += 1
            body = self.sequence()
            self._expect("}")
            return Group(body)
        after = self._tokens[self._at + 1 : self._at + 3]
        if _NAME.match(token.text) and [one.text for one in after] == ["(", ")"] and after[0].kind == "op":
            self._at += 3
            self._skip_newlines()
            return Function(token.text, self._command())
        return None

    def _if(self) -> Node:
        branches, otherwise = [], None
        self._at += 1
        while True:
            condition = self.sequence()
            self._expect("then")
            branches.append((condition, self.sequence()))
            if self._word("elif"):
                self._at += 1
                continue
            if self._word("else"):
                self._at += 1
                otherwise = self.sequence()
            self._expect("fi")
            return If(list(branches), otherwise)

    def _do(self) -> Node:
        self._expect("do")
        body = self.sequence()
        self._expect("done")
        return body

    def _loop(self) -> Node:
        until = self._next().text == "until"
        condition = self.sequence()
        return Loop(condition, self._do(), until)

    def _for(self) -> Node:
        self._at += 1
        name = self._next().text
        words: list[str] | None = None
        self._skip_newlines()
        if self._word("in"):
            self._at += 1
            words = []
            while (token := self.peek()) is not None and token.kind == "word":
                words.append(self._next().text)
        while self._is("\n", ";"):
            self._at += 1
        return For(name, words, self._do())

    def _case(self) -> Node:
        self._at += 1
        word = self._next().text
        self._skip_newlines()
        self._expect("in")
        branches: list[tuple[list[str], Node]] = []
        while True:
            self._skip_newlines()
            if self._word("esac"):
                self._at += 1
                return Case(word, branches)
            if self._is("("):
                self._at += 1
            patterns = [self._next().text]
            while self._is("|"):
                self._at += 1
                patterns.append(self._next().text)
            self._expect(")")
            branches.append((patterns, self.sequence()))
            if self._is(";;"):
                self._at += 1

    def _redirects(self) -> list[Redirect]:
        found: list[Redirect] = []
        while (token := self.peek()) is not None:
            fd = -1
            if token.kind == "fd":
                fd = int(token.text[:9])
                self._at += 1
                token = self._next()
                self._at -= 1
            if token.kind != "op" or token.text not in ("<", ">", ">>", "<<", "<<<", ">&", "<&", "&>", ">|"):
                return found
            self._at += 1
            target = self._next()
            kind = token.text
            if kind == "&>":
                found += [Redirect(1, ">", target.text), Redirect(2, "&", "1")]
                continue
            fd = (0 if kind[0] == "<" else 1) if fd < 0 else fd
            found.append(Redirect(fd, {">&": "&", "<&": "&", ">|": ">"}.get(kind, kind), target.text, target.raw))
        return found

    def _simple(self) -> Node:
        command = Command()
        while (token := self.peek()) is not None:
            if token.kind in ("fd", "op"):
                before = self._at
                command.redirects += self._redirects()
                if self._at == before:
                    break
                continue
            self._at += 1
            name, equals, value = token.text.partition("=")
            if equals and not command.words and _NAME.match(name):
                command.assigns.append((name, value))
            else:
                command.words.append(token.text)
        if not (command.words or command.assigns or command.redirects):
            raise SyntaxTrouble(f"unexpected {_shown(self.peek())}")
        return command
