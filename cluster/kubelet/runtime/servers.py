"""How the servers of simulated images answer over HTTP: one table from program to answer.

An answer is a function of what the server knows of itself and the request. Programs that are not in the table answer like a plain
server: the root and what looks like a health check exist, nothing else does.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

import orjson

from cluster.kubelet.runtime.cri import HTTPRequest, HTTPResult
from cluster.kubelet.runtime.shell.files import Files
from cluster.kubelet.runtime.shell.options import flag, whole

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Self:
    """What a server knows of itself. `run` runs a command beside it; `end` ends it with an exit code; `heard` is what it remembers."""

    hostname: str
    ip: str
    port: int
    tag: str
    args: list[str]
    env: Mapping[str, str]
    files: Files
    started_at: float
    run: Callable[[str], Awaitable[tuple[int, str]]]
    end: Callable[[int], None]
    fetch: Callable[[str], Awaitable[HTTPResult]]
    datagram: Callable[[str, int, str], Awaitable[str | None]]
    log: Callable[[str], None]
    heard: dict[str, Any]


Answer = HTTPResult
Handler = Callable[[Self, HTTPRequest], "HTTPResult | Awaitable[HTTPResult]"]
_HEALTH = ("health", "ready", "live", "ping", "status", "metrics")
_NGINX = """<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working.</p>
</body>
</html>
"""
_NOT_FOUND = "<html>\n<head><title>404 Not Found</title></head>\n<body>\n<center><h1>404 Not Found</h1></center>\n</body>\n</html>\n"


def path_of(request: HTTPRequest) -> str:
    """The path that is asked for, its escapes read; bytes that are no UTF-8 as Python's file names hold them."""
    return os.fsdecode(unquote_to_bytes(urlsplit(request.path).path)) or "/"


def query_of(request: HTTPRequest) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(request.path).query, keep_blank_values=True).items()}


def _html(body: str, status: int = 200, server: str = "") -> Answer:
    return Answer(status, body, headers={"Content-Type": "text/html", **({"Server": server} if server else {})})


# What begins like this is a page to Go's http.DetectContentType.
_PAGE = re.compile(
    r"\s*<(!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[ >]", re.IGNORECASE
)


def text_answer(body: str, status: int = 200) -> Answer:
    """As a Go program writes it that says no content type."""
    kind = "html" if _PAGE.match(body) else "plain"
    return Answer(status, body, headers={"Content-Type": f"text/{kind}; charset=utf-8"})


def json_answer(value: Any, status: int = 200) -> Answer:
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return Answer(status, text, headers={"Content-Type": "application/json"})


# Where the files of web servers lie in their images, and the page that comes with them.
SITES = {
    "nginx": ("/usr/share/nginx/html", _NGINX),
    "httpd": ("/usr/local/apache2/htdocs", "<html><body><h1>It works!</h1></body></html>\n"),
}


def _site(root: str, server: str) -> Handler:
    """A web server with its files below `root`."""

    def answer(me: Self, request: HTTPRequest) -> Answer:
        path = path_of(request)
        content = me.files.get(root + path.rstrip("/")) if path != "/" else None
        if content is None and path.endswith("/"):
            content = me.files.get(f"{root}{path}index.html")
            if content is None and path == "/":
                return _html("<center><h1>403 Forbidden</h1></center>\n", 403, server)
        if content is None:
            return _html(_NOT_FOUND, 404, server)
        return _html(content.decode("utf-8", "replace"), 200, server)

    return answer


def _files(me: Self, request: HTTPRequest) -> Answer:
    """`httpd -f -h DIR` of busybox, `python -m http.server`."""
    return _site(flag(me.args, "h", flag(me.args, "directory", "/www")).rstrip("/"), "")(me, request)  # type: ignore[return-value]


def plain(me: Self, request: HTTPRequest) -> Answer:
    """A server that we know nothing of."""
    path = path_of(request)
    known = path in ("", "/") or any(word in path for word in _HEALTH)
    return text_answer("OK\n" if known else "404 page not found\n", 200 if known else 404)


def _hello(me: Self, request: HTTPRequest) -> Answer:
    return text_answer(
        f"Hello, world!\nVersion: {me.tag or '1.0'}.0.0\nHostname: {me.hostname}\n".replace(".0.0.0", ".0.0")
    )


def _whoami(me: Self, request: HTTPRequest) -> Answer:
    path = path_of(request)
    if path == "/health":
        return text_answer("")
    head = "".join(f"{name}: {text}\n" for name, text in request.headers.items())
    return text_answer(
        f"Hostname: {me.hostname}\nIP: 127.0.0.1\nIP: {me.ip}\nRemoteAddr: {request.client}:40000\n"
        f"{request.method} {request.path} HTTP/1.1\n{head}\n"
    )


def _http_echo(me: Self, request: HTTPRequest) -> Answer:
    if path_of(request) == "/health":
        return json_answer({"status": "ok"})
    return text_answer(flag(me.args, "text", me.env.get("ECHO_TEXT", "hello-world")) + "\n")


def _echo(me: Self, request: HTTPRequest) -> Answer:
    head = "".join(f"{name.lower()}={text}\n" for name, text in request.headers.items())
    return text_answer(
        f"\n\nHostname: {me.hostname}\n\nRequest Information:\n\tclient_address={request.client}\n\tmethod={request.method}\n"
        f"\treal path={request.path}\n\nRequest Headers:\n{head}\nRequest Body:\n{request.body.decode('utf-8', 'replace')}\n"
    )


def _podinfo(me: Self, request: HTTPRequest) -> Answer:
    path = path_of(request)
    if path in ("/healthz", "/readyz"):
        return json_answer({"status": "OK"})
    if path == "/env":
        return json_answer([f"{name}={text}" for name, text in me.env.items()])
    if path.startswith("/status/") and (code := whole(path[8:])) is not None:
        return json_answer({"status": code}, code)
    if path == "/panic":
        me.end(255)
        return Answer(0, error="EOF")
    if path not in ("/", "/api/info", "/version"):
        return text_answer("404 page not found\n", 404)
    return json_answer(
        {"hostname": me.hostname, "version": me.tag, "color": "#34577c", "message": f"greetings from podinfo v{me.tag}"}
    )


def _hpa(me: Self, request: HTTPRequest) -> Answer:
    return text_answer("OK!")


def _redis(me: Self, request: HTTPRequest) -> Answer:
    return Answer(0, error="EOF")


PROGRAMS: dict[str, Handler] = {
    "nginx": _site(SITES["nginx"][0], "nginx/1.29.3"),
    "httpd": _site(SITES["httpd"][0], "Apache/2.4.65 (Unix)"),
    "hello-app": _hello,
    "whoami": _whoami,
    "http-echo": _http_echo,
    "echo": _echo,
    "podinfo": _podinfo,
    "hpa": _hpa,
    "redis": _redis,
    "files": _files,
}


def fixed(answers: Mapping[str, str], request: HTTPRequest) -> HTTPResult:
    """What an entry of the catalogue says: bodies by path."""
    body = answers.get(path_of(request))
    return text_answer("404 page not found\n", 404) if body is None else text_answer(body)


async def answer(handler: Handler, me: Self, request: HTTPRequest) -> HTTPResult:
    """What a server says. A fault of its own is its 500, and nobody else's; a status that is none ends the connection, as in Go."""
    try:
        found = handler(me, request)
        found = found if isinstance(found, HTTPResult) else await asyncio.ensure_future(found)
    except Exception as error:
        log.exception("the simulated server on port %d: %s %s", me.port, request.method, request.path[:200])
        me.log(f"panic serving {request.client}: {type(error).__name__}")
        return text_answer("Internal Server Error\n", 500)
    return found if found.status == 0 or 100 <= found.status <= 999 else HTTPResult(0, error="EOF")
