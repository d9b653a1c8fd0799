"""Admission policies and their bindings as objects: defaults and rules (apis/admissionregistration/validation)."""

from __future__ import annotations

from typing import Any

from cluster.apimachinery.cel import compile_expression
from cluster.apimachinery.cel.types import BOOL, DYN, STRING
from cluster.apimachinery.errors import duplicate, invalid_value, not_supported, required
from cluster.apiserver.admission.dynamic.expressions import scope
from cluster.apiserver.admission.dynamic.mutations import OBJECT, PATCHES
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.admissionrules import (
    IDENTIFIER,
    MATCHING,
    POLICIES,
    check_conditions,
    check_rule,
    choice,
    compiles,
)
from cluster.apiserver.strategies.base import Strategy
from cluster.apiserver.strategies.metadata import Found, check_selector

Obj = dict[str, Any]


def _default_matching(resources: Obj | None) -> None:
    if resources is None:
        return
    resources.setdefault("matchPolicy", "Equivalent")
    resources.setdefault("namespaceSelector", {})
    resources.setdefault("objectSelector", {})
    for field in ("resourceRules", "excludeResourceRules"):
        for rule in resources.get(field) or ():
            rule.setdefault("scope", "*")


def _check_matching(resources: Obj, path: str) -> Found:
    found: Found = []
    for field in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(resources.get(field) or ()):
            found.extend(check_rule(rule, f"{path}.{field}[{index}]"))
    for field in ("namespaceSelector", "objectSelector"):
        if resources.get(field):
            found.extend(check_selector(resources[field], f"{path}.{field}"))
    found.extend(choice(resources, "matchPolicy", path, MATCHING))
    return found


class PolicyStrategy(Strategy):
    """ValidatingAdmissionPolicy."""

    namespaced = False
    has_status = True
    has_generation = True
    mutates = False

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("failurePolicy", "Fail")
        _default_matching(spec.get("matchConstraints"))

    def check(self, obj: Obj) -> Found:
        spec = obj.get("spec") or {}
        found = choice(spec, "failurePolicy", "spec", POLICIES)
        kind = spec.get("paramKind")
        if kind is not None:
            if not kind.get("apiVersion"):
                found.append(required("spec.paramKind.apiVersion"))
            if not kind.get("kind"):
                found.append(required("spec.paramKind.kind"))
        constraints = spec.get("matchConstraints")
        if constraints is None:
            found.append(required("spec.matchConstraints"))
        else:
            found.extend(_check_matching(constraints, "spec.matchConstraints"))
            if not constraints.get("resourceRules"):
                found.append(required("spec.matchConstraints.resourceRules"))
        found.extend(check_conditions(spec.get("matchConditions"), "spec.matchConditions"))
        inner = self._variables(obj, found)
        if inner is not None:
            self._expressions(spec, inner, found)
        return found

    def _variables(self, obj: Obj, found: Found) -> Any:
        """The scope after all variables; None when one of them is wrong."""
        spec = obj.get("spec") or {}
        types: dict[str, Any] = {}
        parameterized = spec.get("paramKind") is not None
        before = len(found)
        for index, one in enumerate(spec.get("variables") or ()):
            path, name = f"spec.variables[{index}]", one.get("name") or ""
            if not IDENTIFIER.match(name):
                found.append(
                    invalid_value(f"{path}.name", name, "name is not a valid CEL identifier")
                    if name
                    else required(f"{path}.name")
                )
                continue
            if name in types:
                found.append(duplicate(f"{path}.name", name))
            if not (one.get("expression") or "").strip():
                found.append(required(f"{path}.expression"))
                continue
            inner = scope(params=parameterized, variables=types, mutates=self.mutates)
            wrong = compiles(one["expression"], f"{path}.expression", inner)
            found.extend(wrong)
            if not wrong:
                types = {**types, name: compile_expression(one["expression"], inner).type}
        if len(found) > before:
            return None
        return scope(params=parameterized, variables=types, mutates=self.mutates)

    def _expressions(self, spec: Obj, inner: Any, found: Found) -> None:
        if not spec.get("validations") and not spec.get("auditAnnotations"):
            found.append(required("spec.validations", "validations or auditAnnotations must be non-empty"))
            found.append(required("spec.auditAnnotations", "validations or auditAnnotations must be non-empty"))
        for index, one in enumerate(spec.get("validations") or ()):
            path = f"spec.validations[{index}]"
            if not (one.get("expression") or "").strip():
                found.append(required(f"{path}.expression", "expression is not specified"))
                continue
            found.extend(compiles(one["expression"], f"{path}.expression", inner, BOOL))
            if one.get("messageExpression"):
                found.extend(compiles(one["messageExpression"], f"{path}.messageExpression", inner, STRING))
            message = one.get("message")
            if message is not None and not message.strip():
                found.append(invalid_value(f"{path}.message", message, "message must be non-empty if specified"))
            elif message and "\n" in message.strip():
                found.append(invalid_value(f"{path}.message", message, "message must not contain line breaks"))
            elif "\n" in one["expression"].strip() and not message:
                found.append(
                    required(f"{path}.message", "message must be specified if expression contains line breaks")
                )
            allowed = ("Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge")
            found.extend(choice(one, "reason", path, allowed))
        for index, one in enumerate(spec.get("auditAnnotations") or ()):
            path = f"spec.auditAnnotations[{index}]"
            if not one.get("key"):
                found.append(required(f"{path}.key"))
            if not (one.get("valueExpression") or "").strip():
                found.append(required(f"{path}.valueExpression", "valueExpression is not specified"))
            else:
                found.extend(compiles(one["valueExpression"], f"{path}.valueExpression", inner, STRING, DYN))


class MutatingPolicyStrategy(PolicyStrategy):
    """MutatingAdmissionPolicy."""

    has_status = False
    mutates = True

    def _expressions(self, spec: Obj, inner: Any, found: Found) -> None:
        if not spec.get("reinvocationPolicy"):
            found.append(required("spec.reinvocationPolicy"))
        found.extend(choice(spec, "reinvocationPolicy", "spec", ("IfNeeded", "Never")))
        if not spec.get("mutations"):
            found.append(required("spec.mutations", "mutations must contain at least one item"))
        for index, one in enumerate(spec.get("mutations") or ()):
            path, kind = f"spec.mutations[{index}]", one.get("patchType") or ""
            field = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}.get(kind)
            if field is None:
                allowed = ("ApplyConfiguration", "JSONPatch")
                found.append(
                    not_supported(f"{path}.patchType", kind, allowed) if kind else required(f"{path}.patchType")
                )
                continue
            source = ((one.get(field) or {}).get("expression") or "").strip()
            if not source:
                found.append(required(f"{path}.{field}.expression", "expression is not specified"))
                continue
            wanted = PATCHES if kind == "JSONPatch" else OBJECT
            found.extend(compiles(source, f"{path}.{field}.expression", inner, wanted))


class BindingStrategy(Strategy):
    """ValidatingAdmissionPolicyBinding."""

    namespaced = False
    has_generation = True
    acts = True

    def default(self, obj: Obj) -> None:
        _default_matching((obj.get("spec") or {}).get("matchResources"))

    def check(self, obj: Obj) -> Found:
        spec = obj.get("spec") or {}
        found: Found = []
        name = spec.get("policyName") or ""
        if not name:
            found.append(required("spec.policyName"))
        elif names.subdomain(name):
            found.append(invalid_value("spec.policyName", name, names.subdomain(name)))
        reference = spec.get("paramRef")
        if reference is not None:
            if bool(reference.get("name")) == (reference.get("selector") is not None):
                found.append(required("spec.paramRef.name", "one of name or selector must be specified"))
            action = reference.get("parameterNotFoundAction")
            if not action:
                found.append(required("spec.paramRef.parameterNotFoundAction"))
            else:
                found.extend(choice(reference, "parameterNotFoundAction", "spec.paramRef", ("Allow", "Deny")))
        if spec.get("matchResources"):
            found.extend(_check_matching(spec["matchResources"], "spec.matchResources"))
        if self.acts:
            found.extend(_check_actions(spec.get("validationActions") or []))
        return found


def _check_actions(actions: list[str]) -> Found:
    path, allowed = "spec.validationActions", ("Audit", "Deny", "Warn")
    if not actions:
        return [required(path, "at least one validation action is required")]
    found = [not_supported(f"{path}[{index}]", one, allowed) for index, one in enumerate(actions) if one not in allowed]
    found.extend(duplicate(f"{path}[{index}]", one) for index, one in enumerate(actions) if one in actions[:index])
    if {"Deny", "Warn"} <= set(actions):
        found.append(
            invalid_value(
                path,
                actions,
                "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)",
            )
        )
    return found


class MutatingBindingStrategy(BindingStrategy):
    """MutatingAdmissionPolicyBinding."""

    acts = False
