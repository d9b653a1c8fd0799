"""Objects as people edit them: without what the server fills in, as YAML and back. Pure functions."""

from __future__ import annotations

import difflib
from typing import Any

import yaml

from cluster.accounts.rbac.kinds import RBAC_GROUP, Kind
from cluster.apimachinery.errors import StatusError, bad_request
from cluster.apimachinery.yamls import refuse_deep

Obj = dict[str, Any]
# Characters of YAML that a form takes. A role of 1,000 rules has a fifth of it.
MAX_TEXT = 512 * 1024
# What kubectl apply notes down for itself: too long to read, and none of a person's business.
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SERVER_SIDE = ("managedFields", "uid", "creationTimestamp", "resourceVersion", "selfLink", "generation")


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it, as far as RBAC needs it: dates stay words."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.SafeDumper):
    """Block style, lists indented as kubectl prints them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Several lines stand as they are read; one line as YAML writes it."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def editable(obj: Obj) -> Obj:
    """The object without what the server and kubectl keep for themselves."""
    metadata = {key: value for key, value in obj.get("metadata", {}).items() if key not in _SERVER_SIDE}
    annotations = {key: value for key, value in (metadata.pop("annotations", None) or {}).items() if key != APPLIED}
    if annotations:
        metadata["annotations"] = annotations
    order = ("apiVersion", "kind")
    rest = {key: value for key, value in obj.items() if key not in (*order, "metadata")}
    return {**{key: obj[key] for key in order if key in obj}, "metadata": metadata, **rest}


def to_yaml(obj: Obj) -> str:
    text: str = yaml.dump(obj, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=110, allow_unicode=True)
    return text


def parse(text: str) -> Obj:
    """One object; StatusError 400 that says what is wrong, and in which line."""
    if len(text) > MAX_TEXT:
        raise bad_request(f"the YAML is longer than {MAX_TEXT} characters")
    try:
        refuse_deep(text)
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Loader)):
            raise bad_request("the YAML uses an alias (*name); write the value out")
        loader = _Loader(text)
        try:
            found = loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        where = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise bad_request(f"the YAML cannot be read: {error.problem or error.context or error}{where}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise bad_request(f"the YAML cannot be read: {error}") from None
    if not isinstance(found, dict) or not _plain(found):
        raise bad_request("the YAML must be one object: apiVersion, kind, metadata, …")
    return found


def _plain(value: Any) -> bool:
    """Nothing but what JSON knows."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _plain(one) for key, one in value.items())
    if isinstance(value, list):
        return all(_plain(one) for one in value)
    return value is None or isinstance(value, str | int | float | bool)


def with_applied(obj: Obj, current: Obj) -> Obj:
    """The edited object with the note that `editable` hid, so that kubectl apply goes on from where it was."""
    noted = (current["metadata"].get("annotations") or {}).get(APPLIED)
    annotations = obj["metadata"].get("annotations") or {}
    if not noted or not isinstance(annotations, dict) or APPLIED in annotations:
        return obj
    return {**obj, "metadata": {**obj["metadata"], "annotations": {**annotations, APPLIED: noted}}}


def placed(kind: Kind, obj: Obj, namespace: str | None = None, name: str | None = None) -> Obj:
    """The object, if it is of this kind and, when those are given, of this place; StatusError 400 otherwise."""
    if (obj.get("apiVersion"), obj.get("kind")) != (kind.api_version, kind.kind):
        raise bad_request(
            f"this form is for {kind.api_version} {kind.kind}; the YAML says "
            f"{obj.get('apiVersion') or 'no apiVersion'} {obj.get('kind') or 'and no kind'}"
        )
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict):
        raise bad_request("metadata must be an object with a name")
    for field in ("name", "namespace"):
        if not isinstance(metadata.get(field, ""), str):
            raise bad_request(f"metadata.{field} must be a string; put it in quotes")
    if name is not None and metadata.get("name") != name:
        raise bad_request(f"an object keeps its name: {name}. To rename it, make a new one and delete this one")
    if namespace and metadata.get("namespace", namespace) != namespace:
        raise bad_request(f"an object stays in its namespace: {namespace}")
    return obj


def blank(kind: Kind, namespace: str = "") -> Obj:
    """What the form for a new one starts with."""
    metadata: Obj = {"name": ""}
    if kind.namespaced:
        metadata["namespace"] = namespace or "default"
    obj: Obj = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
    if kind.form == "role":
        obj["rules"] = [{"apiGroups": [""], "resources": [], "verbs": []}]
    elif kind.form == "binding":
        reference = "Role" if kind.namespaced else "ClusterRole"
        obj["roleRef"] = {"apiGroup": RBAC_GROUP, "kind": reference, "name": ""}
        obj["subjects"] = []
    return obj


def differences(mine: str, theirs: str) -> list[dict[str, str]]:
    """Two texts line by line, side by side: {mine, theirs, kind: same | changed | added | removed}."""
    left, right = mine.splitlines(), theirs.splitlines()
    rows: list[dict[str, str]] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            rows += [{"mine": line, "theirs": line, "kind": "same"} for line in left[a:b]]
            continue
        mine_part, theirs_part = left[a:b], right[c:d]
        for position in range(max(len(mine_part), len(theirs_part))):
            ours = mine_part[position] if position < len(mine_part) else ""
            others = theirs_part[position] if position < len(theirs_part) else ""
            kind = "changed" if position < min(len(mine_part), len(theirs_part)) else ("removed" if ours else "added")
            rows.append({"mine": ours, "theirs": others, "kind": kind})
    return rows


def findings(error: StatusError) -> Obj:
    """A refusal as the pages show it: a title for people, the message in Kubernetes' words, and what is wrong where."""
    return {
        "code": error.code,
        "reason": error.reason,
        "title": _TITLES.get(error.reason, "The API server refused this"),
        "message": error.message,
        "causes": error.details.get("causes") or [],
        "considered": [
            entry
            for entry in error.considered
            if entry.get("verdict") not in ("no-matching-rule", "allows") and entry.get("sentence")
        ],
    }


_TITLES = {
    "Forbidden": "You may not do this",
    "Conflict": "Somebody else changed it meanwhile",
    "Invalid": "This is not valid yet",
    "BadRequest": "This cannot be read",
    "AlreadyExists": "There is one of this name already",
    "NotFound": "This does not exist (any more)",
    "ServiceUnavailable": "The cluster does not answer",
    "TooManyRequests": "The API server is busy",
}
