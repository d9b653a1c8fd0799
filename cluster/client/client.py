"""The client: the one way to the API server's door (client-go's dynamic client).

Resources are named by their path, `v1/pods`, `apps/v1/deployments`. Objects are plain dicts. What `get`, `list` and `watch`
return may be shared with caches and must not be changed; what is handed to `create` and `update` is copied at the door.
Failures are `cluster.apimachinery.errors.StatusError`.

Two implementations: the loopback client (in the API server's room) enters the pipeline in this process as its own user,
without HTTP; an HTTPS one may follow with the same methods.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

Obj = dict[str, Any]


@dataclass(slots=True)
class ObjectList:
    """One page of a list: items in key order, the revision they were read at, and how to go on."""

    items: list[Obj]
    resource_version: str
    continue_token: str = ""


@dataclass(slots=True)
class WatchEvent:
    """ADDED, MODIFIED, DELETED or BOOKMARK; the object as of `revision`; the journey that wrote it."""

    type: str
    object: Obj
    revision: int
    journey: str = ""


Batch = list[WatchEvent]  # a name of its own: inside Client `list` is a method


class Client(ABC):
    """Requests as one user."""

    user: str

    @abstractmethod
    async def get(self, resource: str, name: str, namespace: str = "", *, subresource: str = "") -> Obj: ...

    @abstractmethod
    async def list(
        self,
        resource: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        resource_version_match: str = "",
        limit: int = 0,
        continue_token: str = "",
    ) -> ObjectList:
        """`resource_version_match` "Exact" lists the state as of that very revision; 410 when the log no longer has it."""

    @abstractmethod
    async def create(
        self,
        resource: str,
        obj: Obj,
        namespace: str = "",
        *,
        name: str = "",
        subresource: str = "",
        dry_run: bool = False,
    ) -> Obj:
        """`name` with `subresource` for pods/binding, pods/eviction, serviceaccounts/token.

        `dry_run`: everything but the storing (dryRun=All).
        """

    @abstractmethod
    async def update(self, resource: str, obj: Obj, *, subresource: str = "", dry_run: bool = False) -> Obj:
        """Replace; a `metadata.resourceVersion` in obj makes it conditional (Conflict when it is stale)."""

    @abstractmethod
    async def patch(
        self,
        resource: str,
        name: str,
        patch: Any,
        namespace: str = "",
        *,
        subresource: str = "",
        kind: str = "merge",
        field_manager: str = "",
        force: bool = False,
    ) -> Obj:
        """`kind`: merge, strategic, json or apply."""

    @abstractmethod
    async def delete(
        self,
        resource: str,
        name: str,
        namespace: str = "",
        *,
        grace_period_seconds: int | None = None,
        propagation_policy: str = "",
        uid: str = "",
        resource_version: str = "",
    ) -> Obj: ...

    @abstractmethod
    async def delete_collection(
        self,
        resource: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        propagation_policy: str = "",
    ) -> None: ...

    @abstractmethod
    def watch(
        self,
        resource: str,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        send_initial_events: bool = False,
        bookmarks: bool = False,
    ) -> AsyncIterator[Batch]:
        """Batches of events, in order, without gap or repeat; 410 Expired when the start is too old.

        With `bookmarks`, a BOOKMARK (its object empty) follows whenever there is nothing more up to its revision.
        """
