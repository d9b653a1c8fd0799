"""Our own questions about access: explanations, matrices, reports, previews (docs/decisions/0014-access-explained.md).

`answer` fills the status of a created question; nothing is stored. Called by the create verb of the virtual resources in
sim.kubeweb.dev, after the caller was authorized to create one. Whoever asks about somebody else needs the right to create
SubjectAccessReviews as well (or, inside a namespace, LocalSubjectAccessReviews).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from cluster.apiserver.authz.questions import explanation, matrix, preview, report
from cluster.apiserver.request import Obj, UserInfo

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

ANSWERS: dict[str, Callable[[APIServer, UserInfo, Obj], Awaitable[Obj]]] = {
    "AccessExplanation": explanation.answer,
    "AccessMatrix": matrix.answer,
    "AccessReport": report.answer,
    "BindingPreview": preview.answer,
}


async def answer(kind: str, obj: Obj, server: APIServer, user: UserInfo) -> Obj:
    """The question with its status. StatusError 403 for questions about others without the right, 422 for nonsense."""
    return {**obj, "status": await ANSWERS[kind](server, user, obj.get("spec") or {})}
