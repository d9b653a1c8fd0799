"""ValidatingAdmissionPolicies: expressions that must be true, bound to where they apply (admission/plugin/policy/validating)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cluster.apimachinery import errors
from cluster.apimachinery.cel import CompileError, EvaluationError, Program, compile_expression
from cluster.apimachinery.cel.types import BOOL, DYN, STRING, Type
from cluster.apimachinery.labels import from_selector
from cluster.apiserver.admission.dynamic import matching, review
from cluster.apiserver.admission.dynamic.expressions import (
    POLICY_LIMIT,
    ConditionFailed,
    Variables,
    conditions_hold,
    evaluate,
    names_of,
    scope,
)
from cluster.apiserver.request import Attributes
from cluster.apiserver.resources.registry import Registry, Resource

Obj = dict[str, Any]
_CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}


class Misconfigured(Exception):
    """The policy or its binding cannot be applied: its parameters are missing, for example."""


class Policy:
    """A policy, compiled when it is first asked. CompileError is kept, and told as failurePolicy wants."""

    kind = "ValidatingAdmissionPolicy"
    mutates = False

    def __init__(self, obj: Obj) -> None:
        self.obj = obj
        self.name = str(obj["metadata"]["name"])
        self.spec: Obj = obj.get("spec") or {}
        self.param_kind: Obj | None = self.spec.get("paramKind")
        self.fails = (self.spec.get("failurePolicy") or "Fail") == "Fail"

    @cached_property
    def variables(self) -> dict[str, Program]:
        """Each may use those before it."""
        programs: dict[str, Program] = {}
        types: dict[str, Type] = {}
        for one in self.spec.get("variables") or ():
            inner = scope(params=self.param_kind is not None, variables=types, mutates=self.mutates)
            programs[one["name"]] = compile_expression(one["expression"], inner)
            types = {**types, one["name"]: programs[one["name"]].type}
        return programs

    @cached_property
    def scope(self) -> dict[str, Type]:
        types = {name: program.type for name, program in self.variables.items()}
        return scope(params=self.param_kind is not None, variables=types, mutates=self.mutates)

    def compiled(self, source: str, *wanted: Type) -> Program:
        return compile_expression(source, self.scope, wanted=wanted)


@dataclass
class Judgement:
    """What the policies said of one request: the refusal if there is one, and what else is told."""

    refusal: errors.StatusError | None = None
    warnings: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


class ValidatingPolicy(Policy):
    """The compiled validations."""

    @cached_property
    def validations(self) -> list[tuple[Obj, Program, Program | None]]:
        found = []
        for one in self.spec.get("validations") or ():
            message = None
            if one.get("messageExpression"):
                message = self.compiled(one["messageExpression"], STRING)
            found.append((one, self.compiled(one["expression"], BOOL), message))
        return found

    @cached_property
    def annotations(self) -> list[tuple[str, Program]]:
        return [
            (one["key"], self.compiled(one["valueExpression"], STRING, DYN))
            for one in self.spec.get("auditAnnotations") or ()
        ]


def parameters(policy: Policy, binding: Obj, attributes: Attributes, registry: Registry) -> list[Obj | None]:
    """The objects that a binding names as parameters; [None] for a policy without. Misconfigured when there are none."""
    kind, reference = policy.param_kind, (binding.get("spec") or {}).get("paramRef")
    if kind is None:
        return [None]
    resource = registry.by_kind(kind.get("apiVersion", ""), kind.get("kind", ""))
    if resource is None:
        raise Misconfigured(
            f"failed to configure policy: failed to find resource referenced by paramKind: '{_shown_kind(kind)}'"
        )
    if reference is None:
        return [None]
    namespace = ""
    if resource.namespaced:
        namespace = reference.get("namespace") or attributes.namespace
        if not namespace:
            raise Misconfigured(
                "failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped "
                "resources"
            )
    found: list[Obj | None] = []
    if reference.get("name"):
        one = attributes.reader.get(resource.storage_key, namespace, reference["name"])
        if one is not None:
            found.append(one)
    else:
        selector = from_selector(reference.get("selector") or {})
        for one in attributes.reader.list(resource.storage_key, namespace):
            if selector.matches(one["metadata"].get("labels")):
                found.append(one)
    if not found and (reference.get("parameterNotFoundAction") or "Deny") == "Deny":
        raise Misconfigured(
            "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
        )
    return found


def _shown_kind(kind: Obj) -> str:
    group, _, version = str(kind.get("apiVersion", "")).rpartition("/")
    return f"{group}/{version}, Kind={kind.get('kind', '')}"


def matched(
    policy: Policy, bindings: Iterable[Obj], attributes: Attributes, registry: Registry
) -> tuple[Resource, list[Obj]] | None:
    """The version that the policy speaks of and the bindings that apply; None when it does not concern the request."""
    bindings = list(bindings)
    if not bindings:
        return None
    resource = matching.constraints_match(policy.spec.get("matchConstraints"), attributes, registry)
    if resource is None:
        return None
    applying = [
        binding
        for binding in bindings
        if matching.constraints_match((binding.get("spec") or {}).get("matchResources"), attributes, registry)
    ]
    return (resource, applying) if applying else None


def judge(
    policies: Iterable[tuple[ValidatingPolicy, list[Obj]]], attributes: Attributes, registry: Registry, authorizer: Any
) -> Judgement:
    """Ask all policies, each through each of its bindings."""
    judgement = Judgement()
    for policy, bindings in policies:
        found = matched(policy, bindings, attributes, registry)
        if found is None:
            continue
        resource, applying = found
        request = review.request_of(attributes, resource)
        obj, old = review.in_version(attributes.obj, resource), review.in_version(attributes.old, resource)
        names = names_of(attributes, request, obj, old, authorizer)
        for binding in applying:
            _judge_binding(policy, binding, names, attributes, registry, judgement)
    return judgement


def _judge_binding(
    policy: ValidatingPolicy,
    binding: Obj,
    names: dict[str, Any],
    attributes: Attributes,
    registry: Registry,
    judgement: Judgement,
) -> None:
    actions = (binding.get("spec") or {}).get("validationActions") or ["Deny"]
    failures: list[tuple[str, str]] = []  # (message, reason)
    try:
        if not conditions_hold(policy.spec.get("matchConditions"), names):
            return
        for params in parameters(policy, binding, attributes, registry):
            failures.extend(_evaluate(policy, {**names, "params": params}, judgement))
    except (Misconfigured, CompileError, ConditionFailed) as error:
        if policy.fails:
            failures.append((str(error), "Invalid"))
    where = f"with binding '{binding['metadata']['name']}'"
    for message, reason in failures:
        if "Deny" in actions and judgement.refusal is None:
            text = f"{policy.kind} '{policy.name}' {where} denied request: {message}"
            judgement.refusal = _refusal(attributes, text, reason)
        if "Warn" in actions:
            judgement.warnings.append(f"Validation failed for {policy.kind} '{policy.name}' {where}: {message}")
        if "Audit" in actions:
            judgement.said.append(f"audit: '{policy.name}' {where}: {message}")
    if not failures:
        judgement.said.append(f"'{policy.name}' {where}: passed")


def _evaluate(policy: ValidatingPolicy, names: dict[str, Any], judgement: Judgement) -> Iterable[tuple[str, str]]:
    names["variables"] = Variables(policy.variables, names)
    left = POLICY_LIMIT
    for validation, program, message_program in policy.validations:
        reason = validation.get("reason") or "Invalid"
        try:
            holds, cost = evaluate(program, names, left)
        except EvaluationError as error:
            if policy.fails:
                yield f"expression '{validation['expression']}' resulted in error: {error}", "Invalid"
            continue
        left -= cost
        if holds is True:
            continue
        message = (validation.get("message") or "").strip() or f"failed expression: {validation['expression'].strip()}"
        if message_program is not None:
            try:
                text, cost = evaluate(message_program, names, left)
            except EvaluationError:
                text = ""
            else:
                left -= cost
            text = str(text).strip()
            if text and "\n" not in text and len(text) <= 5 * 1024:
                message = text
        yield message, reason
    for key, annotation in policy.annotations:
        try:
            value = evaluate(annotation, names)[0]
        except EvaluationError as error:
            if policy.fails:
                yield f"expression resulted in error: {error}", "Invalid"
            continue
        if value is not None:
            judgement.said.append(f"audit annotation {policy.name}/{key}: {value}")


def _refusal(attributes: Attributes, text: str, reason: str) -> errors.StatusError:
    resource = attributes.resource
    error = errors.forbidden(resource.plural, resource.group, attributes.name or "Unknown", text)
    error.reason = reason
    error.code = _CODES.get(reason, 422)
    error.details["causes"] = [{"message": text}]
    return error
