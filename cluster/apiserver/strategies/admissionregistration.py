"""Webhook configurations and admission policies as objects: defaults and rules (apis/admissionregistration/validation)."""

from __future__ import annotations

import re
from typing import Any

from cluster.apimachinery.cel import CompileError, WrongType, compile_expression
from cluster.apimachinery.cel.types import BOOL, DYN, STRING
from cluster.apimachinery.errors import duplicate, invalid_value, not_supported, required
from cluster.apiserver.admission.dynamic.expressions import scope
from cluster.apiserver.admission.dynamic.mutations import OBJECT, PATCHES
from cluster.apiserver.strategies import names
from cluster.apiserver.strategies.base import Strategy
from cluster.apiserver.strategies.metadata import Found, check_selector

Obj = dict[str, Any]
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_POLICIES = ("Fail", "Ignore")
_MATCHING = ("Equivalent", "Exact")
_IDENTIFIER = re.compile(r"^[_a-zA-Z][_a-zA-Z0-9]*$")


def _choice(obj: Obj, field: str, path: str, allowed: tuple[str, ...]) -> Found:
    value = obj.get(field)
    if value is None or value in allowed:
        return []
    return [not_supported(f"{path}.{field}", value, allowed)]


def _check_rule(rule: Obj, path: str) -> Found:
    found: Found = []
    for field in ("operations", "apiGroups", "apiVersions", "resources"):
        values = rule.get(field) or []
        if not values:
            found.append(required(f"{path}.{field}"))
        elif "*" in values and len(values) > 1 and field != "resources":
            subject = {"operations": "operation", "apiGroups": "group", "apiVersions": "version"}[field]
            found.append(
                invalid_value(f"{path}.{field}", values, f"if '*' is present, must not specify other {subject}s")
            )
    for index, value in enumerate(rule.get("apiVersions") or ()):
        if not value:
            found.append(required(f"{path}.apiVersions[{index}]"))
    for index, value in enumerate(rule.get("operations") or ()):
        if value not in _OPERATIONS:
            found.append(not_supported(f"{path}.operations[{index}]", value, _OPERATIONS))
    found.extend(_choice(rule, "scope", path, _SCOPES))
    return found


def _check_conditions(conditions: Any, path: str) -> Found:
    found: Found = []
    seen: set[str] = set()
    for index, one in enumerate(conditions or ()):
        where, name = f"{path}[{index}]", one.get("name") or ""
        if not name:
            found.append(required(f"{where}.name"))
        elif names.qualified(name):
            found.append(invalid_value(f"{where}.name", name, names.qualified(name)))
        elif name in seen:
            found.append(duplicate(f"{where}.name", name))
        seen.add(name)
        if not (one.get("expression") or "").strip():
            found.append(required(f"{where}.expression"))
            continue
        found.extend(_compiles(one["expression"], f"{where}.expression", scope(), BOOL))
    if len(conditions or ()) > 64:
        found.append(invalid_value(path, len(conditions), "must have at most 64 items"))
    return found


def _compiles(source: str, path: str, inner: Any, *wanted: Any) -> Found:
    try:
        compile_expression(source, inner, wanted=wanted)
    except WrongType:
        shown = " or ".join("null" if one is DYN else str(one) for one in wanted)
        return [invalid_value(path, source, f"must evaluate to {shown}")]
    except CompileError as error:
        return [invalid_value(path, source, f"compilation failed: {error}")]
    return []


# -- webhooks ----------------------------------------------------------------------------------------------------------


class WebhookConfigurationStrategy(Strategy):
    """ValidatingWebhookConfiguration."""

    namespaced = False
    has_generation = True
    mutates = False

    def wanted(self, obj: Obj) -> Any:
        return obj.get("webhooks")

    def default(self, obj: Obj) -> None:
        for hook in obj.get("webhooks") or ():
            hook.setdefault("failurePolicy", "Fail")
            hook.setdefault("matchPolicy", "Equivalent")
            hook.setdefault("namespaceSelector", {})
            hook.setdefault("objectSelector", {})
            hook.setdefault("timeoutSeconds", 10)
            if self.mutates:
                hook.setdefault("reinvocationPolicy", "Never")
            for rule in hook.get("rules") or ():
                rule.setdefault("scope", "*")
            service = (hook.get("clientConfig") or {}).get("service")
            if service is not None:
                service.setdefault("port", 443)

    def check(self, obj: Obj) -> Found:
        found: Found = []
        seen: set[str] = set()
        for index, hook in enumerate(obj.get("webhooks") or ()):
            path = f"webhooks[{index}]"
            found.extend(self._check_hook(hook, path))
            if hook.get("name") in seen:
                found.append(duplicate(f"{path}.name", hook["name"]))
            seen.add(hook.get("name") or "")
        return found

    def _check_hook(self, hook: Obj, path: str) -> Found:
        found: Found = []
        name = hook.get("name") or ""
        if not name:
            found.append(required(f"{path}.name"))
        elif names.subdomain(name):
            found.append(invalid_value(f"{path}.name", name, names.subdomain(name)))
        elif name.count(".") < 2:
            found.append(
                invalid_value(f"{path}.name", name, "should be a domain with at least three segments separated by dots")
            )
        for index, rule in enumerate(hook.get("rules") or ()):
            found.extend(_check_rule(rule, f"{path}.rules[{index}]"))
        found.extend(_choice(hook, "failurePolicy", path, _POLICIES))
        found.extend(_choice(hook, "matchPolicy", path, _MATCHING))
        effects = hook.get("sideEffects")
        if not effects:
            found.append(required(f"{path}.sideEffects", "must specify one of None, NoneOnDryRun"))
        else:
            found.extend(_choice(hook, "sideEffects", path, ("None", "NoneOnDryRun")))
        seconds = hook.get("timeoutSeconds")
        if seconds is not None and not 1 <= seconds <= 30:
            found.append(
                invalid_value(f"{path}.timeoutSeconds", seconds, "the timeout value must be between 1 and 30 seconds")
            )
        for field in ("namespaceSelector", "objectSelector"):
            if hook.get(field):
                found.extend(check_selector(hook[field], f"{path}.{field}"))
        if self.mutates:
            found.extend(_choice(hook, "reinvocationPolicy", path, ("IfNeeded", "Never")))
        found.extend(_check_client(hook.get("clientConfig") or {}, f"{path}.clientConfig"))
        versions = hook.get("admissionReviewVersions") or []
        where = f"{path}.admissionReviewVersions"
        if not versions:
            found.append(required(where, "must specify one of v1, v1beta1"))
        elif not {"v1", "v1beta1"} & set(versions):
            found.append(invalid_value(where, versions, "must include at least one of v1, v1beta1"))
        found.extend(_check_conditions(hook.get("matchConditions"), f"{path}.matchConditions"))
        return found


class MutatingWebhookConfigurationStrategy(WebhookConfigurationStrategy):
    """MutatingWebhookConfiguration."""

    mutates = True


def _check_client(config: Obj, path: str) -> Found:
    url, service = config.get("url"), config.get("service")
    if bool(url) == bool(service):
        return [required(path, "exactly one of url or service is required")]
    if url:
        if not url.startswith("https://"):
            scheme = url.partition("://")[0] if "://" in url else ""
            return [
                invalid_value(
                    f"{path}.url",
                    scheme,
                    "'https' is the only allowed URL scheme; desired format: https://host[/path]",
                )
            ]
        return []
    assert service is not None
    found = [
        required(f"{path}.service.{field}", f"service {field} is required")
        for field in ("name", "namespace")
        if not service.get(field)
    ]
    port = service.get("port", 443)
    if not 1 <= port <= 65535:
        found.append(
            invalid_value(f"{path}.service.port", port, "port is not valid: must be between 1 and 65535, inclusive")
        )
    return found


# -- policies ----------------------------------------------------------------------------------------------------------


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
            found.extend(_check_rule(rule, f"{path}.{field}[{index}]"))
    for field in ("namespaceSelector", "objectSelector"):
        if resources.get(field):
            found.extend(check_selector(resources[field], f"{path}.{field}"))
    found.extend(_choice(resources, "matchPolicy", path, _MATCHING))
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
        found = _choice(spec, "failurePolicy", "spec", _POLICIES)
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
        found.extend(_check_conditions(spec.get("matchConditions"), "spec.matchConditions"))
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
            if not _IDENTIFIER.match(name):
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
            wrong = _compiles(one["expression"], f"{path}.expression", inner)
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
            found.extend(_compiles(one["expression"], f"{path}.expression", inner, BOOL))
            if one.get("messageExpression"):
                found.extend(_compiles(one["messageExpression"], f"{path}.messageExpression", inner, STRING))
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
            found.extend(_choice(one, "reason", path, allowed))
        for index, one in enumerate(spec.get("auditAnnotations") or ()):
            path = f"spec.auditAnnotations[{index}]"
            if not one.get("key"):
                found.append(required(f"{path}.key"))
            if not (one.get("valueExpression") or "").strip():
                found.append(required(f"{path}.valueExpression", "valueExpression is not specified"))
            else:
                found.extend(_compiles(one["valueExpression"], f"{path}.valueExpression", inner, STRING, DYN))


class MutatingPolicyStrategy(PolicyStrategy):
    """MutatingAdmissionPolicy."""

    has_status = False
    mutates = True

    def _expressions(self, spec: Obj, inner: Any, found: Found) -> None:
        if not spec.get("reinvocationPolicy"):
            found.append(required("spec.reinvocationPolicy"))
        found.extend(_choice(spec, "reinvocationPolicy", "spec", ("IfNeeded", "Never")))
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
            found.extend(_compiles(source, f"{path}.{field}.expression", inner, wanted))


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
                found.extend(_choice(reference, "parameterNotFoundAction", "spec.paramRef", ("Allow", "Deny")))
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
