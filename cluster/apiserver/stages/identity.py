"""Stages authn and authz: who is asking, and may they?"""

from __future__ import annotations

from cluster.apiserver.authn.impersonation import impersonate
from cluster.apiserver.authz.rbac import MASTERS, Decision, forbidden
from cluster.apiserver.context import Context
from cluster.apiserver.request import RequestInfo, UserInfo


async def authenticate(context: Context) -> object:
    """Find out who asks; a bad credential is refused, none at all is `system:anonymous`."""
    if context.loopback:
        return _known(context, "loopback")
    server = context.server
    user = context.user = await server.authenticator.authenticate(context.headers, context.scope)
    context.user = impersonate(user, context.scope["headers"], server.authorizer)
    if context.user is not user:
        context.real = user
    return _known(context, "credential")


def _known(context: Context, method: str) -> Who:
    """The journey names whoever it is, and who they really are."""
    context.journey.actor = context.user.name
    if context.real is not None:
        context.journey.impersonator = context.real.name
    return Who(context.user, method, context.real)


class Who:
    """What the authn span tells."""

    __slots__ = ("method", "real", "user")

    def __init__(self, user: UserInfo, method: str, real: UserInfo | None = None) -> None:
        self.user, self.method, self.real = user, method, real

    def as_detail(self) -> dict[str, object]:
        method = "anonymous" if self.user.name == "system:anonymous" else self.method
        told: dict[str, object] = {"user": self.user.name, "groups": list(self.user.groups), "method": method}
        if self.real is not None:
            told["impersonated_by"] = self.real.name
        return told


class Allowed:
    """What the authz span tells: the rule that allowed it, and how it came to the user."""

    __slots__ = ("decision",)

    def __init__(self, decision: Decision) -> None:
        self.decision = decision

    def as_detail(self) -> dict[str, object]:
        decision = self.decision
        return {
            "allowed": True,
            "authorizer": self._authorizer(),
            "reason": decision.reason,
            "rule": decision.rule,
            "role": decision.role,
            "binding": decision.binding,
            "subject": decision.subject,
        }

    def _authorizer(self) -> str:
        """Who said yes. Only RBAC has rules to name."""
        if self.decision.binding:
            return "RBAC"
        return MASTERS if self.decision.subject is not None else "Node"


def authorize(context: Context) -> object:
    """RBAC: any rule that matches allows; otherwise 403 in Kubernetes' words."""
    if context.implied:
        return {"allowed": True, "reason": "implied by the request that caused this one"}
    return Allowed(require(context, context.info))


def require(context: Context, info: RequestInfo) -> Decision:
    """The decision that allows `info`, or 403 with what almost did."""
    authorizer = context.server.authorizer
    decision = authorizer.authorize(context.user, info, context.params.get("fieldSelector", ""))
    context.decision = decision
    if not decision.allowed:
        error = forbidden(context.user, info, decision)
        error.considered = authorizer.explain(context.user, info)
        raise error
    return decision
