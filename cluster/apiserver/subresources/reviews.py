"""The kinds that are questions: TokenReview, SubjectAccessReview and their relatives, and our own. Created, answered, stored nowhere.

Questions about access are answered here; those for another component by whom `APIServer.answers` names.
"""

from __future__ import annotations

from cluster.apiserver.authz import questions, reviews
from cluster.apiserver.context import Context, Response
from cluster.apiserver.stages import bodies


def decode(context: Context) -> None:
    """The question, checked against its schema."""
    obj, duplicates = bodies.parse_body(context)
    obj = bodies.checked(context, obj, duplicates)
    metadata = obj.setdefault("metadata", {})
    if context.resource.namespaced:
        metadata["namespace"] = context.info.namespace
    context.operation = "CREATE"
    context.obj = obj


async def commit(context: Context) -> object:
    """The answer."""
    assert context.obj is not None
    server, kind = context.server, context.resource.kind
    if kind in server.answers:
        answer = server.answers[kind](context.obj)
    elif kind in questions.ANSWERS:
        answer = await questions.answer(kind, context.obj, server, context.user)
    else:
        answer = await reviews.handle(kind, context.obj, context.user, server.authorizer, server.authenticator)
    context.response = Response(201, obj=answer)
    return {"kind": kind, "stored": False}
