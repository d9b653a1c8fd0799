"""Sandboxes: a namespace with quota, limit range and role binding for whoever asked (sim.kubeweb.dev; no Kubernetes has this).

The namespace belongs to its Sandbox and goes with it. A namespace of that name that belongs to nobody's Sandbox is left alone.
"""

from __future__ import annotations

from cluster.apimachinery.errors import StatusError, is_already_exists
from cluster.client.client import Obj
from cluster.client.loop import ControlLoop
from cluster.controllers.policy.sandbox import contents, namespace_for, namespace_of
from cluster.journeys.trace import step

SANDBOXES, NAMESPACES = "sim.kubeweb.dev/v1alpha1/sandboxes", "v1/namespaces"
# Seconds until a namespace that is on its way out is looked at again.
SOON = 1.0


class SandboxController(ControlLoop):
    """Gives everybody who asks a namespace of their own."""

    name = "sandbox"
    workers = 2

    def setup(self) -> None:
        self.sandboxes = self.watch(SANDBOXES)
        self.namespaces = self.watch(NAMESPACES, self._namespace_changed)

    def _namespace_changed(self, old: Obj | None, new: Obj | None) -> None:
        obj = new or old
        for owner in (obj or {}).get("metadata", {}).get("ownerReferences") or ():
            if owner["kind"] == "Sandbox":
                self.queue.add(owner["name"])

    async def reconcile(self, key: str) -> float | None:
        sandbox = self.sandboxes.get(key)
        if sandbox is None or sandbox["metadata"].get("deletionTimestamp"):
            return None
        name = namespace_of(sandbox)
        with step("compare") as span:
            namespace = self.namespaces.get(name)
            span.detail = {"desired": name, "actual": name if namespace is not None else None}
        if namespace is None:
            with step("act", {"create": name}):
                namespace = await self._create(NAMESPACES, namespace_for(sandbox))
            if namespace is None:
                # Somebody was faster; the watch will tell whose it is.
                return SOON
        if not any(
            owner["uid"] == sandbox["metadata"]["uid"] for owner in namespace["metadata"].get("ownerReferences") or ()
        ):
            await self._tell(sandbox, "Failed", f"there is a namespace {name} that does not belong to this sandbox")
            return None
        if namespace["metadata"].get("deletionTimestamp"):
            return SOON
        phase = (sandbox.get("status") or {}).get("phase")
        if phase != "Ready":
            # What a person does to these afterwards is their own business.
            for resource, obj in contents(sandbox):
                with step("act", {"create": f"{obj['kind']}/{name}"}):
                    await self._create(resource, obj)
        await self._tell(sandbox, "Ready", "")
        return None

    async def _create(self, resource: str, obj: Obj) -> Obj | None:
        """The new object; None when there is one already."""
        try:
            return await self.client.create(resource, obj, obj["metadata"].get("namespace", ""))
        except StatusError as error:
            if is_already_exists(error):
                return None
            raise

    async def _tell(self, sandbox: Obj, phase: str, message: str) -> None:
        status = {"phase": phase, "namespace": namespace_of(sandbox)}
        if message:
            status["message"] = message
        if status != sandbox.get("status"):
            await self.client.update(SANDBOXES, {**sandbox, "status": status}, subresource="status")
