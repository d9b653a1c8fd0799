"""exec and port-forward over SPDY/3.1, as kubectl before 1.30 and most Go programs speak it; logs and watches over WebSockets."""

from __future__ import annotations

import base64
import json
import socket
import ssl
from contextlib import contextmanager

import pytest
import websocket

from cluster.apiserver.sessions.spdy import DATA, SYN_REPLY, Framer
from tests.support.server import wait_for

V4 = "v4.channel.k8s.io"


@pytest.fixture(scope="module")
def web(cluster):
    cluster.kubectl("run", "web", "--image=nginx", "--env=COLOUR=blue")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    return cluster


class Client:
    """A client's end: streams by name."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self.connection, self.framer, self.streams, self.replied = connection, Framer(), {}, set()

    def open(self, name: str, **headers: str) -> int:
        number = 2 * len(self.streams) + 1
        self.streams[number] = name
        self.connection.sendall(self.framer.syn_stream(number, {"streamtype": name, **headers}))
        return number

    def say(self, stream: int, data: bytes, *, ends: bool = False) -> None:
        self.connection.sendall(self.framer.data(stream, data, ends=ends))

    def hear(self) -> dict[str, bytes]:
        """What comes on each stream until the server has ended all but those that only the client writes to."""
        heard, open_ = {}, {number for number, name in self.streams.items() if name not in ("stdin", "resize")}
        while open_ and (data := self.connection.recv(65536)):
            for frame in self.framer.feed(data):
                if frame.kind == SYN_REPLY:
                    self.replied.add(frame.stream)
                elif frame.kind == DATA:
                    name = self.streams[frame.stream]
                    heard[name] = heard.get(name, b"") + frame.data
                    open_ -= {frame.stream} if frame.ends else set()
        return heard


def _ask(
    cluster, path: str, *versions: str, token: str | None = None
) -> tuple[ssl.SSLSocket, int, dict[str, str], bytes]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", cluster.https), timeout=60)
    connection = context.wrap_socket(plain, server_hostname="localhost")
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{cluster.https}",
        f"Authorization: Bearer {token or cluster.token()}",
        "Connection: Upgrade",
        "Upgrade: SPDY/3.1",
        "Content-Length: 0",
        *(f"X-Stream-Protocol-Version: {version}" for version in versions),
    ]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = b""
    while b"\r\n\r\n" not in head:
        more = connection.recv(1)
        assert more, f"closed after {head!r}"
        head += more
    first, *rest = head.decode().strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    body = b""
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(4096)
    return connection, int(first.split()[1]), headers, body


@contextmanager
def spdy(cluster, path: str, *versions: str):
    connection, code, headers, body = _ask(cluster, path, *versions)
    with connection:
        assert (code, headers["upgrade"]) == (101, "SPDY/3.1"), body
        assert headers["x-stream-protocol-version"] in versions
        yield Client(connection)


PODS = "/api/v1/namespaces/default/pods"


def test_exec(web):
    path = f"{PODS}/web/exec?command=sh&command=-c&command=echo+out;echo+err+%3E%262;exit+3&stdout=true&stderr=true"
    with spdy(web, path, "v9.channel.k8s.io", V4) as client:
        for name in ("error", "stdout", "stderr"):
            client.open(name)
        heard = client.hear()
        assert client.replied == {1, 3, 5}
    assert (heard["stdout"], heard["stderr"]) == (b"out\n", b"err\n")
    status = json.loads(heard["error"])
    assert (status["reason"], status["details"]["causes"][0]["message"]) == ("NonZeroExitCode", "3")


def test_stdin(web):
    with spdy(web, f"{PODS}/web/exec?command=cat&stdin=true&stdout=true", V4) as client:
        client.open("error")
        stdin = client.open("stdin")
        client.open("stdout")
        client.say(stdin, b"one\n")
        client.say(stdin, b"two\n", ends=True)
        heard = client.hear()
    assert (heard["stdout"], json.loads(heard["error"])["status"]) == (b"one\ntwo\n", "Success")


def test_older_protocols_are_told_errors_in_words(web):
    with spdy(web, f"{PODS}/web/exec?command=false&stdout=true", "v2.channel.k8s.io") as client:
        client.open("error")
        client.open("stdout")
        heard = client.hear()
    assert heard["error"] == b"command terminated with non-zero exit code: exit status 1"


def test_port_forward(web):
    with spdy(web, f"{PODS}/web/portforward", "portforward.k8s.io") as client:
        client.open("error", port="80", requestid="0")
        data = client.open("data", port="80", requestid="0")
        client.say(data, b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
        heard = client.hear()
    assert b"Welcome to nginx!" in heard["data"] and heard["error"] == b""


def test_refusals_come_as_a_status(web):
    def refused(path: str, *versions: str, token: str | None = None) -> tuple[int, str]:
        connection, code, _, body = _ask(web, path, *versions, token=token)
        connection.close()
        return code, json.loads(body)["message"]

    assert refused(f"{PODS}/nosuch/exec?command=ls&stdout=true", V4) == (404, 'pods "nosuch" not found')
    assert refused(f"{PODS}/web/exec?command=ls&stdout=true", V4, token="wrong") == (401, "Unauthorized")
    code, message = refused(f"{PODS}/web/exec?command=ls&stdout=true", "v9.channel.k8s.io")
    assert code == 403 and "unable to negotiate protocol" in message
    assert refused(f"{PODS}/web/exec?command=ls", V4) == (400, "you must specify at least 1 of stdin, stdout, stderr")
    for port in ("99999", "0", "9" * 5000, "http"):
        assert refused(f"{PODS}/web/portforward?ports=80,{port}", "portforward.k8s.io") == (
            400,
            f'unable to parse "{port}" as a port',
        )
    status, body = web.request("POST", f"{PODS}/web/exec?command=ls&stdout=true")
    assert (status, body["message"]) == (400, "Upgrade request required")


def test_creating_is_enough_for_post(web):
    web.kubectl("create", "serviceaccount", "runner")
    web.kubectl("create", "role", "runner", "--verb=create", "--resource=pods/exec")
    web.kubectl("create", "rolebinding", "runner", "--role=runner", "--serviceaccount=default:runner")
    token = web.kubectl("create", "token", "runner").strip()

    def may():
        connection, code, *_ = _ask(web, f"{PODS}/web/exec?command=ls&stdout=true", V4, token=token)
        connection.close()
        return code == 101

    wait_for(may, "the role is known")


def test_goodbye_ends_the_connection(web):
    connection, code, *_ = _ask(web, f"{PODS}/web/exec?command=sleep&command=600&stdout=true", V4)
    assert code == 101
    with connection:
        # SPDY/3.1 control frame 7, GOAWAY: last good stream 0, status 0.
        connection.sendall(bytes([0x80, 3, 0, 7, 0, 0, 0, 8]) + bytes(8))
        while connection.recv(4096):
            pass


# -- WebSockets --------------------------------------------------------------------------------------------------------


def socket_of(cluster, path: str, *protocols: str) -> websocket.WebSocket:
    return websocket.create_connection(
        f"wss://127.0.0.1:{cluster.https}{path}",
        header=[f"Authorization: Bearer {cluster.token()}"],
        subprotocols=list(protocols) or None,
        sslopt={"cert_reqs": ssl.CERT_NONE},
        suppress_origin=True,
    )


def test_logs_over_a_websocket(web):
    web.kubectl("run", "talker", "--image=busybox", "--restart=Never", "--", "echo", "I am here")
    wait_for(lambda: "I am here" in web.kubectl("logs", "talker", check=False), "it has spoken")
    for protocols in ((), ("binary.k8s.io",)):
        connection = socket_of(web, f"{PODS}/talker/log", *protocols)
        assert (connection.recv(), connection.getsubprotocol()) == (b"I am here\n", "".join(protocols) or None)
        connection.close()
    connection = socket_of(web, f"{PODS}/talker/log", "base64.binary.k8s.io")
    assert base64.b64decode(connection.recv()) == b"I am here\n"
    connection.close()


def test_a_watch_over_a_websocket(web):
    connection = socket_of(web, f"{PODS}?watch=true&fieldSelector=metadata.name%3Dweb")
    event = json.loads(connection.recv())
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "web")
    web.kubectl("label", "pod", "web", "seen=yes")
    event = json.loads(connection.recv())
    assert (event["type"], event["object"]["metadata"]["labels"]["seen"]) == ("MODIFIED", "yes")
    connection.close()


def test_the_channel_protocols_before_v4(web):
    connection = socket_of(web, f"{PODS}/web/exec?command=echo&command=hi&stdout=true&stderr=true", "channel.k8s.io")
    assert connection.recv() == b"\x01"
    assert connection.recv() == b"\x01hi\n"
    connection.close()
    connection = socket_of(web, f"{PODS}/web/exec?command=false&stdout=true", "base64.channel.k8s.io")
    assert connection.recv() == "1"
    said = connection.recv()
    assert said[0] == "3" and b"exit status 1" in base64.b64decode(said[1:])
    connection.close()
