"""The cluster map: where everything runs; faults dropped on nodes and pods; probes and requests as dots; the same as tables."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.server import ROOT, wait_for

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: sim.kubeweb.dev/v1alpha1
kind: Traffic
metadata: {name: shoppers, namespace: default}
spec: {service: web, requestsPerSecond: 20}
"""


@pytest.fixture(scope="module")
def busy(realistic):
    realistic.kubectl("apply", "-f", str(ROOT / "examples" / "10-web.yaml"))
    realistic.kubectl("apply", "-f", "-", stdin=SERVICE)
    realistic.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    return realistic


@pytest.fixture(scope="module")
def page(sign_in, busy):
    return sign_in("/explore/nodes")


def inked(page) -> int:
    """How many pixels of the drawn board are not empty: read back from a picture of it."""
    return page.evaluate(
        """async () => {
          const canvas = document.querySelector('[data-testid=nodes-stage] canvas');
          const copy = document.createElement('canvas');
          copy.width = canvas.width; copy.height = canvas.height;
          const context = copy.getContext('2d');
          await new Promise((done) => requestAnimationFrame(() => { context.drawImage(canvas, 0, 0); done(); }));
          const data = context.getImageData(0, 0, copy.width, copy.height).data;
          let count = 0;
          for (let index = 3; index < data.length; index += 4) if (data[index] > 0) count++;
          return count;
        }"""
    )


def test_nodes_and_pods_are_drawn_and_listed(page, shots):
    expect(page.get_by_role("heading", name=re.compile(r"Cluster 3 nodes, \d+ pods"))).to_be_visible()
    wait_for(lambda: inked(page) > 5000, "something is drawn")
    expect(page.get_by_test_id("pods-table")).to_contain_text("Running")
    page.get_by_role("tab", name="Traffic").click()
    expect(page.get_by_role("row", name=re.compile("shoppers web 20"))).to_be_visible(timeout=15_000)
    page.get_by_role("tab", name="Pods").click()
    page.screenshot(path=shots / "nodes.png")
    assert page.problems == []


def test_a_dot_can_be_held_and_read(page):
    stage = page.get_by_test_id("nodes-stage")
    box = stage.bounding_box()

    def read() -> bool:
        # Along the track from the clients to the Service, dots come by many times a second.
        page.get_by_test_id("hold").click()
        try:
            for step in range(60):
                page.mouse.move(box["x"] + box["width"] * (0.05 + step * 0.01), box["y"] + box["height"] * 0.2)
                tip = page.locator(".tip b")
                if tip.count() and "asks web" in tip.inner_text():
                    return True
            for across in range(40):
                for down in range(14):
                    page.mouse.move(
                        box["x"] + box["width"] * across / 40, box["y"] + box["height"] * (0.04 + down * 0.02)
                    )
                    tip = page.locator(".tip b")
                    if tip.count() and "asks web" in tip.inner_text():
                        return True
        finally:
            page.get_by_test_id("hold").click()
        return False

    assert wait_for(read, "a request under the pointer", seconds=150)


def test_a_fault_dropped_on_a_node_strikes_and_ends(page, busy, shots):
    stage = page.get_by_test_id("nodes-stage")
    box = stage.bounding_box()
    # A node of three: the middle of the board lies on the second zone's card.
    chip = page.get_by_test_id("fault-Power cut")
    chip.hover()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.62, steps=8)
    page.mouse.up()
    striking = page.locator(".striking")
    expect(striking).to_contain_text("NodeDown", timeout=10_000)
    wait_for(
        lambda: "NotReady" in busy.kubectl("get", "nodes"),
        "the node is missed",
        seconds=70,
    )
    page.screenshot(path=shots / "nodes-power-cut.png")
    striking.get_by_role("button", name="End").click()
    wait_for(lambda: "NotReady" not in busy.kubectl("get", "nodes"), "the node is back", seconds=70)
    expect(striking).to_have_count(0)


def test_a_fault_that_strikes_nothing_says_what_it_wants(page):
    page.get_by_test_id("fault-Crash").click()
    expect(page.get_by_text("Click the pod it shall strike")).to_be_visible()
    box = page.get_by_test_id("nodes-stage").bounding_box()
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] - 4)
    expect(page.get_by_role("alert")).to_contain_text("Crash wants a pod")
    page.get_by_role("alert").get_by_role("button", name="Close").click()
    page.get_by_test_id("fault-Crash").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Click the pod it shall strike")).to_have_count(0)


def test_colours_answer_other_questions(page):
    page.get_by_test_id("colour-by").select_option("qos")
    expect(page.get_by_label("what the tiles mean")).to_contain_text("Burstable")
    page.get_by_test_id("colour-by").select_option("phase")
    expect(page.get_by_label("what the tiles mean")).to_contain_text("terminating")


def test_a_phone_and_the_dark_show_it_too(sign_in, busy, shots):
    phone = sign_in("/explore/nodes", width=390, height=844, scheme="dark")
    expect(phone.get_by_role("heading", name=re.compile("Cluster"))).to_be_visible()
    wait_for(lambda: inked(phone) > 2000, "something is drawn")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.screenshot(path=shots / "nodes-phone-dark.png")
    assert phone.problems == []
    phone.context.close()
