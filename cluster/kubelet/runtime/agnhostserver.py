"""agnhost, the image of Kubernetes' own tests: the subcommands that serve, and how they answer over HTTP and UDP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import orjson

from cluster import clock
from cluster.kubelet.runtime import agnhostwebhook, fileserver, guestbook
from cluster.kubelet.runtime.cri import HTTPRequest, HTTPResult
from cluster.kubelet.runtime.servers import Handler, Self, json_answer, path_of, query_of, text_answer
from cluster.kubelet.runtime.shell.options import duration, flag, klog, whole

# Subcommands that serve, and where: option and default of each TCP port.
TCP: dict[str, tuple[tuple[str, int], ...]] = {
    "netexec": (("http-port", 8080),),
    "liveness": (("port", 8080),),
    "serve-hostname": (("port", 9376),),
    "test-webserver": (("port", 80),),
    "nettest": (("port", 8080),),
    "guestbook": (("http-port", 80),),
    "grpc-health-checking": (("port", 5000), ("http-port", 8080)),
    "port-forward-tester": (),
    "porter": (),
    "webhook": (("port", 443),),
    "crd-conversion-webhook": (("port", 443),),
    "pause": (),
}
# How long those that dial wait for an answer.
PATIENCE = 5.0
MAX_TRIES = 200


def command_of(words: Sequence[str]) -> str:
    """The subcommand; `pause` without one."""
    return next((word for word in words if not word.startswith("-")), "pause")


def ports_of(command: str, words: Sequence[str], env: dict[str, str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where a subcommand listens: (TCP, UDP)."""
    if command == "porter":
        tcp = [
            name.rpartition("_")[2] for name in env if name.startswith(("SERVE_PORT_", "SERVE_TCP_PORT_", "SERVE_TLS_"))
        ]
        udp = [name.rpartition("_")[2] for name in env if name.startswith("SERVE_UDP_PORT_")]
        return _numbers(tcp), _numbers(udp)
    if command == "port-forward-tester":
        return _numbers([env.get("BIND_PORT", "")]), ()
    listens = [flag(words, name, str(port)) for name, port in TCP.get(command, ())]
    if command == "serve-hostname" and "--http=false" in words:
        return (), ()
    udp = [flag(words, "udp-port", "8081")] if command == "netexec" else []
    return _numbers(listens), _numbers(udp)


def _numbers(texts: Sequence[str]) -> tuple[int, ...]:
    return tuple(number for number in map(whole, texts) if number is not None)


def greeting(command: str, tcp: tuple[int, ...]) -> str:
    """What it writes when it starts."""
    if command == "pause":
        return "Paused"
    if command == "netexec" and tcp:
        return klog(f"Started HTTP server on port {tcp[0]}")
    return ""


def _host_only(text: str) -> str:
    return f"[{text}]" if ":" in text else text


async def _netexec(me: Self, request: HTTPRequest) -> HTTPResult:
    override = flag(me.args, "http-override")
    if override:
        request = HTTPRequest(override, "GET", request.headers, b"", request.client)
    path, query = path_of(request), query_of(request)
    if request.method == "POST" and not query:
        query = query_of(HTTPRequest("/?" + request.body.decode("utf-8", "replace")))
    answer = _SIMPLE.get(path)
    if answer is not None:
        me.log(klog(f"GET {path}"))
        return answer(me, request)  # type: ignore[return-value]
    if path == "/echo":
        code, text = query.get("code", ""), query.get("msg", "")
        me.log(klog(f"GET /echo?msg={text}&code={code}"))
        return text_answer(text, 200 if (number := whole(code)) is None else number)
    if path == "/header":
        wanted = query.get("key", "").lower()
        return text_answer(next((text for name, text in request.headers.items() if name.lower() == wanted), ""))
    if path == "/shell":
        command = query.get("shellCommand") or query.get("cmd", "")
        me.log(klog(f"GET /shell?cmd={command}"))
        status, output = await me.run(command)
        found = {**({"error": f"exit status {status}"} if status else {}), **({"output": output} if output else {})}
        me.log(klog(f"Output: {found}"))
        return text_answer(orjson.dumps(found).decode())
    if path == "/dial":
        return await _dial(me, query)
    if path == "/exit":
        return await _exit(me, query)
    if path == "/redirect":
        location, code = query.get("location", "/"), query.get("code", "302")
        number = whole(code)
        return HTTPResult(302 if number is None else number, "", headers={"Location": location})
    if path == "/shutdown":
        me.log(klog("GET /shutdown"))
        me.end(0)
        return HTTPResult(0, error="EOF")
    me.log(klog("GET /"))
    return text_answer(f"NOW: {clock.timestamp()}")


_SIMPLE: dict[str, Handler] = {
    "/hostname": lambda me, request: text_answer(me.hostname),
    "/hostName": lambda me, request: text_answer(me.hostname),
    "/healthz": lambda me, request: text_answer(""),
    "/clientip": lambda me, request: text_answer(f"{_host_only(request.client)}:40000"),
}


async def _exit(me: Self, query: dict[str, str]) -> HTTPResult:
    code, wait, timeout = query.get("code", ""), query.get("wait", ""), query.get("timeout", "")
    me.log(klog(f"GET /exit?code={code}&timeout={timeout}&wait={wait}"))
    number = whole(code or "0")
    if number is None:
        return text_answer(f"argument 'code' must be an integer [0-127] or empty, got \"{code}\"\n")
    if wait:
        await clock.sleep(min(duration(wait), 3600.0))
    me.end(number & 127)
    return text_answer("") if timeout and duration(timeout) else HTTPResult(0, error="EOF")


async def _dial(me: Self, query: dict[str, str]) -> HTTPResult:
    """Ask another server so many times, and say who answered."""
    host, port, what = query.get("host", ""), query.get("port", ""), query.get("request", "")
    protocol, tries = query.get("protocol", "http").lower() or "http", query.get("tries", "1") or "1"
    me.log(klog(f"GET /dial?host={host}&protocol={protocol}&port={port}&request={what}&tries={tries}"))
    times, number = whole(tries), whole(port)
    if times is None:
        return text_answer(f'tries parameter is invalid. strconv.Atoi: parsing "{tries}": invalid syntax\n', 400)
    if not what:
        return text_answer("request parameter not specified. <nil>\n", 400)
    if protocol not in ("http", "udp"):
        return text_answer(f"unsupported protocol. {protocol}\n", 400)
    if not host or number is None:
        return text_answer("host and/or port param are invalid. missing address\n", 400)
    answers: list[str] = []
    wrong: list[str] = []
    for _ in range(min(times, MAX_TRIES)):
        if protocol == "udp":
            said = await me.datagram(host, number, what)
            if said is None:
                wrong.append("reading from udp connection failed. err:'i/o timeout'")
            else:
                answers.append(said)
            continue
        found = await me.fetch(f"http://{_host_only(host)}:{port}/{what.lstrip('/')}")
        (answers if found.status else wrong).append(found.body if found.status else found.error)
    output = {**({"errors": wrong} if wrong else {}), **({"responses": answers} if answers else {})}
    return text_answer(orjson.dumps(output).decode())


def _liveness(me: Self, request: HTTPRequest) -> HTTPResult:
    """Well for ten seconds, then sick for ever: the probe example of Kubernetes' documentation."""
    path, seconds = path_of(request), clock.now() - me.started_at
    if path == "/started":
        return text_answer(f"{seconds:.9f}s")
    if path == "/healthz":
        return text_answer("ok") if seconds <= 10 else text_answer(f"error: {seconds:.9f}", 500)
    if path == "/redirect":
        location = unquote(query_of(request).get("loc", ""))
        return HTTPResult(302, f'<a href="{location}">Found</a>.\n\n', headers={"Location": location})
    return text_answer("404 page not found\n", 404)


def _nettest(me: Self, request: HTTPRequest) -> HTTPResult:
    """Remembers who has written to it."""
    path = path_of(request)
    if path == "/write":
        try:
            said = orjson.loads(request.body)
        except ValueError:
            said = {}
        source = said.get("Source") if isinstance(said, dict) else None
        if source and len(me.heard) < MAX_TRIES:
            me.heard[str(source)] = me.heard.get(str(source), 0) + 1
        return json_answer({"Hostname": me.hostname})
    if path == "/read":
        return json_answer(
            {
                "Hostname": me.hostname,
                "Sent": None,
                "Received": dict(me.heard) or None,
                "Errors": None,
                "Log": None,
                "StillContactingPeers": True,
            }
        )
    if path == "/status":
        return text_answer("running")
    if path == "/quit":
        me.end(0)
        return HTTPResult(0, error="EOF")
    return text_answer("404 page not found\n", 404)


def _porter(me: Self, request: HTTPRequest) -> HTTPResult:
    for kind in ("SERVE_PORT", "SERVE_TCP_PORT", "SERVE_TLS_PORT"):
        said = me.env.get(f"{kind}_{me.port}")
        if said is not None:
            return (
                json_answer({"Method": request.method, "Body": said})
                if "--json-response" in me.args
                else text_answer(said)
            )
    return text_answer("404 page not found\n", 404)


def _grpc_health(me: Self, request: HTTPRequest) -> HTTPResult:
    """`/make-not-serving` and `/make-serving` set what the gRPC health check says."""
    path = path_of(request)
    if path == "/make-not-serving":
        me.heard["not serving"] = 1
    elif path == "/make-serving":
        me.heard.pop("not serving", None)
    return text_answer("")


def serving(args: Sequence[str], heard: dict[str, Any], started_at: float) -> bool:
    """What its gRPC health check says: not any more after --delay-unhealthy-sec, or when told so."""
    delay = whole(flag(args, "delay-unhealthy-sec", "-1"))
    if delay is not None and clock.now() - started_at >= delay:
        return False
    return "not serving" not in heard


PROGRAMS: dict[str, Handler] = {
    "test-webserver": lambda me, request: fileserver.serve(me.files, path_of(request)),
    "netexec": _netexec,
    "liveness": _liveness,
    "serve-hostname": lambda me, request: text_answer(me.hostname),
    "nettest": _nettest,
    "guestbook": guestbook.answer,
    "porter": _porter,
    "webhook": agnhostwebhook.serve,
    "crd-conversion-webhook": agnhostwebhook.serve,
    "grpc-health-checking": _grpc_health,
}


def datagram(program: str, me: Self, text: str) -> str | None:
    """The answer to a UDP packet."""
    if program == "porter":
        return me.env.get(f"SERVE_UDP_PORT_{me.port}")
    if program != "netexec":
        return None
    command, _, rest = text.strip().partition(" ")
    if command.lower() == "hostname":
        return me.hostname
    if command == "echo":
        return rest
    return None
