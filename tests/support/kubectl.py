"""What end-to-end tests say with kubectl again and again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.server import Cluster, tool


def got(cluster: Cluster, *what: str) -> Any:
    """What `kubectl get` shows, as JSON."""
    return json.loads(cluster.kubectl("get", *what, "-o", "json"))


def apply(cluster: Cluster, *objects: dict[str, Any], namespace: str = "default") -> None:
    """All of them at once."""
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=manifest)


@contextmanager
def running(cluster: Cluster, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """kubectl at work, with pipes to write to and read from; it is killed when the block ends, however that ends."""
    environment = {"KUBECONFIG": str(cluster.kubeconfig), "HOME": str(cluster.data)}
    command = [tool("kubectl"), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()
