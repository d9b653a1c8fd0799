"""serviceaccounts/token: TokenRequest, a signed token for a ServiceAccount (registry/core/serviceaccount/storage)."""

from __future__ import annotations

from cluster import clock
from cluster.apimachinery import errors
from cluster.apiserver.context import Context, Response
from cluster.apiserver.stages import bodies

HOUR, YEAR, TEN_MINUTES = 3600, 365 * 24 * 3600, 600


def decode(context: Context) -> None:
    request, _ = bodies.parse_body(context)
    request.setdefault("apiVersion", "authentication.k8s.io/v1")
    request.setdefault("kind", "TokenRequest")
    account = context.server.storage.entry("serviceaccounts", context.key)
    if account is None:
        raise errors.not_found("serviceaccounts", "", context.info.name)
    spec = request.setdefault("spec", {})
    seconds = spec.setdefault("expirationSeconds", HOUR)
    if seconds < TEN_MINUTES:
        raise errors.invalid(
            "TokenRequest",
            "authentication.k8s.io",
            "",
            [
                errors.invalid_value(
                    "spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"
                )
            ],
        )
    spec["expirationSeconds"] = min(seconds, YEAR)
    context.old = account
    context.operation = "CREATE"
    context.obj = None
    context.options = request


async def commit(context: Context) -> object:
    request, account = context.options, context.old
    assert account is not None
    spec, metadata = request["spec"], account.obj["metadata"]
    bound = spec.get("boundObjectRef")
    if bound:
        found = None
        if bound.get("kind") in ("Pod", "Secret"):
            found = context.server.storage.get(f"{bound['kind'].lower()}s", context.key[0], bound.get("name", ""))
        if found is None or (bound.get("uid") and bound["uid"] != found["metadata"]["uid"]):
            raise errors.not_found(f"{str(bound.get('kind', '')).lower()}s", "", bound.get("name", ""))
        bound = {**bound, "uid": found["metadata"]["uid"]}
    token, expires = context.server.service_account_tokens.issue(
        context.key[0],
        context.key[1],
        metadata["uid"],
        spec.get("audiences") or [],
        spec["expirationSeconds"],
        bound,
    )
    answer = {
        **request,
        "metadata": {
            "name": context.key[1],
            "namespace": context.key[0],
            "creationTimestamp": clock.timestamp(),
        },
        "status": {"token": token, "expirationTimestamp": clock.timestamp(expires)},
    }
    context.response = Response(201, obj=answer)
    return {"expirationSeconds": spec["expirationSeconds"]}
