"""CEL, the Common Expression Language, with Kubernetes' libraries: parsed, type-checked, priced, and evaluated within a budget.

`compile_expression(source, scope)` gives a Program, `program.evaluate(variables, limit)` its value. Why it is our own:
docs/decisions/0013-own-cel.md.
"""

from __future__ import annotations

from cluster.apimachinery.cel.compiler import Program, WrongType, compile_expression
from cluster.apimachinery.cel.errors import CompileError, CostExceeded, EvaluationError

__all__ = ["CompileError", "CostExceeded", "EvaluationError", "Program", "WrongType", "compile_expression"]
