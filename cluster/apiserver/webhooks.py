"""Calling webhooks: admission's and conversion's (apiserver/pkg/util/webhook).

A `clientConfig` names a URL or a Service. URLs are called for real, over HTTPS with the given CA bundle. A Service leads into the
simulated network, where no container can answer HTTPS: the call fails as it would with nobody listening.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from cluster.apiserver.request import Reader

Obj = dict[str, Any]
# What a webhook may answer at most, in bytes.
MAX_ANSWER = 16 << 20


class CallFailed(Exception):
    """The webhook could not be asked, or did not answer properly; the text is Go's."""


def address(config: Mapping[str, Any], reader: Reader, timeout: int = 0) -> str:
    """The URL of a clientConfig; CallFailed when a Service leads nowhere."""
    query = f"?timeout={timeout}s" if timeout else ""
    if config.get("url"):
        return f"{config['url']}{query}"
    service = config.get("service") or {}
    name, namespace, port = service.get("name", ""), service.get("namespace", ""), service.get("port", 443)
    path = str(service.get("path") or "").lstrip("/")
    url = f"https://{name}.{namespace}.svc:{port}/{path}{query}"
    found = reader.get("services", namespace, name)
    if found is None:
        raise CallFailed(f'Post "{url}": service "{name}" not found')
    for piece in reader.list("discovery.k8s.io/endpointslices", namespace):
        if (piece["metadata"].get("labels") or {}).get("kubernetes.io/service-name") != name:
            continue
        for endpoint in piece.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready") is not False:
                cluster_ip = (found.get("spec") or {}).get("clusterIP") or endpoint["addresses"][0]
                raise CallFailed(f'Post "{url}": dial tcp {cluster_ip}:{port}: connect: connection refused')
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
    if not 200 <= response.status < 300:
        raise CallFailed(f"the server rejected our request for an unknown reason ({response.status})")
    if len(data) > MAX_ANSWER:
        raise CallFailed("the answer is too large")
    try:
        answer = json.loads(data)
    except ValueError as error:
        raise CallFailed(f"couldn't get version/kind; json parse error: {error}") from error
    if not isinstance(answer, dict):
        raise CallFailed("the answer is no object")
    return answer


async def call(config: Mapping[str, Any], reader: Reader, body: Obj, timeout: int) -> Obj:
    """What the webhook answers, within `timeout` seconds of real time; CallFailed otherwise. Nobody else waits meanwhile."""
    url = address(config, reader, timeout)
    data = json.dumps(body, separators=(",", ":")).encode()
    work = asyncio.to_thread(_post, url, str(config.get("caBundle") or ""), data, float(timeout))
    try:
        return await asyncio.wait_for(work, timeout)
    except TimeoutError as error:
        raise CallFailed(f'Post "{url}": context deadline exceeded') from error
