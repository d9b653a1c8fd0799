"""What would mend a finding, as a manifest for `kubectl apply --server-side`: only where the cluster itself tells what is meant.

A table from reason to a pure function of the facts and the finding; it returns a sentence and the objects to apply, or nothing when
a person has to decide. The manifests name the fields that change and nothing else, so that the rest stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches

import yaml

from cluster.apimachinery.meta import controller_of
from cluster.apimachinery.placement import wants_node
from cluster.apimachinery.quantity import milli, value
from cluster.diagnosis.facts import Facts, Obj, node_is_ready, owner_of

Mend = tuple[str, list[Obj]]
# Kinds whose pods are made from spec.template and made anew when that changes.
TEMPLATED = frozenset({"Deployment", "DaemonSet", "StatefulSet"})
CORDON = "node.kubernetes.io/unschedulable"


def mend(facts: Facts, finding: Obj) -> Obj | None:
    """{sentence, manifest} for a finding, or None."""
    find = MENDS.get(finding["reason"])
    found = find(facts, finding) if find is not None else None
    if found is None:
        return None
    sentence, objects = found
    return {"sentence": sentence, "manifest": "---\n".join(yaml.safe_dump(one, sort_keys=False) for one in objects)}


def _skeleton(obj: Obj, kind: str) -> Obj:
    metadata = {key: obj["metadata"][key] for key in ("name", "namespace") if obj["metadata"].get(key)}
    return {"apiVersion": obj.get("apiVersion") or "v1", "kind": kind, "metadata": metadata}


def _target(facts: Facts) -> Obj | None:
    """The object whose pods can be changed; None when that is its owner's affair."""
    if facts.kind in TEMPLATED or (facts.kind == "Pod" and controller_of(facts.obj) is None):
        return facts.obj
    return None


def _with_pod_spec(facts: Facts, spec: Obj) -> Obj:
    found = _skeleton(facts.obj, facts.kind)
    found["spec"] = {"template": {"spec": spec}} if facts.kind in TEMPLATED else spec
    return found


# -- scheduling --------------------------------------------------------------------------------------------------------


def _uncordon(name: str) -> Mend:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {"unschedulable": False}}
    return f"Let node {name} take pods again.", [node]


def _cordoned(facts: Facts, finding: Obj) -> Mend | None:
    return _uncordon(facts.obj["metadata"]["name"])


def _taint(facts: Facts, finding: Obj) -> Mend | None:
    names = [one["object"].partition("/")[2] for one in finding["evidence"] if one["field"] == "spec.taints"]
    taints = [taint for name in names for taint in facts.nodes[name]["spec"].get("taints") or ()]
    shown = next((one["value"] for one in finding["evidence"] if one["field"] == "spec.taints"), "")
    taint = next((one for one in taints if shown.partition("=")[0].partition(":")[0] == one["key"]), None)
    if taint is None:
        return None
    if taint["key"] == CORDON:
        return _uncordon(names[0])
    if taint["key"].startswith("node.kubernetes.io/") or _target(facts) is None:
        # The node is not well: tolerating that helps nobody.
        return None
    kept = list(facts.template.get("tolerations") or ())
    added = {"key": taint["key"], "operator": "Exists", "effect": taint["effect"]}
    return f"Let its pods tolerate {shown}.", [_with_pod_spec(facts, {"tolerations": [*kept, added]})]


def _label(facts: Facts, finding: Obj) -> Mend | None:
    wanted = facts.template.get("nodeSelector")
    able = [
        name
        for name, node in sorted(facts.nodes.items())
        if node_is_ready(node) and not node["spec"].get("unschedulable")
    ]
    if not wanted or not able:
        return None
    shown = ", ".join(f"{key}={text}" for key, text in sorted(wanted.items()))
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": able[0], "labels": dict(wanted)}}
    return f"Label node {able[0]} with {shown}.", [node]


def _ask_less(facts: Facts, finding: Obj) -> Mend | None:
    """Half of what the emptiest node has left."""
    containers = facts.template.get("containers") or []
    name = next(
        (one["field"].rpartition("requests.")[2] for one in finding["evidence"] if "requests." in one["field"]), ""
    )
    if facts.kind not in TEMPLATED or len(containers) != 1 or not name:
        return None
    amount: Callable[[str], int] = milli if name == "cpu" else value
    asked = amount(((containers[0].get("resources") or {}).get("requests") or {}).get(name, "0"))
    best = max(
        (_left(facts, node, name, amount) for node in facts.nodes.values() if wants_node(facts.template, node)),
        default=0,
    )
    share = best // 2
    if not 0 < share < asked:
        return None
    text = f"{share}m" if name == "cpu" else f"{max(share // 1024**2, 1)}Mi"
    container = {"name": containers[0]["name"], "resources": {"requests": {name: text}}}
    return f"Ask for {text} of {name}: half of what the emptiest node has left.", [
        _with_pod_spec(facts, {"containers": [container]})
    ]


def _left(facts: Facts, node: Obj, name: str, amount: Callable[[str], int]) -> int:
    room = amount(((node.get("status") or {}).get("allocatable") or {}).get(name, "0"))
    for pod in facts.view.list("pods"):
        if pod["spec"].get("nodeName") == node["metadata"]["name"]:
            room -= sum(
                amount(((one.get("resources") or {}).get("requests") or {}).get(name, "0"))
                for one in pod["spec"]["containers"]
            )
    return room


# -- pods --------------------------------------------------------------------------------------------------------------


def _image(facts: Facts, finding: Obj) -> Mend | None:
    """The image that ran before, or the one that is called almost so on a node."""
    target = _target(facts)
    name = _container_of(finding)
    container = next((one for one in facts.template.get("containers") or () if one["name"] == name), None)
    if target is None or container is None:
        return None
    image = _before(facts, name, container["image"])
    why = "which it ran before"
    if not image:
        image, why = _alike(facts, container["image"]), "which nodes know"
    if not image:
        return None
    changed = {"name": name, "image": image}
    return f"Use {image}, {why}.", [_with_pod_spec(facts, {"containers": [changed]})]


def _container_of(finding: Obj) -> str:
    for one in finding["evidence"]:
        if one["field"].startswith(("status.containerStatuses[", "status.initContainerStatuses[")):
            return str(one["field"].partition("[")[2].partition("]")[0])
    return ""


def _before(facts: Facts, container: str, image: str) -> str:
    """The image in the latest other ReplicaSet of the Deployment that has ready pods."""
    if facts.kind != "Deployment":
        return ""
    for one in facts.view.list("apps/replicasets", facts.namespace):
        if owner_of(one) != facts.obj["metadata"]["uid"] or not (one.get("status") or {}).get("readyReplicas"):
            continue
        for spec in one["spec"]["template"]["spec"]["containers"]:
            if spec["name"] == container and spec["image"] != image:
                return str(spec["image"])
    return ""


def _alike(facts: Facts, image: str) -> str:
    known = {
        name
        for node in facts.nodes.values()
        for one in (node.get("status") or {}).get("images") or ()
        for name in one.get("names") or ()
        if "@" not in name
    }
    # Nodes tell of their images now and then; what runs has been pulled, too.
    known |= {
        one.get("image", "")
        for pod in facts.view.list("pods")
        for one in (pod.get("status") or {}).get("containerStatuses") or ()
        if one.get("imageID")
    }
    # As people write them: docker.io/library/ is understood.
    known = {name.removeprefix("docker.io/").removeprefix("library/") for name in known}
    return next(iter(get_close_matches(image, sorted(known - {image}), 1, 0.8)), "")


def _more_memory(facts: Facts, finding: Obj) -> Mend | None:
    name = _container_of(finding)
    for one in facts.template.get("containers") or ():
        limit = ((one.get("resources") or {}).get("limits") or {}).get("memory")
        if one["name"] == name and limit and facts.kind in TEMPLATED:
            text = f"{value(limit) * 2 // 1024**2}Mi"
            container = {"name": name, "resources": {"limits": {"memory": text}}}
            return f"Twice the memory: {text} for container {name}.", [
                _with_pod_spec(facts, {"containers": [container]})
            ]
    return None


# -- configuration -----------------------------------------------------------------------------------------------------


def _create(facts: Facts, finding: Obj) -> Mend | None:
    kind = finding["reason"].removeprefix("Missing")
    name = next((one["value"] for one in finding["evidence"]), "")
    made: Obj = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": facts.namespace}}
    keys = sorted(set(_keys(facts.template, kind, name)))
    if kind == "ConfigMap" and keys:
        made["data"] = dict.fromkeys(keys, "")
    if kind == "Secret":
        made |= {"type": "Opaque", **({"stringData": dict.fromkeys(keys, "")} if keys else {})}
    with_keys = f" with empty {', '.join(keys)}: fill them in afterwards" if keys and kind != "ServiceAccount" else ""
    return f"Create {kind} {name}{with_keys}.", [made]


def _keys(spec: Obj, kind: str, name: str) -> Iterable[str]:
    """The keys that the pods name."""
    reference = {"ConfigMap": "configMapKeyRef", "Secret": "secretKeyRef"}.get(kind, "")
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        for variable in container.get("env") or ():
            source = (variable.get("valueFrom") or {}).get(reference) or {}
            if source.get("name") == name:
                yield source["key"]


MENDS: dict[str, Callable[[Facts, Obj], Mend | None]] = {
    "Cordoned": _cordoned,
    "UntoleratedTaint": _taint,
    "NodeSelectorMismatch": _label,
    "InsufficientResources": _ask_less,
    "ErrImagePull": _image,
    "ImagePullBackOff": _image,
    "InvalidImageName": _image,
    "OOMKilled": _more_memory,
    "MissingConfigMap": _create,
    "MissingSecret": _create,
    "MissingServiceAccount": _create,
}
