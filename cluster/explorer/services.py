"""What the explorer is given by the process that runs it. `kubeweb` fills this in; nothing here knows the API server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from cluster.client.client import Client
from cluster.explorer.rates import Rates
from cluster.journeys.store import JourneyStore

Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Past:
    """One revision of an object: create, update or delete; the object as it was then; the journey that wrote it."""

    revision: int
    verb: str
    journey: str
    object: dict[str, Any]


@dataclass
class Services:
    """`client_for(user, headers)` makes a client for a Django user, or for whom they act as by the Impersonate-* headers, under that
    one's RBAC; StatusError 403 when they may not."""

    client_for: Callable[[Any, Headers], Client]
    journeys: JourneyStore
    # The stations of the map as the server declares them: stages, loops, components.
    pipeline: dict[str, Any]
    # Live figures: queue depths, revision, watchers …
    stats: Callable[[], dict[str, Any]] = dict
    # Which cluster this is, over restarts: a browser that comes back may only go on where it was in the same one.
    identity: str = ""
    # The newest revision.
    revision: Callable[[], int] = int
    # The oldest revision that can still be shown: the log is compacted below it.
    oldest: Callable[[], int] = int
    # When a revision was, in real seconds since the epoch. For threads: it asks the database.
    real_of: Callable[[int], float] = float
    # User → how many watch events it has been handed so far.
    delivered: Callable[[], Mapping[str, int]] = dict
    # (resource path, namespace, name, how many, up to which revision) → the revisions of an object that are still known, newest
    # first. Asks nobody's leave: whoever shows it asks RBAC first.
    history: Callable[[str, str, str, int, int | None], Awaitable[list[Past]]] | None = None
    # (apiVersion, kind) → resource path, `apps/v1/deployments`; empty when nobody serves it.
    resource_of: Callable[[str, str], str] = lambda api_version, kind: ""
    # Moves whenever any role or binding changes.
    rights_version: Callable[[], int] = int
    # What the user of a client holds by RBAC: scope ("" for the cluster, else a namespace) → rules. What may be seen, the API decides.
    rights: Callable[[Client], dict[str, list[dict[str, Any]]]] = lambda client: {}
    # The last minutes' samples of those figures, where a sampler runs.
    rates: Rates | None = None
    # For as long as somebody is connected: an event that is set when their session is not good any more, or their right to act as
    # whom they act as. It takes the ASGI scope; StatusError 401 or 403 when it is not good now.
    connected: Callable[[Any], AbstractAsyncContextManager[asyncio.Event]] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


_current: list[Services] = []


def provide(services: Services) -> None:
    """Called once at start by the process that wires the cluster up."""
    _current[:] = [services]


def services() -> Services:
    """The services of this process."""
    if not _current:
        raise RuntimeError("the cluster is not running in this process")
    return _current[0]
