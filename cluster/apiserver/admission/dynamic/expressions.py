"""What expressions of policies and match conditions can speak of (apiserver/pkg/admission/plugin/cel).

object, oldObject, request, params, namespaceObject, authorizer, variables. Programs are compiled once per text and scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cluster.apimachinery.cel import CompileError, EvaluationError, Program, compile_expression
from cluster.apimachinery.cel.functions import define, opaque
from cluster.apimachinery.cel.types import BOOL, DYN, STRING, Type, list_of, map_of, object_of
from cluster.apiserver.request import Attributes, Left, RequestInfo, UserInfo

Obj = dict[str, Any]
# What one expression may cost, and all of one policy in one request.
# What evaluation may cost: a call, all validations of a policy, and everything that people configured for one request. A million is a
# third of a second during which nobody else is served; Kubernetes allows a policy ten times that, and sets the whole no bound
# (docs/decisions/0013).
CALL_LIMIT, POLICY_LIMIT, REQUEST_LIMIT = 1_000_000, 1_000_000, 1_000_000
# The name of what is left of it, beside the variables; no expression can say it.
_LEFT = ""
AUTHORIZER = "kubernetes.authorization.Authorizer"
PATH_CHECK = "kubernetes.authorization.PathCheck"
GROUP_CHECK = "kubernetes.authorization.GroupCheck"
RESOURCE_CHECK = "kubernetes.authorization.ResourceCheck"
DECISION = "kubernetes.authorization.Decision"


# -- the authorizer ----------------------------------------------------------------------------------------------------


class _Asker:
    """Knows how to ask whether `user` may do something."""

    __slots__ = ("ask", "info", "user")

    def __init__(self, ask: Any, user: UserInfo, info: RequestInfo) -> None:
        self.ask = ask
        self.user = user
        self.info = info

    def but(self, **changes: str) -> RequestInfo:
        old = self.info
        values = {
            "path": old.path, "verb": old.verb, "is_resource": old.is_resource, "group": old.group, "version": old.version,
            "namespace": old.namespace, "resource": old.resource, "subresource": old.subresource, "name": old.name,
        }  # fmt: skip
        return RequestInfo(**{**values, **changes})  # type: ignore[arg-type]


@opaque(AUTHORIZER)
class Authorizer(_Asker):
    """`authorizer`."""

    __slots__ = ()

    def cel_field(self, key: str) -> Any:
        if key == "requestResource":
            return ResourceCheck(self.ask, self.user, self.info)
        raise EvaluationError(f"no such key: {key}")


@opaque(GROUP_CHECK)
class GroupCheck(_Asker):
    __slots__ = ()


@opaque(RESOURCE_CHECK)
class ResourceCheck(_Asker):
    __slots__ = ()


@opaque(PATH_CHECK)
class PathCheck(_Asker):
    __slots__ = ()


@opaque(DECISION)
class DecisionValue:
    __slots__ = ("allowed", "reason")

    def __init__(self, allowed: bool, reason: str) -> None:
        self.allowed = allowed
        self.reason = reason


def _expensive(*sizes: float) -> float:
    return 350_000


define(f"{AUTHORIZER}.path(string): {PATH_CHECK}")(
    lambda one, path: PathCheck(one.ask, one.user, RequestInfo(path, "get"))
)
define(f"{AUTHORIZER}.group(string): {GROUP_CHECK}")(
    lambda one, group: GroupCheck(one.ask, one.user, RequestInfo("", "", True, group=group))
)
define(f"{AUTHORIZER}.serviceAccount(string, string): {AUTHORIZER}")(
    lambda one, namespace, name: Authorizer(
        one.ask,
        UserInfo(
            f"system:serviceaccount:{namespace}:{name}",
            ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"),
        ),
        one.info,
    )
)
define(f"{GROUP_CHECK}.resource(string): {RESOURCE_CHECK}")(
    lambda one, resource: ResourceCheck(one.ask, one.user, one.but(resource=resource))
)
for _name in ("subresource", "namespace", "name"):
    define(f"{RESOURCE_CHECK}.{_name}(string): {RESOURCE_CHECK}")(
        lambda one, value, field=_name: ResourceCheck(one.ask, one.user, one.but(**{field: value}))
    )
for _name in ("fieldSelector", "labelSelector"):
    define(f"{RESOURCE_CHECK}.{_name}(string): {RESOURCE_CHECK}")(lambda one, value: one)


@define(f"{RESOURCE_CHECK}.check(string): {DECISION}", f"{PATH_CHECK}.check(string): {DECISION}", cost=_expensive)
def _check(one: _Asker, verb: str) -> DecisionValue:
    decision = one.ask(one.user, one.but(verb=verb))
    return DecisionValue(decision.allowed, decision.reason)


define(f"{DECISION}.allowed(): bool")(lambda one: one.allowed)
define(f"{DECISION}.reason(): string", grows=lambda a: 500)(lambda one: one.reason)
define(f"{DECISION}.errored(): bool")(lambda one: False)
define(f"{DECISION}.error(): string")(lambda one: "")
define("jsonpatch.escapeKey(string): string", grows=lambda a: 2 * a)(
    lambda text: text.replace("~", "~0").replace("/", "~1")
)

# -- scopes ------------------------------------------------------------------------------------------------------------

_KIND = object_of("kubernetes.GroupVersionKind", {"group": STRING, "version": STRING, "kind": STRING})
_PATH = object_of("kubernetes.GroupVersionResource", {"group": STRING, "version": STRING, "resource": STRING})
_USER = object_of(
    "kubernetes.UserInfo",
    {"username": STRING, "uid": STRING, "groups": list_of(STRING), "extra": map_of(STRING, list_of(STRING))},
)
REQUEST = object_of(
    "kubernetes.AdmissionRequest",
    {
        "kind": _KIND, "resource": _PATH, "subResource": STRING, "requestKind": _KIND, "requestResource": _PATH,
        "requestSubResource": STRING, "name": STRING, "namespace": STRING, "operation": STRING, "userInfo": _USER,
        "dryRun": BOOL, "options": DYN,
    },
)  # fmt: skip
NAMESPACE = DYN


def scope(*, params: bool = False, variables: Mapping[str, Type] | None = None, objects: Mapping[str, Type] | None = None,
          mutates: bool = False) -> dict[str, Type]:  # fmt: skip
    """The variables of an expression and their types."""
    found: dict[str, Type] = {
        "object": DYN,
        "oldObject": DYN,
        "request": REQUEST,
        "namespaceObject": NAMESPACE,
        "authorizer": DYN,
    }
    if params:
        found["params"] = DYN
    if variables is not None:
        found["variables"] = object_of("variables", variables)
    if mutates:
        found["Object"] = found["JSONPatch"] = DYN
    return {**found, **(objects or {})}


@lru_cache(maxsize=2048)
def condition_program(source: str) -> Program:
    """A match condition, compiled (CompileError)."""
    return compile_expression(source, scope(), wanted=(BOOL,))


def evaluate(program: Program, names: dict[str, Any], limit: int = CALL_LIMIT) -> tuple[Any, int]:
    """(value, what it cost), within what this request has left; EvaluationError."""
    left: Left = names[_LEFT]
    try:
        value, cost = program.evaluate(names, max(0, min(limit, CALL_LIMIT, left.units)))
    except EvaluationError as error:
        left.units -= error.spent
        raise
    left.units -= cost
    return value, cost


class Variables:
    """`variables.x`: worked out when first asked for; an error is that of whoever asks."""

    __slots__ = ("_left", "_names", "_programs", "_values")

    def __init__(self, programs: Mapping[str, Program], names: dict[str, Any]) -> None:
        self._programs = programs
        self._names = names
        self._values: dict[str, Any] = {}

    def cel_has(self, key: str) -> bool:
        return key in self._programs

    def cel_field(self, key: str) -> Any:
        if key not in self._values:
            program = self._programs.get(key)
            if program is None:
                raise EvaluationError(f"no such key: {key}")
            try:
                self._values[key] = evaluate(program, self._names)[0]
            except EvaluationError as error:
                self._values[key] = error
        found = self._values[key]
        if isinstance(found, EvaluationError):
            raise EvaluationError(f'composited variable "{key}" fails to evaluate: {found}')
        return found


def names_of(attributes: Attributes, request: Obj, obj: Obj | None, old: Obj | None, authorizer: Any) -> dict[str, Any]:
    """The values of the variables for one request."""
    resource = attributes.resource
    info = RequestInfo(
        "",
        {"CREATE": "create", "UPDATE": "update", "DELETE": "delete"}.get(attributes.operation, "connect"),
        True,
        resource.group,
        resource.version,
        attributes.namespace,
        resource.plural,
        attributes.subresource,
        attributes.name,
    )
    namespace = attributes.reader.get("namespaces", "", attributes.namespace) if resource.namespaced else None
    if attributes.left is None:
        attributes.left = Left(REQUEST_LIMIT)
    return {
        _LEFT: attributes.left,
        "object": obj,
        "oldObject": old,
        "request": request,
        "namespaceObject": namespace,
        "authorizer": Authorizer(authorizer.authorize, attributes.user, info),
    }


class ConditionFailed(Exception):
    """A match condition could not be evaluated."""


def conditions_hold(conditions: Any, names: dict[str, Any]) -> bool:
    """Whether all match conditions are true; a false one outweighs those that fail (ConditionFailed)."""
    failures: list[str] = []
    for one in conditions or ():
        try:
            if evaluate(condition_program(one["expression"]), names)[0] is not True:
                return False
        except (EvaluationError, CompileError) as error:
            failures.append(f"expression '{one['expression']}' resulted in error: {error}")
    if failures:
        raise ConditionFailed(failures[0] if len(failures) == 1 else f"[{', '.join(failures)}]")
    return True
