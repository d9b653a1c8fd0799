"""Query parameters, as Go reads them."""

from __future__ import annotations

import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.parameters import flag, whole


@pytest.mark.parametrize(("text", "value"), [("1", True), ("", True), ("yes", True), ("0", False), ("False", False)])
def test_a_flag_is_true_unless_it_says_otherwise(text, value):
    assert flag({"watch": text}, "watch") is value
    assert flag({}, "watch") is False


@pytest.mark.parametrize(("text", "value"), [("", None), ("5", 5), ("-1", -1), ("+3", 3)])
def test_numbers(text, value):
    assert whole({"limit": text}, "limit") == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("abc", "invalid syntax"),
        ("1.5", "invalid syntax"),
        ("9" * 19, "value out of range"),
        ("9" * 9999, "value out of range"),
        ("٣", "invalid syntax"),
    ],
)
def test_what_is_no_number(text, problem):
    with pytest.raises(StatusError) as refused:
        whole({"limit": text}, "limit")
    assert refused.value.code == 400 and refused.value.message == f'strconv.ParseInt: parsing "{text}": {problem}'
