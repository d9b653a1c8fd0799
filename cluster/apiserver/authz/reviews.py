"""Access reviews: "may I?", "may they?", "what may I?", "who am I?", "whose token is this?".

`handle` answers a created review with its status filled; nothing is stored. Called by the create verb of the virtual
resources in authorization.k8s.io and authentication.k8s.io, after the caller itself was authorized to create one.
"""

from __future__ import annotations

from typing import Any, Protocol

from cluster import clock
from cluster.apimachinery import errors
from cluster.apimachinery.users import user_info
from cluster.apiserver.authz.explain import misses
from cluster.apiserver.authz.node import node_name
from cluster.apiserver.authz.rbac import Authorizer, Decision
from cluster.apiserver.request import Obj, RequestInfo, UserInfo

AUTHORIZATION = "authorization.k8s.io"


class TokenAuthenticator(Protocol):
    """The part of the authenticator that TokenReview needs."""

    async def authenticate_token(self, token: str, audiences: tuple[str, ...] = ()) -> tuple[UserInfo, tuple[str, ...]]:
        """The user of a bearer token and the audiences both sides accept; StatusError 401 when it is bad."""
        ...


async def handle(kind: str, obj: Obj, user: UserInfo, authorizer: Authorizer, authenticator: TokenAuthenticator) -> Obj:
    """The review with its status. StatusError 422 when its spec makes no sense."""
    spec: Obj = obj.get("spec") or {}
    if kind == "SelfSubjectReview":
        return {**obj, "metadata": {"creationTimestamp": clock.timestamp()}, "status": {"userInfo": user_info(user)}}
    if kind == "TokenReview":
        return {**obj, "status": await _token_review(spec, authenticator)}
    if kind == "SelfSubjectRulesReview":
        # The answer repeats nothing of the question.
        return {**obj, "metadata": {}, "spec": {}, "status": rules_review(spec, user, authorizer)}
    _validate(kind, obj, spec)
    who = user if kind == "SelfSubjectAccessReview" else user_of(spec)
    info, field_selector = request_of(spec)
    decision = authorizer.authorize(who, info, field_selector)
    status: Obj = {"allowed": decision.allowed}
    reason = decision.reason
    if not decision.allowed and kind != "SelfSubjectAccessReview":
        # Of a namespace's bindings hears who is trusted with that namespace; of all, who is trusted with all.
        within = info.namespace if kind == "LocalSubjectAccessReview" else ""
        reason = why_not(decision, authorizer.explain(who, info, within))
    if reason:
        status["reason"] = reason
    return {**obj, "status": status}


def why_not(decision: Decision, considered: list[Obj]) -> str:
    """The reason of a refusal: what Kubernetes says, if anything, then the near miss that comes closest, if any does.

    Only for those who may ask about others: a SelfSubjectAccessReview, which everybody may create, says what Kubernetes says.
    """
    closest = next(iter(misses(considered)), None)
    # For a role that does not exist Kubernetes has words of its own, which the decision carries.
    told = [] if closest is None or closest["verdict"] == "missing-role" else [f"RBAC: {closest['sentence']}"]
    return "\n".join([*filter(None, [decision.reason]), *told])


def request_of(spec: Obj) -> tuple[RequestInfo, str]:
    """The request that a review describes, and its field selector."""
    path = spec.get("nonResourceAttributes")
    if path:
        return RequestInfo(path.get("path") or "", path.get("verb") or ""), ""
    asked = spec.get("resourceAttributes") or {}
    info = RequestInfo(
        "",
        asked.get("verb") or "",
        is_resource=True,
        group=asked.get("group") or "",
        version=asked.get("version") or "",
        namespace=asked.get("namespace") or "",
        resource=asked.get("resource") or "",
        subresource=asked.get("subresource") or "",
        name=asked.get("name") or "",
    )
    selector = asked.get("fieldSelector") or {}
    requirements = [
        f"{one['key']}={one['values'][0]}"
        for one in selector.get("requirements") or ()
        if one.get("key") and one.get("operator") == "In" and len(one.get("values") or ()) == 1
    ]
    return info, selector.get("rawSelector") or ",".join(requirements)


def user_of(spec: Obj) -> UserInfo:
    """The user that a SubjectAccessReview asks about: exactly as written, no group is added."""
    extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
    return UserInfo(spec.get("user") or "", tuple(spec.get("groups") or ()), spec.get("uid") or "", extra)


def rules_review(spec: Obj, user: UserInfo, authorizer: Authorizer) -> Obj:
    """The status of a SelfSubjectRulesReview."""
    namespace = spec.get("namespace") or ""
    if not namespace:
        raise errors.bad_request("no namespace on request")
    rules, unresolved = authorizer.rules_for(user, namespace)
    status: Obj = {"resourceRules": [], "nonResourceRules": [], "incomplete": False}
    for rule in rules:
        if rule.get("resources"):
            keys = ("verbs", "apiGroups", "resources", "resourceNames")
            status["resourceRules"].append({key: rule[key] for key in keys if rule.get(key)})
        if rule.get("nonResourceURLs"):
            status["nonResourceRules"].append({key: rule[key] for key in ("verbs", "nonResourceURLs")})
    notes = [unresolved] if unresolved else []
    if node_name(user) is not None:
        status["incomplete"] = True
        notes.insert(0, "node authorizer does not support user rule resolution")
    if notes:
        status["evaluationError"] = ", ".join(notes)
    return status


async def _token_review(spec: Obj, authenticator: TokenAuthenticator) -> Obj:
    token = spec.get("token") or ""
    if not token:
        raise errors.bad_request("token is required for TokenReview in authentication")
    try:
        user, audiences = await authenticator.authenticate_token(token, tuple(spec.get("audiences") or ()))
    except errors.StatusError as error:
        if error.code != 401:
            raise
        # Kubernetes says why only in the review's own error field, and only to whoever may create reviews.
        return {"user": {}, "error": error.message} if error.message != "Unauthorized" else {"user": {}}
    status: Obj = {"authenticated": True, "user": user_info(user)}
    if audiences:
        status["audiences"] = list(audiences)
    return status


def check_attributes(spec: Obj) -> list[errors.FieldError]:
    """What is wrong with a question's attributes: there must be one sort of them, and one only."""
    found: list[errors.FieldError] = []
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource and path:
        found.append(
            errors.invalid_value(
                "spec.nonResourceAttributes", path, "cannot be specified in combination with resourceAttributes"
            )
        )
    if not resource and not path:
        value: Any = resource
        found.append(
            errors.invalid_value(
                "spec.resourceAttributes",
                value,
                "exactly one of nonResourceAttributes or resourceAttributes must be specified",
            )
        )
    return found


def _validate(kind: str, obj: Obj, spec: Obj) -> None:
    found = check_attributes(spec)
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if kind != "SelfSubjectAccessReview" and not spec.get("user") and not spec.get("groups"):
        found.append(errors.invalid_value("spec.user", "", "at least one of user or group must be specified"))
    if kind == "LocalSubjectAccessReview":
        if path:
            found.append(errors.invalid_value("spec.nonResourceAttributes", path, "disallowed on this kind of request"))
        namespace = (obj.get("metadata") or {}).get("namespace") or ""
        if resource and (resource.get("namespace") or "") != namespace:
            found.append(
                errors.invalid_value(
                    "spec.resourceAttributes.namespace",
                    resource.get("namespace") or "",
                    "must match metadata.namespace",
                )
            )
    if found:
        raise errors.invalid(kind, AUTHORIZATION, "", found)
