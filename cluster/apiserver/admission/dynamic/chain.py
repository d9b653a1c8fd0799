"""The configurations that are in force, and asking those that match. Called by the stages admission and policy.

Nothing is looked at, and nothing waited for, while nobody has configured anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

import orjson

from cluster.apimachinery import errors
from cluster.apiserver.admission.dynamic import mutations, policies, webhook
from cluster.apiserver.admission.dynamic.matching import EXEMPT_GROUP
from cluster.apiserver.admission.dynamic.mutations import MutatingPolicy
from cluster.apiserver.admission.dynamic.policies import Policy, ValidatingPolicy
from cluster.apiserver.admission.dynamic.review import in_version
from cluster.apiserver.request import Attributes

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

Obj = dict[str, Any]
GROUP = "admissionregistration.k8s.io"
VALIDATING, VALIDATING_BINDINGS = f"{GROUP}/validatingadmissionpolicies", f"{GROUP}/validatingadmissionpolicybindings"
MUTATING, MUTATING_BINDINGS = f"{GROUP}/mutatingadmissionpolicies", f"{GROUP}/mutatingadmissionpolicybindings"
MUTATING_HOOKS, VALIDATING_HOOKS = f"{GROUP}/mutatingwebhookconfigurations", f"{GROUP}/validatingwebhookconfigurations"
# Takes what a mutation made of the object through the schema and the defaults again.
Refine = Callable[[Obj], Obj]


class DynamicAdmission:
    """Policies and webhooks, kept ready."""

    def __init__(self, server: APIServer) -> None:
        self.server = server
        self._policies: dict[str, Policy] = {}
        self._stale = True
        self.validating: list[tuple[ValidatingPolicy, list[Obj]]] = []
        self.mutating: list[tuple[MutatingPolicy, list[Obj]]] = []
        self.mutating_hooks: list[Obj] = []
        self.validating_hooks: list[Obj] = []
        for key in (VALIDATING, VALIDATING_BINDINGS, MUTATING, MUTATING_BINDINGS, MUTATING_HOOKS, VALIDATING_HOOKS):
            server.storage.on_change(key, self._changed)

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        self._stale = True

    def _refresh(self) -> None:
        self._stale = False
        storage = self.server.storage
        known, self._policies = self._policies, {}

        def bound(key: str, bindings: str, make: type[Policy]) -> list[Any]:
            by_policy: dict[str, list[Obj]] = {}
            for binding in storage.list(bindings):
                by_policy.setdefault((binding.get("spec") or {}).get("policyName", ""), []).append(binding)
            found = []
            for obj in sorted(storage.list(key), key=lambda one: str(one["metadata"]["name"])):
                name = f"{key}/{obj['metadata']['name']}"
                policy = known.get(name)
                if policy is None or policy.spec != obj.get("spec"):
                    policy = make(obj)
                self._policies[name] = policy
                if by_policy.get(policy.name):
                    found.append((policy, by_policy[policy.name]))
            return found

        self.validating = bound(VALIDATING, VALIDATING_BINDINGS, ValidatingPolicy)
        self.mutating = bound(MUTATING, MUTATING_BINDINGS, MutatingPolicy)
        self.mutating_hooks = self._hooks(MUTATING_HOOKS)
        self.validating_hooks = self._hooks(VALIDATING_HOOKS)

    def _hooks(self, key: str) -> list[Obj]:
        configurations = sorted(self.server.storage.list(key), key=lambda one: str(one["metadata"]["name"]))
        return [hook for one in configurations for hook in one.get("webhooks") or ()]

    # -- mutating ----------------------------------------------------------------------------------------------------

    def mutates(self, attributes: Attributes) -> bool:
        """Whether anything that changes objects is configured at all."""
        if self._stale:
            self._refresh()
        return bool(self.mutating or self.mutating_hooks) and attributes.resource.group != EXEMPT_GROUP

    async def mutate(self, attributes: Attributes, refine: Refine) -> list[str]:
        """Change `attributes.obj`, in place; returns who changed what. Those that want to see later changes are asked again."""
        said: list[str] = []
        for round_ in range(2):
            seen: dict[int, bytes] = {}
            for policy, bindings in self.mutating:
                if round_ == 0 or policy.spec.get("reinvocationPolicy") == "IfNeeded":
                    self._by_policy(policy, bindings, attributes, refine, said)
                    seen[id(policy)] = _state(attributes)
            for hook in self.mutating_hooks:
                if round_ == 0 or hook.get("reinvocationPolicy") == "IfNeeded":
                    await self._by_hook(hook, attributes, refine, said)
                    seen[id(hook)] = _state(attributes)
            last = _state(attributes)
            again = any(
                seen.get(id(one)) != last
                for one, spec in self._in_turn()
                if spec.get("reinvocationPolicy") == "IfNeeded"
            )
            if not again:
                break
        return said

    def _in_turn(self) -> Iterable[tuple[object, Obj]]:
        """All that mutate, with what says whether they want to be asked again."""
        yield from ((policy, policy.spec) for policy, _ in self.mutating)
        yield from ((hook, hook) for hook in self.mutating_hooks)

    def _by_policy(
        self, policy: MutatingPolicy, bindings: list[Obj], attributes: Attributes, refine: Refine, said: list[str]
    ) -> None:
        changed = mutations.mutate(policy, bindings, attributes, self.server.registry, self.server.authorizer)
        if changed is not None:
            _replace(attributes, refine(changed))
            said.append(f"MutatingAdmissionPolicy: {policy.name}")

    async def _by_hook(self, hook: Obj, attributes: Attributes, refine: Refine, said: list[str]) -> None:
        registry = self.server.registry
        resource = webhook.concerned(hook, attributes, registry, self.server.authorizer)
        if resource is None:
            return
        response = await webhook.ask(hook, attributes, resource, self.server)
        if response is None:
            said.append(f"MutatingAdmissionWebhook: {hook['name']} failed, and is ignored")
        elif response.get("patch") and attributes.obj is not None:
            _replace(attributes, refine(webhook.patched(hook, response, in_version(attributes.obj, resource))))
            said.append(f"MutatingAdmissionWebhook: {hook['name']}: {webhook.told(response)}")
        else:
            said.append(f"MutatingAdmissionWebhook: {hook['name']} changed nothing")

    # -- validating --------------------------------------------------------------------------------------------------

    def validates(self, attributes: Attributes) -> bool:
        """Whether anything that may refuse is configured at all."""
        if self._stale:
            self._refresh()
        return bool(self.validating or self.validating_hooks) and attributes.resource.group != EXEMPT_GROUP

    async def validate(self, attributes: Attributes) -> list[str]:
        """Ask all policies, then all webhooks at once; raises the first refusal."""
        server = self.server
        judgement = policies.judge(self.validating, attributes, server.registry, server.authorizer)
        attributes.warnings.extend(judgement.warnings)
        if judgement.refusal is not None:
            raise judgement.refusal
        said = [f"ValidatingAdmissionPolicy {one}" for one in judgement.said]
        waiting: list[Awaitable[Obj | None]] = []
        names: list[str] = []
        for hook in self.validating_hooks:
            resource = webhook.concerned(hook, attributes, server.registry, server.authorizer)
            if resource is not None:
                waiting.append(webhook.ask(hook, attributes, resource, server))
                names.append(str(hook["name"]))
        for name, answer in zip(names, await asyncio.gather(*waiting, return_exceptions=True), strict=True):
            if isinstance(answer, BaseException):
                raise answer
            said.append(f"ValidatingAdmissionWebhook {name}: {'ignored' if answer is None else 'allowed'}")
        return said


def _state(attributes: Attributes) -> bytes:
    return orjson.dumps(attributes.obj, option=orjson.OPT_SORT_KEYS)


def _replace(attributes: Attributes, changed: Obj) -> None:
    """The new state in the old place: the context holds the same dict. Who the object is cannot change."""
    obj = attributes.obj
    assert obj is not None
    before = obj["metadata"]
    for field in ("name", "namespace", "uid"):
        if changed["metadata"].get(field) != before.get(field):
            raise errors.bad_request(f"metadata.{field} may not be changed by admission")
    if changed is not obj:
        obj.clear()
        obj.update(changed)
