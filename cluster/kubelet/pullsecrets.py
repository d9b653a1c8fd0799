"""Credentials for registries, out of a pod's imagePullSecrets (pkg/credentialprovider)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cluster.apimachinery.errors import StatusError
from cluster.kubelet.references import secret_data

if TYPE_CHECKING:
    from cluster.kubelet.worker import Worker


async def registries(worker: Worker) -> frozenset[str]:
    """The registries (their hosts) that the pod has credentials for; secrets that cannot be had are told of."""
    found: set[str] = set()
    missing = []
    for reference in worker.pod["spec"].get("imagePullSecrets") or ():
        try:
            secret = await worker.kubelet.client.get(
                "v1/secrets", reference["name"], worker.pod["metadata"]["namespace"]
            )
            found |= _hosts(secret_data(secret))
        except (StatusError, ValueError):
            missing.append(reference["name"])
    if missing:
        text = f"Unable to retrieve some image pull secrets ({', '.join(missing)}); attempting to pull the image may not succeed."
        worker.kubelet.events.event(worker.pod, "Warning", "FailedToRetrieveImagePullSecret", text)
    return frozenset(found)


def _hosts(data: dict[str, bytes]) -> set[str]:
    """The hosts in a `.dockerconfigjson` or an older `.dockercfg`; ValueError for what is neither."""
    if ".dockerconfigjson" in data:
        said = json.loads(data[".dockerconfigjson"]).get("auths") or {}
    else:
        said = json.loads(data.get(".dockercfg", b"{}"))
    if not isinstance(said, dict):
        raise ValueError("not a table of registries")
    return {urlsplit(name if "//" in name else f"//{name}").hostname or "" for name in said}
