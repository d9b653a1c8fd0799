"""curl and wget: what they reach is the cluster's own Services and pods, and nothing beyond."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cluster import clock
from cluster.kubelet.runtime.cri import HTTPResult
from cluster.kubelet.runtime.shell.files import FileTrouble
from cluster.kubelet.runtime.shell.interpreter import Handler, Shell
from cluster.kubelet.runtime.shell.netarguments import PATIENCE, option_words, seconds
from cluster.kubelet.runtime.shell.options import whole
from cluster.kubelet.runtime.shell.reading import unescape


@dataclass(slots=True)
class Request:
    """What wget or curl was asked to do."""

    urls: list[str] = field(default_factory=list)
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    output: str = ""
    quiet: bool = False
    fail: bool = False
    show_head: bool = False
    head_only: bool = False
    form: str = ""
    spider: bool = False
    timeout: float = PATIENCE
    tries: int = 1


def _place(url: str) -> tuple[str, int, str]:
    """Host, port and path of a URL; ValueError when it is none."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), path


async def _ask(shell: Shell, request: Request, url: str) -> HTTPResult:
    host, port, path = _place(url)
    if shell.world.net is None:
        return HTTPResult(0, error="Network is unreachable")
    return await shell.world.net.http(
        host,
        port,
        path,
        method=request.method,
        headers=request.headers,
        body=request.body.encode("utf-8", "surrogateescape"),
        timeout=request.timeout,
    )


def _write(shell: Shell, name: str, text: str) -> None:
    if name in ("-", ""):
        shell.out(text)
    elif name != "/dev/null":
        shell.world.files.put(shell.world.path(name), text.encode("utf-8", "surrogateescape"))


_CURL_VALUES = frozenset(
    [
        "X",
        "request",
        "H",
        "header",
        "d",
        "data",
        "data-raw",
        "data-binary",
        "o",
        "output",
        "m",
        "max-time",
        "connect-timeout",
        "w",
        "write-out",
        "u",
        "user",
        "A",
        "retry",
        "retry-delay",
        "resolve",
        "cacert",
        "cert",
        "key",
        "e",
        "x",
        "retry-max-time",
    ]
)


def _curl_request(args: list[str]) -> Request:
    request = Request(output="-")
    for name, text in option_words(args, _CURL_VALUES):
        match name:
            case "":
                request.urls.append(text)
            case "X" | "request":
                request.method = text.upper()
            case "H" | "header":
                key, _, value = text.partition(":")
                request.headers[key.strip()] = value.strip()
            case "d" | "data" | "data-raw" | "data-binary":
                request.body += ("&" if request.body else "") + text
                request.method = "POST" if request.method == "GET" else request.method
            case "o" | "output":
                request.output = text
            case "m" | "max-time" | "connect-timeout":
                request.timeout = min(request.timeout, seconds(text))
            case "w" | "write-out":
                request.form = text
            case "retry":
                request.tries = 1 + (whole(text) or 0)
            case "s" | "silent":
                request.quiet = True
            case "S" | "show-error":
                request.quiet = False
            case "f" | "fail":
                request.fail = True
            case "i" | "include":
                request.show_head = True
            case "I" | "head":
                request.method, request.head_only = "HEAD", True
            case "A":
                request.headers["User-Agent"] = text
    return request


async def _curl(shell: Shell, args: list[str]) -> int:
    request = _curl_request(args)
    if not request.urls:
        shell.err("curl: try 'curl --help' for more information\n")
        return 2
    status = 0
    for url in request.urls:
        try:
            answer = await _ask(shell, request, url)
            for _ in range(request.tries - 1):
                if answer.status and answer.status < 500:
                    break
                await clock.sleep(1.0)
                answer = await _ask(shell, request, url)
        except ValueError:
            shell.err(f"curl: (3) URL rejected: {url}\n")
            return 3
        status = _tell_curl(shell, request, url, answer)
    return status


def _tell_curl(shell: Shell, request: Request, url: str, answer: HTTPResult) -> int:
    host, port, _ = _place(url)
    code = 0
    if answer.status == 0:
        code, text = _curl_trouble(answer.error, host, port, request.timeout)
        if not request.quiet:
            shell.err(f"curl: ({code}) {text}\n")
    elif request.fail and answer.status >= 400:
        code = 22
        if not request.quiet:
            shell.err(f"curl: (22) The requested URL returned error: {answer.status}\n")
    else:
        if request.show_head or request.head_only:
            shell.out(f"HTTP/1.1 {answer.status} {answer.reason}\r\n")
            for name, value in answer.headers.items():
                shell.out(f"{name}: {value}\r\n")
            shell.out("\r\n")
        if not request.head_only:
            _write(shell, request.output, answer.body)
    if request.form:
        text = request.form.replace("%{http_code}", f"{answer.status:03d}").replace(
            "%{response_code}", str(answer.status)
        )
        shell.out(unescape(re.sub(r"%\{\w+\}", "", text)))
    return code


def _curl_trouble(error: str, host: str, port: int, timeout: float) -> tuple[int, str]:
    if "no such host" in error:
        return 6, f"Could not resolve host: {host}"
    if "refused" in error:
        return 7, f"Failed to connect to {host} port {port} after 0 ms: Couldn't connect to server"
    if "reset" in error:
        return 56, "Recv failure: Connection reset by peer"
    return 28, f"Connection timed out after {int(timeout * 1000)} milliseconds"


_WGET_VALUES = frozenset(["O", "T", "t", "header", "post-data", "timeout", "tries", "P", "method", "body-data"])


def _wget_request(args: list[str]) -> Request:
    request = Request()
    for name, text in option_words(args, _WGET_VALUES):
        match name:
            case "":
                request.urls.append(text)
            case "O":
                request.output = text
            case "T" | "timeout":
                request.timeout = seconds(text)
            case "t" | "tries":
                request.tries = whole(text) or 1
            case "q":
                request.quiet = True
            case "S" | "server-response":
                request.show_head = True
            case "spider":
                request.spider = True
            case "header":
                key, _, value = text.partition(":")
                request.headers[key.strip()] = value.strip()
            case "post-data":
                request.body, request.method = text, "POST"
    return request


async def _wget(shell: Shell, args: list[str]) -> int:
    """busybox's wget: `-qO-` is how pods use it."""
    # `-qO-` and `-O -` are the same.
    request = _wget_request([arg for word in args for arg in _unglued(word)])
    if not request.urls:
        shell.err("wget: missing URL\n")
        return 1
    for url in request.urls:
        try:
            host, port, path = _place(url)
            answer = await _ask(shell, request, url)
        except ValueError:
            shell.err(f"wget: bad address '{url}'\n")
            return 1
        if not request.quiet:
            shell.err(f"Connecting to {host}:{port}\n")
        if answer.status == 0:
            shell.err(f"wget: {_wget_trouble(answer.error, host, port)}\n")
            return 1
        if answer.status >= 400:
            shell.err(f"wget: server returned error: HTTP/1.1 {answer.status} {answer.reason}\n")
            return 1
        if request.show_head:
            shell.err(f"  HTTP/1.1 {answer.status} {answer.reason}\n")
        if request.spider:
            continue
        name = request.output or path.partition("?")[0].rpartition("/")[2] or "index.html"
        try:
            _write(shell, name, answer.body)
        except FileTrouble as error:
            shell.err(f"wget: can't open '{name}': {error}\n")
            return 1
        if name != "-" and not request.quiet:
            shell.err(f"saving to '{name}'\n'{name}' saved\n")
    return 0


def _unglued(word: str) -> list[str]:
    return [word[:-1], "-"] if re.fullmatch(r"-\w*O-", word) else [word]


def _wget_trouble(error: str, host: str, port: int) -> str:
    if "no such host" in error:
        return f"bad address '{host}:{port}'" if port != 80 else f"bad address '{host}'"
    if "refused" in error:
        return f"can't connect to remote host ({host}): Connection refused"
    if "reset" in error:
        return "error getting response: Connection reset by peer"
    return "download timed out"


COMMANDS: dict[str, Handler] = {"curl": _curl, "wget": _wget}
