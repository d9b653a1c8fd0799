"""Real kubectl inside of pods: exec and its exit codes, cp, logs in all ways, attach, port-forward, the proxies."""

from __future__ import annotations

import http.client
import json
from contextlib import closing

import pytest

from tests.support.kubectl import running
from tests.support.server import free_port, tool, wait_for

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.56"
PODS = f"""
apiVersion: v1
kind: Pod
metadata: {{name: two, labels: {{app: two}}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {{name: web, image: "{AGNHOST}", args: [netexec], ports: [{{containerPort: 8080}}]}}
  - name: ticks
    image: busybox
    command: [sh, -c, 'i=0; while true; do echo line $i; i=$((i+1)); sleep 0.2; done']
---
apiVersion: v1
kind: Service
metadata: {{name: two}}
spec: {{selector: {{app: two}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: crash}}
spec:
  containers: [{{name: c, image: busybox, command: [sh, -c, "echo run at $(date +%s); exit 3"]}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: lost}}
spec:
  containers: [{{name: c, image: busybox, command: [/no/such/program]}}]
"""


@pytest.fixture(scope="module")
def two(cluster):
    cluster.kubectl("apply", "-f", "-", stdin=PODS)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/two", "--timeout=60s")
    return cluster


def test_exit_codes_and_streams(two):
    done = two.run(tool("kubectl"), "exec", "two", "-c", "ticks", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout) == (7, "out\n")
    assert done.stderr == "err\ncommand terminated with exit code 7\n"
    done = two.run(tool("kubectl"), "exec", "two", "-c", "nosuch", "--", "id")
    assert "container nosuch is not valid for pod two out of: web, ticks" in done.stderr
    done = two.run(tool("kubectl"), "exec", "two", "--", "/no/such")
    assert 'exec: "/no/such": stat /no/such: no such file or directory' in done.stderr


def test_files_are_copied_there_and_back(two, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "text").write_text("hello\n")
    (tmp_path / "d" / "bytes").write_bytes(bytes(range(256)) * 20)
    two.kubectl("cp", str(tmp_path / "d"), "two:/tmp/", "-c", "ticks")
    assert two.kubectl("exec", "two", "-c", "ticks", "--", "cat", "/tmp/d/text") == "hello\n"
    two.kubectl("cp", "two:/tmp/d", str(tmp_path / "back"), "-c", "ticks")
    assert (tmp_path / "back" / "bytes").read_bytes() == (tmp_path / "d" / "bytes").read_bytes()
    out = two.kubectl("cp", "two:/no/such", str(tmp_path / "none"), "-c", "ticks", check=False)
    assert "No such file or directory" in out


def test_logs_in_all_ways(two):
    wait_for(lambda: "line 5\n" in two.kubectl("logs", "two", "-c", "ticks"), "it has written some")
    assert two.kubectl("logs", "two", "-c", "ticks", "--limit-bytes=6") == "line 0"
    assert len(two.kubectl("logs", "two", "-c", "ticks", "--tail=2").splitlines()) == 2
    (stamped,) = two.kubectl("logs", "two", "-c", "ticks", "--tail=1", "--timestamps").splitlines()
    assert stamped.split(" ", 1)[0].endswith("Z") and " line " in stamped
    assert "line 0\n" not in two.kubectl("logs", "two", "-c", "ticks", "--since=1s")
    out = two.kubectl("logs", "-l", "app=two", "--all-containers", "--prefix", "--tail=1")
    assert "[pod/two/web] " in out and "[pod/two/ticks] line " in out
    with running(two, "logs", "-f", "two", "-c", "ticks", "--tail=0") as kubectl:
        assert kubectl.stdout.readline().startswith(b"line ")
    out = two.kubectl("logs", "two", "-c", "web", "--previous", check=False)
    assert 'previous terminated container "web" in pod "two" not found' in out


def test_the_log_of_the_run_before(two):
    wait_for(lambda: "CrashLoopBackOff" in two.kubectl("get", "pod", "crash"), "it backs off")
    assert two.kubectl("logs", "crash", "--previous").startswith("run at ")
    pod = json.loads(two.kubectl("get", "pod", "crash", "-o", "json"))
    assert pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 3


def test_a_program_that_is_not_there(two):
    wait_for(lambda: "CrashLoopBackOff" in two.kubectl("get", "pod", "lost"), "it backs off")
    status = json.loads(two.kubectl("get", "pod", "lost", "-o", "json"))["status"]["containerStatuses"][0]
    last = status["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (128, "StartError")
    assert "stat /no/such/program: no such file or directory" in last["message"]


def test_ports_are_forwarded(two):
    port = free_port()
    with running(two, "port-forward", "svc/two", f"{port}:80") as kubectl:
        assert b"Forwarding from 127.0.0.1" in kubectl.stdout.readline()
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("GET", "/hostname")
            assert connection.getresponse().read() == b"two"


def test_the_api_server_passes_requests_on(two):
    base = "/api/v1/namespaces/default"
    assert two.kubectl("get", "--raw", f"{base}/pods/two:8080/proxy/echo?msg=hi") == "hi"
    assert two.kubectl("get", "--raw", f"{base}/services/two:http/proxy/hostname") == "two"


def test_attach_shows_what_is_written_from_now_on(two):
    with running(two, "attach", "two", "-c", "ticks") as kubectl:
        assert any(kubectl.stdout.readline().startswith(b"line ") for _ in range(2))
