"""What Services make of pods: which Services select a pod, and when an endpoint has to be written anew.

The endpoints and the endpoint slice controller share it. `ServiceIndex` answers in the time of the Services of one
namespace, without compiling a selector per pod event.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster import clock
from cluster.apimachinery.meta import get_condition, is_condition_true, key_of
from cluster.client.client import Obj
from cluster.controllers.lib.tally import state_of

TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
SERVICE_NAME = "kubernetes.io/service-name"
HEADLESS = "service.kubernetes.io/headless"


class ServiceIndex:
    """Services with a selector, by namespace; fed by the Service informer's handler."""

    def __init__(self) -> None:
        self._services: dict[str, dict[str, list[tuple[str, str]]]] = {}

    def observe(self, old: Obj | None, new: Obj | None) -> None:
        obj = new if new is not None else old
        if obj is None:
            return
        namespace, key = obj["metadata"]["namespace"], key_of(obj)
        selector = obj["spec"].get("selector") if new is not None else None
        if selector:
            self._services.setdefault(namespace, {})[key] = list(selector.items())
        else:
            self._services.get(namespace, {}).pop(key, None)

    def selecting(self, pod: Obj) -> list[str]:
        """The keys of the Services that select this pod."""
        services = self._services.get(pod["metadata"]["namespace"])
        if not services:
            return []
        labels = pod["metadata"].get("labels") or {}
        return [key for key, wanted in services.items() if all(labels.get(name) == value for name, value in wanted)]


def endpoint_changed(old: Obj, new: Obj) -> bool:
    """Would this change of a pod change its endpoint?"""
    before, after = old.get("status") or {}, new.get("status") or {}
    return (
        before.get("podIP") != after.get("podIP")
        or state_of(old) != state_of(new)
        or (old["metadata"].get("deletionTimestamp") is None) != (new["metadata"].get("deletionTimestamp") is None)
        or ready(old) != ready(new)
        or old["metadata"].get("labels") != new["metadata"].get("labels")
        or old["spec"].get("nodeName") != new["spec"].get("nodeName")
    )


def affected(index: ServiceIndex, old: Obj | None, new: Obj | None) -> Iterable[str]:
    """The Services whose endpoints a pod event changes."""
    if old is None or new is None:
        pod = new if new is not None else old
        # Without an address there is nothing to tell yet, nor anything to take back.
        return index.selecting(pod) if pod is not None and (pod.get("status") or {}).get("podIP") else ()
    if not endpoint_changed(old, new):
        return ()
    found = index.selecting(new)
    if old["metadata"].get("labels") != new["metadata"].get("labels"):
        found = list(dict.fromkeys([*found, *index.selecting(old)]))
    return found


def ready(pod: Obj) -> bool:
    return is_condition_true(pod, "Ready")


def is_headless(service: Obj) -> bool:
    return bool(service["spec"].get("clusterIP") == "None")


def serves(pod: Obj, *, terminating: bool) -> bool:
    """May the pod be an endpoint at all? It has an address and has not finished (EndpointSlices also show the dying)."""
    status = pod.get("status") or {}
    if not status.get("podIP") or status.get("phase") in ("Succeeded", "Failed"):
        return False
    return terminating or not pod["metadata"].get("deletionTimestamp")


def target_reference(pod: Obj) -> Obj:
    metadata = pod["metadata"]
    return {"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}


def hostname_of(pod: Obj, service: Obj) -> str:
    """The pod's own name in the Service's DNS: set when its subdomain is the Service."""
    spec = pod["spec"]
    return str(spec.get("hostname", "")) if spec.get("subdomain") == service["metadata"]["name"] else ""


def target_port(port: Obj, pod: Obj) -> int | None:
    """The number of a Service port's target on this pod; None if the pod has no port of that name."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target or int(port["port"])
    protocol = port.get("protocol", "TCP")
    sidecars = (c for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always")
    for container in [*(pod["spec"].get("containers") or ()), *sidecars]:
        for declared in container.get("ports") or ():
            if declared.get("name") == target and declared.get("protocol", "TCP") == protocol:
                return int(declared["containerPort"])
    return None


def triggered_at(pod: Obj) -> float:
    """When the pod's change happened: its last turn of readiness, as far as its status tells."""
    condition = get_condition(pod, "Ready")
    since = condition.get("lastTransitionTime") if condition is not None else None
    return clock.parse(since) if since else clock.now()
