"""ClusterRole aggregation: a role holds the rules of those it selects (pkg/controller/clusterroleaggregation).

A CRD's author labels a role `rbac.authorization.k8s.io/aggregate-to-view: "true"`,
and whoever has `view` may see the new kind.
"""

from __future__ import annotations

from cluster.apimachinery.labels import from_selector
from cluster.apimachinery.meta import key_of
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop
from cluster.journeys.trace import step

CLUSTERROLES = "rbac.authorization.k8s.io/v1/clusterroles"


def aggregated_rules(role: Obj, roles: list[Obj]) -> list[Obj]:
    """The rules of the selected roles, selector by selector and by name, each once."""
    rules: list[Obj] = []
    for wanted in role["aggregationRule"].get("clusterRoleSelectors") or ():
        selector = from_selector(wanted)
        for other in sorted(roles, key=key_of):
            if key_of(other) != key_of(role) and selector.matches(other["metadata"].get("labels")):
                rules += [rule for rule in other.get("rules") or () if rule not in rules]
    return rules


class ClusterRoleAggregationController(ControlLoop):
    """Fills ClusterRoles that have an aggregationRule with the rules of those they select."""

    name = "clusterroleaggregation"
    title = "cluster role aggregation"
    account = "clusterrole-aggregation-controller"

    def setup(self) -> None:
        self.roles = self.informer(CLUSTERROLES)
        self.roles.add_handler(self._role_changed)

    def _role_changed(self, old: Obj | None, new: Obj | None) -> None:
        """Any role may be selected by any aggregating one, before or after its change."""
        if old is not None and new is not None:
            same = ("rules", "aggregationRule")
            labels = old["metadata"].get("labels") == new["metadata"].get("labels")
            if labels and all(old.get(name) == new.get(name) for name in same):
                return
        for role in self.roles.list():
            if role.get("aggregationRule"):
                self.queue.add(key_of(role))

    async def reconcile(self, key: str) -> float | None:
        role = self.roles.get(key)
        if role is None or not role.get("aggregationRule"):
            return None
        with step("compare") as span:
            rules = aggregated_rules(role, self.roles.list())
            span.detail = {"desired": len(rules), "actual": len(role.get("rules") or ())}
        if rules != (role.get("rules") or []):
            with step("act", {"write": key}):
                await self.client.update(CLUSTERROLES, {**role, "rules": rules})
        return None
