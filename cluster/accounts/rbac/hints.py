"""What looks wrong before it is saved: subjects nobody is, resources nobody serves. Pure; the facts are handed in."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Obj = Mapping[str, Any]


def close(word: str, known: Iterable[str]) -> str:
    """What was probably meant; empty when nothing is near."""
    lowered = {one.lower(): one for one in known}
    found = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.75)
    return lowered[found[0]] if found else ""


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    near = close(word, known)
    return f" Did you mean {near}?" if near and near != word else ""


def of_role(role: Obj, catalogue: Sequence[Obj]) -> list[dict[str, str]]:
    """Per rule: resources and verbs that the API does not serve in the groups that the rule names."""
    served: dict[str, dict[str, Obj]] = {}
    for entry in catalogue:
        served.setdefault(entry["group"], {})[entry["resource"]] = entry
    found: list[dict[str, str]] = []
    rules = role.get("rules")
    for position, rule in enumerate(rules if isinstance(rules, list) else []):
        if isinstance(rule, dict):
            found += _of_rule(rule, f"rules[{position}]", served)
    return found


def _of_rule(rule: Obj, field: str, served: Mapping[str, Mapping[str, Obj]]) -> list[dict[str, str]]:
    groups, resources, verbs = (
        [one for one in rule.get(key) or [] if isinstance(one, str)] for key in ("apiGroups", "resources", "verbs")
    )
    found = [
        {"field": f"{field}.apiGroups", "message": f'No API group "{group}" is served.{_did_you_mean(group, served)}'}
        for group in groups
        if group != "*" and group not in served
    ]
    wanted = served if "*" in groups else {group: served[group] for group in groups if group in served}
    everywhere = [resource for entries in served.values() for resource in entries]
    offered: set[str] = set()
    for resource in resources:
        entries = [entries[resource] for entries in wanted.values() if resource in entries]
        offered.update(verb for entry in entries for verb in entry["verbs"])
        if entries or "*" in resource or not wanted:
            offered.update(("*",) if "*" in resource else ())
            continue
        homes = [group or 'core ("")' for group, entries in served.items() if resource in entries]
        if homes:
            text = f"{resource} are in API group {homes[0]}, which this rule does not name."
        else:
            text = f"The API serves no resource {resource}.{_did_you_mean(resource, everywhere)}"
        found.append({"field": f"{field}.resources", "message": text})
    known = {verb for entries in served.values() for entry in entries.values() for verb in entry["verbs"]}
    for verb in verbs:
        if verb != "*" and verb not in known and resources:
            text = f"No resource has a verb {verb}.{_did_you_mean(verb, known)}"
            found.append({"field": f"{field}.verbs", "message": text})
        elif verb != "*" and offered and "*" not in offered and verb not in offered:
            found.append({"field": f"{field}.verbs", "message": f"None of these resources has the verb {verb}."})
    if rule.get("resourceNames") and {"list", "watch", "create", "deletecollection"} & set(verbs):
        text = "A list, watch or create names no object, so resourceNames keep this rule from ever allowing it."
        found.append({"field": f"{field}.resourceNames", "message": text})
    return found


def of_binding(
    binding: Obj,
    users: Sequence[str] | None,
    groups: Sequence[str] | None,
    accounts: Mapping[str, Sequence[str]],
    roles: Obj,
) -> list[dict[str, str]]:
    """Subjects that nobody is, and a role that is not there. `users`, `groups`: None where the person may not know them.

    `accounts`: namespace → its service accounts, for the namespaces that could be listed. `roles` as `requests.choices`.
    """
    found: list[dict[str, str]] = []
    reference = binding.get("roleRef")
    if isinstance(reference, dict) and reference.get("name"):
        known = roles["roles"] if reference.get("kind") == "Role" else roles["clusterRoles"]
        if known and reference["name"] not in known:
            text = f"There is no {reference.get('kind')} {reference['name']}; until there is, this grants nothing."
            found.append({"field": "roleRef.name", "message": text + _did_you_mean(str(reference["name"]), known)})
    subjects = binding.get("subjects")
    for position, subject in enumerate(subjects if isinstance(subjects, list) else []):
        if isinstance(subject, dict) and isinstance(subject.get("name"), str) and subject["name"]:
            text = _of_subject(subject, users, groups, accounts)
            if text:
                found.append({"field": f"subjects[{position}].name", "message": text})
    return found


def of_account(account: Obj, secrets: Sequence[str]) -> list[dict[str, str]]:
    """Secrets that are not there. `secrets`: those of its namespace; none where the person may not know them."""
    found: list[dict[str, str]] = []
    for field in ("imagePullSecrets", "secrets"):
        references = account.get(field)
        for one in references if secrets and isinstance(references, list) else ():
            name = one.get("name") if isinstance(one, dict) else None
            if isinstance(name, str) and name not in secrets:
                text = f"There is no Secret {name} in this namespace yet.{_did_you_mean(name, secrets)}"
                found.append({"field": field, "message": text})
    return found


def _of_subject(
    subject: Obj, users: Sequence[str] | None, groups: Sequence[str] | None, accounts: Mapping[str, Sequence[str]]
) -> str:
    name, kind = subject["name"], subject.get("kind")
    if kind == "ServiceAccount":
        known = accounts.get(subject.get("namespace") or "")
        if known and name not in known:
            text = f"There is no ServiceAccount {name} in {subject['namespace']} yet."
            return text + _did_you_mean(name, known)
        return ""
    if name.startswith("system:"):
        if kind == "User" and name.startswith("system:serviceaccount:"):
            return "This is a ServiceAccount's user name; kind ServiceAccount with its namespace says it plainly."
        return ""
    same, other = (users, groups) if kind == "User" else (groups, users)
    if same is None or name in same:
        return ""
    if other is not None and name in other:
        return f"{name} is a {'Group' if kind == 'User' else 'User'}, not a {kind}."
    return f"No {str(kind).lower()} {name} is known here.{_did_you_mean(name, same)}"
