"""Request bodies: bounded JSON, YAML and protobuf, parsed safely, with the keys that are named twice.

YAML is read as Kubernetes reads it (sigs.k8s.io/yaml: YAML 1.1 booleans, no timestamps, no sexagesimal numbers, keys as strings,
the first document only), and what aliases would blow up is refused before it is built.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable
from typing import Any

import orjson
import yaml

from cluster.apimachinery import errors
from cluster.apimachinery.yamls import MAX_DEPTH, refuse_deep
from cluster.apiserver.resources import protobuf

# What kube-apiserver accepts (generic server's MaxRequestBodyBytes).
MAX_BODY = 3 * 1024 * 1024
# How many nodes a document may come to once its aliases are followed.
MAX_NODES = 200_000
_JSON, _YAML = frozenset({"application/json", ""}), frozenset({"application/yaml", "text/yaml", "application/x-yaml"})


def parse(
    data: bytes, content_type: str, *, want_duplicates: bool = False, any_type: bool = False, kind: str = ""
) -> tuple[Any, list[str]]:
    """The value in the body, and a finding per key named twice; StatusError 400 or 415 otherwise.

    `kind` is what was expected (for the message); `any_type` says that it need not be an object.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in _JSON:
        return _parse_json(data, want_duplicates, kind)
    if media_type in _YAML:
        return _parse_yaml(data, want_duplicates, kind)
    if media_type == protobuf.MEDIA_TYPE:
        return protobuf.decode(data, kind), []
    raise errors.unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: "
        f"application/json, application/yaml, {protobuf.MEDIA_TYPE}"
    )


def _unreadable(data: bytes, kind: str, problem: str) -> errors.StatusError:
    of_type = f" (must be of type {kind})" if kind else ""
    shown = data[:30].hex() or "<empty>"
    if len(data) > 30:
        shown += " ..."
    return errors.bad_request(f"the object provided is unrecognized{of_type}: {problem} ({shown})")


# -- JSON -----------------------------------------------------------------------------------------------------------


def _parse_json(data: bytes, want_duplicates: bool, kind: str) -> tuple[Any, list[str]]:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _unreadable(
            data, kind, f"couldn't get version/kind; json parse error: {_go_problem(data, error)}"
        ) from error
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and _is_deep(value):
        raise _unreadable(data, kind, "couldn't get version/kind; json parse error: exceeded max depth")
    if not want_duplicates or _surely_unique(data, value):
        return value, []
    return value, _json_duplicates(data)


def _go_problem(data: bytes, error: json.JSONDecodeError) -> str:
    """Go's words for where the text stops being JSON."""
    text = error.doc if isinstance(error.doc, str) else data.decode("utf-8", "replace")
    if not text.strip() or error.pos >= len(text.rstrip()):
        return "unexpected end of JSON input"
    return f"invalid character '{text[error.pos]}' looking for beginning of value"


def _is_deep(value: Any) -> bool:
    """Whether it is nested deeper than MAX_DEPTH, by levels, without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            item
            for one in level
            if isinstance(one, dict | list)
            for item in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _surely_unique(data: bytes, value: Any) -> bool:
    """A compact body of just the length that its value has when written again names nothing twice."""
    return len(data.rstrip()) == len(orjson.dumps(value))


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, in order and as often as they were named."""


def _json_duplicates(data: bytes) -> list[str]:
    found: list[str] = []

    def visit(value: Any, path: str) -> None:
        if isinstance(value, _Pairs):
            seen = set()
            for name, item in value:
                below = f"{path}.{name}" if path else name
                if name in seen:
                    found.append(f'duplicate field "{below}"')
                seen.add(name)
                visit(item, below)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                visit(item, f"{path}[{index}]")

    visit(json.loads(data, object_pairs_hook=_Pairs), "")
    return found


# -- YAML -----------------------------------------------------------------------------------------------------------


class _Loader(yaml.CSafeLoader):
    """Safe YAML with Kubernetes' idea of scalars; notes keys that are named twice."""

    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self.duplicates: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        self.flatten_mapping(node)
        result: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = _key(self.construct_object(key_node, deep=True))
            if key in result:
                self.duplicates.append(f'  line {key_node.start_mark.line + 1}: key "{key}" already set in map')
            result[key] = self.construct_object(value_node, deep=True)
        return result

    def construct_whole_mapping(self, node: yaml.MappingNode) -> dict[Hashable, Any]:
        return self.construct_mapping(node, deep=True)

    def construct_number(self, node: yaml.ScalarNode) -> float | str:
        text = self.construct_scalar(node)
        number = float(str(text).replace("_", "").replace(".inf", "inf").replace(".nan", "nan").replace(".Inf", "inf"))
        if not math.isfinite(number):
            raise yaml.constructor.ConstructorError(None, None, f"json: unsupported value: {text}", node.start_mark)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number


_NULL = re.compile(r"^(?:~|null|Null|NULL|)$")
_BOOL = re.compile(r"^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$")
_INT = re.compile(r"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?0o[0-7_]+)$")
_FLOAT = re.compile(
    r"^(?:[-+]?(?:[0-9][0-9_]*)(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
_TRUE = frozenset({"y", "yes", "true", "on"})


def _boolean(loader: _Loader, node: yaml.ScalarNode) -> bool:
    return str(loader.construct_scalar(node)).lower() in _TRUE


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node)).replace("_", "")
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    for prefix, base in (("0b", 2), ("0x", 16), ("0o", 8), ("0", 8)):
        if digits.startswith(prefix) and len(digits) > len(prefix):
            return sign * int(digits[len(prefix) :], base)
    return sign * int(digits)


# Resolvers are tried by first letter: ours alone, in this order.
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _letters in (
    ("null", _NULL, ["~", "n", "N", ""]),
    ("bool", _BOOL, list("yYnNtTfFoO")),
    ("int", _INT, list("-+0123456789")),
    ("float", _FLOAT, list("-+0123456789.")),
    ("merge", re.compile(r"^<<$"), ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, _letters)
_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_whole_mapping)
_Loader.add_constructor("tag:yaml.org,2002:bool", _boolean)
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_number)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)
_Loader.add_constructor("tag:yaml.org,2002:binary", _text)


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, str):
        return key
    if isinstance(key, (int, float)):
        return str(key)
    raise yaml.constructor.ConstructorError(None, None, f"unsupported map key {key!r}")


def _parse_yaml(data: bytes, want_duplicates: bool, kind: str) -> tuple[Any, list[str]]:
    try:
        refuse_deep(data)
        if b"*" in data and b"&" in data:
            _measure(data)
        loader = _Loader(data)
        try:
            # The first document only, as sigs.k8s.io/yaml does.
            value = loader.get_data() if loader.check_data() else None  # type: ignore[no-untyped-call]
            duplicates = loader.duplicates
        finally:
            loader.dispose()
        orjson.dumps(value)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark is not None else ""
        problem = f"error converting YAML to JSON: yaml: {line}{error.problem}"
        raise _unreadable(data, kind, problem) from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, orjson.JSONEncodeError) as error:
        problem = f"error converting YAML to JSON: yaml: {str(error).splitlines()[0] if str(error) else 'too deep'}"
        raise _unreadable(data, kind, problem) from error
    if want_duplicates and duplicates:
        return value, ["yaml: unmarshal errors:\n" + "\n".join(duplicates)]
    return value, []


def _measure(data: bytes) -> None:
    """Refuse a document whose aliases, followed, come to more than MAX_NODES nodes."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(data, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            total += sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            total += 1
            open_nodes.append((event.anchor, total))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            anchor, before = open_nodes.pop()
            if anchor:
                sizes[anchor] = total - before + 1
        if total > MAX_NODES:
            raise yaml.YAMLError("document contains excessive aliasing")
