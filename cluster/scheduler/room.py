"""Making room: nominating a node for a pod that found none, and having less important pods leave it.

What `preemption` decides is carried out here. Until the victims have gone the pod counts on its nominated node, so that nobody else is
placed into the room that is being made for it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from cluster.apimachinery.errors import StatusError, is_conflict, is_not_found
from cluster.apimachinery.labels import from_selector
from cluster.apimachinery.meta import set_condition, split_key
from cluster.client.client import Client
from cluster.client.events import EventRecorder
from cluster.client.informer import Informer
from cluster.journeys import trace
from cluster.scheduler.evaluation import Evaluation, helpable
from cluster.scheduler.nodeinfo import NodeInfo, PodShape
from cluster.scheduler.peers import Peer, Peers
from cluster.scheduler.preemption import Candidate, choose
from cluster.scheduler.volumes import Around as Surroundings

log = logging.getLogger(__name__)

Obj = dict[str, Any]
Around = Callable[[Obj, PodShape, set[str]], Surroundings | None]
LEAVING = "not eligible due to a terminating pod on the nominated node."


class RoomMaker:
    """Nominations, and what has to happen for them."""

    def __init__(
        self,
        client: Client,
        events: EventRecorder,
        nodes: dict[str, NodeInfo],
        peers: Peers,
        around: Around,
        *,
        pods: Informer,
        budgets: Informer,
    ) -> None:
        self.client = client
        self.events = events
        self.nodes = nodes
        self.peers = peers
        self.around = around
        self.pods = pods
        self.budgets = budgets
        self._nominated: dict[str, str] = {}  # pod uid → node where room is being made for it

    # -- nominations -------------------------------------------------------------------------------------------------

    def nominate(self, pod: Obj, shape: PodShape, owner: str, node: str) -> None:
        """Keep the room that is being made: nobody else is placed into it."""
        uid = pod["metadata"]["uid"]
        self._nominated[uid] = node
        self.nodes[node].add_pod(uid, shape, owner)

    def withdraw(self, uid: str) -> str:
        """End a nomination; returns the node it was for."""
        node = self._nominated.pop(uid, "")
        if node and node in self.nodes:
            self.nodes[node].remove_pod(uid)
        return node

    # -- preemption ----------------------------------------------------------------------------------------------------

    def find(self, pod: Obj, shape: PodShape, result: Evaluation, kept_for: str) -> Candidate | None:
        """The node to take from less important pods, and which; None when there is none or room is being made already."""
        if pod["spec"].get("preemptionPolicy") == "Never" or (kept_for and self.still_leaving(kept_for)):
            return None
        nodes = helpable(shape, result, self.nodes)
        priority = pod["spec"].get("priority") or 0
        if not any(
            peer.priority < priority for node in nodes for peer in self.peers.by_node.get(node.name, {}).values()
        ):
            return None

        def refusal(node: NodeInfo, gone: set[str]) -> object:
            around = self.around(pod, shape, gone)
            return None if around is None else around.refusal(node)

        return choose(shape, priority, nodes, self.peers, self._protected, refusal)

    def still_leaving(self, node: str) -> bool:
        return any(peer.terminating for peer in self.peers.by_node.get(node, {}).values())

    def _protected(self, peer: Peer) -> bool:
        """A disruption budget that has nothing left to spend covers the pod."""
        return any(
            from_selector(budget["spec"].get("selector")).matches(peer.labels)
            and (budget.get("status") or {}).get("disruptionsAllowed", 0) <= 0
            for budget in self.budgets.list(peer.namespace)
        )

    async def preempt(self, pod: Obj, candidate: Candidate, journey: trace.Journey) -> None:
        """Nominate the node, and have the victims go."""
        metadata = pod["metadata"]
        nominated = {"status": {"nominatedNodeName": candidate.node}}
        with trace.working_on(journey):
            await self._try(
                self.client.patch("v1/pods", metadata["name"], nominated, metadata["namespace"], subresource="status")
            )
            for victim in candidate.victims:
                await self._try(self._evict(victim, metadata["uid"], candidate.node))

    @staticmethod
    async def _try(request: Awaitable[object]) -> None:
        """Somebody may be faster: what has gone or changed is looked at again by the next attempt."""
        try:
            await request
        except StatusError as error:
            if not (is_not_found(error) or is_conflict(error)):
                log.warning("preempting: %s", error.message)

    async def _evict(self, victim: Peer, preemptor: str, node: str) -> None:
        pod = self.pods.get(victim.key)
        if pod is None or pod["metadata"]["uid"] != victim.uid:
            return
        namespace, name = split_key(victim.key)
        text = f"{self.events.component}: preempting to accommodate a higher priority pod"
        condition = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "message": text}
        conditions = set_condition((pod.get("status") or {}).get("conditions") or [], condition)
        await self.client.patch(
            "v1/pods", name, {"status": {"conditions": conditions}}, namespace, subresource="status"
        )
        await self.client.delete("v1/pods", name, namespace, uid=victim.uid)
        self.events.event(pod, "Normal", "Preempted", f"Preempted by pod {preemptor} on node {node}")


def as_detail(candidate: Candidate) -> Obj:
    """What a journey's span says of a preemption."""
    return {"node": candidate.node, "victims": [peer.key for peer in candidate.victims]}
