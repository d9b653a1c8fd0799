"""The scheduler's view: the recorded decision as a funnel with its table, and what would come of a pod that is not created."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect


def pod(name, **spec):
    body = {"containers": [{"name": "c", "image": "nginx:1.27"}], **spec}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body})


@pytest.fixture(scope="module")
def placed(realistic):
    realistic.kubectl("cordon", "node-3")
    realistic.kubectl("wait", "node/node-3", "--for=jsonpath={.spec.unschedulable}=true", "--timeout=10s")
    realistic.kubectl("apply", "-f", "-", stdin=pod("stands"))
    realistic.kubectl("apply", "-f", "-", stdin=pod("waits", nodeSelector={"disk": "ssd"}))
    realistic.kubectl("wait", "pod/stands", "--for=condition=PodScheduled", "--timeout=30s")


def visit(page, realistic, path=""):
    page.goto(f"http://127.0.0.1:{realistic.http}/explore/scheduler{path}")


def test_an_empty_namespace_teaches(page, realistic, axe):
    visit(page, realistic, "?ns=kube-public")
    expect(page.get_by_text("No pod in kube-public to place")).to_be_visible()
    assert axe(page, "main") == []


def test_the_winner_and_who_fell_where(page, realistic, placed, shots, axe):
    visit(page, realistic, "/default/stands")
    funnel = page.get_by_role("img", name="3 nodes, 2 passed all filters")
    expect(funnel).to_be_visible(timeout=15_000)
    expect(funnel).to_contain_text("node(s) were unschedulable")
    expect(funnel).to_contain_text("bound")
    node = realistic.kubectl("get", "pod", "stands", "-o", "jsonpath={.spec.nodeName}")
    table = page.get_by_role("table")
    expect(table.get_by_role("row").filter(has_text="chosen")).to_contain_text(node)
    expect(table.get_by_role("row").filter(has_text="NodeUnschedulable")).to_contain_text("node-3")
    page.screenshot(path=shots / "scheduler.png")
    assert axe(page, "main") == []
    assert page.problems == []


def test_a_pod_that_waits_tells_why_at_once(page, realistic, placed, shots):
    visit(page, realistic)
    expect(page.get_by_test_id("pod")).to_have_value("waits")
    expect(page.get_by_text("No node would do.")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("2 node(s) didn't match Pod's node affinity/selector")).to_be_visible()
    page.screenshot(path=shots / "scheduler-waits.png")


def test_what_if_follows_the_form_and_creates_nothing(page, realistic, placed, shots, axe):
    before = realistic.kubectl("get", "pods", "-A", "-o", "name")
    visit(page, realistic, "/what-if")
    would = page.get_by_test_id("would")
    expect(would).to_contain_text("2 of 3 nodes would do", timeout=15_000)
    page.get_by_test_id("cpu").fill("64")
    expect(would).to_contain_text("It would wait.")
    expect(would).to_contain_text("2 Insufficient cpu")
    page.screenshot(path=shots / "scheduler-what-if.png")
    page.get_by_test_id("cpu").fill("100m")
    page.get_by_label("tolerates every taint").check()
    expect(would).to_contain_text("3 of 3 nodes would do")
    page.get_by_test_id("like").select_option("pod/waits")
    expect(page.get_by_test_id("selector")).to_have_value("disk=ssd")
    expect(would).to_contain_text("It would wait.")
    # Live: when the cluster changes, so does the answer.
    realistic.kubectl("label", "node", "node-1", "disk=ssd")
    expect(would).to_contain_text("It would go to node-1", timeout=15_000)
    assert realistic.kubectl("get", "pods", "-A", "-o", "name") == before
    assert axe(page, "main") == []


def test_on_a_phone(sign_in, realistic, placed, shots, axe):
    page = sign_in("/explore/scheduler/default/stands", 390, 844, "dark")
    expect(page.get_by_role("region", name="the funnel")).to_be_visible(timeout=15_000)
    assert page.evaluate("document.querySelector('main').scrollWidth <= innerWidth")
    page.screenshot(path=shots / "scheduler-phone.png")
    assert axe(page, "main") == []
