"""The live stream: it survives restarts, shows that it is behind, and many browsers cost the server little."""

from __future__ import annotations

import json
import re
import threading

import pytest
import requests
import websocket
from playwright.sync_api import expect

from tests.support.kubectl import apply
from tests.support.manifests import deployment
from tests.support.server import PASSWORD, Cluster, wait_for

RESOURCES = ["v1/pods", "v1/nodes", "apps/v1/deployments", "apps/v1/replicasets"]


def pods(page, name):
    return page.locator(f'[data-testid^="pod-{name}-"]')


def test_after_a_restart_the_page_goes_on_without_what_went_meanwhile(sign_in, realistic: Cluster, shots):
    page = sign_in()
    realistic.kubectl("create", "deployment", "stays", "--image=nginx:1.27", "--replicas=2")
    realistic.kubectl("create", "deployment", "goes", "--image=nginx:1.27", "--replicas=2")
    expect(pods(page, "stays")).to_have_count(2, timeout=20_000)
    expect(pods(page, "goes")).to_have_count(2, timeout=20_000)
    page.evaluate("window.stillTheSamePage = true")
    said = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: said.append(json.loads(frame))))
    realistic.stop()
    expect(page.get_by_test_id("live")).to_contain_text("behind", timeout=10_000)
    expect(page.get_by_role("alert")).to_contain_text("interrupted")
    expect(pods(page, "stays")).to_have_count(2)
    page.screenshot(path=shots / "behind.png")
    realistic.start()
    realistic.kubectl("delete", "deployment", "goes", "--wait=false")
    realistic.kubectl("delete", "pods", "-l", "app=goes", "--grace-period=0", "--force", "--wait=false")
    expect(page.get_by_test_id("live")).to_contain_text("live", timeout=20_000)
    expect(pods(page, "goes")).to_have_count(0, timeout=30_000)
    expect(pods(page, "stays")).to_have_count(2)
    assert page.evaluate("window.stillTheSamePage")
    first = next(message for message in said if message["op"] == "changes" and message["parts"])
    assert not any(part["fresh"] for part in first["parts"]), "it went on where it was, without a snapshot"
    assert page.problems == []
    page.context.close()


class Browser(threading.Thread):
    """What a browser does with the stream, without drawing. A lazy one acknowledges nothing."""

    def __init__(self, cluster: Cluster, cookie: str, lazy: bool = False) -> None:
        super().__init__(daemon=True)
        self.lazy = lazy
        self.pods: dict[str, dict] = {}
        self.messages = 0
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{cluster.http}/ws/explorer/",
            cookie=cookie,
            timeout=60,
            origin=f"http://127.0.0.1:{cluster.http}",
        )
        self.socket.send(json.dumps({"op": "subscribe", "resources": dict.fromkeys(RESOURCES)}))

    def run(self) -> None:
        parts = []
        while True:
            try:
                message = json.loads(self.socket.recv())
            except (OSError, ValueError, websocket.WebSocketException):
                return
            self.messages += 1
            if message["op"] == "changes":
                parts += message["parts"]
                if not message["more"]:
                    self.take(parts)
                    parts = []
            if not self.lazy:
                self.socket.send(json.dumps({"op": "ack", "seq": message["seq"]}))

    def take(self, parts: list) -> None:
        pods = dict(self.pods)
        for part in parts:
            if part["resource"] != "v1/pods":
                continue
            if part["fresh"]:
                pods = {}
            for kind, pod in part["events"]:
                if kind == "DELETED":
                    pods.pop(pod["name"], None)
                else:
                    pods[pod["name"]] = pod
        self.pods = pods

    def ready(self, name: str) -> int:
        return sum(1 for pod in self.pods.values() if pod["name"].startswith(f"{name}-") and pod["isReady"])


@pytest.fixture(scope="module")
def cookie(realistic: Cluster) -> str:
    session = requests.Session()
    address = f"http://127.0.0.1:{realistic.http}/login/"
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', session.get(address).text)
    assert token
    form = {"username": "admin", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    assert session.post(address, form, headers={"Referer": address}).ok
    return f"sessionid={session.cookies['sessionid']}"


def test_fifty_browsers_all_see_it_and_a_lazy_one_is_sent_little(realistic: Cluster, cookie: str):
    browsers = [Browser(realistic, cookie) for _ in range(50)]
    lazy = Browser(realistic, cookie, lazy=True)
    for browser in [*browsers, lazy]:
        browser.start()
    apply(realistic, deployment("many", 3))
    wait_for(lambda: all(browser.ready("many") == 3 for browser in browsers), "all see three ready pods", 60)
    realistic.kubectl("delete", "deployment", "many", "--wait=false")
    realistic.kubectl("delete", "pods", "-l", "app=many", "--grace-period=0", "--force", "--wait=false")
    wait_for(lambda: all(not browser.ready("many") for browser in browsers), "all see them go", 60)
    assert realistic.request("GET", "/api/v1/nodes")[0] == 200, "the server answers others meanwhile"
    assert lazy.messages <= 17, "it has not acknowledged, so it is sent no more"
    # It goes on from the newest state when it wakes up.
    lazy.lazy = False
    lazy.socket.send(json.dumps({"op": "ack", "seq": lazy.messages}))
    newest = set(browsers[0].pods)
    wait_for(lambda: set(lazy.pods) == newest, "the lazy one catches up")
    for browser in [*browsers, lazy]:
        browser.socket.close()
