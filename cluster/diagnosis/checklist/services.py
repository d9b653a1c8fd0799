"""Step 4 of a Service: does its selector choose anybody, and do the ports lead somewhere?"""

from __future__ import annotations

from cluster.diagnosis import inside
from cluster.diagnosis.checklist.findings import awaited, field_of, finding_of, listed, traced
from cluster.diagnosis.facts import Facts, Obj, is_ready


def service(facts: Facts) -> list[Obj]:
    spec = facts.spec
    if spec.get("type") == "ExternalName":
        return []
    if not spec.get("selector"):
        return [] if facts.endpoints else [_by_hand(facts)]
    if not awaited(facts):
        return [_nobody(facts)]
    ready = [pod for pod in awaited(facts) if is_ready(pod)]
    found = []
    for port in spec.get("ports") or ():
        finding = _port(facts, port, ready)
        if finding is not None:
            found.append(finding)
    return found


def _loop(facts: Facts, *stages: str) -> list[Obj]:
    """What the EndpointSlice loop made of it."""
    return traced(facts, facts.slices, "reconcile", facts.obj, *stages)


def _by_hand(facts: Facts) -> Obj:
    name = facts.obj["metadata"]["name"]
    return finding_of(
        "NoEndpoints",
        f"service {name} has no selector, and nobody has written an EndpointSlice for it",
        [field_of(facts.obj, "service", "spec.selector", "none")],
        "Give it a selector, or write an EndpointSlice with the label kubernetes.io/service-name.",
    )


def _nobody(facts: Facts) -> Obj:
    metadata = facts.obj["metadata"]
    selector = selector_text(facts.spec["selector"])
    return finding_of(
        "SelectorMatchesNothing",
        f"no pod in {facts.namespace} has the labels {selector}",
        [field_of(facts.obj, "service", "spec.selector", selector), *_loop(facts, "decide", "act")],
        "Correct the selector, or the labels in the workload's pod template, or start the workload.",
        f"kubectl get pods -n {metadata['namespace']} --show-labels",
    )


def selector_text(selector: Obj) -> str:
    return ",".join(f"{key}={text}" for key, text in sorted(selector.items()))


def _port(facts: Facts, port: Obj, ready: list[Obj]) -> Obj | None:
    target = port.get("targetPort", port["port"])
    shown = f"spec.ports[{port['port']}].targetPort"
    if isinstance(target, str):
        without = [pod for pod in awaited(facts) if target_number(pod, port) == 0]
        if len(without) < len(awaited(facts)):
            return None
        names = [pod["metadata"]["name"] for pod in without]
        return finding_of(
            "TargetPortNotFound",
            f'no container of {listed(names)} has a port that is called "{target}"',
            [field_of(facts.obj, "service", shown, target), *_loop(facts, "decide", "act")],
            "Use the name or the number of a port that the containers have.",
        )
    if port.get("protocol", "TCP") != "TCP" or any(target in declared(pod) for pod in ready):
        return None
    looked = {pod["metadata"]["name"]: listening_of(facts, pod) for pod in ready}
    # Only what was looked into and listens somewhere else: nobody has to declare ports.
    if not looked or any(not ports or target in ports for ports in looked.values()):
        return None
    ports = ", ".join(str(one) for one in sorted({one for found in looked.values() for one in found}))
    return finding_of(
        "TargetPortNotListening",
        f"nothing listens on port {target} in {listed(sorted(looked))}; there they listen on {ports}",
        [
            field_of(facts.obj, "service", shown, target),
            *(
                {"object": f"pod/{name}", "field": "listening ports", "value": ", ".join(map(str, sorted(found)))}
                for name, found in sorted(looked.items())[:3]
            ),
            *_loop(facts, "act", "decide"),
        ],
        "Send it to the port on which the containers listen.",
    )


def listening_of(facts: Facts, pod: Obj) -> set[int]:
    """The ports on which any container of a pod listens, as far as somebody may look."""
    found = facts.inside.of(pod)
    return {port for container in found for port in inside.listening(found, container)}


def declared(pod: Obj) -> set[int]:
    """The ports that a pod's containers name."""
    containers = pod["spec"]["containers"]
    return {int(one["containerPort"]) for container in containers for one in container.get("ports") or ()}


def target_number(pod: Obj, port: Obj) -> int:
    """The container port to which a Service's port leads in a pod; 0 when it has none of that name."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for container in pod["spec"]["containers"]:
        for one in container.get("ports") or ():
            if one.get("name") == target and one.get("protocol", "TCP") == port.get("protocol", "TCP"):
                return int(one["containerPort"])
    return 0
