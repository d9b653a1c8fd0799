"""BindingPreview: what would each subject gain from this binding, and may whoever asks make it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.apimachinery import errors
from cluster.apimachinery.errors import StatusError
from cluster.apiserver.authz.index import GROUP
from cluster.apiserver.authz.questions.matrix import Grant, Line, cell, grants_of, lines, reaching
from cluster.apiserver.authz.questions.subjects import of_subject, require_reviews
from cluster.apiserver.authz.rbac import forbidden
from cluster.apiserver.authz.rules import CompiledRule, compact, compile_rules, missing_rights, resource_terms
from cluster.apiserver.request import Obj, RequestInfo, UserInfo

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

NAME = "preview"


async def answer(server: APIServer, user: UserInfo, spec: Obj) -> Obj:
    """The status."""
    namespace, reference = spec.get("namespace") or "", spec.get("roleRef") or {}
    subjects: list[Obj] = spec.get("subjects") or []
    _check(namespace, reference, subjects)
    message = _refusal(server, user, namespace, reference, subjects)
    if message:
        # Whoever may not make the binding learns what it would do only when they may ask about others.
        require_reviews(server, user, namespace)
    rules = server.authorizer.index.role_rules(namespace, reference["kind"], reference["name"])
    status: Obj = {"allowed": not message, "roleExists": rules is not None, "rules": rules or []}
    if message:
        status["message"] = message
    compiled = compile_rules(rules)
    status["subjects"] = [await _subject(server, subject, namespace, rules or [], compiled) for subject in subjects]
    return status


def _check(namespace: str, reference: Obj, subjects: list[Obj]) -> None:
    found = []
    kinds = ("ClusterRole", "Role") if namespace else ("ClusterRole",)
    if reference.get("kind") not in kinds:
        found.append(errors.not_supported("spec.roleRef.kind", reference.get("kind"), kinds))
    if not reference.get("name"):
        found.append(errors.required("spec.roleRef.name"))
    for position, subject in enumerate(subjects):
        path = f"spec.subjects[{position}]"
        if subject.get("kind") not in ("User", "Group", "ServiceAccount"):
            supported = ("Group", "ServiceAccount", "User")
            found.append(errors.not_supported(f"{path}.kind", subject.get("kind"), supported))
        if not subject.get("name"):
            found.append(errors.required(f"{path}.name"))
        if subject.get("kind") == "ServiceAccount" and not (subject.get("namespace") or namespace):
            found.append(errors.required(f"{path}.namespace"))
    if found:
        raise errors.invalid("BindingPreview", "sim.kubeweb.dev", "", found)


def _refusal(server: APIServer, user: UserInfo, namespace: str, reference: Obj, subjects: list[Obj]) -> str:
    """What the API server would say to whoever asks, were the binding made; empty when it would make it."""
    kind, plural = ("RoleBinding", "rolebindings") if namespace else ("ClusterRoleBinding", "clusterrolebindings")
    info = RequestInfo("", "create", True, GROUP, "v1", namespace=namespace, resource=plural)
    decision = server.authorizer.authorize(user, info)
    if not decision.allowed:
        return forbidden(user, info, decision).message
    metadata = {"name": NAME, **({"namespace": namespace} if namespace else {})}
    binding = {"kind": kind, "metadata": metadata, "roleRef": reference, "subjects": subjects}
    try:
        server.authorizer.check_escalation(user, binding)
    except StatusError as error:
        return error.message
    return ""


async def _subject(
    server: APIServer, subject: Obj, namespace: str, rules: list[Obj], compiled: tuple[CompiledRule, ...]
) -> Obj:
    who = await of_subject(subject, namespace)
    held, _ = grants_of(server.authorizer.index, who, namespace)
    new = [Grant(rule, {}) for rule in compiled]
    gains = [gain for line in lines(server.registry) if (gain := _gain(line, held, new, bool(namespace)))]
    everything = any(grant.rule is None for grant in held)
    owned = [grant.rule.source for grant in held if grant.rule is not None]
    missing = [] if everything else compact(missing_rights(owned, rules))
    gains += [
        {"path": rule["nonResourceURLs"][0], "verbs": rule["verbs"]} for rule in missing if _on_path(rule, namespace)
    ]
    named: Obj = {"kind": subject["kind"], "name": subject["name"]}
    if subject["kind"] == "ServiceAccount":
        named["namespace"] = subject.get("namespace") or namespace
    return {**named, "gains": gains, "rules": missing}


def _on_path(rule: Obj, namespace: str) -> bool:
    # A RoleBinding grants nothing on paths.
    return "nonResourceURLs" in rule and not namespace


def _gain(line: Line, held: list[Grant], new: list[Grant], inside: bool) -> Obj | None:
    """The verbs on one resource that are allowed after, not before. A RoleBinding reaches only what lives in namespaces."""
    coming = reaching(line, new)
    if not coming or (inside and not line.namespaced):
        return None
    present = reaching(line, held)
    verbs: list[str] = []
    names: set[str] = set()
    for verb in line.verbs:
        before, after = cell(verb, present), cell(verb, coming)
        if before["allowed"]:
            continue
        gained = set(after.get("names") or ()) - set(before.get("names") or ())
        if after["allowed"] or gained:
            verbs.append(verb)
            names |= gained
    if not verbs:
        return None
    result: Obj = {"group": line.group, "resource": resource_terms(line.resource, line.subresource)[0], "verbs": verbs}
    return {**result, "names": sorted(names)} if names else result
