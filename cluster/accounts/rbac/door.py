"""The way from Django's views to the API server: a client for whoever is signed in. `kubeweb` fills it in at start.

Views run in threads; the cluster lives on one event loop. `ask` carries a question there and waits for the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from cluster.apimachinery.errors import service_unavailable
from cluster.client.client import Client

T = TypeVar("T")
# Seconds after which a page says that the cluster does not answer.
PATIENCE = 30.0


class Subresource(Protocol):
    """What discovery says of a subresource."""

    @property
    def verbs(self) -> tuple[str, ...]: ...


class Resource(Protocol):
    """What discovery says of a resource."""

    @property
    def plural(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def namespaced(self) -> bool: ...
    @property
    def verbs(self) -> tuple[str, ...]: ...
    @property
    def short_names(self) -> tuple[str, ...]: ...
    @property
    def subresources(self) -> Mapping[str, Subresource]: ...


Groups = Mapping[str, Mapping[str, Sequence[Resource]]]


@dataclass(frozen=True)
class Door:
    """`client_for(user)` makes a client for a Django user, under that user's RBAC, whose saves are journeys of theirs."""

    client_for: Callable[[Any], Client]
    # Discovery: group → version (preferred first) → resources.
    groups: Callable[[], Groups]
    loop: asyncio.AbstractEventLoop
    # What a Django user holds by RBAC: scope ("" for the cluster, else a namespace) → rules.
    rights: Callable[[Any], Mapping[str, Sequence[Mapping[str, Any]]]]
    # Whether some binding names this user.
    is_bound: Callable[[str], bool] = lambda name: False


_current: list[Door] = []


def provide(door: Door | None) -> None:
    """Called once at start by the process that wires the cluster up; None closes it again."""
    _current[:] = [door] if door is not None else []


def door() -> Door:
    """The door of this process; StatusError 503 where no cluster runs in it."""
    if not _current:
        raise service_unavailable("the cluster is not running in this process")
    return _current[0]


def is_bound(name: str) -> bool:
    """Whether RBAC gives a user of this name anything by that name. Where no cluster runs nobody has any rights."""
    return bool(_current) and _current[0].is_bound(name)


def ask(question: Coroutine[Any, Any, T]) -> T:
    """Wait, in a view's thread, for what the cluster's event loop answers."""
    # A context of its own: in the view's, whatever the cluster looks up in a thread would wait for this very thread.
    future = Context().run(asyncio.run_coroutine_threadsafe, question, door().loop)
    try:
        return future.result(PATIENCE)
    except TimeoutError:
        future.cancel()
        raise service_unavailable(f"no answer within {PATIENCE:.0f} seconds") from None
