"""serviceaccounts/token: TokenRequest, a signed token for a ServiceAccount (registry/core/serviceaccount/storage)."""

from __future__ import annotations

from cluster.apimachinery import errors
from cluster.apiserver.context import Context, Response
from cluster.apiserver.stages import bodies


def decode(context: Context) -> None:
    """The TokenRequest; the ServiceAccount must exist."""
    context.options, _ = bodies.parse_body(context)
    context.operation = "CREATE"
    context.old = context.server.storage.entry("serviceaccounts", context.key)
    if context.old is None:
        raise errors.not_found("serviceaccounts", "", context.info.name)


async def commit(context: Context) -> object:
    """Sign it. The token itself is in no journey."""
    answer = context.server.service_account_tokens.request(context.options, *context.key)
    context.response = Response(201, obj=answer)
    return {"expires": answer["status"]["expirationTimestamp"]}
