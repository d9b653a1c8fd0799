"""What one would find by looking into a pod's containers: the ports and paths that answer, the memory that is held.

For whoever asks why a probe fails or a container is killed. It changes nothing in there, and leaves no line in a log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cluster.kubelet.worker import Worker

# Paths that are tried at each port that listens, the likeliest first.
PATHS = ("/", "/healthz", "/health", "/ready", "/readyz", "/livez")


async def look_into(worker: Worker) -> dict[str, dict[str, Any]]:
    """{container: {"memory": bytes, "listens": {port: [path]}}} of those that run or ran."""
    runtime, found = worker.kubelet.runtime, {}
    for record in worker.main:
        container = record.container
        if container is None:
            continue
        before = worker.previous.get(record.spec["name"])
        held = max(runtime.held(one) for one in (container, before) if one is not None)
        listens = {port: await runtime.answers_at(container, port, PATHS) for port in runtime.ports(container)}
        found[record.spec["name"]] = {"memory": held, "listens": listens}
    return found
