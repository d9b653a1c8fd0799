"""agnhost test-service-account-issuer-discovery: is a mounted token really signed by the issuer that it names?

The claim is checked as any third party would check it: over the issuer's own discovery document and keys, as they can be had from here.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import jwt
import orjson

from cluster import clock
from cluster.kubelet.runtime.shell.interpreter import Shell
from cluster.kubelet.runtime.shell.options import flag

OWN_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - a path
TIMEOUT = 30.0


class _Failed(Exception):
    """What the program would have died of."""


async def _fetch(shell: Shell, url: str, token: str) -> Any:
    parts = urlsplit(url)
    if shell.world.net is None or not parts.hostname:
        raise _Failed(f'Get "{url}": dial tcp: network is unreachable')
    headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    answer = await shell.world.net.http(
        parts.hostname, parts.port or 443, parts.path, method="GET", headers=headers, body=b"", timeout=TIMEOUT
    )
    if answer.status != 200:
        raise _Failed(answer.error or f"{answer.status} {answer.reason}: {answer.body}")
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise _Failed(f"failed to decode what {url} says: {error}") from error


def _verified(raw: str, keys: Any, issuer: str, audience: str) -> dict[str, Any]:
    """The claims of a token that one of the keys has signed, and that is meant for the audience, now."""
    named = jwt.get_unverified_header(raw).get("kid")
    key = next((one for one in keys.get("keys") or () if one.get("kid") == named), None)
    if key is None:
        raise _Failed("failed to verify signature: failed to verify id token signature")
    # The cluster's clock is not the world's: times are compared with it, below.
    found: dict[str, Any] = jwt.decode(
        raw,
        jwt.PyJWK(key).key,
        algorithms=[key["alg"]],
        audience=audience,
        issuer=issuer,
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    if found.get("exp", 0) < clock.now():
        raise _Failed("oidc: token is expired")
    return found


async def issuer_discovery(shell: Shell, args: list[str]) -> int:
    """The subcommand."""
    files, path = shell.world.files, flag(args, "token-path")
    raw = (files.get(path) or b"").decode().strip()
    try:
        if not raw:
            raise _Failed(f"open {path}: no such file or directory")
        shell.err("OK: Got token\n")
        claims = jwt.decode(raw, options={"verify_signature": False})
        issuer = str(claims.get("iss", ""))
        shell.err(f"OK: got issuer {issuer}\n")
        inside = any(arg.startswith("--in-cluster-discovery") for arg in args)
        own = (files.get(OWN_TOKEN) or b"").decode().strip() if inside else ""
        document = await _fetch(shell, f"{issuer}/.well-known/openid-configuration", own)
        if document.get("issuer") != issuer:
            raise _Failed(f'oidc: issuer did not match the issuer returned by provider, expected "{issuer}"')
        shell.err(f"OK: Constructed OIDC provider for issuer {issuer}\n")
        keys = await _fetch(shell, str(document.get("jwks_uri", "")), own)
        _verified(raw, keys, issuer, flag(args, "audience"))
    except (_Failed, jwt.PyJWTError, KeyError, ValueError) as error:
        shell.err(f"{error}\n")
        return 1
    shell.err("OK: Validated signature on JWT\nOK: Got valid claims from token!\n")
    return 0
