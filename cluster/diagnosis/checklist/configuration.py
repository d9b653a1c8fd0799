"""Step 4: what the pods name that is not there, and what the API server did not let be made."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.apimachinery.placement import daemon_placement
from cluster.diagnosis.checklist.findings import awaited, event_of, field_of, finding_of
from cluster.diagnosis.facts import Facts, Obj, is_ready


def configuration(facts: Facts) -> list[Obj]:
    if facts.kind == "Node":
        return []
    found = [*_refused(facts), *_references(facts)]
    named = {finding["reason"] for finding in found}
    for pod in awaited(facts):
        if is_ready(pod):
            continue
        for event in facts.events(pod["metadata"]["uid"], "FailedMount")[-1:]:
            if not named & {"MissingConfigMap", "MissingSecret"}:
                text = "Create what the volume is made of."
                return [*found, finding_of("FailedMount", event["message"], [event_of(event)], text)]
        for one in (pod.get("status") or {}).get("containerStatuses") or ():
            waiting = (one.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") == "CreateContainerConfigError" and not named & {
                "MissingConfigMap",
                "MissingSecret",
            }:
                said = field_of(
                    pod, "pod", f"status.containerStatuses[{one['name']}].state.waiting", waiting.get("message", "")
                )
                text = "Create what is missing, or correct the reference."
                return [*found, finding_of("CreateContainerConfigError", waiting.get("message", ""), [said], text)]
    return found


def _refused(facts: Facts) -> list[Obj]:
    """Pods that the API server did not let be made: quota, limits, policy, a missing ServiceAccount."""
    alive = len(awaited(facts))
    wanted = facts.spec.get("replicas", 1)
    if facts.kind == "DaemonSet":
        wanted = sum(daemon_placement(facts.template, node)[0] for node in facts.nodes.values())
    if facts.kind in ("Pod", "Job") and facts.pods:
        return []
    if alive >= wanted:
        return []
    for uid in facts.owners:
        failed = facts.events(uid, "FailedCreate")
        if not failed:
            continue
        message = failed[-1]["message"]
        for word, (reason, fix, command) in _REFUSALS.items():
            if word in message:
                return [
                    finding_of(reason, message, [event_of(failed[-1])], fix, command.format(namespace=facts.namespace))
                ]
        return [finding_of("FailedCreate", message, [event_of(failed[-1])], "Make the pod template acceptable.")]
    return []


_REFUSALS: dict[str, tuple[str, str, str]] = {
    "exceeded quota": (
        "QuotaExceeded",
        "Raise the quota, delete what is not needed, or ask for less.",
        "kubectl describe resourcequota -n {namespace}",
    ),
    "failed quota": (
        "QuotaNeedsRequests",
        "Give every container the requests and limits that the quota counts, or a LimitRange with defaults.",
        "kubectl describe resourcequota -n {namespace}",
    ),
    "service account": (
        "MissingServiceAccount",
        "Create the ServiceAccount, or name another.",
        "kubectl get serviceaccounts -n {namespace}",
    ),
    "serviceaccount": (
        "MissingServiceAccount",
        "Create the ServiceAccount, or name another.",
        "kubectl get serviceaccounts -n {namespace}",
    ),
    "violates PodSecurity": ("PodSecurity", "Make the pod meet the namespace's policy.", ""),
    "usage per": ("LimitRange", "Stay within the LimitRange.", "kubectl describe limitrange -n {namespace}"),
    "forbidden": ("Forbidden", "See who is not allowed to do what.", ""),
}


def _references(facts: Facts) -> list[Obj]:
    """ConfigMaps, Secrets and the ServiceAccount that the pods name and that are not there."""
    found, seen = [], set()
    for kind, name, field in _named(facts.template):
        resource = {"ConfigMap": "configmaps", "Secret": "secrets", "ServiceAccount": "serviceaccounts"}[kind]
        if (kind, name) in seen or facts.view.get(resource, facts.namespace, name) is not None:
            continue
        seen.add((kind, name))
        what = {"ConfigMap": "configmap", "Secret": "secret generic", "ServiceAccount": "serviceaccount"}[kind]
        found.append(
            finding_of(
                f"Missing{kind}",
                f'{kind} "{name}" is not there',
                [field_of(facts.obj, facts.kind.lower(), field, name)],
                f"Create the {kind}, or correct the reference.",
                f"kubectl create {what} {name} -n {facts.namespace}",
            )
        )
    return found


def _named(spec: Obj) -> Iterable[tuple[str, str, str]]:
    """(kind, name, field) of what must be there for a pod to start."""
    account = spec.get("serviceAccountName")
    if account and account != "default":
        yield "ServiceAccount", account, "spec.serviceAccountName"
    for volume in spec.get("volumes") or ():
        for key, kind, inner in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
            source = volume.get(key)
            if source and not source.get("optional"):
                yield kind, source.get(inner, ""), f"spec.volumes[{volume['name']}]"
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        for source in container.get("envFrom") or ():
            for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                reference = source.get(key)
                if reference and not reference.get("optional"):
                    yield kind, reference["name"], f"spec.containers[{container['name']}].envFrom"
        for variable in container.get("env") or ():
            for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                reference = (variable.get("valueFrom") or {}).get(key)
                if reference and not reference.get("optional"):
                    yield kind, reference["name"], f"spec.containers[{container['name']}].env[{variable['name']}]"
