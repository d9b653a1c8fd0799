"""How the servers of simulated images answer over HTTP: one table from program to answer.

An answer is a function of what the server knows of itself and the request. Programs that are not in the table answer like a plain
server: the root and what looks like a health check exist, nothing else does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from cluster import clock
from cluster.kubelet.runtime.cri import HTTPRequest, HTTPResult
from cluster.kubelet.runtime.shell.files import Files


@dataclass(slots=True)
class Self:
    """What a server knows of itself. `run` runs a command beside it; `end` ends it with an exit code."""

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


def flag(args: list[str], name: str, otherwise: str = "") -> str:
    """`--name=x`, `-name=x` or `--name x` among the arguments."""
    for at, arg in enumerate(args):
        given, equals, text = arg.lstrip("-").partition("=")
        if arg.startswith("-") and given == name:
            return text if equals else (args[at + 1] if at + 1 < len(args) else "")
    return otherwise


def _path(request: HTTPRequest) -> str:
    return urlsplit(request.path).path or "/"


def _query(request: HTTPRequest) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(request.path).query, keep_blank_values=True).items()}


def _html(body: str, status: int = 200, server: str = "") -> Answer:
    return Answer(status, body, headers={"Content-Type": "text/html", **({"Server": server} if server else {})})


def _text(body: str, status: int = 200) -> Answer:
    return Answer(status, body, headers={"Content-Type": "text/plain; charset=utf-8"})


def _json(value: Any, status: int = 200) -> Answer:
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return Answer(status, text, headers={"Content-Type": "application/json"})


def _site(root: str, welcome: str, server: str) -> Handler:
    """A web server with its files below `root`."""

    def answer(me: Self, request: HTTPRequest) -> Answer:
        path = _path(request)
        content = me.files.get(root + path.rstrip("/")) if path != "/" else None
        if content is None and path.endswith("/"):
            content = me.files.get(f"{root}{path}index.html")
            if content is None and path == "/":
                if me.files.is_directory(root) and me.files.entries(root):
                    return _html("<center><h1>403 Forbidden</h1></center>\n", 403, server)
                return _html(welcome, 200, server)
        if content is None:
            return _html(_NOT_FOUND, 404, server)
        return _html(content.decode("utf-8", "replace"), 200, server)

    return answer


def _files(me: Self, request: HTTPRequest) -> Answer:
    """`httpd -f -h DIR` of busybox, `python -m http.server`."""
    return _site(flag(me.args, "h", flag(me.args, "directory", "/www")).rstrip("/"), "", "")(me, request)  # type: ignore[return-value]


def plain(me: Self, request: HTTPRequest) -> Answer:
    """A server that we know nothing of."""
    path = _path(request)
    known = path in ("", "/") or any(word in path for word in _HEALTH)
    return _text("OK\n" if known else "404 page not found\n", 200 if known else 404)


def _hello(me: Self, request: HTTPRequest) -> Answer:
    return _text(f"Hello, world!\nVersion: {me.tag or '1.0'}.0.0\nHostname: {me.hostname}\n".replace(".0.0.0", ".0.0"))


def _whoami(me: Self, request: HTTPRequest) -> Answer:
    path = _path(request)
    if path == "/health":
        return _text("")
    head = "".join(f"{name}: {text}\n" for name, text in request.headers.items())
    return _text(
        f"Hostname: {me.hostname}\nIP: 127.0.0.1\nIP: {me.ip}\nRemoteAddr: {request.client}:40000\n"
        f"{request.method} {request.path} HTTP/1.1\n{head}\n"
    )


def _http_echo(me: Self, request: HTTPRequest) -> Answer:
    if _path(request) == "/health":
        return _json({"status": "ok"})
    return _text(flag(me.args, "text", me.env.get("ECHO_TEXT", "hello-world")) + "\n")


def _echo(me: Self, request: HTTPRequest) -> Answer:
    head = "".join(f"{name.lower()}={text}\n" for name, text in request.headers.items())
    return _text(
        f"\n\nHostname: {me.hostname}\n\nRequest Information:\n\tclient_address={request.client}\n\tmethod={request.method}\n"
        f"\treal path={request.path}\n\nRequest Headers:\n{head}\nRequest Body:\n{request.body.decode('utf-8', 'replace')}\n"
    )


def _podinfo(me: Self, request: HTTPRequest) -> Answer:
    path = _path(request)
    if path in ("/healthz", "/readyz"):
        return _json({"status": "OK"})
    if path == "/env":
        return _json([f"{name}={text}" for name, text in me.env.items()])
    if path.startswith("/status/") and path[8:].isdigit():
        return _json({"status": int(path[8:])}, int(path[8:]))
    if path == "/panic":
        me.end(255)
        return Answer(0, error="EOF")
    if path not in ("/", "/api/info", "/version"):
        return _text("404 page not found\n", 404)
    return _json(
        {"hostname": me.hostname, "version": me.tag, "color": "#34577c", "message": f"greetings from podinfo v{me.tag}"}
    )


def _hpa(me: Self, request: HTTPRequest) -> Answer:
    return _text("OK!")


def _redis(me: Self, request: HTTPRequest) -> Answer:
    return Answer(0, error="EOF")


# -- agnhost, the image of Kubernetes' own tests -----------------------------------------------------------------------


async def _netexec(me: Self, request: HTTPRequest) -> Answer:
    path, query = _path(request), _query(request)
    if path in ("/hostname", "/hostName"):
        return _text(me.hostname)
    if path in ("/", "/healthz"):
        return _text(f"NOW: {clock.timestamp()}" if path == "/" else "")
    if path == "/clientip":
        return _text(f"{request.client}:40000")
    if path == "/echo":
        code = query.get("code", "200")
        return _text(query.get("msg", ""), int(code) if code.isdigit() else 200)
    if path == "/header":
        wanted = query.get("key", "").lower()
        return _text(next((text for name, text in request.headers.items() if name.lower() == wanted), ""))
    if path == "/shell":
        status, output = await me.run(query.get("shellCommand") or query.get("cmd", ""))
        return _json({"output": output, **({"error": f"exit status {status}"} if status else {})})
    if path == "/dial":
        return await _dial(me, query)
    if path == "/exit":
        me.end(int(query.get("code", "0")) & 255 if query.get("code", "0").isdigit() else 0)
        return _text("")
    if path == "/redirect":
        location, code = query.get("location", "/"), query.get("code", "302")
        return Answer(int(code) if code.isdigit() else 302, "", headers={"Location": location})
    if path == "/shutdown":
        me.end(0)
        return _text("")
    return _text("404 page not found\n", 404)


async def _dial(me: Self, query: dict[str, str]) -> Answer:
    """Ask another server so many times, and say who answered."""
    wanted = f"http://{query.get('host', '')}:{query.get('port', '80')}/{query.get('request', 'hostname').lstrip('/')}"
    tries = min(int(query.get("tries", "1")) if query.get("tries", "1").isdigit() else 1, 200)
    answers: list[str] = []
    wrong: list[str] = []
    for _ in range(tries):
        found = await me.fetch(wanted)
        (answers if found.status else wrong).append(found.body if found.status else found.error)
    return _json({**({"responses": answers} if answers else {}), **({"errors": wrong} if wrong else {})})


def _liveness(me: Self, request: HTTPRequest) -> Answer:
    """Well for ten seconds, then sick for ever: the probe example of Kubernetes' documentation."""
    seconds = clock.now() - me.started_at
    if _path(request) != "/healthz" or seconds <= 10:
        return _text("ok")
    return _text(f"error: {seconds:.9f}", 500)


def _serve_hostname(me: Self, request: HTTPRequest) -> Answer:
    return _text(me.hostname)


PROGRAMS: dict[str, Handler] = {
    "nginx": _site("/usr/share/nginx/html", _NGINX, "nginx/1.29.3"),
    "httpd": _site(
        "/usr/local/apache2/htdocs", "<html><body><h1>It works!</h1></body></html>\n", "Apache/2.4.65 (Unix)"
    ),
    "hello-app": _hello,
    "whoami": _whoami,
    "http-echo": _http_echo,
    "echo": _echo,
    "podinfo": _podinfo,
    "hpa": _hpa,
    "redis": _redis,
    "netexec": _netexec,
    "liveness": _liveness,
    "serve-hostname": _serve_hostname,
    "test-webserver": _site("", "", "agnhost"),
    "nettest": plain,
    "files": _files,
    "guestbook": plain,
}
# Subcommands of agnhost that serve, and where.
AGNHOST: dict[str, tuple[tuple[str, int], ...]] = {
    "netexec": (("http-port", 8080), ("udp-port", 8081)),
    "liveness": (("port", 8080),),
    "serve-hostname": (("port", 9376),),
    "test-webserver": (("port", 80),),
    "nettest": (("port", 8080),),
    "guestbook": (("http-port", 80),),
    "pause": (),
}


def agnhost(args: list[str]) -> tuple[str, tuple[int, ...]]:
    """The subcommand and its ports; `pause` without one."""
    command = next((arg for arg in args if not arg.startswith("-")), "pause")
    ports = tuple(
        int(text) for name, port in AGNHOST.get(command, ()) if (text := flag(args, name, str(port))).isdigit()
    )
    return command, ports


def fixed(answers: Mapping[str, str], request: HTTPRequest) -> HTTPResult:
    """What an entry of the catalogue says: bodies by path."""
    body = answers.get(_path(request))
    return _text("404 page not found\n", 404) if body is None else _text(body)


async def answer(program: str, me: Self, request: HTTPRequest) -> HTTPResult:
    """What the server `program` says."""
    found = PROGRAMS.get(program, plain)(me, request)
    return found if isinstance(found, HTTPResult) else await asyncio.ensure_future(found)
