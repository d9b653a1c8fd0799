"""Which FlowSchema a request falls under: the first, by precedence, one of whose rules matches (util/flowcontrol/rule.go)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cluster.apiserver.request import Reader, RequestInfo, UserInfo

Obj = dict[str, Any]
SCHEMAS, LEVELS = "flowcontrol.apiserver.k8s.io/flowschemas", "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations"
_REMEMBERED = 20_000
_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class Flow:
    """The verdict: names for people, uids for the headers."""

    schema: str
    level: str
    schema_uid: str
    level_uid: str

    def as_detail(self) -> dict[str, object]:
        """What the span tells."""
        return {"flowSchema": self.schema, "priorityLevel": self.level}


class Classifier:
    """Remembers its verdicts until a schema or a level changes."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._known: dict[tuple[Any, ...], Flow | None] = {}
        self._schemas: list[tuple[Obj, Flow]] | None = None
        for key in (SCHEMAS, LEVELS):
            reader.on_change(key, self._changed)

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        self._schemas = None
        self._known = {}

    def classify(self, user: UserInfo, info: RequestInfo) -> Flow | None:
        """The flow of a request; None in a cluster without schemas."""
        key: tuple[Any, ...]
        if info.is_resource:
            key = (user.name, user.groups, info.verb, info.group, info.resource, info.subresource, info.namespace)
        else:
            key = (user.name, user.groups, info.verb, info.path)
        try:
            return self._known[key]
        except KeyError:
            if len(self._known) > _REMEMBERED:
                self._known = {}
            found = self._known[key] = self._find(user, info)
            return found

    def _find(self, user: UserInfo, info: RequestInfo) -> Flow | None:
        if self._schemas is None:
            self._schemas = self._ordered()
        for schema, flow in self._schemas:
            if any(_rule_matches(rule, user, info) for rule in schema["spec"].get("rules") or ()):
                return flow
        return None

    def _ordered(self) -> list[tuple[Obj, Flow]]:
        levels = {level["metadata"]["name"]: level["metadata"]["uid"] for level in self.reader.list(LEVELS)}
        found = []
        for schema in self.reader.list(SCHEMAS):
            level = schema["spec"]["priorityLevelConfiguration"]["name"]
            if level in levels:
                metadata = schema["metadata"]
                found.append((schema, Flow(metadata["name"], level, metadata["uid"], levels[level])))
        found.sort(key=lambda one: (one[0]["spec"].get("matchingPrecedence", 1000), one[1].schema))
        return found


def _rule_matches(rule: Obj, user: UserInfo, info: RequestInfo) -> bool:
    if not any(_subject_matches(subject, user) for subject in rule.get("subjects") or ()):
        return False
    if info.is_resource:
        return any(_resource_matches(one, info) for one in rule.get("resourceRules") or ())
    return any(_path_matches(one, info) for one in rule.get("nonResourceRules") or ())


def _subject_matches(subject: Obj, user: UserInfo) -> bool:
    kind = subject.get("kind")
    if kind == "User":
        return (subject.get("user") or {}).get("name") in ("*", user.name)
    if kind == "Group":
        wanted = (subject.get("group") or {}).get("name")
        return wanted == "*" or wanted in user.groups
    account = subject.get("serviceAccount") or {}
    if not user.name.startswith(_ACCOUNT):
        return False
    namespace, _, name = user.name.removeprefix(_ACCOUNT).partition(":")
    return account.get("namespace") == namespace and account.get("name") in ("*", name)


def _listed(wanted: Any, value: str) -> bool:
    return any(one in ("*", value) for one in wanted or ())


def _resource_matches(rule: Obj, info: RequestInfo) -> bool:
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    if not (_listed(rule.get("verbs"), info.verb) and _listed(rule.get("apiGroups"), info.group)):
        return False
    if not _listed(rule.get("resources"), resource):
        return False
    return _listed(rule.get("namespaces"), info.namespace) if info.namespace else bool(rule.get("clusterScope"))


def _path_matches(rule: Obj, info: RequestInfo) -> bool:
    if not _listed(rule.get("verbs"), info.verb):
        return False
    for path in rule.get("nonResourceURLs") or ():
        if path in ("*", info.path) or (path.endswith("/*") and info.path.startswith(path[:-1])):
            return True
    return False
