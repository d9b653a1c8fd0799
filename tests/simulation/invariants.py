"""What must hold at every step, and what must hold at the end, whatever was done to the cluster."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cluster import clock
from cluster.apimachinery.quantity import milli
from cluster.diagnosis import diagnose
from cluster.diagnosis.facts import is_over, is_ready
from cluster.diagnosis.surroundings import owner_of
from tests.simulation.world import World

Obj = dict[str, Any]
# Seconds that an EndpointSlice may show a pod as ready that is not: the controller's batching and one retry.
SYNC = 10.0


class Invariants:
    """Watches a world; `broken` says what did not hold, and when."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.broken: list[str] = []
        self._stale: dict[tuple[str, str], float] = {}
        self._completed: dict[str, int] = {}
        # While controllers are stopped, or the API server refuses, slices lag for as long.
        self.excused_until = 0.0

    def note(self, text: str) -> None:
        if len(self.broken) < 20:
            self.broken.append(f"{clock.timestamp()} {text}")

    def check(self) -> None:
        """All that must hold at any moment."""
        pods = self.world.list("pods")
        self._identities()
        self._addresses(pods)
        self._room(pods)
        self._endpoints(pods)
        self._numbers(pods)
        self._jobs()
        for text in self.world.complaints.said:
            self.note(f"logged: {text}")
        self.world.complaints.said.clear()

    def _identities(self) -> None:
        """Never two machines that run the same member of a StatefulSet."""
        running: Counter[str] = Counter()
        for kubelet in self.world.machines.kubelets.values():
            for worker in kubelet.workers.values():
                owner = next(iter(worker.pod["metadata"].get("ownerReferences") or ()), {})
                if owner.get("kind") == "StatefulSet" and any(one.state == "running" for one in worker.main):
                    running[worker.pod["metadata"]["name"]] += 1
        for name, count in running.items():
            if count > 1:
                self.note(f"{count} machines run {name}")

    def _addresses(self, pods: list[Obj]) -> None:
        """One address, one pod."""
        seen: dict[str, str] = {}
        for pod in pods:
            ip = (pod.get("status") or {}).get("podIP")
            if not ip or is_over(pod):
                continue
            if ip in seen:
                self.note(f"{pod['metadata']['name']} and {seen[ip]} have the address {ip}")
            seen[ip] = pod["metadata"]["name"]

    def _room(self, pods: list[Obj]) -> None:
        """No node has promised more than it has."""
        asked: Counter[str] = Counter()
        for pod in pods:
            node = pod["spec"].get("nodeName")
            if node and not is_over(pod):
                for container in pod["spec"]["containers"]:
                    asked[node] += milli(((container.get("resources") or {}).get("requests") or {}).get("cpu", "0"))
        for node in self.world.list("nodes"):
            have = milli(((node.get("status") or {}).get("allocatable") or {}).get("cpu", "0"))
            if asked[node["metadata"]["name"]] > have > 0:
                self.note(
                    f"{node['metadata']['name']} has {have}m of cpu and promised {asked[node['metadata']['name']]}m"
                )

    def _endpoints(self, pods: list[Obj]) -> None:
        """No slice shows as ready what has not been ready for a while."""
        ready = {
            pod["metadata"]["uid"] for pod in pods if is_ready(pod) and not pod["metadata"].get("deletionTimestamp")
        }
        now, wrong = clock.now(), set()
        for one in self.world.list("discovery.k8s.io/endpointslices"):
            for endpoint in one.get("endpoints") or ():
                uid = (endpoint.get("targetRef") or {}).get("uid", "")
                if uid and (endpoint.get("conditions") or {}).get("ready") and uid not in ready:
                    wrong.add((one["metadata"]["name"], uid))
        self._stale = {key: self._stale.get(key, now) for key in wrong}
        for key, since in self._stale.items():
            if now - max(since, self.excused_until) > SYNC:
                self.note(f"slice {key[0]} shows pod {key[1]} as ready for {now - since:.0f} s too long")

    def _numbers(self, pods: list[Obj]) -> None:
        """No controller makes more pods than it may."""
        alive: Counter[str] = Counter(
            owner_of(pod) for pod in pods if not pod["metadata"].get("deletionTimestamp") and not is_over(pod)
        )
        for deployment in self.world.list("apps/deployments"):
            owned = [
                one for one in self.world.list("apps/replicasets") if owner_of(one) == deployment["metadata"]["uid"]
            ]
            have = sum(alive[one["metadata"]["uid"]] for one in owned)
            wanted = max(
                [deployment["spec"]["replicas"], *(one["spec"]["replicas"] for one in owned)],
            )
            # A surge of 25 %, and what an autoscaler or a person took away a moment ago.
            if have > max(wanted * 2, wanted + 8):
                self.note(f"deployment {deployment['metadata']['name']} has {have} pods for {wanted}")
        for one in self.world.list("apps/replicasets"):
            if alive[one["metadata"]["uid"]] > max(one["spec"]["replicas"], one["status"].get("replicas", 0)) + 500:
                self.note(f"replicaset {one['metadata']['name']} runs away")
        for one in self.world.list("apps/statefulsets"):
            if alive[one["metadata"]["uid"]] > one["spec"]["replicas"] and clock.now() > self.excused_until + 60:
                self.note(f"statefulset {one['metadata']['name']} has {alive[one['metadata']['uid']]} pods")
        per_node: Counter[tuple[str, str]] = Counter()
        for pod in pods:
            if pod["metadata"].get("deletionTimestamp") or is_over(pod) or not pod["spec"].get("nodeName"):
                continue
            owner = next(iter(pod["metadata"].get("ownerReferences") or ()), {})
            if owner.get("kind") == "DaemonSet":
                per_node[owner["uid"], pod["spec"]["nodeName"]] += 1
        for (_, node), count in per_node.items():
            if count > 1:
                self.note(f"{count} pods of one DaemonSet on {node}")

    def _jobs(self) -> None:
        """A completion is counted once and never taken back."""
        for job in self.world.list("batch/jobs"):
            done = job["status"].get("succeeded", 0)
            uid = job["metadata"]["uid"]
            if done < self._completed.get(uid, 0):
                self.note(f"job {job['metadata']['name']} lost a completion")
            if done > job["spec"].get("completions", 1):
                self.note(f"job {job['metadata']['name']} has {done} completions")
            self._completed[uid] = done

    # -- at the end ----------------------------------------------------------------------------------------------------

    def finally_(self) -> None:
        """Desired is actual, and nothing is left over."""
        self.check()
        world = self.world
        for resource in ("apps/deployments", "apps/statefulsets", "apps/daemonsets"):
            for obj in world.list(resource):
                found = diagnose(world.server.storage, resource, obj, clock.now())
                if found["verdict"] != "Healthy":
                    self.note(f"at the end: {found['message']}")
        uids = {
            obj["metadata"]["uid"]
            for resource in (
                "apps/replicasets",
                "apps/deployments",
                "apps/statefulsets",
                "apps/daemonsets",
                "batch/jobs",
            )
            for obj in world.list(resource)
        } | {obj["metadata"]["uid"] for obj in world.list("batch/cronjobs")}
        pods = world.list("pods")
        for resource in ("pods", "apps/replicasets", "batch/jobs"):
            for obj in world.list(resource):
                if owner_of(obj) not in uids:
                    self.note(f"at the end: {resource} {obj['metadata']['name']} has lost its owner")
                if obj["metadata"].get("deletionTimestamp"):
                    self.note(f"at the end: {resource} {obj['metadata']['name']} is still going")
        for node in world.list("nodes"):
            name = node["metadata"]["name"]
            kubelet = world.machines.kubelets.get(name)
            bound = {pod["metadata"]["uid"] for pod in pods if pod["spec"].get("nodeName") == name}
            if kubelet is None:
                self.note(f"at the end: nobody runs {name}")
            elif set(kubelet.workers) != bound:
                self.note(f"at the end: the kubelet of {name} has {len(kubelet.workers)} pods, {len(bound)} are bound")
            elif kubelet.owners.keys() - {one.id for one in kubelet.runtime.list_containers()}:
                self.note(f"at the end: {name} remembers containers that are gone")
            if node["spec"].get("taints"):
                self.note(f"at the end: {name} has taints {node['spec']['taints']}")
        addresses = {(pod.get("status") or {}).get("podIP") for pod in pods if not is_over(pod)}
        leaked = set(world.machines.network.pods) - addresses
        if leaked:
            self.note(f"at the end: addresses without pods: {sorted(leaked)}")
        self._leftovers(pods)
        leases = {one["metadata"]["name"] for one in world.list("coordination.k8s.io/leases", "kube-node-lease")}
        if leases != {node["metadata"]["name"] for node in world.list("nodes")}:
            self.note(f"at the end: leases of {sorted(leases)}")
        disturbance = world.server.disturbance
        if disturbance.delays or disturbance.overload or world.stopped or world.machines.network.frozen:
            self.note("at the end: something is still broken on purpose")

    def _leftovers(self, pods: list[Obj]) -> None:
        """Everything that comes with the workloads is there once, and nothing that came with what is gone."""
        world = self.world
        for one in world.list("discovery.k8s.io/endpointslices"):
            service = (one["metadata"].get("labels") or {}).get("kubernetes.io/service-name", "")
            shown = {end["targetRef"]["uid"] for end in one.get("endpoints") or () if "targetRef" in end}
            up = {
                pod["metadata"]["uid"]
                for pod in pods
                if (pod["metadata"].get("labels") or {}).get("app") == service and not is_over(pod)
            }
            if service in ("web", "db", "api") and shown != up:
                self.note(f"at the end: slice {one['metadata']['name']} shows {len(shown)} pods, there are {len(up)}")
        claims = {one["metadata"]["name"]: one for one in world.list("persistentvolumeclaims")}
        if set(claims) != {"data-db-0", "data-db-1", "data-db-2"}:
            self.note(f"at the end: claims {sorted(claims)}")
        volumes = {one["metadata"]["name"] for one in world.list("persistentvolumes")}
        if volumes != {one["spec"].get("volumeName") for one in claims.values()}:
            self.note(f"at the end: {len(volumes)} volumes for {len(claims)} claims")
        for resource, most in (("apps/replicasets", 11), ("apps/controllerrevisions", 12), ("batch/jobs", 5)):
            per_owner = Counter(owner_of(one) for one in world.list(resource))
            for uid, count in per_owner.items():
                if count > most:
                    self.note(f"at the end: {count} {resource} of one owner ({uid})")
        for quota in world.list("resourcequotas"):
            used = quota["status"]["used"]
            here = [pod for pod in pods if not is_over(pod)]
            if used != {"pods": str(len(here)), "count/deployments.apps": str(len(world.list("apps/deployments")))}:
                self.note(f"at the end: the quota counts {used}, there are {len(here)} pods")
        for budget in world.list("policy/poddisruptionbudgets"):
            status, wanted = budget["status"], budget["spec"]["minAvailable"]
            if status["disruptionsAllowed"] != status["currentHealthy"] - wanted or status.get("disruptedPods"):
                self.note(f"at the end: the budget {budget['metadata']['name']} says {status}")
