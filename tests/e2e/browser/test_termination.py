"""The end of a pod as a chart: the API, the endpoints, the kubelet and the container, each with its part, and the requests that were dropped."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect


def pod(name, hook=None):
    container = {"name": "web", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}
    if hook:
        container["lifecycle"] = {"preStop": hook}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 20}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "farewell"}}, "spec": spec}


@pytest.fixture(scope="module")
def pods(realistic):
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "farewell"},
        "spec": {"selector": {"app": "farewell"}, "ports": [{"port": 80}]},
    }
    for one in (service, pod("gentle", {"sleep": {"seconds": 3}}), pod("plain")):
        realistic.kubectl("apply", "-f", "-", stdin=json.dumps(one))
    realistic.kubectl("wait", "pod/gentle", "pod/plain", "--for=condition=Ready", "--timeout=60s")


def visit(page, realistic, path=""):
    page.goto(f"http://127.0.0.1:{realistic.http}/explore/termination{path}")


def test_nothing_has_ended_yet(page, realistic, pods, axe):
    visit(page, realistic, "?ns=kube-public")
    expect(page.get_by_text("No pod of kube-public has ended lately")).to_be_visible()
    assert axe(page, "main") == []


def test_an_end_is_watched_from_the_request_to_the_removal(page, realistic, pods, shots, axe):
    visit(page, realistic, "/default/gentle")
    page.get_by_test_id("end").click()
    page.get_by_test_id("confirm").click()
    gantt = page.get_by_test_id("gantt")
    expect(gantt.get_by_test_id("lane-container/web")).to_contain_text("preStop: sleep", timeout=15_000)
    page.screenshot(path=shots / "termination-under-way.png")
    expect(gantt.get_by_test_id("lane-container/web")).to_contain_text("SIGTERM, exit code 0", timeout=20_000)
    expect(gantt.get_by_test_id("lane-api")).to_contain_text("deletion asked for")
    expect(gantt.get_by_test_id("lane-api")).to_contain_text("removed")
    expect(gantt.get_by_test_id("lane-endpointslice")).to_contain_text("terminating: no new requests")
    expect(gantt.get_by_test_id("lane-endpointslice")).to_contain_text("taken out", timeout=10_000)
    expect(page.get_by_text("after admin asked, with 20 s of grace")).to_be_visible()
    page.screenshot(path=shots / "termination.png")
    assert axe(page, "main") == []
    assert page.problems == []


def test_requests_that_still_come_are_counted(page, realistic, pods, shots):
    traffic = {
        "apiVersion": "sim.kubeweb.dev/v1alpha1",
        "kind": "Traffic",
        "metadata": {"name": "clients"},
        "spec": {"service": "farewell", "requestsPerSecond": 40},
    }
    realistic.kubectl("apply", "-f", "-", stdin=json.dumps(traffic))
    realistic.kubectl("wait", "traffic/clients", "--for=jsonpath={.status.succeeded}", "--timeout=30s")
    realistic.kubectl("delete", "pod", "plain", "--wait=false")
    visit(page, realistic, "/default/plain")
    expect(page.get_by_test_id("lane-requests")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("img", name="dropped")).to_be_visible()
    page.screenshot(path=shots / "termination-requests.png")


def test_on_a_phone(sign_in, realistic, pods, shots, axe):
    page = sign_in("/explore/termination/default/gentle", 390, 844, "dark")
    expect(page.get_by_test_id("gantt")).to_be_visible(timeout=15_000)
    page.screenshot(path=shots / "termination-phone.png")
    assert page.evaluate("document.querySelector('main').scrollWidth <= innerWidth")
    assert axe(page, "main") == []
