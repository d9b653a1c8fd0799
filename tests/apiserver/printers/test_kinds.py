"""Every kind can be printed."""

from __future__ import annotations

import pytest

from cluster.apiserver.printers.tables import table
from cluster.apiserver.resources.registry import Registry
from tests.apiserver.printers.rows import HOUR_AGO, NOW


@pytest.mark.parametrize("resource", [one for one in Registry().all() if not one.virtual], ids=lambda one: one.path)
def test_every_kind_prints_an_object_with_nothing_in_it(resource):
    bare = {"metadata": {"name": "n", "creationTimestamp": HOUR_AGO}}
    if resource.plural.endswith("rolebindings"):
        bare["roleRef"] = {"kind": "Role", "name": "r"}
    shown = table(resource.storage_key, [bare], now=NOW)
    assert "n" in shown["rows"][0]["cells"]
    named = [column for column in shown["columnDefinitions"] if column["format"] == "name"]
    assert named[0]["name"] == "Name"
