"""Step 1: why no node takes the pods (or, of a node, why it takes none)."""

from __future__ import annotations

from cluster.apimachinery.meta import get_condition
from cluster.apimachinery.placement import HARD, daemon_tolerations, untolerated, wants_node
from cluster.apimachinery.quantity import milli, value
from cluster.diagnosis.checklist.findings import NAMED, awaited, field_of, finding_of, listed, traced
from cluster.diagnosis.facts import Facts, Obj


def scheduling(facts: Facts) -> list[Obj]:
    if facts.kind == "Node":
        return _cordoned(facts)
    found: list[Obj] = []
    if facts.kind == "DaemonSet" and not any(facts.placement(node)[0] for node in facts.nodes.values()):
        found.append(_nowhere(facts))
    seen: set[str] = set()
    for pod in awaited(facts):
        if pod["spec"].get("nodeName"):
            continue
        condition = get_condition(pod, "PodScheduled") or {}
        message = str(condition.get("message", ""))
        if condition.get("status") != "False" or message in seen:
            continue
        seen.add(message)
        findings = _unschedulable(facts, pod, condition)
        said = facts.events(pod["metadata"]["uid"], "FailedScheduling")[-1:]
        attempt = traced(facts, [*said, pod], "schedule", pod, "filter", "volumes")
        for finding in findings:
            finding["evidence"] += attempt
        found += findings
    return found


def _cordoned(facts: Facts) -> list[Obj]:
    name = facts.obj["metadata"]["name"]
    if not facts.spec.get("unschedulable"):
        return []
    return [
        finding_of(
            "Cordoned",
            f"node {name} takes no new pods",
            [field_of(facts.obj, "node", "spec.unschedulable", "true")],
            "Let it take pods again.",
            f"kubectl uncordon {name}",
        )
    ]


def _nowhere(facts: Facts) -> Obj:
    if not facts.nodes:
        return finding_of("NoNodes", "the cluster has no nodes", [], "Add a node.")
    taints = [
        untolerated(daemon_tolerations(facts.template), node["spec"].get("taints") or ())
        for node in facts.nodes.values()
        if wants_node(facts.template, node)
    ]
    if taints:
        finding = _taint(facts, next(one for one in taints if one))
        finding["evidence"] += traced(facts, [facts.obj], "reconcile", facts.obj, "decide")
        return finding
    finding = _selector(facts, facts.obj, facts.kind.lower(), facts.template)
    finding["evidence"] += traced(facts, [facts.obj], "reconcile", facts.obj, "decide")
    return finding


def _taint(facts: Facts, taint: Obj) -> Obj:
    nodes = [
        name
        for name, node in facts.nodes.items()
        if any(one["key"] == taint["key"] and one["effect"] in HARD for one in node["spec"].get("taints") or ())
    ]
    shown = f"{taint['key']}{'=' + taint['value'] if taint.get('value') else ''}:{taint['effect']}"
    return finding_of(
        "UntoleratedTaint",
        f"no toleration for the taint {shown} of {listed(nodes)}",
        [field_of(facts.nodes[name], "node", "spec.taints", shown) for name in nodes[:NAMED]],
        f"Tolerate it: tolerations: [{{key: {taint['key']}, operator: Exists, effect: {taint['effect']}}}] in the pod template "
        "of the workload, or take the taint from the node.",
        f"kubectl taint nodes {nodes[0] if nodes else 'NODE'} {taint['key']}:{taint['effect']}-",
    )


def _selector(facts: Facts, obj: Obj, kind: str, spec: Obj) -> Obj:
    wanted = spec.get("nodeSelector") or {}
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    evidence, command = [], ""
    if wanted:
        shown = ",".join(f"{key}={text}" for key, text in sorted(wanted.items()))
        evidence.append(field_of(obj, kind, "spec.nodeSelector", shown))
        node = next(iter(sorted(facts.nodes)), "NODE")
        command = f"kubectl label node {node} {shown.replace(',', ' ')}"
    if affinity:
        evidence.append(field_of(obj, kind, "spec.affinity.nodeAffinity", "required terms match no node"))
    if spec.get("nodeName"):
        evidence.append(field_of(obj, kind, "spec.nodeName", spec["nodeName"]))
    return finding_of(
        "NodeSelectorMismatch",
        "no node has the labels that nodeSelector or node affinity ask for",
        evidence,
        "Label a node as the selector asks, or change the selector.",
        command,
    )


def _unschedulable(facts: Facts, pod: Obj, condition: Obj) -> list[Obj]:
    spec, message = pod["spec"], str(condition.get("message", ""))
    said = field_of(pod, "pod", "status.conditions[PodScheduled]", message, condition.get("lastTransitionTime", ""))
    if condition.get("reason") == "SchedulingGated":
        gates = ", ".join(one["name"] for one in spec.get("schedulingGates") or ())
        text = "Whoever set the gates has to take them away."
        return [
            finding_of("SchedulingGated", f"pod {pod['metadata']['name']} waits for the gates {gates}", [said], text)
        ]
    matching = [node for node in facts.nodes.values() if wants_node(spec, node)]
    if not matching:
        finding = _selector(facts, pod, "pod", spec)
        finding["evidence"].insert(0, said)
        return [finding]
    open_nodes = [
        node
        for node in matching
        if untolerated(spec.get("tolerations") or (), node["spec"].get("taints") or ()) is None
    ]
    if not open_nodes:
        taint = next(
            one
            for node in matching
            if (one := untolerated(spec.get("tolerations") or (), node["spec"].get("taints") or ()))
        )
        finding = _taint(facts, taint)
        finding["evidence"].insert(0, said)
        return [finding]
    if "persistentvolumeclaim" in message or "PersistentVolumeClaim" in message:
        text = "Create the claim, or a volume or StorageClass that fits it."
        return [finding_of("VolumeNotBound", f"pod {pod['metadata']['name']}: {message}", [said], text)]
    lacking = _lacking(pod, open_nodes)
    if lacking:
        resource, wanted, most = lacking
        return [
            finding_of(
                "InsufficientResources",
                f"pod {pod['metadata']['name']} asks for {wanted} of {resource}; no node that it may stand on can give more "
                f"than {most}",
                [said, field_of(pod, "pod", f"spec.containers[*].resources.requests.{resource}", wanted)],
                f"Ask for less {resource}, add a node, or free room.",
            )
        ]
    return [
        finding_of(
            "Unschedulable",
            f"pod {pod['metadata']['name']}: {message or 'not scheduled'}",
            [said],
            "See what each node lacks: affinity to other pods, topology spread, ports or room.",
        )
    ]


def _lacking(pod: Obj, nodes: list[Obj]) -> tuple[str, str, str] | None:
    """(resource, asked, the most that any node has in all) of a request that fits nowhere."""
    wanted: dict[str, int] = {}
    for container in pod["spec"]["containers"]:
        for name, amount in ((container.get("resources") or {}).get("requests") or {}).items():
            wanted[name] = wanted.get(name, 0) + _amount(name, amount)
    for name, amount in wanted.items():
        most = max(
            _amount(name, ((node.get("status") or {}).get("allocatable") or {}).get(name, "0")) for node in nodes
        )
        if amount > most:
            return name, _shown(name, amount), _shown(name, most)
    text = str((get_condition(pod, "PodScheduled") or {}).get("message", ""))
    for name, amount in wanted.items():
        if f"Insufficient {name}" in text:
            return name, _shown(name, amount), "what other pods have left"
    return None


def _amount(name: str, quantity: str) -> int:
    return milli(quantity) if name == "cpu" else value(quantity)


def _shown(name: str, amount: int) -> str:
    if name == "cpu":
        return f"{amount}m" if amount % 1000 else str(amount // 1000)
    for unit, size in (("Gi", 1024**3), ("Mi", 1024**2), ("Ki", 1024)):
        if amount and amount % size == 0:
            return f"{amount // size}{unit}"
    return str(amount)
