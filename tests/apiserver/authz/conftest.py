"""A watch cache that tests fill by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from cluster.apiserver.authz.rbac import Authorizer
from tests.apiserver.authz.policies import POLICY

Obj = dict[str, Any]
KEYS = {
    "Role": "rbac.authorization.k8s.io/roles",
    "ClusterRole": "rbac.authorization.k8s.io/clusterroles",
    "RoleBinding": "rbac.authorization.k8s.io/rolebindings",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/clusterrolebindings",
    "Pod": "pods",
    "PersistentVolume": "persistentvolumes",
    "ResourceSlice": "resource.k8s.io/resourceslices",
}


class FakeReader:
    def __init__(self) -> None:
        self.objects: dict[str, dict[tuple[str, str], Obj]] = {}
        self.callbacks: dict[str, list[Callable[[Obj | None, Obj | None], None]]] = {}

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return self.objects.get(resource, {}).get((namespace, name))

    def list(self, resource: str, namespace: str = "") -> Iterable[Obj]:
        return [obj for key, obj in self.objects.get(resource, {}).items() if namespace in ("", key[0])]

    def on_change(self, resource: str, callback: Callable[[Obj | None, Obj | None], None]) -> None:
        self.callbacks.setdefault(resource, []).append(callback)
        for obj in self.list(resource):
            callback(None, obj)

    def put(self, *objects: Obj) -> None:
        for obj in objects:
            resource = KEYS[obj["kind"]]
            key = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            old = self.objects.setdefault(resource, {}).get(key)
            self.objects[resource][key] = obj
            for callback in self.callbacks.get(resource, ()):
                callback(old, obj)

    def remove(self, kind: str, namespace: str, name: str) -> None:
        old = self.objects[KEYS[kind]].pop((namespace, name))
        for callback in self.callbacks.get(KEYS[kind], ()):
            callback(old, None)


@pytest.fixture
def reader() -> FakeReader:
    return FakeReader()


@pytest.fixture
def authorizer(reader: FakeReader) -> Authorizer:
    """Over the policy of policies.py."""
    reader.put(*POLICY)
    return Authorizer(reader)
