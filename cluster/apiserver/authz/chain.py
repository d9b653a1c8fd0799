"""The authorizer of the API server: a list of authorizers, asked in order until one allows: nodes, then RBAC.

What the authorization stage, the access reviews and the explorer hold. It has the same methods as `rbac.Authorizer`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from cluster.apiserver.authz.index import CLUSTER_ROLES
from cluster.apiserver.authz.node import NODES, NodeAuthorizer
from cluster.apiserver.authz.rbac import Authorizer, Decision
from cluster.apiserver.authz.rules import stale_aggregates
from cluster.apiserver.request import Obj, Reader, RequestInfo, UserInfo


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


class Aggregator:
    """The clusterrole-aggregation controller's duty inside the API server: whenever a ClusterRole changes, write the rules
    of those that aggregate. `write` gets whole objects to update; what it raises is its own to handle.

    Decisions never wait for it (the index aggregates by itself); it exists so that `kubectl get clusterrole edit` tells
    the truth. `changed` is a doorbell: call `settle` after it rang.
    """

    def __init__(
        self,
        reader: Reader,
        write: Callable[[Obj], Coroutine[Any, Any, Any]],
        ring: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._write = write
        self._ring = ring
        reader.on_change(CLUSTER_ROLES, self._changed)

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        if old is None or new is None or old.get("rules") != new.get("rules") or _selecting(old) != _selecting(new):
            self._ring()

    async def settle(self) -> int:
        """Write every aggregate whose rules are out of date; how many there were."""
        stale = stale_aggregates(self._reader.list(CLUSTER_ROLES))
        for role in stale:
            await self._write(role)
        return len(stale)


def _selecting(role: Obj) -> tuple[Any, Any]:
    return role.get("aggregationRule"), role["metadata"].get("labels")
