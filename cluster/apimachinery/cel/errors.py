"""What can go wrong with an expression: when it is compiled, and when it is evaluated. The words are cel-go's."""

from __future__ import annotations


class CompileError(Exception):
    """The expression is no CEL, or its types do not fit. `issues` are (offset, message)."""

    def __init__(self, source: str, issues: list[tuple[int, str]]) -> None:
        self.source = source
        self.issues = issues
        super().__init__("\n".join(_shown(source, offset, text) for offset, text in issues))


def _shown(source: str, offset: int, text: str) -> str:
    before = source[:offset]
    line = before.count("\n") + 1
    column = offset - (before.rfind("\n") + 1)
    lines = source.split("\n")
    shown = lines[line - 1] if line <= len(lines) else ""
    return f"ERROR: <input>:{line}:{column + 1}: {text}\n | {shown}\n | {'.' * column}^"


class EvaluationError(Exception):
    """The expression has no value: no such key, division by zero, …"""

    # What it had cost by then.
    spent = 0


class CostExceeded(EvaluationError):
    """It costs more than it may."""

    def __init__(self) -> None:
        super().__init__("operation cancelled: actual cost limit exceeded")


def no_such_overload() -> EvaluationError:
    return EvaluationError("no such overload")
