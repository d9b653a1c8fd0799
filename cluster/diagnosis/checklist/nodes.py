"""Step 2: what is wrong with the nodes that the pods stand on."""

from __future__ import annotations

from cluster.diagnosis.checklist.findings import awaited, field_of, finding_of, traced
from cluster.diagnosis.facts import Facts, Obj


def nodes(facts: Facts) -> list[Obj]:
    if facts.kind == "Node":
        names = [facts.obj["metadata"]["name"]]
    else:
        names = sorted({pod["spec"]["nodeName"] for pod in awaited(facts) if pod["spec"].get("nodeName")})
    found = []
    for name in names:
        node = facts.nodes.get(name)
        if node is None:
            found.append(finding_of("NodeGone", f"node {name} is not there any more", [], "Its pods are deleted soon."))
            continue
        for condition in (node.get("status") or {}).get("conditions") or ():
            sick = condition["status"] != "True" if condition["type"] == "Ready" else condition["status"] == "True"
            if sick and condition["type"] in _NODE_FIXES:
                reason, fix = _NODE_FIXES[condition["type"]]
                said = facts.events(node["metadata"]["uid"], reason)[-1:]
                found.append(
                    finding_of(
                        reason,
                        f"node {name}: {condition.get('message') or condition.get('reason', '')}",
                        [
                            field_of(
                                node,
                                "node",
                                f"status.conditions[{condition['type']}]",
                                condition["status"],
                                condition.get("lastTransitionTime", ""),
                            ),
                            *traced(facts, [node, *said], "reconcile", node, "act", "decide", "compare"),
                        ],
                        fix,
                        f"kubectl describe node {name}",
                    )
                )
    return found


_NODE_FIXES = {
    "Ready": (
        "NodeNotReady",
        "Bring the machine or its kubelet back. After five minutes its pods are made anew elsewhere, those of DaemonSets excepted.",
    ),
    "MemoryPressure": (
        "MemoryPressure",
        "Free memory on the node, or give pods requests so that fewer are placed there.",
    ),
    "DiskPressure": ("DiskPressure", "Free disk on the node."),
    "PIDPressure": ("PIDPressure", "Find what makes so many processes."),
}
