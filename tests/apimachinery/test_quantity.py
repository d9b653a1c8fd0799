"""Quantities: value and canonical form."""

from __future__ import annotations

import pytest

from cluster.apimachinery import quantity


@pytest.mark.parametrize(
    ("text", "milli", "canonical"),
    [
        ("0", 0, "0"),
        ("1", 1000, "1"),
        ("0.5", 500, "500m"),
        ("100m", 100, "100m"),
        ("1000m", 1000, "1"),
        ("1.5Gi", 1536 * 2**20 * 1000, "1536Mi"),
        ("1024Mi", 2**30 * 1000, "1Gi"),
        ("1000Ki", 1000 * 1024 * 1000, "1000Ki"),
        ("1k", 10**6, "1k"),
        ("1500", 1_500_000, "1500"),
        ("12e6", 12 * 10**9, "12e6"),
        ("1E", 10**21, "1E"),
        ("-1", -1000, "-1"),
        ("+1", 1000, "1"),
        (".5", 500, "500m"),
        (2, 2000, "2"),
    ],
)
def test_quantities(text, milli, canonical):
    assert quantity.milli(text) == milli
    assert quantity.canonical(text) == canonical


def test_the_smallest_part_is_rounded_up():
    assert quantity.milli("0.0001") == 1
    assert quantity.value("1.1") == 2


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1mm", "1 Gi", "Gi", "1gi", "--1", "1e999999999"])
def test_what_is_no_quantity(text):
    with pytest.raises(ValueError, match="quantities must match"):
        quantity.parse(text)
