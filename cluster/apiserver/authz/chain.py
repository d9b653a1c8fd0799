"""The authorizer of the API server: a list of authorizers, asked in order until one allows: nodes, then RBAC.

What the authorization stage, the access reviews and the explorer hold. It has the same methods as `rbac.Authorizer`.
"""

from __future__ import annotations

from cluster.apiserver.authz.node import NODES, NodeAuthorizer
from cluster.apiserver.authz.rbac import Authorizer, Decision
from cluster.apiserver.request import Reader, RequestInfo, UserInfo


class AuthorizerChain(Authorizer):
    """RBAC with the node authorizer in front (authorization-mode=Node,RBAC)."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        self.node = NodeAuthorizer(reader)

    def authorize(self, user: UserInfo, info: RequestInfo, field_selector: str = "") -> Decision:
        if NODES not in user.groups:
            return super().authorize(user, info)
        first = self.node.authorize(user, info, field_selector)
        if first.allowed:
            return first
        second = super().authorize(user, info)
        if second.allowed or not first.reason:
            return second
        return Decision(False, f"{first.reason}\n{second.reason}" if second.reason else first.reason)
