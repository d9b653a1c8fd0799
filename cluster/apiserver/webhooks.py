"""Calling webhooks: admission's and conversion's (apiserver/pkg/util/webhook).

A `clientConfig` names a URL or a Service. URLs are called for real, over HTTPS with the given CA bundle. A Service leads into the
simulated network, to whatever the simulated container behind it answers; there are no wires to encrypt there.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cluster.apiserver.nodes import Asked
from cluster.apiserver.request import Reader

if TYPE_CHECKING:
    from cluster.apiserver.server import APIServer

Obj = dict[str, Any]
# What a webhook may answer at most, in bytes.
MAX_ANSWER = 16 << 20


class CallFailed(Exception):
    """The webhook could not be asked, or did not answer properly; the text is Go's."""


def _service_url(service: Mapping[str, Any], query: str) -> str:
    path = str(service.get("path") or "").lstrip("/")
    return (
        f"https://{service.get('name', '')}.{service.get('namespace', '')}.svc:{service.get('port', 443)}/{path}{query}"
    )


def endpoint(service: Mapping[str, Any], reader: Reader, url: str) -> tuple[str, int]:
    """(address, port) of a pod behind a Service; CallFailed when it leads nowhere."""
    name, namespace, port = service.get("name", ""), service.get("namespace", ""), service.get("port", 443)
    found = reader.get("services", namespace, name)
    if found is None:
        raise CallFailed(f'Post "{url}": service "{name}" not found')
    ports = (found.get("spec") or {}).get("ports") or ()
    wanted = next((one for one in ports if one.get("port") == port), None)
    if wanted is None:
        raise CallFailed(f'Post "{url}": no service port {port} found for service "{name}"')
    for piece in reader.list("discovery.k8s.io/endpointslices", namespace):
        if (piece["metadata"].get("labels") or {}).get("kubernetes.io/service-name") != name:
            continue
        numbers = [
            one["port"]
            for one in piece.get("ports") or ()
            if one.get("port") and (one.get("name") or "") == (wanted.get("name") or "")
        ]
        for one in piece.get("endpoints") or ():
            if numbers and one.get("addresses") and (one.get("conditions") or {}).get("ready") is not False:
                return str(one["addresses"][0]), int(numbers[0])
    raise CallFailed(f'Post "{url}": no endpoints available for service "{name}"')


@lru_cache(maxsize=64)
def _trust(bundle: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if bundle:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=base64.b64decode(bundle).decode())
    return context


def _post(url: str, bundle: str, body: bytes, timeout: float) -> Obj:
    parts = urlsplit(url)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    try:
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port or 443, timeout=timeout, context=_trust(bundle)
        )
        try:
            headers = {
                "Content-Type": "application/json",
                "Accept": "application/json",
                "User-Agent": "kube-apiserver-admission",
            }
            connection.request("POST", target, body, headers)
            response = connection.getresponse()
            data = response.read(MAX_ANSWER + 1)
        finally:
            connection.close()
    except TimeoutError as error:
        raise CallFailed(f'Post "{url}": context deadline exceeded') from error
    except ssl.SSLCertVerificationError as error:
        raise CallFailed(f'Post "{url}": tls: failed to verify certificate: x509: {error.verify_message}') from error
    except ConnectionRefusedError as error:
        where = f"{parts.hostname}:{parts.port or 443}"
        raise CallFailed(f'Post "{url}": dial tcp {where}: connect: connection refused') from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CallFailed(f'Post "{url}": {error}') from error
    return _read(response.status, data)


async def call(config: Mapping[str, Any], server: APIServer, body: Obj, timeout: int) -> Obj:
    """What the webhook answers, within `timeout` seconds of real time; CallFailed otherwise. Nobody else waits meanwhile."""
    query = f"?timeout={timeout}s"
    data = json.dumps(body, separators=(",", ":")).encode()
    service = config.get("service")
    url = f"{config['url']}{query}" if config.get("url") else _service_url(service or {}, query)
    if config.get("url"):
        work: Any = asyncio.to_thread(_post, url, str(config.get("caBundle") or ""), data, float(timeout))
    else:
        work = _dial(server, config, url, data, float(timeout))
    try:
        answer: Obj = await asyncio.wait_for(work, timeout)
    except TimeoutError as error:
        raise CallFailed(f'Post "{url}": context deadline exceeded') from error
    return answer


async def _dial(server: APIServer, config: Mapping[str, Any], url: str, data: bytes, timeout: float) -> Obj:
    address, port = endpoint(config.get("service") or {}, server.storage, url)
    if not config.get("caBundle"):
        # Nobody whom the world trusts signs for names that end in .svc.
        raise CallFailed(
            f'Post "{url}": tls: failed to verify certificate: x509: certificate signed by unknown authority'
        )
    parts = urlsplit(url)
    headers = {"Host": parts.netloc, "Content-Type": "application/json", "Accept": "application/json"}
    target = f"{parts.path or '/'}?{parts.query}"
    answer = await server.nodes.dial(address, port, Asked(target, "POST", headers, data), timeout)
    if answer.status == 0:
        raise CallFailed(f'Post "{url}": {answer.error}')
    return _read(answer.status, answer.body)


def _read(status: int, data: bytes | str) -> Obj:
    """The answer's object; CallFailed for anything else."""
    if not 200 <= status < 300:
        raise CallFailed(f"the server rejected our request for an unknown reason ({status})")
    if len(data) > MAX_ANSWER:
        raise CallFailed("the answer is too large")
    try:
        answer = json.loads(data)
    except ValueError as error:
        raise CallFailed(f"couldn't get version/kind; json parse error: {error}") from error
    if not isinstance(answer, dict):
        raise CallFailed("the answer is no object")
    return answer
