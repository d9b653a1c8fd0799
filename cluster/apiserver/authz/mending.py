"""What would mend a refusal: for each near miss of `explain` the smallest change that allows the request, as YAML to apply.

Pure: reads the index, changes nothing. A role that the cluster keeps by itself (defaults, aggregates) is never changed; there
the mend is a role and a binding of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from cluster.apiserver.authz.index import GROUP, Binding, RBACIndex
from cluster.apiserver.authz.rules import CompiledRule, compile_rules, resource_terms
from cluster.apiserver.request import Obj, RequestInfo, UserInfo

API_VERSION = f"{GROUP}/v1"
ACCOUNT = "system:serviceaccount:"
RULE_VERDICTS = frozenset(
    {"resource-names", "wrong-group", "misspelled-resource", "misspelled-verb", "subresource", "verb-not-granted"}
)
SUBJECT_VERDICTS = frozenset({"subject-kind", "subject-namespace", "subject-spelling"})
SCOPE_VERDICTS = frozenset({"other-namespace", "namespaced-only"})
COLLECTION_VERBS = frozenset({"list", "watch", "create", "deletecollection"})
SUGGESTIONS = 4


def mend(index: RBACIndex, user: UserInfo, info: RequestInfo, entry: Obj) -> Obj | None:
    """`{sentence, manifest}` for an entry of `explain`; None where nothing nearly fits."""
    verdict = entry["verdict"]
    binding = _binding_of(index, entry["binding"])
    if verdict in RULE_VERDICTS:
        return _mend_rule(index, info, binding, entry)
    if verdict in SUBJECT_VERDICTS:
        subjects = [*binding.subjects, subject_of(user)]
        text = f"Names {_called(subject_of(user))} in {binding.kind} {binding.name} as well."
        return _mend(text, _binding(binding.kind, binding.namespace, binding.name, binding.obj["roleRef"], subjects))
    if verdict in SCOPE_VERDICTS:
        return _mend_scope(index, info, binding, entry["subject"])
    if verdict == "missing-role":
        return _mend_missing_role(index, info, binding)
    return None


def suggestions(index: RBACIndex, user: UserInfo, info: RequestInfo) -> list[Obj]:
    """Grants that would allow it, for somebody who has nothing near: existing roles (the smallest first), then a new one."""
    subject = subject_of(user)
    wide = not info.namespace
    found = []
    for kind, name, rules in _roles_that_allow(index, info):
        at = _free(index, info.namespace, f"{_slug(subject['name'])}-{_slug(name)}")
        where = "in all namespaces" if wide else f"in namespace {info.namespace}"
        text = f"Gives {_called(subject)} the {kind} {name} {where} ({rules} rule{'s' if rules != 1 else ''})."
        found.append(_mend(text, _bind(info.namespace, at, {"apiGroup": GROUP, "kind": kind, "name": name}, [subject])))
        if len(found) == SUGGESTIONS - 1:
            break
    return [_own_grant(index, info, subject), *found]


def subject_of(user: UserInfo) -> Obj:
    """The subject that names this user."""
    parts = user.name.split(":")
    if user.name.startswith(ACCOUNT) and len(parts) == 4:
        return {"kind": "ServiceAccount", "name": parts[3], "namespace": parts[2]}
    if not user.name and user.groups:
        return {"apiGroup": GROUP, "kind": "Group", "name": user.groups[0]}
    return {"apiGroup": GROUP, "kind": "User", "name": user.name}


def needed_rule(info: RequestInfo) -> Obj:
    """The rule that allows this request and as little else as a rule can."""
    if not info.is_resource:
        return {"nonResourceURLs": [info.path], "verbs": [info.verb]}
    resource, _ = resource_terms(info.resource, info.subresource)
    rule: Obj = {"apiGroups": [info.group], "resources": [resource], "verbs": [info.verb]}
    return rule


def mended_rules(rule: Obj, info: RequestInfo) -> list[Obj]:
    """The rules to put in place of one that just misses the request."""
    if not info.is_resource:
        return [{**rule, "verbs": [*rule["verbs"], info.verb]}]
    resource, wildcard = resource_terms(info.resource, info.subresource)
    changed = dict(rule)
    compiled = CompiledRule(rule)
    if compiled.verbs is not None and info.verb not in compiled.verbs:
        lowered = [verb.lower() for verb in rule["verbs"]]
        changed["verbs"] = lowered if info.verb in lowered else [*rule["verbs"], info.verb]
    if compiled.groups is not None and info.group not in compiled.groups:
        changed["apiGroups"] = [*(rule.get("apiGroups") or ()), info.group]
    if compiled.resources is not None and resource not in compiled.resources and wildcard not in compiled.resources:
        from cluster.apiserver.authz.explain import singular

        kept = [one for one in rule.get("resources") or () if singular(one.lower()) != singular(resource)]
        changed["resources"] = [*kept, resource]
    if compiled.names and info.name not in compiled.names:
        if info.verb in COLLECTION_VERBS and not info.name:
            return [rule, needed_rule(info)]
        changed["resourceNames"] = [*(rule.get("resourceNames") or ()), info.name]
    return [changed]


def _mend_rule(index: RBACIndex, info: RequestInfo, binding: Binding, entry: Obj) -> Obj:
    role = _role_of(index, binding)
    if role is None or _kept_by_the_cluster(role):
        return _own_grant(index, info, entry["subject"])
    rules: list[Obj] = []
    for rule in role.get("rules") or ():
        rules.extend(mended_rules(rule, info) if rule == entry["rule"] else [rule])
    text = f"Changes the rule in {binding.ref_kind} {binding.ref_name}, for everybody who is bound to it."
    namespace = binding.namespace if binding.ref_kind == "Role" else ""
    return _mend(text, _role(binding.ref_kind, namespace, binding.ref_name, rules))


def _mend_scope(index: RBACIndex, info: RequestInfo, binding: Binding, subject: Obj) -> Obj:
    """The same grant where the request is: in its namespace, or for the whole cluster."""
    documents = []
    kind, name = binding.ref_kind, binding.ref_name
    subject = _at_home(subject, binding)
    if kind == "Role":
        # A Role is known in its own namespace only: take its rules along.
        rules = index.role_rules(binding.namespace, "Role", name) or []
        kind = "Role" if info.namespace else "ClusterRole"
        taken = index.role_rules(info.namespace, kind, name) is not None
        name = f"{name}-from-{binding.namespace}" if taken else name
        documents.append(_role(kind, info.namespace, name, rules))
    at = _free(index, info.namespace, binding.name)
    reference = {"apiGroup": GROUP, "kind": kind, "name": name}
    documents.append(_bind(info.namespace, at, reference, [subject]))
    where = f"in namespace {info.namespace}" if info.namespace else "for the whole cluster"
    text = f"Gives {_called(subject)} the same role {where}."
    if not info.namespace:
        text += " That is a lot: it holds in every namespace."
    return _mend(text, *documents)


def _mend_missing_role(index: RBACIndex, info: RequestInfo, binding: Binding) -> Obj:
    other = "ClusterRole" if binding.ref_kind == "Role" else "Role"
    rules = index.role_rules(binding.namespace, other, binding.ref_name) if binding.namespace else None
    if rules is not None and any(rule.allows(info) for rule in compile_rules(rules)):
        at = _free(index, binding.namespace, f"{binding.name}-{other.lower()}")
        text = f"There is a {other} of that name; a roleRef cannot be changed, so this is a binding of its own."
        reference = {"apiGroup": GROUP, "kind": other, "name": binding.ref_name}
        subjects = [_at_home(subject, binding) for subject in binding.subjects]
        return _mend(text, _bind(binding.namespace, at, reference, subjects))
    namespace = binding.namespace if binding.ref_kind == "Role" else ""
    text = f"Makes the {binding.ref_kind} {binding.ref_name} that the binding refers to."
    return _mend(text, _role(binding.ref_kind, namespace, binding.ref_name, [needed_rule(info)]))


def _own_grant(index: RBACIndex, info: RequestInfo, subject: Obj) -> Obj:
    """A role with just what is needed, and a binding to it."""
    kind = "Role" if info.namespace else "ClusterRole"
    what = info.resource if info.is_resource else "path"
    name = f"{_slug(subject['name'])}-{info.verb}-{what}{'-' + info.subresource if info.subresource else ''}"
    while index.role_rules(info.namespace, kind, name) is not None:
        name += "-2"
    at = _free(index, info.namespace, name)
    text = f"A new {kind} with just this permission, bound to {_called(subject)}."
    return _mend(
        text,
        _role(kind, info.namespace, name, [needed_rule(info)]),
        _bind(info.namespace, at, {"apiGroup": GROUP, "kind": kind, "name": name}, [subject]),
    )


def _roles_that_allow(index: RBACIndex, info: RequestInfo) -> Iterator[tuple[str, str, int]]:
    """(kind, name, number of rules), the fewest rules first; the cluster's own components' roles are not for people."""
    candidates = [("Role", name) for namespace, name in index.roles if namespace and namespace == info.namespace]
    candidates += [("ClusterRole", name) for name in index.cluster_roles if not name.startswith("system:")]
    found = []
    for kind, name in candidates:
        rules = index.role_rules(info.namespace, kind, name) or []
        if any(rule.allows(info) for rule in compile_rules(rules)):
            everything = any("*" in rule.get(key, ()) for rule in rules for key in ("verbs", "resources"))
            found.append((everything, len(rules), kind, name))
    for _, count, kind, name in sorted(found):
        yield kind, name, count


def _binding_of(index: RBACIndex, title: str) -> Binding:
    _, _, place = title.partition("/")
    namespace, _, name = place.rpartition("/") if title.startswith("RoleBinding/") else ("", "", place)
    return index.bindings[(namespace, name)]


def _role_of(index: RBACIndex, binding: Binding) -> Obj | None:
    if binding.ref_kind == "ClusterRole":
        return index.cluster_roles.get(binding.ref_name)
    return index.roles.get((binding.namespace, binding.ref_name))


def _kept_by_the_cluster(role: Obj) -> bool:
    labels = role["metadata"].get("labels") or {}
    return bool(role.get("aggregationRule")) or labels.get("kubernetes.io/bootstrapping") == "rbac-defaults"


def _at_home(subject: Obj, binding: Binding) -> Obj:
    """A ServiceAccount's namespace said aloud, since the new binding may stand elsewhere."""
    if subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
        return {**subject, "namespace": binding.namespace}
    return subject


def _free(index: RBACIndex, namespace: str, name: str) -> str:
    while (namespace, name) in index.bindings:
        name += "-2"
    return name


def _slug(name: str) -> str:
    return name.replace(":", "-").replace("/", "-").replace("%", "-")


def _called(subject: Obj) -> str:
    return f"{subject['kind']} {subject['name']}"


def _bind(namespace: str, name: str, reference: Obj, subjects: list[Obj]) -> Obj:
    return _binding("RoleBinding" if namespace else "ClusterRoleBinding", namespace, name, reference, subjects)


def _binding(kind: str, namespace: str, name: str, reference: Obj, subjects: list[Obj]) -> Obj:
    return {**_head(kind, namespace, name), "roleRef": reference, "subjects": subjects}


def _role(kind: str, namespace: str, name: str, rules: list[Obj]) -> Obj:
    return {**_head(kind, namespace, name), "rules": rules}


def _head(kind: str, namespace: str, name: str) -> Obj:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata}


class _Plain(yaml.SafeDumper):
    """Without anchors: people read this."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _mend(sentence: str, *documents: Obj) -> Obj:
    text = yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, explicit_start=False, width=120)
    return {"sentence": sentence, "manifest": text}
