"""Which requests a policy or a webhook is about: rules, selectors, equivalent versions (apiserver/pkg/admission/plugin/webhook/predicates)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cluster.apimachinery.labels import from_selector
from cluster.apiserver.request import Attributes
from cluster.apiserver.resources.registry import Registry, Resource

Obj = dict[str, Any]
# What judges requests is not judged itself, or nobody could repair it.
EXEMPT_GROUP = "admissionregistration.k8s.io"


def _listed(wanted: Iterable[str] | None, value: str) -> bool:
    return any(one in ("*", value) for one in wanted or ())


def _resources(wanted: Iterable[str] | None, plural: str, subresource: str) -> bool:
    for one in wanted or ():
        name, _, below = one.partition("/")
        if name in ("*", plural) and (
            below == subresource or (below == "*" and (subresource or name == "*" or "/" in one))
        ):
            return True
    return False


def rule_matches(rule: Obj, attributes: Attributes, resource: Resource) -> bool:
    """One RuleWithOperations (or NamedRuleWithOperations) against a request for `resource`."""
    scope = rule.get("scope") or "*"
    if scope != "*" and (scope == "Namespaced") != resource.namespaced:
        return False
    if rule.get("resourceNames") and attributes.name not in rule["resourceNames"]:
        return False
    return (
        _listed(rule.get("operations"), attributes.operation)
        and _listed(rule.get("apiGroups"), resource.group)
        and _listed(rule.get("apiVersions"), resource.version)
        and _resources(rule.get("resources"), resource.plural, attributes.subresource)
    )


def matching_version(
    rules: Iterable[Obj] | None, policy: str, attributes: Attributes, registry: Registry
) -> Resource | None:
    """The version of the resource that the rules speak of: the request's own if they do, else (matchPolicy Equivalent) another."""
    rules = list(rules or ())
    asked = attributes.resource
    if any(rule_matches(rule, attributes, asked) for rule in rules):
        return asked
    if policy == "Exact":
        return None
    others = (one for one in registry.all() if one.storage_key == asked.storage_key and one is not asked)
    return next((one for one in others if any(rule_matches(rule, attributes, one) for rule in rules)), None)


def selects(selector: Obj | None, labels: Any) -> bool:
    """A LabelSelector, where none means everything."""
    return not selector or from_selector(selector).matches(labels)


def namespace_matches(selector: Obj | None, attributes: Attributes) -> bool:
    """The labels of the request's namespace; of the object itself for Namespaces; anything for what lives in none."""
    if not selector:
        return True
    if attributes.resource.storage_key == "namespaces":
        obj = attributes.obj or attributes.old or {}
        return selects(selector, obj.get("metadata", {}).get("labels"))
    if not attributes.resource.namespaced:
        return True
    namespace = attributes.reader.get("namespaces", "", attributes.namespace)
    return selects(selector, (namespace or {}).get("metadata", {}).get("labels"))


def object_matches(selector: Obj | None, attributes: Attributes) -> bool:
    """The labels of the new object or of the old one."""
    if not selector:
        return True
    return any(
        selects(selector, one["metadata"].get("labels")) for one in (attributes.obj, attributes.old) if one is not None
    )


def constraints_match(constraints: Obj | None, attributes: Attributes, registry: Registry) -> Resource | None:
    """MatchResources of a policy or binding; without rules every resource matches."""
    constraints = constraints or {}
    if not namespace_matches(constraints.get("namespaceSelector"), attributes):
        return None
    if not object_matches(constraints.get("objectSelector"), attributes):
        return None
    policy = constraints.get("matchPolicy") or "Equivalent"
    if matching_version(constraints.get("excludeResourceRules"), policy, attributes, registry) is not None:
        return None
    rules = constraints.get("resourceRules")
    if not rules:
        return attributes.resource
    return matching_version(rules, policy, attributes, registry)
