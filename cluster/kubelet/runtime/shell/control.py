"""How a script leaves where it is: the shell, a function, a loop."""

from __future__ import annotations


class Exit(Exception):
    """`exit N`: the shell ends."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Return(Exit):
    """`return N`: the function ends."""


class Leave(Exception):
    """`break N` or `continue N`: out of so many loops."""

    def __init__(self, *, again: bool, levels: int = 1) -> None:
        super().__init__(levels)
        self.again = again
        self.levels = levels
