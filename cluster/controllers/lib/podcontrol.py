"""Creating and deleting pods on behalf of an owner, with Kubernetes' events (pkg/controller.RealPodControl)."""

from __future__ import annotations

from cluster.apimachinery.errors import StatusError, is_not_found, namespace_terminating
from cluster.apimachinery.meta import owner_reference
from cluster.client.client import Client, Obj
from cluster.client.events import EventRecorder

PODS = "v1/pods"


def pod_from_template(template: Obj, owner: Obj) -> Obj:
    """The pod that `owner`'s template describes. It shares the template's spec: the client copies it at the door."""
    described = template.get("metadata") or {}
    metadata: Obj = {
        "generateName": f"{owner['metadata']['name']}-",
        "namespace": owner["metadata"]["namespace"],
        "ownerReferences": [owner_reference(owner)],
    }
    for name in ("labels", "annotations", "finalizers"):
        if described.get(name):
            metadata[name] = described[name]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


class PodControl:
    """Writes pods as one controller."""

    def __init__(self, client: Client, events: EventRecorder) -> None:
        self.client = client
        self.events = events

    async def create(self, pod: Obj, owner: Obj) -> Obj:
        """Create `pod`; a refusal is an event on its owner, and raised."""
        try:
            created = await self.client.create(PODS, pod, owner["metadata"]["namespace"])
        except StatusError as error:
            if not namespace_terminating(error):
                self.events.event(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
            raise
        self.events.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {created['metadata']['name']}")
        return created

    async def delete(self, pod: Obj, owner: Obj) -> None:
        """Delete `pod`; NotFound is raised too, so that the caller lowers its expectations."""
        metadata = pod["metadata"]
        try:
            await self.client.delete(PODS, metadata["name"], metadata["namespace"], uid=metadata["uid"])
        except StatusError as error:
            if not is_not_found(error):
                self.events.event(owner, "Warning", "FailedDelete", f"Error deleting: {error.message}")
            raise
        self.events.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {metadata['name']}")
