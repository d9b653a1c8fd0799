"""Shell arithmetic: `$((…))` on 64-bit integers, with variables, comparisons and assignments."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, MutableMapping

from cluster.kubelet.runtime.shell.options import MAX_NUMBER, whole
from cluster.kubelet.runtime.shell.syntax import SyntaxTrouble

_TOKEN = re.compile(r"\s*([0-9]+|[A-Za-z_]\w*|\+\+|--|&&|\|\||[-+*/%]=|==|!=|<=|>=|<<|>>|\*\*|[-+*/%<>=!()?:&|^~])")


def _divide(a: int, b: int) -> int:
    if b == 0:
        raise SyntaxTrouble("divide by zero")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


_LEVELS: tuple[dict[str, Callable[[int, int], int]], ...] = (
    {"||": lambda a, b: int(bool(a) or bool(b))},
    {"&&": lambda a, b: int(bool(a) and bool(b))},
    {"|": operator.or_},
    {"^": operator.xor},
    {"&": operator.and_},
    {"==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b)},
    {
        "<": lambda a, b: int(a < b),
        ">": lambda a, b: int(a > b),
        "<=": lambda a, b: int(a <= b),
        ">=": lambda a, b: int(a >= b),
    },
    {"<<": lambda a, b: a << (b & 63), ">>": lambda a, b: a >> (b & 63)},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": _divide, "%": lambda a, b: a - b * _divide(a, b)},
)
_CHANGES = {"+=": "+", "-=": "-", "*=": "*", "/=": "/", "%=": "%"}


def wrap(number: int) -> int:
    """To 64 bits, two's complement."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def _decimal(digits: str) -> int:
    """A number out of its digits; one that is too large is the largest there is (strtoll)."""
    number = whole(digits)
    return MAX_NUMBER if number is None else number


def evaluate(text: str, variables: MutableMapping[str, str]) -> int:
    """The value; SyntaxTrouble when the expression makes no sense."""
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise SyntaxTrouble(f'arithmetic syntax error: "{text.strip()}"')
        tokens.append(match[1])
        at = match.end()
    if not tokens:
        return 0
    expression = _Expression(tokens, variables)
    result = expression.choice()
    if expression.tokens:
        raise SyntaxTrouble(f'arithmetic syntax error: "{text.strip()}"')
    return result


class _Expression:
    def __init__(self, tokens: list[str], variables: MutableMapping[str, str]) -> None:
        self.tokens = tokens[::-1]
        self.variables = variables

    def _peek(self) -> str:
        return self.tokens[-1] if self.tokens else ""

    def _next(self) -> str:
        if not self.tokens:
            raise SyntaxTrouble("arithmetic syntax error")
        return self.tokens.pop()

    def choice(self) -> int:
        first = self._level(0)
        if self._peek() != "?":
            return first
        self._next()
        yes = self.choice()
        if self._next() != ":":
            raise SyntaxTrouble("arithmetic syntax error")
        no = self.choice()
        return yes if first else no

    def _level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._power()
        left = self._level(level + 1)
        while (found := _LEVELS[level].get(self._peek())) is not None:
            self._next()
            left = wrap(found(left, self._level(level + 1)))
        return left

    def _power(self) -> int:
        base = self._unary()
        if self._peek() != "**":
            return base
        self._next()
        return wrap(pow(base, max(min(self._power(), 1000), 0)))

    def _unary(self) -> int:
        mark = self._next()
        if mark == "(":
            value = self.choice()
            if self._next() != ")":
                raise SyntaxTrouble("arithmetic syntax error")
            return value
        if mark in ("-", "+", "!", "~"):
            value = self._unary()
            return {"-": -value, "+": value, "!": int(not value), "~": ~value}[mark]
        if mark in ("++", "--"):
            name = self._next()
            return self._assign(name, self._read(name) + (1 if mark == "++" else -1))
        if mark.isdigit():
            if mark.startswith("0") and set(mark) <= set("01234567"):
                return wrap(int(mark, 8))
            return _decimal(mark)
        if not (mark[0].isalpha() or mark[0] == "_"):
            raise SyntaxTrouble("arithmetic syntax error")
        return self._variable(mark)

    def _variable(self, name: str) -> int:
        after = self._peek()
        if after == "=":
            self._next()
            return self._assign(name, self.choice())
        if after in _CHANGES:
            self._next()
            change = next(level[_CHANGES[after]] for level in _LEVELS if _CHANGES[after] in level)
            return self._assign(name, change(self._read(name), self.choice()))
        value = self._read(name)
        if after in ("++", "--"):
            self._next()
            self._assign(name, value + (1 if after == "++" else -1))
        return value

    def _read(self, name: str) -> int:
        text = self.variables.get(name, "").strip() or "0"
        if re.fullmatch(r"-?[0-9]+", text) is None:
            return 0
        return -_decimal(text[1:]) if text[0] == "-" else _decimal(text)

    def _assign(self, name: str, value: int) -> int:
        self.variables[name] = str(wrap(value))
        return wrap(value)
