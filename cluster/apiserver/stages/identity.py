"""Stages authn and authz: who is asking, and may they?"""

from __future__ import annotations

from cluster.apiserver.context import Context


async def authenticate(context: Context) -> object:
    """Find out who asks; a bad credential is refused, none at all is `system:anonymous`."""
    if not context.loopback:
        context.user = await context.server.authenticator.authenticate(context.headers, context.scope)
    user = context.user
    context.journey.actor = user.name
    return Who(context)


class Who:
    """What the authn span tells."""

    __slots__ = ("groups", "loopback", "user")

    def __init__(self, context: Context) -> None:
        self.user, self.groups, self.loopback = context.user.name, context.user.groups, context.loopback

    def as_detail(self) -> dict[str, object]:
        method = "loopback" if self.loopback else "anonymous" if self.user == "system:anonymous" else "credential"
        return {"user": self.user, "groups": list(self.groups), "method": method}


def authorize(context: Context) -> object:
    """RBAC: any rule that matches allows; otherwise 403 in Kubernetes' words."""
    if context.implied:
        return {"allowed": True, "message": "implied by the request that caused this one"}
    decision = context.server.authorizer.authorize(context.user, context.info)
    if not decision.allowed:
        raise context.server.denied(context, decision)
    return decision
