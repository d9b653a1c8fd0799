"""As of when a question is answered: by the rules of now, or by those that held at a revision of the log.

Who may ask is decided by the rules of now, whatever moment is asked about. Roles and bindings are objects, so that the log has them as
they were; which groups a person is in is not, and is told as it is now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cluster.apimachinery import errors
from cluster.apiserver.authz.chain import AuthorizerChain
from cluster.apiserver.authz.rbac import Authorizer
from cluster.apiserver.request import Obj
from cluster.apiserver.storage import world

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer


async def as_of(server: APIServer, kind: str, spec: Obj, work: Callable[[Authorizer], Obj], *, nodes: bool) -> Obj:
    """What `work` says by the rules of the moment in question, with its revision where it is a past one.

    `nodes`: whether the node authorizer matters, which has to know all pods.
    """
    revision = spec.get("revision")
    if revision is None:
        return work(server.authorizer)
    if not 0 < revision <= server.storage.revision:
        told = f"must be from 1 to {server.storage.revision}, the newest revision"
        raise errors.invalid(kind, "sim.kubeweb.dev", "", [errors.invalid_value("spec.revision", revision, told)])

    def of(past: world.World) -> Obj:
        return work(AuthorizerChain(past) if nodes else Authorizer(past))

    return {**await world.ask(server.storage, revision, of), "revision": revision}
