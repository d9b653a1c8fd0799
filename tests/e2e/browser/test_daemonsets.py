"""The DaemonSet matrix: which nodes should have one, which have, why not the others, and the four steps."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect


def daemonset(name, image="nginx:1.27", **spec):
    body = {"containers": [{"name": "c", "image": image}], **spec}
    selector = {"matchLabels": {"app": name}}
    template = {"metadata": {"labels": {"app": name}}, "spec": body}
    metadata = {"name": name, "namespace": "default"}
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": metadata,
            "spec": {"selector": selector, "template": template},
        }
    )


def visit(page, realistic, path=""):
    page.goto(f"http://127.0.0.1:{realistic.http}/explore/daemonsets{path}")


def test_no_daemonset_teaches(page, realistic, axe):
    visit(page, realistic)
    expect(page.get_by_text("No DaemonSet yet")).to_be_visible(timeout=10_000)
    assert axe(page, "main") == []


@pytest.fixture(scope="module")
def daemons(realistic):
    realistic.kubectl("apply", "-f", "-", stdin=daemonset("agent"))
    realistic.kubectl("rollout", "status", "daemonset/agent", "--timeout=60s")
    realistic.kubectl("label", "node", "node-1", "gpu=yes")
    realistic.kubectl("apply", "-f", "-", stdin=daemonset("gpu", nodeSelector={"gpu": "yes"}))
    realistic.kubectl("apply", "-f", "-", stdin=daemonset("broken", "ngnix:1.27"))


def test_the_matrix_tells_ready_unready_and_not_meant(page, realistic, daemons, shots, axe):
    visit(page, realistic)
    matrix = page.get_by_test_id("matrix")
    expect(matrix.get_by_role("link", name="ready on node-", exact=False).first).to_be_visible(timeout=20_000)
    agent = matrix.get_by_role("row").filter(has_text="agent")
    expect(agent).to_contain_text("3/3")
    gpu = matrix.get_by_role("row").filter(has_text="gpu")
    expect(gpu.get_by_role("img", name="not for node-2: nodeSelector or node affinity does not match")).to_be_visible()
    broken = matrix.get_by_role("row").filter(has_text="broken")
    expect(broken.get_by_role("link", name="not ready on node-1")).to_be_visible()
    # The one that is not well is opened by itself, with its steps.
    detail = page.get_by_test_id("daemonset")
    expect(detail).to_contain_text("broken")
    expect(detail).to_contain_text("3 Pods failed", timeout=20_000)
    page.screenshot(path=shots / "daemonsets.png")
    assert axe(page, "main") == []
    assert page.problems == []


def test_it_is_live_and_each_has_an_address(page, realistic, daemons):
    visit(page, realistic, "/default/gpu")
    expect(page.get_by_test_id("daemonset").get_by_role("heading", level=2)).to_have_text("gpu", timeout=15_000)
    realistic.kubectl("label", "node", "node-2", "gpu=yes")
    row = page.get_by_test_id("matrix").get_by_role("row").filter(has_text="gpu")
    expect(row).to_contain_text("2/2", timeout=30_000)


def test_on_a_phone(sign_in, realistic, daemons, shots, axe):
    page = sign_in("/explore/daemonsets", 390, 844, "dark")
    expect(page.get_by_test_id("matrix")).to_be_visible(timeout=15_000)
    page.screenshot(path=shots / "daemonsets-phone.png")
    assert page.evaluate("document.querySelector('main').scrollWidth <= innerWidth")
    assert axe(page, "main") == []
