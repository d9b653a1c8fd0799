"""The registry: which resources are served, and where each is found (built from `kinds`; later from CRDs, too)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cluster.apiserver.resources import own
from cluster.apiserver.resources.kinds import KINDS, STORED_AS, SUBRESOURCES

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Subresource:
    """What a subresource carries, and which verbs it serves."""

    kind: str
    group: str
    version: str
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource in one served version. `storage_key` is its key in the revision log, shared by all versions."""

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool
    definition: str
    storage_key: str
    storage_version: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: Mapping[str, Subresource] = field(default_factory=dict)
    virtual: bool = False
    computed: bool = False
    api_version: str = ""
    path: str = ""
    list_kind: str = ""
    # Whether objects are stored in this very version (of this very group).
    stored: bool = True
    # The VersionInfo of a custom resource (apiextensions.custom), None for what is built in.
    custom: Any = None

    @property
    def qualified(self) -> str:
        """`deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


_PACKAGES = {
    "rbac.authorization.k8s.io": "rbac",
    "apiextensions.k8s.io": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
    "apiregistration.k8s.io": "io.k8s.kube-aggregator.pkg.apis.apiregistration",
    "flowcontrol.apiserver.k8s.io": "flowcontrol",
    **own.PACKAGES,
}


_VERSION = re.compile(r"^v(\d+)(?:(alpha|beta)(\d+))?$")


def maturity(version: str) -> tuple[int, int, int, str]:
    """Sorts versions as clients prefer them: v2, v1, v1beta1, v1alpha1, then anything else by name (version.CompareKubeAware)."""
    match = _VERSION.match(version)
    if match is None:
        return (3, 0, 0, version)
    stage = {None: 0, "beta": 1, "alpha": 2}[match.group(2)]
    return (stage, -int(match.group(1)), -int(match.group(3) or 0), version)


def definition_of(group: str, version: str, kind: str) -> str:
    """The name of a kind's schema: `io.k8s.api.apps.v1.Deployment`."""
    package = _PACKAGES.get(group) or group.removesuffix(".k8s.io").partition(".")[0] or "core"
    prefix = package if "." in package else f"io.k8s.api.{package}"
    return f"{prefix}.{version}.{kind}"


def make_resource(group: str, version: str, plural: str, kind: str, namespaced: bool, **more: object) -> Resource:
    """A resource with everything that follows from its names filled in."""
    key = f"{group}/{plural}" if group else plural
    storage_key, storage_version = STORED_AS.get(key, (key, version))
    api_version = f"{group}/{version}" if group else version
    values: dict[str, object] = {
        "singular": kind.lower(),
        "definition": definition_of(group, version, kind),
        "storage_key": storage_key,
        "storage_version": storage_version,
        "api_version": api_version,
        "path": f"{api_version}/{plural}",
        "list_kind": f"{kind}List",
        "stored": (storage_key, storage_version) == (key, version),
        **more,
    }
    return Resource(group=group, version=version, plural=plural, kind=kind, namespaced=namespaced, **values)  # type: ignore[arg-type]


def _subresource(group: str, version: str, plural: str, kind: str, name: str) -> Subresource:
    found = SUBRESOURCES.get(f"{plural}/{name}") or SUBRESOURCES.get(f"*/{name}")
    if found is None:
        return Subresource(kind, group, version, ("get", "patch", "update"))
    return Subresource(found[2], found[0], found[1], found[3])


def parse_line(api_version: str, line: str) -> Resource:
    """One line of the table."""
    group, _, version = api_version.rpartition("/")
    plural, kind, scope, *rest = line.split()
    options = dict(word.split("=", 1) for word in rest if "=" in word)
    virtual = "virtual" in rest
    names = options["sub"].split(",") if "sub" in options else []
    verbs: tuple[str, ...] = ("create",) if virtual else ALL_VERBS
    if "verbs" in options:
        verbs = tuple(options["verbs"].split(","))
    return make_resource(
        group,
        version,
        plural,
        kind,
        scope == "ns",
        short_names=tuple(options["short"].split(",")) if "short" in options else (),
        categories=tuple(options["cat"].split(",")) if "cat" in options else (),
        verbs=verbs,
        subresources={name: _subresource(group, version, plural, kind, name) for name in names},
        virtual=virtual,
        computed="computed" in rest,
    )


class Registry:
    """Look-ups by path, kind and key. `generation` moves when a resource comes or goes, so that caches can follow."""

    def __init__(self) -> None:
        self.generation = 0
        # Told whenever something came or went.
        self.on_change: Callable[[], None] = lambda: None
        # What others serve behind the aggregator: group → version → their APIResourceList (None: it cannot be had).
        self.beyond: dict[str, dict[str, dict[str, Any] | None]] = {}
        self._resources: dict[tuple[str, str, str], Resource] = {}
        self._by_kind: dict[tuple[str, str], Resource] = {}
        self._by_path: dict[str, Resource] = {}
        self._by_storage_key: dict[str, Resource] = {}
        self.scale = make_resource("autoscaling", "v1", "scales", "Scale", True)
        for api_version, lines in KINDS.items():
            for line in lines.strip().splitlines():
                self.add(parse_line(api_version, line))

    def add(self, resource: Resource) -> None:
        self.generation += 1
        self.on_change()
        self._resources[resource.group, resource.version, resource.plural] = resource
        self._by_kind[resource.api_version, resource.kind] = resource
        self._by_path[resource.path] = resource
        if resource.storage_version == resource.version and resource.stored:
            self._by_storage_key[resource.storage_key] = resource

    def declare(self, beyond: dict[str, dict[str, dict[str, Any] | None]]) -> None:
        """What others serve has changed; documents about everything are made anew."""
        if beyond != self.beyond:
            self.beyond = beyond
            self.generation += 1

    def remove(self, resource: Resource) -> None:
        self.generation += 1
        self.on_change()
        self._resources.pop((resource.group, resource.version, resource.plural), None)
        self._by_kind.pop((resource.api_version, resource.kind), None)
        self._by_path.pop(resource.path, None)
        if self._by_storage_key.get(resource.storage_key) is resource:
            del self._by_storage_key[resource.storage_key]

    def get(self, group: str, version: str, plural: str) -> Resource | None:
        return self._resources.get((group, version, plural))

    def by_kind(self, api_version: str, kind: str) -> Resource | None:
        return self._by_kind.get((api_version, kind))

    def by_path(self, path: str) -> Resource | None:
        """`apps/v1/deployments`."""
        return self._by_path.get(path)

    def by_storage_key(self, key: str) -> Resource:
        """The resource in its stored version."""
        return self._by_storage_key[key]

    def all(self) -> Iterable[Resource]:
        return self._resources.values()

    def groups(self) -> dict[str, dict[str, list[Resource]]]:
        """group → version (preferred first) → resources, in discovery's order."""
        found: dict[str, dict[str, list[Resource]]] = {}
        for resource in self._resources.values():
            found.setdefault(resource.group, {}).setdefault(resource.version, []).append(resource)
        added = {
            name for name, versions in found.items() if all(one.custom for many in versions.values() for one in many)
        }
        if not added:
            return found
        # Custom groups come last, by name; their versions by maturity, whatever order they were declared in.
        ordered = {name: versions for name, versions in found.items() if name not in added}
        for name in sorted(added):
            ordered[name] = {version: found[name][version] for version in sorted(found[name], key=maturity)}
        return ordered
