"""With anonymous requests switched off, whoever presents nothing is nobody."""

from __future__ import annotations

import pytest

from tests.support.person import Person
from tests.support.server import Cluster


@pytest.fixture
def cluster(monkeypatch):
    monkeypatch.setenv("KUBEWEB_ANONYMOUS", "0")
    running = Cluster("--profile=instant", "--nodes=0", prepared=True).start()
    yield running
    running.close()


def test_nothing_presented_is_401_and_everything_else_works(cluster):
    for path in ("/version", "/api", "/healthz", "/api/v1/nodes"):
        code, answer = cluster.request("GET", path, anonymous=True)
        assert (code, answer["reason"], answer["message"]) == (401, "Unauthorized", "Unauthorized"), path
    assert cluster.request("GET", "/version")[0] == 200
    assert "yes" in cluster.kubectl("auth", "can-i", "list", "nodes")
    admin = Person(cluster)
    assert admin.ask("GET", "/login/")[0] == 200
    assert admin.sign_in().ask("GET", "/api/v1/nodes")[0] == 200
