"""Step 4: what the pods name that is not there, and what the API server did not let be made."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.diagnosis.checklist.findings import (
    awaited,
    event_of,
    field_of,
    finding_of,
    pods_wanted,
    refused_requests,
    span_evidence,
    traced,
)
from cluster.diagnosis.facts import Facts, Obj, is_ready
from cluster.diagnosis.spans import refusing
from cluster.diagnosis.surroundings import said_in


def configuration(facts: Facts) -> list[Obj]:
    if facts.kind == "Node":
        return []
    found = [*_merged(_references(facts), _refused(facts)), *_denied(facts)]
    named = {finding["reason"] for finding in found}
    for pod in awaited(facts):
        if is_ready(pod):
            continue
        for event in facts.events(pod["metadata"]["uid"], "FailedMount")[-1:]:
            if not named & {"MissingConfigMap", "MissingSecret"}:
                text = "Create what the volume is made of."
                seen = traced(facts, [event, pod], "sync", pod, "mount")
                return [*found, finding_of("FailedMount", event["message"], [event_of(event), *seen], text)]
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
                seen = _starting(facts, pod, "create")
                return [
                    *found,
                    finding_of("CreateContainerConfigError", waiting.get("message", ""), [said, *seen], text),
                ]
    return found


def _merged(references: list[Obj], refused: list[Obj]) -> list[Obj]:
    """What is missing was seen twice: by the reference to it, and by what came of it. Each reason once, the worse first."""
    for finding in refused:
        same = next((one for one in references if one["reason"] == finding["reason"]), None)
        if same is None:
            references.insert(0, finding)
        else:
            same["evidence"] += finding["evidence"]
    return references


def _refused(facts: Facts) -> list[Obj]:
    """Pods that the API server did not let be made: quota, limits, policy, a missing ServiceAccount."""
    if facts.kind in ("Pod", "Job") and facts.pods:
        return []
    for uid in _short(facts):
        failed = facts.events(uid, "FailedCreate")
        if not failed:
            continue
        message, owner = said_in(failed[-1]), failed[-1]["involvedObject"]
        made_by = facts.obj if uid == facts.obj["metadata"]["uid"] else {"kind": owner.get("kind"), "metadata": owner}
        evidence = [event_of(failed[-1]), *refused_requests(facts, failed[-1], made_by)]
        for word, (reason, fix, command) in _REFUSALS.items():
            if word in message:
                return [finding_of(reason, message, evidence, fix, command.format(namespace=facts.namespace))]
        return [finding_of("FailedCreate", message, evidence, "Make the pod template acceptable.")]
    return []


def _short(facts: Facts) -> list[str]:
    """Uids of those that should make pods and have not: the object itself, or of a Deployment its ReplicaSets.

    While a Deployment rolls, its new ReplicaSet may be short though there are as many pods as ever.
    """
    if facts.kind == "Deployment":
        return [
            one["metadata"]["uid"]
            for one in facts.view.controlled_by(facts.obj["metadata"]["uid"], "apps/replicasets", facts.namespace)
            if one["spec"].get("replicas", 1) > (one.get("status") or {}).get("replicas", 0)
        ]
    return [facts.obj["metadata"]["uid"]] if len(awaited(facts)) < pods_wanted(facts) else []


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
                [field_of(facts.obj, facts.kind.lower(), field, name), *_unstarted(facts, kind)],
                f"Create the {kind}, or correct the reference.",
                f"kubectl create {what} {name} -n {facts.namespace}",
            )
        )
    return found


def _unstarted(facts: Facts, kind: str) -> list[Obj]:
    """The kubelet's attempt that came to nothing for want of it. Without its ServiceAccount no pod is made at all."""
    if kind == "ServiceAccount":
        return []
    waiting = (pod for pod in awaited(facts) if not is_ready(pod) and pod["spec"].get("nodeName"))
    pod = next(waiting, None)
    return [] if pod is None else _starting(facts, pod, "mount", "create")


def _starting(facts: Facts, pod: Obj, *stages: str) -> list[Obj]:
    said = facts.events(pod["metadata"]["uid"], "FailedMount", "Failed")[-1:]
    return [
        one
        for one in traced(facts, [*said, pod], "sync", pod, *stages)
        if one["span"]["outcome"] in ("error", "refused")
    ]


def _denied(facts: Facts) -> list[Obj]:
    """What the pods asked of the API and may not, while they are not well: told by journeys alone."""
    if not any(not is_ready(pod) for pod in awaited(facts)):
        return []
    account = facts.template.get("serviceAccountName") or "default"
    found, seen = [], set()
    for request in facts.traces.refusals(f"system:serviceaccount:{facts.namespace}:{account}"):
        what = (request["verb"], request["group"], request["resource"], request["subresource"], request["namespace"])
        if what in seen or (picked := refusing(request)) is None:
            continue
        seen.add(what)
        evidence = span_evidence(picked, f"serviceaccount/{account}")
        text = "Let its ServiceAccount do what it asks for, if that is meant; else make the program not ask."
        command = f"kubectl auth can-i {request['verb']} {_resource_of(request)} --as {request['actor']}"
        if request["namespace"]:
            command += f" -n {request['namespace']}"
        finding = finding_of("AccessDenied", request["reason"], [evidence], text, command)
        asked = {key: request[key] for key in ("verb", "group", "resource", "subresource", "namespace")}
        found.append({**finding, "request": {**asked, "account": account}})
    return found


def _resource_of(request: Obj) -> str:
    plural = f"{request['resource']}.{request['group']}" if request["group"] else str(request["resource"])
    return f"{plural} --subresource {request['subresource']}" if request["subresource"] else plural


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
