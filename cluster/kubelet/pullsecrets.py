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
    namespace = worker.pod["metadata"]["namespace"]
    # Validation lets references without a name pass, as Kubernetes' does; they are passed over.
    names = (reference.get("name") for reference in worker.pod["spec"].get("imagePullSecrets") or ())
    for name in filter(None, names):
        try:
            found |= hosts(secret_data(await worker.kubelet.client.get("v1/secrets", name, namespace)))
        except (StatusError, ValueError):
            missing.append(name)
    if missing:
        text = f"Unable to retrieve some image pull secrets ({', '.join(missing)}); attempting to pull the image may not succeed."
        worker.kubelet.events.event(worker.pod, "Warning", "FailedToRetrieveImagePullSecret", text)
    return frozenset(found)


def hosts(data: dict[str, bytes]) -> set[str]:
    """The hosts in a `.dockerconfigjson` or an older `.dockercfg`; ValueError for what is neither."""
    try:
        said = json.loads(data.get(".dockerconfigjson") or data.get(".dockercfg") or b"{}")
    except RecursionError as error:
        raise ValueError("exceeded max depth") from error
    if isinstance(said, dict) and ".dockerconfigjson" in data:
        said = said.get("auths") or {}
    if not isinstance(said, dict):
        raise ValueError("not a table of registries")
    return {urlsplit(name if "//" in name else f"//{name}").hostname or "" for name in said}
