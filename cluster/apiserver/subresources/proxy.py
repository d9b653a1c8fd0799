"""pods/proxy, services/proxy and nodes/proxy: a request passed on to what runs there (registry/core/*/rest.ProxyREST).

The last part of the path is `[SCHEME:]NAME[:PORT]`, then `/proxy/` and the path that is asked for.
"""

from __future__ import annotations

import random
from urllib.parse import quote

import orjson

from cluster.apimachinery import errors
from cluster.apimachinery.errors import StatusError
from cluster.apiserver.context import Context, Obj, Response
from cluster.apiserver.nodes import Answered, Asked
from cluster.apiserver.passing import passed_on
from cluster.apiserver.subresources.rewriting import Rewriter

TIMEOUT = 30.0
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def decode(context: Context) -> None:
    """The body is the request's own: it is passed on as it is."""


async def read(context: Context) -> dict[str, object]:
    return await _pass_on(context)


async def commit(context: Context) -> object:
    return await _pass_on(context)


def _split(context: Context) -> tuple[str, str, str]:
    """(scheme, name, port) of the path's `https:web:8080`."""
    parts = context.info.name.split(":")
    if len(parts) == 3 and parts[0] in ("http", "https", ""):
        return parts[0] or "http", parts[1], parts[2]
    if len(parts) <= 2:
        return "http", parts[0], parts[1] if len(parts) == 2 else ""
    raise errors.bad_request(f"invalid {context.resource.plural[:-1]} request {context.info.name!r}")


async def _pass_on(context: Context) -> dict[str, object]:
    if context.method not in _METHODS:
        raise StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    _, name, port = _split(context)
    prefix, found, rest = context.path.partition(f"/{context.info.resource}/{context.info.name}/proxy")
    prefix += found
    query = context.scope.get("query_string", b"").decode("latin-1") if context.scope else ""
    if not rest and context.method in ("GET", "HEAD"):
        # Relative links of the page are to lead back here.
        location = f"{quote(context.path)}/" + (f"?{query}" if query else "")
        context.response = Response(301, data=b"", content_type="text/plain", headers={"Location": location})
        return {"location": location}
    path = "/" + rest.lstrip("/")
    quoted = quote(path, safe="/:@!$&'()*+,;=~", errors="surrogateescape")
    target = f"{quoted}?{query}" if query else quoted
    if context.resource.plural == "nodes":
        context.response = _node(context, name, path, Rewriter(prefix, f"{name}:10250", ""))
        return {"node": name, "path": path}
    address, number = _pod(context, name, port) if context.resource.plural == "pods" else _service(context, name, port)
    asked = context.headers.get(b"host", b"").decode("latin-1")
    headers = passed_on(context.headers) | {
        "Host": f"{address}:{number}",
        "X-Forwarded-Uri": prefix + path,
        "X-Forwarded-Host": asked,
    }
    body = context.body if isinstance(context.body, bytes) else b""
    answer = await context.server.nodes.dial(address, number, Asked(target, context.method, headers, body), TIMEOUT)
    if answer.status == 0:
        raise errors.service_unavailable(f"error trying to reach service: {answer.error}")
    context.response = _answer(answer, Rewriter(prefix, f"{address}:{number}", asked))
    return {"address": f"{address}:{number}", "path": path, "code": answer.status}


def _answer(answer: Answered, rewriter: Rewriter) -> Response:
    headers = {key.title(): text for key, text in answer.headers.items() if key.lower() != "content-length"}
    content_type = headers.pop("Content-Type", "text/plain; charset=utf-8")
    page = answer.body
    if headers.get("Location"):
        headers["Location"] = rewriter.link(headers["Location"])
    elif content_type.partition(";")[0].strip().lower() == "text/html":
        page = rewriter.page(page)
    return Response(answer.status, data=page.encode(), content_type=content_type, headers=headers)


def _pod(context: Context, name: str, port: str) -> tuple[str, int]:
    entry = context.server.storage.entry("pods", (context.key[0], name))
    if entry is None:
        raise errors.not_found("pods", "", name)
    ip = (entry.obj.get("status") or {}).get("podIP")
    if not ip:
        raise errors.bad_request("address not allowed")
    if not port:
        declared = [one for spec in entry.obj["spec"]["containers"] for one in spec.get("ports") or ()]
        return ip, int(declared[0]["containerPort"]) if declared else 80
    if not port.isdecimal():
        raise errors.bad_request(f'invalid port "{port}"')
    return ip, int(port)


def _service(context: Context, name: str, port: str) -> tuple[str, int]:
    storage, namespace = context.server.storage, context.key[0]
    entry = storage.entry("services", (namespace, name))
    if entry is None:
        raise errors.not_found("services", "", name)
    ports: list[Obj] = entry.obj["spec"].get("ports") or []
    if not port and len(ports) == 1:
        wanted: Obj | None = ports[0]
    else:
        wanted = next((one for one in ports if port in (str(one["port"]), one.get("name") or "")), None)
    found = []
    for one in storage.list("discovery.k8s.io/endpointslices", namespace):
        if (one["metadata"].get("labels") or {}).get("kubernetes.io/service-name") != name or wanted is None:
            continue
        number = next(
            (p["port"] for p in one.get("ports") or () if p.get("name", "") == (wanted.get("name") or "")), None
        )
        for endpoint in one.get("endpoints") or ():
            if number is not None and (endpoint.get("conditions") or {}).get("ready", True):
                found.append((str(endpoint["addresses"][0]), int(number)))
    if not found:
        what = f'"{name}:{port}"' if port else f'"{name}"'
        raise errors.service_unavailable(f"no endpoints available for service {what}")
    return random.choice(found)


def _node(context: Context, name: str, path: str, rewriter: Rewriter) -> Response:
    """The kubelet's own endpoint, as far as a simulated one has it."""
    if context.server.storage.entry("nodes", ("", name)) is None:
        raise errors.not_found("nodes", "", name)
    used = context.server.nodes.node_usage(name)
    if name not in used:
        raise errors.service_unavailable(f"error trying to reach service: dial tcp: {name}:10250: i/o timeout")
    if path.rstrip("/") in ("/healthz", "/livez"):
        return Response(data=b"ok", content_type="text/plain; charset=utf-8")
    pods = [pod for pod in context.server.storage.list("pods") if pod["spec"].get("nodeName") == name]
    if path.rstrip("/") == "/pods":
        return Response(data=orjson.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": pods}))
    if path.rstrip("/") == "/stats/summary":
        return Response(data=orjson.dumps(_summary(context, name, used[name])))
    if path.startswith("/logs/"):
        return _answer(context.server.nodes.node_log(name, path.removeprefix("/logs/")), rewriter)
    return Response(404, data=b"404 page not found\n", content_type="text/plain; charset=utf-8")


def _summary(context: Context, name: str, used: tuple[float, int]) -> Obj:
    def stats(cores: float, memory: int) -> Obj:
        return {
            "cpu": {"usageNanoCores": round(cores * 1e9)},
            "memory": {"workingSetBytes": memory, "usageBytes": memory},
        }

    pods = []
    for (namespace, pod), containers in context.server.nodes.pod_usage("", "").items():
        entry = context.server.storage.entry("pods", (namespace, pod))
        if entry is None or entry.obj["spec"].get("nodeName") != name:
            continue
        pods.append(
            {
                "podRef": {"name": pod, "namespace": namespace, "uid": entry.obj["metadata"]["uid"]},
                "containers": [{"name": one, **stats(*amounts)} for one, amounts in containers.items()],
            }
        )
    return {"node": {"nodeName": name, **stats(*used)}, "pods": pods}
