"""Deep YAML is refused, in whatever way it is deep; nothing of it is built, which would end the process."""

from __future__ import annotations

import pytest
import yaml

from cluster.apimachinery.yamls import MAX_DEPTH, refuse_deep

MANY = 50_000


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * MANY,
        "{" + '"a":{' * MANY,
        "- " * MANY + "x",
        "? " * MANY + "x",
        "{a: 1}:\n  " + "- " * MANY + "x",
        "".join(f"{' ' * depth}a:\n" for depth in range(MAX_DEPTH + 1)),
        b'{"a":' + b"[" * MANY,
        '"a": ' + '["]]]",' * MANY,
    ],
)
def test_what_is_too_deep_is_refused(text):
    with pytest.raises(yaml.YAMLError, match="max depth"):
        refuse_deep(text)


@pytest.mark.parametrize(
    "text", ["a: 1", "{}", "", '{"a":' + "[" * 100 + "]" * 100 + "}", "a: " + "[" * 100 + "]" * 100, "- [{}]\n" * 5000]
)
def test_what_is_not_is_let_through(text):
    refuse_deep(text)


def test_what_is_no_yaml_is_said_to_be_none():
    with pytest.raises(yaml.YAMLError):
        refuse_deep("a: [")
