"""MutatingAdmissionPolicies: expressions that say how an object should be otherwise (admission/plugin/policy/mutating)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import orjson

from cluster.apimachinery import errors
from cluster.apimachinery.cel import CompileError, EvaluationError, Program
from cluster.apimachinery.cel.types import Type, list_of
from cluster.apiserver.admission.dynamic import review
from cluster.apiserver.admission.dynamic.expressions import (
    ConditionFailed,
    Variables,
    conditions_hold,
    evaluate,
    names_of,
)
from cluster.apiserver.admission.dynamic.policies import Misconfigured, Policy, matched, parameters
from cluster.apiserver.patch.apply import merge
from cluster.apiserver.patch.json_patch import apply_json_patch
from cluster.apiserver.request import Attributes
from cluster.apiserver.resources import schema
from cluster.apiserver.resources.registry import Registry, Resource

Obj = dict[str, Any]
OBJECT, PATCHES = Type("object", label="Object"), list_of(Type("object", label="JSONPatch"))


class MutatingPolicy(Policy):
    """A mutating policy with its mutations compiled."""

    kind = "MutatingAdmissionPolicy"
    mutates = True

    @cached_property
    def mutations(self) -> list[tuple[str, str, Program]]:
        """(patchType, text, program)"""
        found = []
        for one in self.spec.get("mutations") or ():
            if one.get("patchType") == "JSONPatch":
                source = (one.get("jsonPatch") or {}).get("expression", "")
                found.append(("JSONPatch", source, self.compiled(source, PATCHES)))
            else:
                source = (one.get("applyConfiguration") or {}).get("expression", "")
                found.append(("ApplyConfiguration", source, self.compiled(source, OBJECT)))
        return found


def mutate(policy: MutatingPolicy, bindings: Iterable[Obj], attributes: Attributes, registry: Registry, authorizer: Any) -> Obj | None:  # fmt: skip
    """The object after the policy, or None where it changes nothing."""
    found = matched(policy, bindings, attributes, registry)
    if found is None or attributes.obj is None:
        return None
    resource, applying = found
    obj = review.in_version(attributes.obj, resource)
    assert obj is not None
    before, old = obj, review.in_version(attributes.old, resource)
    request = review.request_of(attributes, resource)
    for binding in applying:
        try:
            names = names_of(attributes, request, obj, old, authorizer)
            if not conditions_hold(policy.spec.get("matchConditions"), names):
                continue
            for params in parameters(policy, binding, attributes, registry):
                obj = _apply(policy, obj, {**names, "params": params}, resource)
        except (Misconfigured, CompileError, ConditionFailed, EvaluationError) as error:
            if policy.fails:
                raise errors.StatusError(
                    422,
                    "Invalid",
                    f"policy '{policy.name}' with binding '{binding['metadata']['name']}' denied request: {error}",
                    group=attributes.resource.group,
                    kind=attributes.resource.plural,
                    name=attributes.name,
                ) from error
    return None if obj == before else obj


def _apply(policy: MutatingPolicy, obj: Obj, names: dict[str, Any], resource: Resource) -> Obj:
    for kind, source, program in policy.mutations:
        names["object"] = obj
        names["variables"] = Variables(policy.variables, names)
        try:
            wanted, _ = evaluate(program, names)
            # Opaque values have no place in an object.
            wanted = orjson.loads(orjson.dumps(wanted))
        except (EvaluationError, orjson.JSONEncodeError) as error:
            raise EvaluationError(f"expression '{source}' resulted in error: {error}") from error
        if kind == "JSONPatch":
            try:
                obj = apply_json_patch(obj, wanted)
            except errors.StatusError as error:
                raise EvaluationError(f"expression '{source}' resulted in error: {error.message}") from error
        elif isinstance(wanted, dict):
            for fixed in ("apiVersion", "kind"):
                wanted.pop(fixed, None)
            obj = merge(schema.node_of(resource), obj, wanted)
    return obj
