"""Events by what they are about, without parsing all of them."""

from __future__ import annotations

import orjson
import pytest

from cluster.apiserver.storage.cache import Entry
from cluster.apiserver.storage.said import by_object

TEXT = 'a "quoted" {brace}, \\ and "involvedObject":{"uid":"stranger"}'


def entry(number, about, **more):
    event = {"metadata": {"name": f"e{number}"}, "message": TEXT, "involvedObject": about, **more}
    return Entry(("default", f"e{number}"), number, None, orjson.dumps(event))


@pytest.mark.parametrize(
    "about",
    [
        {"uid": "mine"},
        {"kind": "Pod", "namespace": "a", "name": "b", "uid": "mine", "apiVersion": "v1"},
        {"fieldPath": "spec.containers{web}", "name": 'x"uid":"other"', "uid": "mine"},
        {"name": "uid", "fieldPath": "back\\slash\\", "uid": "mine"},
    ],
)
def test_the_uid_is_found_wherever_it_stands(about):
    found = by_object([entry(1, {"uid": "other"}), entry(2, about), entry(3, {"name": "nameless"}), entry(4, {})])
    assert [one["metadata"]["name"] for one in found("mine")] == ["e2"]
    assert found("stranger") == [] and found("") == []


def test_an_object_kept_parsed_is_read_as_well():
    event = {"metadata": {"name": "e"}, "involvedObject": {"uid": "mine"}}
    assert by_object([Entry(("default", "e"), 7, event)])("mine") == [event]


def test_a_reference_that_never_ends_takes_no_time():
    long = {f"k{number}": '"' * 50 for number in range(20_000)}
    assert by_object([entry(1, long)])("mine") == []
