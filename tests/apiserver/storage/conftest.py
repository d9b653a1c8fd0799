"""A storage over a fresh log."""

from __future__ import annotations

import pytest

from cluster.apiserver.storage.store import Storage
from tests.support.log import fresh_log  # noqa: F401


@pytest.fixture
async def storage(fresh_log):  # noqa: F811
    log = await fresh_log()
    await log.close()
    storage = Storage(log)
    await storage.open()
    yield storage
    await storage.close()


@pytest.fixture
def put(storage):
    """Write a pod: `await put("ns/name", phase="Running", node="n1")`; None of phase deletes it."""

    async def write(key, *, labels=None, node="", delete=False, **status):
        namespace, name = key.split("/")
        entry = storage.entry("pods", (namespace, name))
        obj = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"namespace": namespace, "name": name, "labels": labels or {}},
            "spec": {"nodeName": node},
            "status": status,
        }
        verb = "delete" if delete else "create" if entry is None else "update"
        return await storage.write("pods", (namespace, name), obj, verb, entry.revision if entry else 0, "j")

    return write
