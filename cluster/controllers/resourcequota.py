"""The resource quota controller: notes in each ResourceQuota's status what its namespace uses (pkg/controller/resourcequota).

Admission counts for itself at each request; this is what people read. What an object counts for is one function for both, which
the wiring hands over (`settings["quota_usage"]`), as controllers do not reach into the API server.
"""

from __future__ import annotations

from cluster.apimachinery.meta import key_of
from cluster.apimachinery.quantity import of_resource
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop, LoopContext
from cluster.controllers.lib.batching import Throttle
from cluster.controllers.lib.resources import DEFINITIONS, built_in, custom_resources
from cluster.journeys.trace import step

QUOTAS = "v1/resourcequotas"
# What is counted, by the name of its storage.
COUNTED = {
    "pods": "v1/pods",
    "services": "v1/services",
    "secrets": "v1/secrets",
    "configmaps": "v1/configmaps",
    "persistentvolumeclaims": "v1/persistentvolumeclaims",
    "replicationcontrollers": "v1/replicationcontrollers",
    "resourcequotas": "v1/resourcequotas",
    "apps/deployments": "apps/v1/deployments",
    "apps/replicasets": "apps/v1/replicasets",
    "apps/statefulsets": "apps/v1/statefulsets",
    "apps/daemonsets": "apps/v1/daemonsets",
    "batch/jobs": "batch/v1/jobs",
    "batch/cronjobs": "batch/v1/cronjobs",
}
BATCH_PERIOD = 0.1


class ResourceQuotaController(ControlLoop):
    """Keeps `status.hard` and `status.used`."""

    name = "resourcequota"
    title = "resource quota"

    def __init__(self, context: LoopContext) -> None:
        super().__init__(context)
        self.throttle = Throttle(self.queue, BATCH_PERIOD)
        self.used_in = context.settings["quota_usage"]

    def setup(self) -> None:
        self.quotas = self.watch(QUOTAS)
        self.counted = {}
        self.definitions = self.watch(DEFINITIONS, self._definition_changed)
        for key, resource in COUNTED.items():
            self.counted[key] = self.informer(resource)
            self.counted[key].add_handler(self._changed)

    def _count_more(self, hard: Obj) -> None:
        """Watch what a quota counts and nobody has asked for yet: `count/crontabs.stable.example.com`."""
        wanted = {name.removeprefix("count/") for name in hard if name.startswith("count/")}
        if not wanted:
            return
        for resource in (*built_in(), *custom_resources(self.definitions.list())):
            key = f"{resource.group}/{resource.plural}" if resource.group else resource.plural
            name = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
            if name in wanted and resource.namespaced and key not in self.counted:
                self.counted[key] = self.informer(resource.path)
                self.counted[key].add_handler(self._changed)

    def _definition_changed(self, old: Obj | None, new: Obj | None) -> None:
        """A kind came or went: quotas may count it, and count it no more."""
        crd = new or old
        assert crd is not None
        if new is None:
            self.counted.pop(f"{crd['spec']['group']}/{crd['spec']['names']['plural']}", None)
        for quota in self.quotas.list():
            if any(name.endswith(f".{crd['spec']['group']}") for name in quota["spec"].get("hard") or ()):
                self.throttle.add(key_of(quota))

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        if old is not None and new is not None:
            same = old["spec"] == new["spec"] if "spec" in old and "spec" in new else True
            ended = (old.get("status") or {}).get("phase") != (new.get("status") or {}).get("phase")
            if same and not ended:
                return
        obj = new or old
        if obj is not None:
            for quota in self.quotas.list(obj["metadata"]["namespace"]):
                self.throttle.add(key_of(quota))

    async def reconcile(self, key: str) -> float | None:
        quota = self.quotas.get(key)
        if quota is None:
            return None
        hard = quota["spec"].get("hard") or {}
        self._count_more(hard)
        with step("observe") as span:
            used: dict[str, str] = dict.fromkeys(hard, "0")
            for storage_key, informer in self.counted.items():
                objects = informer.list(quota["metadata"]["namespace"])
                for name, amount in self.used_in(objects, storage_key, quota).items():
                    if name in used:
                        used[name] = of_resource(name, amount)
            span.detail = {"used": used}
        status = {"hard": dict(hard), "used": used}
        with step("verify"):
            if status != (quota.get("status") or {}):
                await self.client.update(QUOTAS, {**quota, "status": status}, subresource="status")
        return None
