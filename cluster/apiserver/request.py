"""What a request is: who asks, for what, and the ways its stages share (apiserver/pkg/endpoints/request)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from cluster.apiserver.resources.registry import Resource

Obj = dict[str, Any]


@dataclass(frozen=True, slots=True)
class UserInfo:
    """Who is asking (authentication/user.Info)."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


ANONYMOUS = UserInfo("system:anonymous", ("system:unauthenticated",))
# The API server itself, as it asks itself.
SYSTEM = UserInfo("system:apiserver", ("system:masters", "system:authenticated"))


@dataclass(slots=True)
class RequestInfo:
    """What a path and a method ask for (request.RequestInfo).

    For resources: verb is get, list, watch, create, update, patch, delete or deletecollection. For other paths
    (`is_resource` False) it is the lower-case HTTP method.
    """

    path: str
    verb: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""


class Reader(Protocol):
    """The watch cache as stages and plugins may use it. `resource` is a registry key: `pods`, `apps/deployments`.

    Objects are shared: never change one.
    """

    def get(self, resource: str, namespace: str, name: str) -> Obj | None: ...

    def list(self, resource: str, namespace: str = "") -> Iterable[Obj]: ...

    def underway(self, resource: str, namespace: str) -> Iterable[Obj]:
        """The objects that are being written at this moment."""
        ...

    def on_change(self, resource: str, callback: Callable[[Obj | None, Obj | None], None]) -> None:
        """Call back with (old, new) for every change of the resource, beginning with what is there."""
        ...


@dataclass(slots=True)
class Left:
    """Units of cost that are left to one request's expressions."""

    units: int


@dataclass(slots=True)
class Attributes:
    """What an admission plugin sees (admission.Attributes). `obj` may be changed by mutating plugins, in place.

    `operation` is CREATE, UPDATE or DELETE; `obj` is None on DELETE, `old` is None on CREATE and never to be changed.
    """

    user: UserInfo
    operation: str
    resource: Resource
    subresource: str
    namespace: str
    name: str
    obj: Obj | None
    old: Obj | None
    reader: Reader
    dry_run: bool = False
    options: Obj = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    # Whether the user may do something else, too: for plugins that ask for a right of their own.
    may: Callable[[RequestInfo], bool] = lambda info: False
    # What the expressions that people configured may still cost; None until the first is evaluated.
    left: Left | None = None
