"""What the expressions of one request may cost together."""

from __future__ import annotations

import pytest

from cluster.apimachinery.cel import CostExceeded, EvaluationError, compile_expression
from cluster.apiserver.admission.dynamic.expressions import _LEFT, Variables, condition_program, evaluate
from cluster.apiserver.request import Left

NAMES = {"object": {"spec": {"names": ["b"] * 100}}}


def test_each_evaluation_leaves_less_for_the_next():
    left = Left(2000)
    program = condition_program("object.spec.names.all(x, x != 'a')")
    value, cost = evaluate(program, {**NAMES, _LEFT: left})
    assert value is True and left.units == 2000 - cost
    with pytest.raises(CostExceeded):
        for _ in range(100):
            evaluate(program, {**NAMES, _LEFT: left})
    with pytest.raises(CostExceeded):
        evaluate(program, {**NAMES, _LEFT: left})


def test_an_evaluation_that_fails_is_paid_for():
    left = Left(100_000)
    program = condition_program("object.spec.names.all(x, x != 'a') && object.spec.missing")
    with pytest.raises(EvaluationError):
        evaluate(program, {**NAMES, _LEFT: left})
    assert left.units < 100_000 - 100


def test_variables_are_paid_for_by_the_same_request():
    left = Left(100_000)
    variables = Variables({"x": condition_program("object.spec.names.all(x, x != 'a')")}, {**NAMES, _LEFT: left})
    assert variables.cel_field("x") is True
    assert left.units < 100_000 - 100


def test_no_expression_can_name_what_is_left():
    with pytest.raises(Exception, match="ERROR"):
        compile_expression("``", {})
