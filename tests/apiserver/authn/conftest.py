"""An authenticator over a hand-filled watch cache, with a clock of its own."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from cluster.apiserver.authn.authenticator import Authenticator
from cluster.apiserver.authn.serviceaccounts import ServiceAccountTokens

Obj = dict[str, Any]


class FakeReader:
    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Obj] = {}

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return self.objects.get((resource, namespace, name))

    def put(self, resource: str, namespace: str, name: str, uid: str, **fields: Any) -> Obj:
        obj = {"metadata": {"namespace": namespace, "name": name, "uid": uid}, **fields}
        self.objects[resource, namespace, name] = obj
        return obj


class FakeClock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def reader() -> FakeReader:
    reader = FakeReader()
    reader.put("serviceaccounts", "shop", "robot", "sa-1")
    reader.put("nodes", "", "n1", "node-1")
    reader.put("pods", "shop", "web", "pod-1", kind="Pod", spec={"serviceAccountName": "robot", "nodeName": "n1"})
    reader.put("secrets", "shop", "key", "secret-1", kind="Secret")
    return reader


@pytest.fixture
def tokens(tmp_path, reader) -> ServiceAccountTokens:
    return ServiceAccountTokens(tmp_path / "pki", reader)


@pytest.fixture
def tick() -> FakeClock:
    return FakeClock()


@pytest.fixture
def authenticator(tokens, tick):
    result = Authenticator(tokens, now=tick)
    yield result
    for pool in (result._thread, result._notes):
        pool.submit(connections.close_all).result()
    result.close()
