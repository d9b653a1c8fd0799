"""Mends of step 3: containers that come up, stay, and pass their probes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches

from cluster.apimachinery.quantity import value
from cluster.diagnosis import inside
from cluster.diagnosis.facts import TEMPLATED, Facts, Obj
from cluster.diagnosis.mends.common import (
    MI,
    Mend,
    container_named,
    container_of,
    pod_of,
    said,
    target_of,
    with_pod_spec,
)

# What makes a process another one.
_PROCESS = ("image", "command", "args")


def _image(facts: Facts, finding: Obj) -> Mend | None:
    """The image that ran before, or the one that is called almost so on a node."""
    target = target_of(facts)
    name = container_of(finding)
    container = container_named(facts.template, name)
    if target is None or container is None:
        return None
    others = (one["image"] for one in _well_before(facts, name))
    image = next((one for one in others if one != container["image"]), "")
    why = "which it ran before"
    if not image:
        image, why = _alike(facts, container["image"]), "which nodes know"
    if not image:
        return None
    changed = {"name": name, "image": image}
    return f"Use {image}, {why}.", [with_pod_spec(facts, {"containers": [changed]})]


def _well_before(facts: Facts, container: str) -> Iterable[Obj]:
    """The container as it stands in other ReplicaSets of the Deployment that have ready pods."""
    if facts.kind != "Deployment":
        return
    now = container_named(facts.template, container)
    for one in facts.view.controlled_by(facts.obj["metadata"]["uid"], "apps/replicasets", facts.namespace):
        if not (one.get("status") or {}).get("readyReplicas"):
            continue
        before = container_named(one["spec"]["template"]["spec"], container)
        if before is not None and before != now:
            yield before


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
    bare = image.removeprefix("docker.io/").removeprefix("library/")
    # Without a tag (and without a digest) it is the latest, and is called so by nodes.
    tagged = bare if ":" in bare.rpartition("/")[2] else f"{bare}:latest"
    found = next(iter(get_close_matches(tagged, sorted(known - {tagged}), 1, 0.8)), "")
    return found.removesuffix(":latest") if tagged != bare else found


def _more_memory(facts: Facts, finding: Obj) -> Mend | None:
    """Twice the limit, or as often as it takes for what the process held when it was killed."""
    name, pod = container_of(finding), pod_of(facts, finding)
    container = container_named(facts.template, name)
    limit = value((((container or {}).get("resources") or {}).get("limits") or {}).get("memory", "0"))
    if not limit or facts.kind not in TEMPLATED:
        return None
    wanted = limit * 2
    held = 0 if pod is None else inside.memory(facts.inside.of(pod), name)
    while wanted < held * 1.1:
        wanted *= 2
    text = f"{-(-wanted // MI)}Mi"
    changed = {"name": name, "resources": {"limits": {"memory": text}}}
    times = "Twice the memory" if wanted == limit * 2 else f"{wanted // limit} times the memory"
    why = f", of which it held {-(-held // MI)}Mi" if held > limit else ""
    return f"{times}: {text} for container {name}{why}.", [with_pod_spec(facts, {"containers": [changed]})]


def _as_before(facts: Facts, finding: Obj) -> Mend | None:
    """The process that ran before, where nothing else about the container has changed since."""
    name = container_of(finding)
    container = container_named(facts.template, name)
    if container is None:
        return None
    for before in _well_before(facts, name):
        changed = {field for field in {*before, *container} if before.get(field) != container.get(field)}
        if not changed or not changed <= set(_PROCESS):
            continue
        # An empty command, or empty arguments, are the image's own.
        fields = {field: before.get(field, []) for field in _PROCESS if field in changed}
        words = " and ".join(sorted(changed))
        return f"Go back to the {words} that ran before.", [
            with_pod_spec(facts, {"containers": [{"name": name, **fields}]})
        ]
    return None


def _probe(facts: Facts, finding: Obj) -> Mend | None:
    """The probe asks where the container listens, for a path that it answers."""
    name, pod = container_of(finding), pod_of(facts, finding)
    kind = f"{said(finding, 'Event').removeprefix('Unhealthy: ').partition(' probe')[0].lower()}Probe"
    probe = (container_named(facts.template, name) or {}).get(kind)
    if facts.kind not in TEMPLATED or pod is None or not probe:
        return None
    serves = inside.listening(facts.inside.of(pod), name)
    container = container_named(facts.template, name) or {}
    if "httpGet" in probe:
        change = _http_change(probe["httpGet"], container, serves)
        handler = "httpGet"
    elif "tcpSocket" in probe and serves and _number(container, probe["tcpSocket"]["port"]) not in serves:
        change, handler = {"port": min(serves)}, "tcpSocket"
    else:
        return None
    if not change:
        return None
    words = " and ".join(f"{field} {text}" for field, text in change.items())
    fields = {"name": name, kind: {handler: change}}
    return f"Let the {kind.removesuffix('Probe')} probe ask at {words}: there container {name} answers.", [
        with_pod_spec(facts, {"containers": [fields]})
    ]


def _http_change(action: Obj, container: Obj, serves: Mapping[int, Sequence[str]]) -> Obj:
    """What has to be another: port, path, both; nothing when it answers there, or nowhere."""
    port, path = _number(container, action["port"]), action.get("path", "/")
    if action.get("host") or action.get("scheme", "HTTP") != "HTTP":
        return {}
    if port in serves:
        answering = serves[port]
        return {} if not answering or path in answering else {"path": answering[0]}
    same = next((one for one in sorted(serves) if path in serves[one]), None)
    if same is not None:
        return {"port": same}
    other = next((one for one in sorted(serves) if serves[one]), None)
    return {} if other is None else {"port": other, "path": serves[other][0]}


def _number(container: Obj, port: int | str) -> int:
    """A port by number or name; 0 when there is none of that name."""
    if isinstance(port, int):
        return port
    named = (int(one["containerPort"]) for one in container.get("ports") or () if one.get("name") == port)
    return next(named, int(port) if port.isdigit() else 0)


MENDS: dict[str, Callable[[Facts, Obj], Mend | None]] = {
    "ErrImagePull": _image,
    "ImagePullBackOff": _image,
    "InvalidImageName": _image,
    "OOMKilled": _more_memory,
    "CrashLoopBackOff": _as_before,
    "Error": _as_before,
    "StartError": _as_before,
    "RunContainerError": _as_before,
    "Unhealthy": _probe,
}
