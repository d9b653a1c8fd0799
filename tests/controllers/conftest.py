"""What holds in every test of a controller.

It asks only for what its role allows, it never changes an object that it was handed out, and nothing it does blows up.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from cluster.apiserver.authz.bootstrap import bootstrap_objects
from cluster.apiserver.authz.rules import CompiledRule, compile_rules
from cluster.apiserver.request import RequestInfo
from tests.support.fakecluster import FakeCluster, Request, split

PREFIX = "system:serviceaccount:kube-system:"


@pytest.fixture(scope="session")
def roles() -> dict[str, tuple[CompiledRule, ...]]:
    """The default policy's rules by ClusterRole."""
    return {
        obj["metadata"]["name"]: compile_rules(obj.get("rules"))
        for obj in bootstrap_objects()
        if obj["kind"] == "ClusterRole"
    }


@pytest.fixture(autouse=True)
def within_its_rights(
    roles: dict[str, tuple[CompiledRule, ...]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Fails a test in which a controller asked for too much, or somebody changed a shared object, or logged an error."""
    refused: set[Request] = set()
    clusters: set[FakeCluster] = set()
    admit = FakeCluster.admit

    def checked(self: FakeCluster, request: Request, body: object = None) -> None:
        clusters.add(self)
        if request.user.startswith(PREFIX):
            group, version, plural = split(request.resource)
            info = RequestInfo(
                "",
                request.verb,
                True,
                group,
                version.rpartition("/")[2],
                request.namespace,
                plural,
                request.subresource,
                request.name,
            )
            rules = roles[f"system:controller:{request.user.removeprefix(PREFIX)}"]
            if not any(rule.allows(info) for rule in rules):
                refused.add(request)
        admit(self, request, body)  # type: ignore[arg-type]

    monkeypatch.setattr(FakeCluster, "admit", checked)
    yield
    assert not refused
    assert [name for cluster in clusters for name in cluster.mutated()] == []
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []
