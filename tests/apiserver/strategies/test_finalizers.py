"""Finalizers of built-in kinds are standard, or say whose they are."""

from __future__ import annotations

from cluster.apiserver.strategies.metadata import check_own_finalizers


def test_standard_and_qualified_ones_are_fine():
    assert check_own_finalizers(["orphan", "foregroundDeletion", "kubernetes", "example.com/mine"]) == []


def test_another_says_so():
    (found,) = check_own_finalizers(["mine"])
    assert found.message == (
        'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified'
    )
