"""From an Endpoints object that somebody wrote by hand to EndpointSlices (pkg/controller/endpointslicemirroring)."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.meta import owner_reference
from cluster.client.client import Obj
from cluster.controllers.lib.services import SERVICE_NAME, TRIGGER_TIME
from cluster.controllers.policy.slices import MANAGED_BY

MANAGER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# Leader election once locked on Endpoints: nobody's backend.
LEADER = "control-plane.alpha.kubernetes.io/leader"
MAX_PER_SUBSET = 1000


def is_mirrored(endpoints: Obj | None, service: Obj | None) -> bool:
    """Whether slices have to say what this Endpoints object says: its Service has no selector, so that nobody else does."""
    if endpoints is None or service is None or service["spec"].get("selector"):
        return False
    metadata = endpoints["metadata"]
    skipped = (metadata.get("labels") or {}).get(SKIP) == "true" or LEADER in (metadata.get("annotations") or {})
    return not skipped and "deletionTimestamp" not in metadata


def mirrored(endpoints: Obj) -> list[Obj]:
    """The slices wanted: one for each subset and family."""
    metadata = endpoints["metadata"]
    labels = {**(metadata.get("labels") or {}), SERVICE_NAME: metadata["name"], MANAGED_BY: MANAGER}
    hidden = (LAST_APPLIED, TRIGGER_TIME)
    noted = {name: value for name, value in (metadata.get("annotations") or {}).items() if name not in hidden}
    found = []
    for subset in endpoints.get("subsets") or ():
        ports = [
            {"name": "", "protocol": "TCP", **{key: value for key, value in port.items() if value is not None}}
            for port in subset.get("ports") or ()
        ]
        by_family: dict[str, list[Obj]] = {}
        for field, ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in subset.get(field) or ():
                family = "IPv6" if ":" in address["ip"] else "IPv4"
                by_family.setdefault(family, []).append(_endpoint(address, ready))
        for family, listed in by_family.items():
            found.append(
                {
                    "apiVersion": "discovery.k8s.io/v1",
                    "kind": "EndpointSlice",
                    "metadata": {
                        "generateName": f"{metadata['name']}-",
                        "namespace": metadata["namespace"],
                        "labels": labels,
                        **({"annotations": noted} if noted else {}),
                        "ownerReferences": [owner_reference(endpoints)],
                    },
                    "addressType": family,
                    "ports": ports,
                    "endpoints": listed[:MAX_PER_SUBSET],
                }
            )
    return found


def _endpoint(address: Obj, ready: bool) -> Obj:
    endpoint: dict[str, Any] = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    for name in ("hostname", "nodeName", "targetRef"):
        if address.get(name):
            endpoint[name] = address[name]
    return endpoint


def same(known: Obj, wanted: Obj) -> bool:
    """Whether a slice says already what it should."""
    metadata, other = known["metadata"], wanted["metadata"]
    return bool(
        (metadata.get("labels") or {}) == other["labels"]
        and (metadata.get("annotations") or {}) == other.get("annotations", {})
        and (known.get("ports") or []) == wanted["ports"]
        and (known.get("endpoints") or []) == wanted["endpoints"]
    )
