"""kubectl exec, attach and run -i over WebSockets; the Python client's stream; who may not."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess

import kubernetes
import pytest
import websocket
import yaml
from kubernetes.stream import stream

from tests.support.kubectl import running
from tests.support.server import Cluster, tool, wait_for


@pytest.fixture(scope="module")
def web(cluster):
    cluster.kubectl("run", "web", "--image=nginx", "--env=COLOUR=blue")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    return cluster


def test_exec(web):
    assert web.kubectl("exec", "web", "--", "echo", "hello") == "hello\n"
    assert "COLOUR=blue" in web.kubectl("exec", "web", "--", "env")
    assert web.kubectl("exec", "web", "--", "hostname") == "web\n"


def test_exit_codes(web):
    done = web.run(tool("kubectl"), "exec", "web", "--", "sh", "-c", "echo out; exit 3")
    assert (done.returncode, done.stdout) == (3, "out\n")
    assert "command terminated with exit code 3" in done.stderr
    done = web.run(tool("kubectl"), "exec", "web", "--", "nosuch")
    assert done.returncode == 1 and 'exec: "nosuch": executable file not found in $PATH' in done.stderr


def test_stdin(web):
    assert web.kubectl("exec", "-i", "web", "--", "cat", stdin="one\ntwo\n") == "one\ntwo\n"
    done = web.run(tool("kubectl"), "exec", "-i", "web", "--", "sh", stdin="echo $COLOUR\nexit 4\n")
    assert (done.returncode, done.stdout) == (4, "blue\n")


def test_output_and_input_of_many_megabytes(web):
    """A client reads more than may wait for it, and sends more: its command waits, and nothing is lost."""
    size = 20 * 1024 * 1024
    assert len(web.kubectl("exec", "web", "--", "dd", "if=/dev/zero", "bs=10M", "count=2", "status=none")) == size
    text = "0123456789abcde\n" * (10 * 1024 * 1024 // 16)
    web.kubectl("exec", "-i", "web", "--", "sh", "-c", "cat > /tmp/big", stdin=text)
    assert web.kubectl("exec", "web", "--", "cat", "/tmp/big") == text
    web.kubectl("exec", "web", "--", "rm", "/tmp/big")


def test_a_command_does_not_wait_for_input_that_it_does_not_read(web):
    started = subprocess.Popen(
        [tool("kubectl"), "--kubeconfig", str(web.kubeconfig), "exec", "-i", "web", "--", "echo", "now"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    # Nothing is typed, and the input is not closed.
    assert started.stdout.read() == "now\n"
    assert started.wait(60) == 0


def test_run_interactively(cluster):
    out = cluster.kubectl(
        "run", "-i", "--rm", "box", "--image=busybox", "--restart=Never", "--", "sh", stdin="echo in the box\nexit\n"
    )
    assert "in the box\n" in out
    wait_for(lambda: "NotFound" in cluster.kubectl("get", "pod", "box", check=False), "the pod is removed")


def test_the_python_client(web):
    config = yaml.safe_load(web.kubeconfig.read_text())
    with kubernetes.config.new_client_from_config_dict(config) as api:
        core = kubernetes.client.CoreV1Api(api)
        out = stream(
            core.connect_get_namespaced_pod_exec, "web", "default", command=["echo", "hi"], stdout=True, stderr=True
        )
        assert out == "hi\n"


def test_refusals(web):
    assert "NotFound" in web.kubectl("exec", "nosuch", "--", "ls", check=False)
    # Reading pods is not enough to act inside of them.
    web.kubectl("create", "role", "reader", "--verb=get", "--resource=pods,pods/exec")
    web.kubectl("create", "rolebinding", "reader", "--role=reader", "--user=eve")
    out = web.kubectl("exec", "web", "--as=eve", "--", "ls", check=False)
    assert 'User "eve" cannot create resource "pods/exec" in API group "" in the namespace "default"' in out
    status, body = web.request("GET", "/api/v1/namespaces/default/pods/web/exec?command=ls")
    assert (status, body["message"]) == (400, "Upgrade request required")


def test_pages_of_others_cannot_exec(web):
    """A page names its origin and cannot set headers; a program with a token may name whatever origin it likes."""

    def connect(origin, *, page):
        token = web.token()
        encoded = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
        hidden = [f"base64url.bearer.authorization.k8s.io.{encoded}"] if page else []
        return websocket.create_connection(
            f"wss://127.0.0.1:{web.https}/api/v1/namespaces/default/pods/web/exec?command=hostname&stdout=true",
            header=[] if page else [f"Authorization: Bearer {token}"],
            subprotocols=["v4.channel.k8s.io", *hidden],
            sslopt={"cert_reqs": ssl.CERT_NONE},
            origin=origin,
        )

    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        connect("https://evil.example", page=True)
    assert caught.value.status_code == 403
    for origin, page in ((f"https://127.0.0.1:{web.https}", True), ("http://localhost", False)):
        connection = connect(origin, page=page)
        # The first message says that the session is there.
        assert connection.recv() == b"\x01"
        assert connection.recv() == b"\x01web\n"
        connection.close()


def test_who_sends_without_end_to_a_command_that_does_not_read_is_cut_off(web):
    connection = websocket.create_connection(
        f"wss://127.0.0.1:{web.https}/api/v1/namespaces/default/pods/web/exec?command=sleep&command=1000&stdin=true&stdout=true",
        header=[f"Authorization: Bearer {web.token()}"],
        subprotocols=["v4.channel.k8s.io"],
        sslopt={"cert_reqs": ssl.CERT_NONE},
        timeout=60,
    )
    assert connection.recv() == b"\x01"
    # One is on its way to the command already, eight fill what may wait.
    for _ in range(10):
        connection.send_binary(b"\x00" + b"x" * (1024 * 1024 - 1))
    code, data = connection.recv_data()
    assert (code, data[:2]) == (websocket.ABNF.OPCODE_CLOSE, (4009).to_bytes(2, "big"))


def test_a_process_finds_its_service_account(cluster):
    """The token is signed when somebody looks, is bound to the pod, and works against the API."""
    cluster.kubectl("run", "who", "--image=busybox", "--command", "--", "sleep", "3600")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/who", "--timeout=60s")
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"
    assert cluster.kubectl("exec", "who", "--", "cat", f"{folder}/namespace") == "default"
    assert cluster.kubectl("exec", "who", "--", "cat", f"{folder}/ca.crt").startswith("-----BEGIN CERTIFICATE-----")
    token = cluster.kubectl("exec", "who", "--", "cat", f"{folder}/token").strip()
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    headers = {"Authorization": f"Bearer {token}"}
    _, answer = cluster.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review, headers)
    assert answer["status"]["userInfo"]["username"] == "system:serviceaccount:default:default"
    assert answer["status"]["userInfo"]["extra"]["authentication.kubernetes.io/pod-name"] == ["who"]


def test_debug_adds_a_container(web):
    web.kubectl("debug", "web", "--image=busybox", "--container=looker", "--", "sh", "-c", "echo looking")
    wait_for(lambda: web.kubectl("logs", "web", "-c", "looker", check=False) == "looking\n", "it has run")
    pod = json.loads(web.kubectl("get", "pod", "web", "-o", "json"))
    (status,) = pod["status"]["ephemeralContainerStatuses"]
    assert status["state"]["terminated"]["exitCode"] == 0 and pod["status"]["phase"] == "Running"
    taken = {"spec": {"ephemeralContainers": [{"name": "web", "image": "busybox"}]}}
    out = web.kubectl("patch", "pod", "web", "--subresource=ephemeralcontainers", "-p", json.dumps(taken), check=False)
    assert "Duplicate value" in out


def test_a_command_reads_what_is_typed_at_it_from_outside(cluster: Cluster) -> None:
    script = 'read -r line; echo "<$line>"; cat; exit 42'
    words = ("run", "typed", "-i", "--rm", "--image=busybox", "--restart=Never", "--", "sh", "-c", script)
    done = cluster.run(tool("kubectl"), *words, stdin="one\ntwo\nthree")
    assert done.returncode == 42 and done.stdout.startswith("<one>\ntwo\nthree"), done


def test_input_that_is_left_open_goes_on_after_who_typed_has_left(cluster: Cluster) -> None:
    words = ("run", "open", "-i", "--leave-stdin-open", "--image=busybox", "--restart=Never")
    script = 'read -r a; echo "a=$a"; read -r b; echo "b=$b"'
    with running(cluster, *words, "--", "sh", "-c", script) as attached:
        assert attached.stdin is not None
        attached.stdin.write(b"first\n")
        attached.stdin.flush()
        wait_for(lambda: "a=first" in cluster.kubectl("logs", "open", check=False), "the first line was read")
    assert cluster.kubectl("get", "pod", "open", "-o", "jsonpath={.status.phase}") == "Running"
    cluster.run(tool("kubectl"), "attach", "-i", "open", stdin="second\n")
    wait_for(lambda: "b=second" in cluster.kubectl("logs", "open"), "the second line was read")
    cluster.kubectl("delete", "pod", "open", "--now")
