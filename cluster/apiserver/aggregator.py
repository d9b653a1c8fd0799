"""The aggregator's proxy: a group version that an APIService gives to somebody else is answered by whoever serves it.

The request has been authenticated and authorized here; it goes on with the user's name in its headers (request header authentication).
A Service leads into the simulated network, where a simulated API server may listen; there are no wires to encrypt there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from cluster.apimachinery.errors import service_unavailable
from cluster.apiserver.context import Context, Response
from cluster.apiserver.nodes import Asked
from cluster.apiserver.passing import passed_on
from cluster.apiserver.request import UserInfo
from cluster.apiserver.webhooks import CallFailed, endpoint

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

Obj = dict[str, Any]
# Seconds that a backend may take.
TIMEOUT = 30.0


def url_of(spec: Mapping[str, Any], service: Mapping[str, Any]) -> str:
    """Where the group version's own document lies, as messages tell it."""
    reference = spec.get("service") or {}
    address = (service.get("spec") or {}).get("clusterIP") or reference.get("name", "")
    return f"https://{address}:{reference.get('port', 443)}/apis/{spec.get('group', '')}/{spec.get('version', '')}"


def told_of(user: UserInfo) -> dict[str, str]:
    """The headers that say for whom the API server asks; those of the client's own of these names never pass."""
    found = {"X-Remote-User": user.name, "X-Remote-Group": ",".join(user.groups)}
    for name, values in user.extra.items():
        found[f"X-Remote-Extra-{quote(name.lower(), safe='')}"] = ",".join(values)
    return found


async def ask(
    server: APIServer, spec: Mapping[str, Any], target: str, method: str, headers: dict[str, str], body: bytes
) -> tuple[int, str, dict[str, str]]:
    """(status, body, headers) of a backend's answer; CallFailed when there is none."""
    reference: Mapping[str, Any] = spec.get("service") or {}
    url = f"https://{reference.get('name')}.{reference.get('namespace')}.svc:{reference.get('port', 443)}{target}"
    address, port = endpoint(reference, server.storage, url)
    if not spec.get("caBundle") and not spec.get("insecureSkipTLSVerify"):
        # Nobody whom the world trusts signs for names that end in .svc.
        raise CallFailed("tls: failed to verify certificate: x509: certificate signed by unknown authority")
    answer = await server.nodes.dial(address, port, Asked(target, method, headers, body), TIMEOUT)
    if answer.status == 0:
        raise CallFailed(answer.error)
    return answer.status, answer.body, answer.headers


async def pass_on(context: Context, backend: Obj) -> Obj:
    """Ask the backend what this request asks; its answer is the answer."""
    spec = backend["spec"]
    query = context.scope.get("query_string", b"").decode("latin-1") if context.scope else ""
    target = f"{context.path}?{query}" if query else context.path
    headers = passed_on(context.headers) | told_of(context.user)
    # Answers are taken as they come.
    headers.pop("Accept-Encoding", None)
    body = context.body if isinstance(context.body, bytes) else orjson.dumps(context.body)
    try:
        status, answered, told = await ask(context.server, spec, target, context.method, headers, body)
    except CallFailed as error:
        raise service_unavailable(f"error trying to reach service: {error}") from error
    content_type = next((text for name, text in told.items() if name.lower() == "content-type"), "application/json")
    context.response = Response(status, data=answered.encode(), content_type=content_type)
    reference = spec["service"]
    return {"service": f"{reference['namespace']}/{reference['name']}", "code": status}
