"""YAML from strangers: what is nested too deeply is refused before it is built.

PyYAML composes nodes by recursion in C, which no RecursionError ends: some ten thousand brackets would end the whole process.
Its parser does not recurse, so depth is counted over its events.
"""

from __future__ import annotations

import orjson
import yaml

# The deepest schemas of real CustomResourceDefinitions come to a third of it.
MAX_DEPTH = 200
_STARTS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def refuse_deep(text: bytes | str) -> None:
    """Raise yaml.YAMLError for a text whose first documents nest deeper than MAX_DEPTH."""
    if not _may_be_deep(text):
        return
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, _STARTS):
            depth += 1
            if depth > MAX_DEPTH:
                raise yaml.YAMLError(f"exceeded max depth of {MAX_DEPTH}")
        elif isinstance(event, _ENDS):
            depth -= 1


def _may_be_deep(text: bytes | str) -> bool:
    """What is JSON nests by brackets alone: too few of them cannot be deep, and need not be looked at event by event."""
    try:
        orjson.loads(text)
    except ValueError:
        return True
    raw = text.encode() if isinstance(text, str) else text
    return raw.count(b"[") + raw.count(b"{") > MAX_DEPTH
