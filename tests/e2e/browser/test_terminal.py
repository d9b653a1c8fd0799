"""The terminal: kubectl in the page beside the real one, completion, history, pipes, shells in pods, and what it looks like."""

from __future__ import annotations

import re
import socket

import pytest
from playwright.sync_api import Page, expect

from tests.support.server import tool

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: nginx, image: "nginx:1.27", ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
"""
# What these print stays the same from one second to the next: no ages.
ALIKE = [
    "get",
    "get pods -o name",
    "get pods -o foo",
    "get deploy,svc -o name",
    "get nope",
    "get pod nope",
    "get pod/web svc",
    "get pods -l",
    "get pods -n empty",
    "get pods --nope",
    "get deploy web -o yaml | grep -v '{\"apiVersion'",
    "get svc web -o json",
    "get pods -l app=web -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[*].image",
    'get nodes -o jsonpath=\'{range .items[*]}{.metadata.name}{"\\t"}{.status.capacity.cpu}{"\\n"}{end}\'',
    "describe svc web",
    "describe clusterrole view",
    "describe ns default",
    "explain pod.spec.containers.image",
    "explain deploy.spec.strategy",
    "auth can-i create deployments",
    "auth whoami",
    "auth can-i --list",
    "explain pod.nope",
    "logs nope",
    "api-versions",
    "rollout status deploy/web",
    "rollout history deploy/web",
    "create deployment web --image=nginx",
    "create deployment dry --image=nginx:1.27 --dry-run=client -o yaml",
    "create role reader --verb=get,list --resource=pods --dry-run=client -o yaml",
    "delete deploy nope",
    "scale deploy web",
    "frob",
]


PASTE = """text => {
  const data = new DataTransfer();
  data.setData('text/plain', text);
  document.querySelector('.xterm-helper-textarea').dispatchEvent(
    new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
}"""


@pytest.fixture(scope="module")
def terminal(sign_in, realistic) -> Page:
    """The terminal at a width at which nothing wraps."""
    realistic.kubectl("apply", "-f", "-", stdin=WEB)
    realistic.kubectl("rollout", "status", "deploy/web", "--timeout=60s")
    page = sign_in("/explore/terminal", width=2100, height=2000)
    expect(screen(page)).to_contain_text("default $")
    return page


def screen(page: Page):
    return page.get_by_test_id("terminal").locator(".xterm-rows")


def done(page: Page) -> int:
    return int(page.locator(".terminal-host").get_attribute("data-done") or 0)


def idle(page: Page, before: int) -> None:
    """Until a further command has ended and its output is drawn."""
    page.wait_for_function(
        "before => Number(document.querySelector('.terminal-host').dataset.done ?? 0) > before", arg=before
    )


def lines(page: Page) -> list[str]:
    rows = page.locator(".xterm-rows > div").all_text_contents()
    return [row.replace("\u00a0", " ").rstrip() for row in rows]


def run(page: Page, command: str) -> str:
    """What the command printed."""
    page.get_by_test_id("terminal").locator("textarea").focus()
    page.keyboard.press("Control+l")
    before = done(page)
    # Several lines are pasted, as one does it: in brackets, so that none runs by itself.
    page.evaluate(PASTE, command)
    page.keyboard.press("Enter")
    idle(page, before)
    rows = lines(page)
    last = max(at for at, row in enumerate(rows) if re.fullmatch(r"[\w-]+ \$", row))
    return "\n".join(rows[1 + command.count("\n") : last])


def test_it_prints_what_kubectl_prints(terminal, realistic):
    different = {}
    for command in ALIKE:
        shown = run(terminal, f"kubectl {command}").splitlines()
        real = realistic.run("sh", "-c", f"{tool('kubectl')} {command}")
        told = [line.rstrip() for line in (real.stdout + real.stderr).expandtabs(8).splitlines()]
        if real.stdout and not real.stdout.endswith("\n"):
            shown = [line for line in shown if line != "⏎"]
        if [line for line in shown if line] != [line for line in told if line]:
            different[command] = (told, shown)
    assert different == {}


def test_pods_nodes_and_their_descriptions(terminal):
    out = run(terminal, "kubectl get pods -o wide")
    assert out.splitlines()[0].split() == [
        "NAME",
        "READY",
        "STATUS",
        "RESTARTS",
        "AGE",
        "IP",
        "NODE",
        "NOMINATED",
        "NODE",
        "READINESS",
        "GATES",
    ]
    assert out.count("1/1     Running") == 2
    assert "Roles:              <none>" in run(terminal, "k describe node node-1")
    assert "Successfully assigned default/web-" in run(
        terminal, "k describe pods -l app=web | cat ; k events | grep Scheduled"
    )


def test_pipes_files_and_here_documents(terminal, realistic):
    assert run(terminal, "k get pods --no-headers | grep -c Running") == "2"
    assert run(terminal, "k get pods --no-headers | head -1 | wc -l") == "1"
    run(terminal, "k get deploy web -o yaml > web.yaml")
    assert run(terminal, "k diff -f web.yaml; ls") == "web.yaml"
    shown = run(
        terminal, "k apply -f - <<EOF\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: typed}\ndata: {a: b}\nEOF"
    )
    assert "configmap/typed created" in shown
    assert realistic.kubectl("get", "cm", "typed", "-o", "jsonpath={.data.a}") == "b"
    assert run(terminal, "k get nope && echo yes || echo no").splitlines()[-1] == "no"
    assert 'configmap "typed" deleted from default namespace' in run(terminal, "k delete cm typed")


def test_each_command_is_a_request_of_the_person(terminal, realistic):
    run(terminal, "kubectl scale deploy web --replicas=3")
    journeys = terminal.evaluate("fetch('/explorer/journeys/?limit=20&lookups=false').then(one => one.json())")[
        "journeys"
    ]
    scaled = [one for one in journeys if one["subresource"] == "scale"]
    assert scaled and scaled[0]["actor"] == "admin" and scaled[0]["verb"] == "patch"
    assert realistic.kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}") == "3"
    run(terminal, "kubectl scale deploy web --replicas=2")


def test_impersonation_asks_as_somebody_else(terminal):
    assert run(terminal, "kubectl auth can-i create pods --as=nobody") == "no"
    refused = run(terminal, "kubectl get secrets --as=nobody")
    assert (
        'Error from server (Forbidden): secrets is forbidden: User "nobody" cannot list resource "secrets"' in refused
    )


def test_tab_completes_commands_types_names_and_flags(terminal):
    terminal.get_by_test_id("terminal").locator("textarea").focus()
    terminal.keyboard.press("Control+l")
    for typed, whole in [
        ("kubectl desc", "kubectl describe"),
        ("depl", "deployments"),
        ("w", "web"),
        ("--show-e", "--show-events"),
    ]:
        terminal.keyboard.type(typed)
        terminal.keyboard.press("Tab")
        expect(screen(terminal)).to_contain_text(whole)
    terminal.keyboard.press("Control+c")


def test_history_is_kept_and_searched(terminal):
    run(terminal, "echo first")
    run(terminal, "echo second")
    terminal.keyboard.press("ArrowUp")
    terminal.keyboard.press("ArrowUp")
    expect(screen(terminal)).to_contain_text("$ echo first")
    terminal.keyboard.press("Control+c")
    terminal.keyboard.press("Control+r")
    terminal.keyboard.type("sec")
    expect(screen(terminal)).to_contain_text("(reverse-i-search)`sec': echo second")
    before = done(terminal)
    terminal.keyboard.press("Enter")
    idle(terminal, before)
    terminal.reload()
    # Whose history it is, is known once the stream has said who is here.
    expect(terminal.locator(".person summary")).to_contain_text("admin", timeout=15_000)
    expect(screen(terminal)).to_contain_text("default $")
    terminal.get_by_test_id("terminal").locator("textarea").focus()
    terminal.keyboard.press("ArrowUp")
    expect(screen(terminal)).to_contain_text("$ echo second")
    terminal.keyboard.press("Control+c")


def test_a_shell_in_a_pod_and_ctrl_c(terminal):
    terminal.get_by_test_id("terminal").locator("textarea").focus()
    terminal.keyboard.press("Control+l")
    terminal.keyboard.type("k exec -it deploy/web -- sh\r")
    expect(screen(terminal)).to_contain_text("/ #")
    terminal.keyboard.type("echo inside-$((20+3))\r")
    expect(screen(terminal)).to_contain_text("inside-23")
    before = done(terminal)
    terminal.keyboard.type("exit\r")
    idle(terminal, before)
    assert run(terminal, "k exec deploy/web -- sh -c 'exit 3'") == "command terminated with exit code 3"
    terminal.keyboard.press("Control+l")
    terminal.keyboard.type("k get pods -w\r")
    expect(screen(terminal)).to_contain_text("Running")
    before = done(terminal)
    terminal.keyboard.press("Control+c")
    idle(terminal, before)
    expect(screen(terminal)).to_contain_text("^C")


def test_a_websocket_of_a_foreign_origin_is_refused(terminal, realistic):
    """A page of somebody else's would carry our cookies: the server looks at where it comes from."""
    pod = realistic.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}")
    path = f"/api/v1/namespaces/default/pods/{pod}/exec?command=id&stdout=true"
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in terminal.context.cookies())
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "v5.channel.k8s.io",
        "Cookie": cookies,
    }
    for origin, status in [("http://evil.example", 403), (f"http://127.0.0.1:{realistic.http}", 101)]:
        assert handshake(realistic.http, path, {**upgrade, "Origin": origin}) == status


def handshake(port: int, path: str, headers: dict[str, str]) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        asked = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{asked}\r\n".encode())
        return int(sock.recv(4096).split(b" ")[1])


def test_edit_opens_the_editor_and_the_namespace_is_the_pages(sign_in, shots):
    page = sign_in()
    page.get_by_role("tab", name="Terminal").click()
    expect(screen(page)).to_contain_text("default $")
    run(page, "k get pods")
    page.screenshot(path=shots / "terminal.png")
    run(page, "kubectl config set-context --current --namespace=kube-system")
    expect(page.get_by_test_id("namespace")).to_have_value("kube-system")
    expect(screen(page)).to_contain_text("kube-system $")
    page.get_by_test_id("terminal").locator("textarea").focus()
    page.keyboard.type("k edit deploy web -n default\r")
    expect(page.get_by_test_id("editor")).to_contain_text("name: web")
    assert page.problems == []
    page.context.close()


@pytest.mark.parametrize(("width", "height", "scheme"), [(390, 844, "light"), (1440, 900, "dark")])
def test_it_fits_a_phone_and_the_dark(sign_in, axe, shots, width, height, scheme):
    page = sign_in("/explore/terminal", width=width, height=height, scheme=scheme)
    expect(screen(page)).to_contain_text("default $")
    run(page, "k get deploy")
    page.screenshot(path=shots / f"terminal-{width}-{scheme}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page, "main") == []
    with page.expect_download() as downloaded:
        page.get_by_test_id("kubeconfig").click()
    assert downloaded.value.suggested_filename == "kubeconfig"
    assert page.problems == []
    page.context.close()
