"""From text to a tree: CEL's grammar, with its macros left as calls (cel-go's parser).

Nodes are small objects; `offset` is where they begin in the text. Nesting and length are bounded: expressions come from clients.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from cluster.apimachinery.cel.errors import CompileError

MAX_DEPTH, MAX_LENGTH = 100, 100_000
RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)


class UInt(int):
    """CEL's uint: a number of its own type."""


@dataclass(slots=True)
class Node:
    offset: int
    depth: int = field(default=1, kw_only=True)


@dataclass(slots=True)
class Literal(Node):
    value: Any


@dataclass(slots=True)
class Ident(Node):
    name: str


@dataclass(slots=True)
class Select(Node):
    operand: Node
    name: str
    optional: bool = False


@dataclass(slots=True)
class Index(Node):
    operand: Node
    index: Node
    optional: bool = False


@dataclass(slots=True)
class Call(Node):
    """A function or an operator (`_+_`); `target` for members."""

    function: str
    target: Node | None
    arguments: list[Node]


@dataclass(slots=True)
class ListNode(Node):
    items: list[Node]
    optional: frozenset[int]


@dataclass(slots=True)
class MapNode(Node):
    entries: list[tuple[Node, Node]]
    optional: frozenset[int]


@dataclass(slots=True)
class Struct(Node):
    """`Object.spec{replicas: 1}`."""

    name: str
    entries: list[tuple[str, Node, bool]]


_TOKEN = re.compile(
    r"""
    (?P<space>(?:\s+|//[^\n]*)+)
  | (?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)
  | (?P<int>0x[0-9a-fA-F]+|\d+)(?P<unsigned>[uU]?)
  | (?P<string>(?:[rR][bB]?|[bB][rR]?)?(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\\n\r])*"|'(?:\\.|[^'\\\n\r])*'))
  | (?P<ident>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<quoted>`[A-Za-z0-9_.\-/ ]+`)
  | (?P<symbol>\[\?|\{\?|\.\?|\?\.|==|!=|<=|>=|&&|\|\||[-+*/%!<>?:.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_RAW = re.compile(r"""^[bB]?[rR][bB]?(?:\"\"\"|'''|"|')""")
_BINARY = {
    "||": 1, "&&": 2,
    "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "in": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5,
}  # fmt: skip
_FUNCTIONS = {"in": "@in"}
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL
)


@dataclass(slots=True)
class _Token:
    kind: str
    text: str
    offset: int


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = self._tokens()
        self.position = 0
        self.nesting = 0

    def fail(self, offset: int, text: str) -> CompileError:
        return CompileError(self.source, [(offset, text)])

    def _tokens(self) -> list[_Token]:
        found, position = [], 0
        while position < len(self.source):
            match = _TOKEN.match(self.source, position)
            if match is None:
                shown = self.source[position]
                raise self.fail(position, f"Syntax error: token recognition error at: '{shown}'")
            kind = match.lastgroup or ""
            if kind == "unsigned":
                kind = "uint" if match["unsigned"] else "int"
            if kind != "space":
                text = match["int"] if kind in ("int", "uint") else match.group()
                found.append(_Token(kind, text, position))
            position = match.end()
        found.append(_Token("end", "<EOF>", len(self.source)))
        return found

    # -- tokens ------------------------------------------------------------------------------------------------------

    @property
    def here(self) -> _Token:
        return self.tokens[self.position]

    def take(self) -> _Token:
        token = self.tokens[self.position]
        self.position += 1
        return token

    def accept(self, text: str) -> bool:
        token = self.here
        if token.kind == "symbol" and token.text == text:
            self.position += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            token = self.here
            raise self.fail(token.offset, f"Syntax error: mismatched input '{token.text}' expecting '{text}'")

    # -- grammar -----------------------------------------------------------------------------------------------------

    def parse(self) -> Node:
        node = self.expression()
        token = self.here
        if token.kind != "end":
            raise self.fail(token.offset, f"Syntax error: mismatched input '{token.text}' expecting <EOF>")
        return node

    def made(self, node: Node, *below: Node) -> Node:
        node.depth = 1 + max((one.depth for one in below), default=0)
        if node.depth > 2 * MAX_DEPTH:
            raise self.fail(node.offset, f"expression recursion limit exceeded: {2 * MAX_DEPTH}")
        return node

    def expression(self) -> Node:
        self.nesting += 1
        if self.nesting > MAX_DEPTH:
            raise self.fail(self.here.offset, f"expression recursion limit exceeded: {MAX_DEPTH}")
        node = self.binary(1)
        token = self.here
        if self.accept("?"):
            yes = self.binary(1)
            self.expect(":")
            no = self.expression()
            node = self.made(Call(token.offset, "_?_:_", None, [node, yes, no]), node, yes, no)
        self.nesting -= 1
        return node

    def operator(self) -> str:
        token = self.here
        if token.kind == "symbol" and token.text in _BINARY:
            return token.text
        return "in" if token.kind == "ident" and token.text == "in" else ""

    def binary(self, least: int) -> Node:
        left = self.unary()
        while True:
            operator = self.operator()
            strength = _BINARY.get(operator, 0)
            if strength < least or not operator:
                return left
            token = self.take()
            right = self.binary(strength + 1)
            name = _FUNCTIONS.get(operator, f"_{operator}_")
            if operator in ("&&", "||") and isinstance(left, Call) and left.function == name and left.target is None:
                # One flat node for a chain, however long.
                left.arguments.append(right)
                left.depth = max(left.depth, right.depth + 1)
                continue
            left = self.made(Call(token.offset, name, None, [left, right]), left, right)

    def unary(self) -> Node:
        signs: list[_Token] = []
        while self.here.kind == "symbol" and self.here.text in ("!", "-"):
            signs.append(self.take())
        if len(signs) > MAX_DEPTH:
            raise self.fail(signs[0].offset, f"expression recursion limit exceeded: {MAX_DEPTH}")
        token = self.here
        if signs and signs[-1].text == "-" and token.kind in ("int", "float"):
            signs.pop()
            self.take()
            node: Node = Literal(token.offset - 1, self.number(token, -1))
            node = self.postfix(node)
        else:
            node = self.postfix(self.primary())
        for sign in reversed(signs):
            node = self.made(Call(sign.offset, "!_" if sign.text == "!" else "-_", None, [node]), node)
        return node

    def number(self, token: _Token, sign: int) -> Any:
        if token.kind == "float":
            return sign * float(token.text)
        value = sign * int(token.text, 0 if token.text.startswith("0x") else 10)
        if token.kind == "uint":
            if value >= 2**64:
                raise self.fail(token.offset, "invalid uint literal")
            return UInt(value)
        if not -(2**63) <= value < 2**63:
            raise self.fail(token.offset, "invalid int literal")
        return value

    def postfix(self, node: Node) -> Node:
        while True:
            token = self.here
            if self.accept(".") or self.accept(".?"):
                node = self.member(node, token)
            elif self.accept("[") or self.accept("[?"):
                index = self.expression()
                self.expect("]")
                node = self.made(Index(token.offset, node, index, token.text == "[?"), node, index)
            elif token.kind == "symbol" and token.text == "{" and (name := dotted(node)):
                self.take()
                node = self.struct(name, token.offset)
            else:
                return node

    def member(self, node: Node, token: _Token) -> Node:
        name = self.take()
        if name.kind == "quoted":
            return self.made(Select(token.offset, node, name.text[1:-1], token.text == ".?"), node)
        if name.kind != "ident":
            raise self.fail(
                name.offset,
                f"Syntax error: no viable alternative at input '.{'' if name.kind == 'end' else name.text}'",
            )
        if token.text == "." and self.accept("("):
            arguments = self.arguments()
            return self.made(Call(token.offset, name.text, node, arguments), node, *arguments)
        return self.made(Select(token.offset, node, name.text, token.text == ".?"), node)

    def arguments(self) -> list[Node]:
        found: list[Node] = []
        if self.accept(")"):
            return found
        while True:
            found.append(self.expression())
            if self.accept(")"):
                return found
            self.expect(",")

    def primary(self) -> Node:
        token = self.take()
        if token.kind in ("int", "uint", "float"):
            return Literal(token.offset, self.number(token, 1))
        if token.kind == "string":
            return Literal(token.offset, self.text(token))
        if token.kind == "ident":
            return self.name(token)
        if token.kind == "symbol":
            if token.text == "(":
                node = self.expression()
                self.expect(")")
                return node
            if token.text in ("[", "[?"):
                return self.list(token)
            if token.text in ("{", "{?"):
                return self.map(token)
            if token.text == "." and self.here.kind == "ident":
                return self.name(self.take())
        shown = "<EOF>" if token.kind == "end" else f"'{token.text}'"
        raise self.fail(
            token.offset,
            f"Syntax error: mismatched input {shown} expecting {{'[', '{{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}}",
        )

    def name(self, token: _Token) -> Node:
        if token.text in ("true", "false", "null"):
            return Literal(token.offset, {"true": True, "false": False, "null": None}[token.text])
        if token.text in RESERVED or token.text == "in":
            raise self.fail(token.offset, f"reserved identifier: {token.text}")
        if self.accept("("):
            arguments = self.arguments()
            return self.made(Call(token.offset, token.text, None, arguments), *arguments)
        return Ident(token.offset, token.text)

    def list(self, token: _Token) -> Node:
        items: list[Node] = []
        optional: set[int] = set()
        waiting = token.text == "[?"
        while not self.accept("]"):
            if waiting or self.accept("?"):
                optional.add(len(items))
                waiting = False
            items.append(self.expression())
            if not self.accept(","):
                self.expect("]")
                break
        return self.made(ListNode(token.offset, items, frozenset(optional)), *items)

    def map(self, token: _Token) -> Node:
        entries: list[tuple[Node, Node]] = []
        optional: set[int] = set()
        waiting = token.text == "{?"
        while not self.accept("}"):
            if waiting or self.accept("?"):
                optional.add(len(entries))
                waiting = False
            key = self.expression()
            self.expect(":")
            entries.append((key, self.expression()))
            if not self.accept(","):
                self.expect("}")
                break
        return self.made(
            MapNode(token.offset, entries, frozenset(optional)), *(one for pair in entries for one in pair)
        )

    def struct(self, name: str, offset: int) -> Node:
        entries: list[tuple[str, Node, bool]] = []
        while not self.accept("}"):
            optional = self.accept("?")
            key = self.take()
            if key.kind not in ("ident", "quoted"):
                raise self.fail(key.offset, f"Syntax error: mismatched input '{key.text}' expecting IDENTIFIER")
            self.expect(":")
            entries.append((key.text.strip("`"), self.expression(), optional))
            if not self.accept(","):
                self.expect("}")
                break
        return self.made(Struct(offset, name, entries), *(value for _, value, _ in entries))

    def text(self, token: _Token) -> str | bytes:
        """The value of a string or bytes literal."""
        raw = token.text
        start = min(raw.index(quote) for quote in "\"'" if quote in raw)
        prefix, body = raw[:start].lower(), raw[start:]
        width = 3 if body.startswith(('"""', "'''")) else 1
        body = body[width:-width]
        is_bytes = "b" in prefix
        if "r" in prefix:
            return body.encode() if is_bytes else body
        pieces: list[bytes] = []

        def unescaped(match: re.Match[str]) -> str:
            low, high, four, eight, octal, other = match.groups()
            digits = low or high or four or eight
            if digits:
                code = int(digits, 16)
            elif octal:
                code = int(octal, 8)
            elif other in _ESCAPES:
                return _ESCAPES[other]
            elif other in "\\\"'`?":
                return other
            else:
                raise self.fail(token.offset, "Syntax error: invalid escape sequence")
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                raise self.fail(token.offset, "Syntax error: invalid unicode code point")
            if is_bytes and (low or high or octal):
                # A byte of its own, kept apart from the text around it.
                pieces.append(bytes([code & 0xFF]))
                return f"\ue000{len(pieces) - 1}\ue001"
            return chr(code)

        text = _ESCAPE.sub(unescaped, body)
        if not is_bytes:
            return text
        parts = re.split("\ue000(\\d+)\ue001", text)
        return b"".join(part.encode() if index % 2 == 0 else pieces[int(part)] for index, part in enumerate(parts))


def dotted(node: Node) -> str:
    """`Object.spec` as text; empty for anything that is no name."""
    if isinstance(node, Ident):
        return node.name
    if isinstance(node, Select) and not node.optional:
        inner = dotted(node.operand)
        return f"{inner}.{node.name}" if inner else ""
    return ""


def parse(source: str) -> Node:
    """The tree of an expression; CompileError where it is none."""
    if len(source) > MAX_LENGTH:
        raise CompileError(
            source[:100], [(0, f"expression code point size exceeds limit: size: {len(source)}, limit {MAX_LENGTH}")]
        )
    return _Parser(source).parse()
