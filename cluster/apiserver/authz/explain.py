"""Why was it refused: the bindings that were considered, and the ones that nearly would have allowed it.

Looks at the bindings whose subjects are called like the user, on a refusal or when somebody asks. Every entry has a `verdict` (a
word for programs), a `sentence` (for people), and the binding, role, subject and rule it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cluster.apiserver.authz.index import Binding, RBACIndex
from cluster.apiserver.authz.rules import CompiledRule, resource_terms
from cluster.apiserver.request import Obj, RequestInfo, UserInfo

LIMIT = 20
# Names that a sentence tells before it says how many more there are.
FEW = 8
# Most telling first.
ORDER = (
    "allows",
    "missing-role",
    "other-namespace",
    "namespaced-only",
    "resource-names",
    "wrong-group",
    "misspelled-resource",
    "misspelled-verb",
    "subresource",
    "verb-not-granted",
    "subject-kind",
    "subject-namespace",
    "subject-spelling",
    "no-matching-rule",
)
# What was considered but came nowhere near, or was no miss at all.
NO_MISS = frozenset({"allows", "no-matching-rule"})
_COLLECTION_VERBS = ("list", "watch", "create", "deletecollection")


def explain(index: RBACIndex, user: UserInfo, info: RequestInfo, limit: int = LIMIT, *, within: str = "") -> list[Obj]:
    """What was considered for this request and what nearly fits, most telling first.

    `within`: the one namespace whose bindings may be told, besides the cluster's; none: of every namespace.
    """
    found: list[Obj] = []
    for binding in index.bindings_near(user):
        if within and binding.namespace not in ("", within):
            continue
        subject = binding.subject_for(user)
        if subject is not None:
            found.append(_applies(index, binding, subject, info))
        else:
            found.extend(_near_subjects(index, binding, user, info))
    kept = [entry for entry in found if entry]
    kept.sort(key=lambda entry: ORDER.index(entry["verdict"]))
    return kept[:limit]


def misses(entries: Iterable[Obj]) -> list[Obj]:
    """Of the entries of `explain`, in the same order, those that nearly allowed the request."""
    return [entry for entry in entries if entry["verdict"] not in NO_MISS]


def _applies(index: RBACIndex, binding: Binding, subject: Obj, info: RequestInfo) -> Obj:
    """A binding that names the user: does it reach this request, and if not, why not?"""
    rules = index.rules_of(binding)
    in_scope = not binding.namespace or binding.namespace == info.namespace
    title = f"{binding.kind} {binding.name}"
    if rules is None:
        if not in_scope:
            return {}
        where = f" in namespace {binding.namespace}" if binding.ref_kind == "Role" else ""
        text = f"{title} refers to {binding.ref_kind} {binding.ref_name}, which does not exist{where}."
        return _entry("missing-role", text, binding, subject)
    rule = next((rule for rule in rules if rule.allows(info)), None)
    if rule is not None:
        if in_scope:
            return _entry("allows", f"{title} allows it.", binding, subject, rule)
        if not info.is_resource:
            text = f"{title} would allow it, but a RoleBinding grants nothing on paths; a ClusterRoleBinding would."
            return _entry("namespaced-only", text, binding, subject, rule)
        if info.namespace:
            text = f"{title} would allow it, but it is in namespace {binding.namespace}, not {info.namespace}."
            return _entry("other-namespace", text, binding, subject, rule)
        text = (
            f"{title} allows it inside namespace {binding.namespace} only; "
            "this request is at the cluster scope (all namespaces)."
        )
        return _entry("namespaced-only", text, binding, subject, rule)
    if not in_scope:
        return {}
    misses = [miss for rule in rules for miss in _near_rule(rule, info)]
    if not misses:
        text = f"{title} applies, but no rule of {binding.ref_kind} {binding.ref_name} is about this."
        return _entry("no-matching-rule", text, binding, subject)
    verdict, sentence, rule = min(misses, key=lambda miss: ORDER.index(miss[0]))
    return _entry(verdict, f"{title}: {sentence}", binding, subject, rule)


def _near_rule(rule: CompiledRule, info: RequestInfo) -> Iterator[tuple[str, str, CompiledRule]]:
    """How one rule just misses the request."""
    if not info.is_resource:
        if rule.source.get("nonResourceURLs") and CompiledRule({**rule.source, "verbs": ["*"]}).matches_path(
            info.verb, info.path
        ):
            yield "verb-not-granted", f"its rule on {info.path} grants {_verbs(rule)}, not {info.verb}.", rule
        return
    resource, wildcard = resource_terms(info.resource, info.subresource)
    verb = rule.verbs is None or info.verb in rule.verbs
    group = rule.groups is None or info.group in rule.groups
    named = rule.resources is None or resource in rule.resources or (wildcard != "" and wildcard in rule.resources)
    if verb and group and named:
        names = _few(sorted(rule.names))
        if info.verb in _COLLECTION_VERBS and not info.name:
            text = (
                f"its rule is limited to resourceNames {names}, and a {info.verb} request names no object, "
                "so such a rule cannot allow it."
            )
        else:
            text = f'its rule is limited to resourceNames {names}; the request is for "{info.name}".'
        yield "resource-names", text, rule
    elif verb and named:
        groups = _few(f'"{one}"' for one in sorted(rule.groups or ()))
        yield (
            "wrong-group",
            f'its rule names API group {groups}, but the request is for {info.resource} of "{info.group}".',
            rule,
        )
    elif verb and group:
        yield from _near_resource(rule, info, resource)
    elif group and named:
        lowered = {one.lower() for one in rule.verbs or ()}
        if info.verb in lowered:
            text = f"its verbs {_verbs(rule)} are not in lower case; the request's verb is {info.verb}."
            yield "misspelled-verb", text, rule
        else:
            yield "verb-not-granted", f"its rule on {resource} grants {_verbs(rule)}, not {info.verb}.", rule


def _near_resource(rule: CompiledRule, info: RequestInfo, resource: str) -> Iterator[tuple[str, str, CompiledRule]]:
    for one in sorted(rule.resources or ()):
        if singular(one.lower()) == singular(resource):
            text = f'its rule says "{one}", but the resource is called "{resource}".'
            yield "misspelled-resource", text, rule
        elif info.subresource and one == info.resource:
            text = f'its rule covers "{one}", but a subresource must be named itself: "{resource}".'
            yield "subresource", text, rule
        elif not info.subresource and one.partition("/")[0] == info.resource:
            yield "subresource", f'its rule covers "{one}" only, not "{resource}".', rule


def _near_subjects(index: RBACIndex, binding: Binding, user: UserInfo, info: RequestInfo) -> Iterator[Obj]:
    """A binding that would allow the request, were its subject this user: only almost so."""
    if binding.namespace and binding.namespace != info.namespace:
        return
    near = [(subject, found) for subject in binding.subjects if (found := _near_subject(binding, subject, user))]
    if not near:
        return
    rule = next((rule for rule in index.rules_of(binding) or () if rule.allows(info)), None)
    if rule is not None:
        for subject, (verdict, sentence) in near:
            yield _entry(verdict, f"{binding.kind} {binding.name} {sentence}", binding, subject, rule)


def _near_subject(binding: Binding, subject: Obj, user: UserInfo) -> tuple[str, str] | None:
    """How a subject that is not this user nearly is."""
    account = user.name.split(":") if user.name.startswith("system:serviceaccount:") else []
    home, short = (account[2], account[3]) if len(account) == 4 else ("", "")
    kind, name = subject.get("kind", ""), subject.get("name", "")
    if kind == "ServiceAccount" and short and short == name:
        said = subject.get("namespace") or binding.namespace or "none"
        return "subject-namespace", f"names ServiceAccount {name} of namespace {said}; this one is of namespace {home}."
    if kind != "User" and name and name in (user.name, short):
        actual = "ServiceAccount" if short else "User"
        return "subject-kind", f"names the {kind} {name}; the requester is the {actual} {name}."
    if kind == "User" and (name in user.groups or (short and name in (short, f"{home}:{short}"))):
        actual = "ServiceAccount" if short else "Group"
        return "subject-kind", f"names the User {name}; {name} is a {actual}."
    lowered = name.lower()
    if lowered == user.name.lower() or any(lowered == group.lower() for group in user.groups):
        return (
            "subject-spelling",
            f'names {kind} "{name}": names are compared letter by letter, upper and lower case differ.',
        )
    return None


def singular(word: str) -> str:
    """Near enough to see that `pod`, `Pods` and `pods` mean the same."""
    word, slash, rest = word.partition("/")
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "ches")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    return word + slash + rest


def _verbs(rule: CompiledRule) -> str:
    return _few(rule.source.get("verbs") or ()) or "nothing"


def _few(words: Iterable[str]) -> str:
    """`a, b and 3 more`: a sentence stays one, however long the rule is."""
    known = list(words)
    told = ", ".join(known[:FEW])
    return f"{told} and {len(known) - FEW} more" if len(known) > FEW else told


def _entry(verdict: str, sentence: str, binding: Binding, subject: Obj, rule: CompiledRule | None = None) -> Obj:
    return {
        "verdict": verdict,
        "sentence": sentence,
        "binding": binding.title,
        "role": binding.role_title,
        "subject": subject,
        "rule": rule.source if rule is not None else None,
    }
