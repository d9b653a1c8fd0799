"""PodTally: how many pods each controller has, in which state, kept current pod by pod.

A ReplicaSet of 5,000 pods would otherwise count 5,000 pods each time one of them changes. The tally is told of every pod
event once, in constant time, and answers in constant time.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster.apimachinery.meta import controller_of, is_condition_true, key_of
from cluster.client.client import Obj

LabelItems = tuple[tuple[str, str], ...]
INACTIVE, ACTIVE, READY, TERMINATING = range(4)


def state_of(pod: Obj) -> int:
    """INACTIVE (finished), TERMINATING (asked to stop), READY, or otherwise ACTIVE."""
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return INACTIVE
    if pod["metadata"].get("deletionTimestamp"):
        return TERMINATING
    return READY if is_condition_true(pod, "Ready") else ACTIVE


class Tally:
    """The pods of one controller: active ones (of these, ready ones), terminating ones, and active ones by labels."""

    __slots__ = ("active", "labels", "ready", "terminating")

    def __init__(self) -> None:
        self.active = 0
        self.ready = 0
        self.terminating = 0
        self.labels: dict[LabelItems, int] = {}

    def count(self, state: int, labels: LabelItems, step: int) -> None:
        """Add (`step` 1) or take away (-1) one pod."""
        if state == TERMINATING:
            self.terminating += step
        elif state != INACTIVE:
            self.active += step
            if state == READY:
                self.ready += step
            left = self.labels.get(labels, 0) + step
            if left:
                self.labels[labels] = left
            else:
                del self.labels[labels]

    @property
    def empty(self) -> bool:
        return not self.active and not self.terminating


NO_PODS = Tally()


def _labels_of(pod: Obj) -> LabelItems:
    return tuple((pod["metadata"].get("labels") or {}).items())


def tally_of(pods: Iterable[Obj]) -> Tally:
    """These pods, counted one by one."""
    tally = Tally()
    for pod in pods:
        tally.count(state_of(pod), _labels_of(pod), 1)
    return tally


class PodTally:
    """Tallies by the uid of the controlling owner, fed by the pod informer's handler."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._tallies: dict[str, Tally] = {}
        self._known: dict[str, tuple[str, int, LabelItems]] = {}

    def of(self, uid: str) -> Tally:
        """The tally of the owner with this uid; not to be changed."""
        return self._tallies.get(uid, NO_PODS)

    def observe(self, old: Obj | None, new: Obj | None) -> None:
        """The informer's handler: takes away what was known of the pod, adds what is."""
        pod = new if new is not None else old
        if pod is None:
            return
        key = key_of(pod)
        known = self._known.pop(key, None)
        fresh = self._facts(new) if new is not None else None
        if fresh is not None:
            self._known[key] = fresh
        if known == fresh:
            return
        if known is not None:
            uid, state, labels = known
            tally = self._tallies[uid]
            tally.count(state, labels, -1)
            if tally.empty:
                del self._tallies[uid]
        if fresh is not None:
            uid, state, labels = fresh
            if state != INACTIVE:
                self._tallies.setdefault(uid, Tally()).count(state, labels, 1)
            else:
                self._known.pop(key)

    def _facts(self, pod: Obj) -> tuple[str, int, LabelItems] | None:
        reference = controller_of(pod)
        if reference is None or reference["kind"] != self.kind:
            return None
        return reference["uid"], state_of(pod), _labels_of(pod)
