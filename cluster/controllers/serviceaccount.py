"""The service account controller: a `default` ServiceAccount in every active namespace (pkg/controller/serviceaccount)."""

from __future__ import annotations

from cluster.apimachinery.errors import StatusError, is_already_exists, namespace_terminating
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop
from cluster.journeys.trace import step

ACCOUNTS, NAMESPACES = "v1/serviceaccounts", "v1/namespaces"
NAME = "default"


class ServiceAccountController(ControlLoop):
    """Gives every active namespace its `default` ServiceAccount."""

    name = "serviceaccount"
    title = "service account"
    account = "service-account-controller"
    workers = 1

    def setup(self) -> None:
        self.namespaces = self.watch(NAMESPACES)
        self.accounts = self.watch(ACCOUNTS, self._account_changed)

    def _account_changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is None and old is not None and old["metadata"]["name"] == NAME:
            self.queue.add(old["metadata"]["namespace"])

    async def reconcile(self, key: str) -> float | None:
        namespace = self.namespaces.get(key)
        if namespace is None or (namespace.get("status") or {}).get("phase") == "Terminating":
            return None
        with step("compare") as span:
            missing = self.accounts.get(f"{key}/{NAME}") is None
            span.detail = {"desired": 1, "actual": 0 if missing else 1}
        if missing:
            with step("act", {"create": NAME}):
                account = {
                    "apiVersion": "v1",
                    "kind": "ServiceAccount",
                    "metadata": {"name": NAME, "namespace": key},
                }
                try:
                    await self.client.create(ACCOUNTS, account, key)
                except StatusError as error:
                    if not is_already_exists(error) and not namespace_terminating(error):
                        raise
        return None
