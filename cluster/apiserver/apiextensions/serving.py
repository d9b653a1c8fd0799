"""Watches the definitions, says what became of them, and serves what they declare (apiextensions-apiserver's controllers).

Naming, establishing and finalizing are one reconcile here. What is established is registered in the same moment in which the status
that says so is published, so that a client that has seen `Established` finds the resource.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from cluster import clock
from cluster.apimachinery.errors import StatusError, is_conflict, is_not_found
from cluster.apiserver.apiextensions.custom import CustomResource
from cluster.apiserver.apiextensions.definition import APPROVED, CLEANUP, KEY, PATH, condition, is_true
from cluster.apiserver.request import SYSTEM

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

Obj = dict[str, Any]
log = logging.getLogger(__name__)
# Seconds of real time after which a definition is looked at again that could not be finished, or that objects still hold.
RETRY = 0.5


class CustomResources:
    """`start()` serves what is there; from then on changes are followed until `stop()`."""

    def __init__(self, server: APIServer) -> None:
        self.server = server
        self.served: dict[str, CustomResource] = {}
        self._dirty: dict[str, None] = {}
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._watched: set[str] = set()

    async def start(self) -> None:
        self.client = self.server.loopback(SYSTEM, "kube-apiserver")
        self.server.storage.on_change(KEY, self._changed)
        self._task = asyncio.create_task(self._run(), name="custom resources")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # -- what is served ----------------------------------------------------------------------------------------------

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        """In the moment of the commit: serve what this state of the definition says."""
        crd = new or old
        assert crd is not None
        name = crd["metadata"]["name"]
        if new is None:
            self._unserve(name)
        elif is_true(new, "Established"):
            self._serve(new)
        self._mark(name)
        if new is None or (old is not None and old["spec"]["names"] != new["spec"]["names"]):
            # Names came free: somebody may have waited for them.
            for other in self.server.storage.list(KEY):
                if other["spec"]["group"] == crd["spec"]["group"]:
                    self._mark(other["metadata"]["name"])

    def _serve(self, crd: Obj) -> None:
        name = crd["metadata"]["name"]
        current = self.served.get(name)
        terminating = is_true(crd, "Terminating")
        accepted = (crd.get("status") or {}).get("acceptedNames")
        if current is not None and current.spec == crd["spec"] and current.names == accepted:
            current.terminating = terminating
            return
        self._unserve(name)
        fresh = self.served[name] = CustomResource(crd)
        fresh.terminating = terminating
        for resource in fresh.resources():
            self.server.registry.add(resource)

    def _unserve(self, name: str) -> None:
        current = self.served.pop(name, None)
        if current is None:
            return
        current.gone = True
        for resource in current.resources():
            self.server.registry.remove(resource)
        self.server.storage.cache(current.storage_key).stream.ring()

    # -- what becomes of a definition --------------------------------------------------------------------------------

    def _mark(self, name: str) -> None:
        self._dirty[name] = None
        self._bell.set()

    async def _run(self) -> None:
        while True:
            await self._bell.wait()
            self._bell.clear()
            while self._dirty:
                name = next(iter(self._dirty))
                del self._dirty[name]
                try:
                    again = await self.reconcile(name)
                except StatusError as error:
                    again = not is_not_found(error)
                    if again and not is_conflict(error):
                        log.warning("definition %s: %s", name, error.message)
                except Exception:
                    log.exception("definition %s", name)
                    again = True
                if again:
                    asyncio.get_running_loop().call_later(RETRY, self._mark, name)

    async def reconcile(self, name: str) -> bool:
        """Bring the status of a definition up to date, or its end about; True to be called again."""
        crd = self.server.storage.get(KEY, "", name)
        if crd is None:
            return False
        if crd["metadata"].get("deletionTimestamp"):
            return await self._finish(crd)
        status = self._status(crd)
        if status != crd.get("status"):
            await self.client.update(PATH, {**crd, "status": status}, subresource="status")
        return False

    def _status(self, crd: Obj) -> Obj:
        status = dict(crd.get("status") or {})
        accepted, problem = self._names(crd)
        conditions = list(status.get("conditions") or ())
        if problem is None:
            _set(conditions, "NamesAccepted", "True", "NoConflicts", "no conflicts found")
        else:
            _set(conditions, "NamesAccepted", "False", *problem)
        if not is_true(crd, "Established"):
            if problem is None:
                _set(conditions, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted")
            else:
                _set(conditions, "Established", "False", "NotAccepted", "not all names are accepted")
        approval = (crd["metadata"].get("annotations") or {}).get(APPROVED, "")
        if approval and crd["spec"]["group"].endswith((".k8s.io", ".kubernetes.io")):
            if approval.startswith("unapproved"):
                told = ("False", "UnapprovedAnnotation", f'not approved: "{approval}"')
            else:
                told = ("True", "ApprovedAnnotation", f"approved in {approval}")
            _set(conditions, "KubernetesAPIApprovalPolicyConformant", *told)
        status["conditions"] = conditions
        status["acceptedNames"] = accepted
        return status

    def _names(self, crd: Obj) -> tuple[Obj, tuple[str, str] | None]:
        """The names that are this definition's, and what is wrong with those that it may not have."""
        taken: set[str] = set()
        kinds: set[str] = set()
        for resource in self.server.registry.all():
            if resource.group == crd["spec"]["group"] and resource.custom is None:
                taken.update((resource.plural, resource.singular, *resource.short_names))
                kinds.update((resource.kind, resource.list_kind))
        for other in self.server.storage.list(KEY):
            if other["spec"]["group"] == crd["spec"]["group"] and other is not crd:
                have = (other.get("status") or {}).get("acceptedNames") or {}
                taken.update((have.get("plural", ""), have.get("singular", ""), *(have.get("shortNames") or ())))
                kinds.update((have.get("kind", ""), have.get("listKind", "")))
        wanted = crd["spec"]["names"]
        accepted = {**((crd.get("status") or {}).get("acceptedNames") or {})}
        problem: tuple[str, str] | None = None

        def refuse(reason: str, word: str) -> None:
            nonlocal problem
            problem = (reason, f'"{word}" is already in use')

        for field, reason in (("plural", "PluralConflict"), ("singular", "SingularConflict")):
            if wanted[field] in taken:
                refuse(reason, wanted[field])
            else:
                accepted[field] = wanted[field]
        clash = [word for word in wanted.get("shortNames") or () if word in taken]
        if clash:
            refuse("ShortNamesConflict", clash[0])
        elif wanted.get("shortNames"):
            accepted["shortNames"] = list(wanted["shortNames"])
        else:
            accepted.pop("shortNames", None)
        for field, reason in (("kind", "KindConflict"), ("listKind", "ListKindConflict")):
            if wanted[field] in kinds:
                refuse(reason, wanted[field])
            else:
                accepted[field] = wanted[field]
        if wanted.get("categories"):
            accepted["categories"] = list(wanted["categories"])
        else:
            accepted.pop("categories", None)
        accepted.setdefault("plural", "")
        accepted.setdefault("kind", "")
        return accepted, problem

    # -- the end -----------------------------------------------------------------------------------------------------

    async def _finish(self, crd: Obj) -> bool:
        """Delete the instances, wait for them to be gone, and let the definition go."""
        name = crd["metadata"]["name"]
        if CLEANUP not in (crd["metadata"].get("finalizers") or ()):
            return False
        custom = self.served.get(name)
        if custom is not None:
            await self._say(crd, "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress")
            storage, key = self.server.storage, custom.storage_key
            if storage.cache(key).entries:
                self._follow(key, name)
                path = custom.stored.resource.path if custom.storage_version in custom.versions else ""
                for resource in custom.resources():
                    path = path or resource.path
                if path:
                    await self.client.delete_collection(path)
                else:
                    await self._delete_unserved(key)
            left = len(storage.cache(key).entries)
            if left:
                await self._say(
                    self.server.storage.get(KEY, "", name) or crd,
                    "True",
                    "InstanceDeletionCheck",
                    "could not confirm zero CustomResources remaining: timed out waiting for the condition",
                )
                return True
        fresh = self.server.storage.get(KEY, "", name)
        if fresh is None:
            return False
        await self._say(fresh, "False", "InstanceDeletionCompleted", "removed all instances")
        fresh = self.server.storage.get(KEY, "", name) or fresh
        finalizers = [one for one in fresh["metadata"]["finalizers"] if one != CLEANUP]
        await self.client.update(PATH, {**fresh, "metadata": {**fresh["metadata"], "finalizers": finalizers}})
        return False

    async def _delete_unserved(self, key: str) -> None:
        """No version is served any more: what nothing holds is taken out of storage."""
        storage = self.server.storage
        for entry in list(storage.cache(key).entries.values()):
            if not entry.obj["metadata"].get("finalizers"):
                await storage.write(key, entry.key, entry.obj, "delete", entry.revision, "")

    def _follow(self, key: str, name: str) -> None:
        """Look at the definition again as soon as the last of its objects is gone."""
        if key in self._watched:
            return
        self._watched.add(key)

        def left(old: Obj | None, new: Obj | None) -> None:
            custom = self.served.get(name)
            if new is None and custom is not None and custom.terminating and not self.server.storage.cache(key).entries:
                self._mark(name)

        self.server.storage.on_change(key, left)

    async def _say(self, crd: Obj, status: str, reason: str, message: str) -> None:
        conditions = list((crd.get("status") or {}).get("conditions") or ())
        known = condition(crd, "Terminating")
        if known is not None and (known["status"], known["reason"]) == (status, reason):
            return
        _set(conditions, "Terminating", status, reason, message)
        await self.client.update(
            PATH, {**crd, "status": {**(crd.get("status") or {}), "conditions": conditions}}, subresource="status"
        )


def _set(conditions: list[Obj], kind: str, status: str, reason: str, message: str) -> None:
    """Set one condition; its time moves when its status does."""
    fresh = {
        "type": kind,
        "status": status,
        "lastTransitionTime": clock.timestamp(),
        "reason": reason,
        "message": message,
    }
    for index, one in enumerate(conditions):
        if one["type"] == kind:
            if (one["status"], one.get("reason"), one.get("message")) != (status, reason, message):
                if one["status"] == status:
                    fresh["lastTransitionTime"] = one.get("lastTransitionTime") or clock.timestamp()
                conditions[index] = fresh
            return
    conditions.append(fresh)
