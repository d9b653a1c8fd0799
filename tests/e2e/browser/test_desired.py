"""Desired against actual: the worst first, the gap as a list that gets done, the loop, the checklist, and mending by one click."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.kubectl import apply
from tests.support.manifests import deployment


@pytest.fixture(scope="module")
def well(realistic):
    """A Deployment with which all is well. Nobody changes it."""
    apply(realistic, deployment("well", 3, terminationGracePeriodSeconds=1))
    realistic.kubectl("rollout", "status", "deployment/well", "--timeout=60s")


@pytest.fixture
def unwell(realistic, well):
    """`unwell(name, replicas, image, **container)`: a Deployment for this test alone. Gone with it: what is not well is seen on nodes, too."""
    made = []

    def make(name, replicas=1, image="nginx:1.27", **container):
        made.append(name)
        apply(realistic, deployment(name, replicas, image, container=container, terminationGracePeriodSeconds=1))

    yield make
    for name in made:
        realistic.kubectl("delete", "deployment", name, "--cascade=foreground")


# Asks where nobody listens.
DEAF = {"httpGet": {"path": "/", "port": 81}, "periodSeconds": 1}


def visit(page, realistic, path=""):
    page.goto(f"http://127.0.0.1:{realistic.http}/explore/desired{path}")


def test_an_empty_namespace_teaches(page, realistic, axe):
    visit(page, realistic, "?ns=kube-public")
    expect(page.get_by_text("Nothing is desired in kube-public yet")).to_be_visible(timeout=10_000)
    assert axe(page, "main") == []


def test_the_worst_stands_first(page, realistic, unwell, shots, axe):
    unwell("typo", 2, "ngnix:1.27")
    visit(page, realistic)
    rows = page.get_by_test_id("workloads").locator("> li")
    expect(page.get_by_test_id("workload-typo")).to_contain_text("cannot be pulled", timeout=30_000)
    expect(page.get_by_test_id("workload-well")).to_contain_text("as it should be", timeout=30_000)
    names = rows.locator("b").all_inner_texts()
    assert names.index("typo") < names.index("well")
    expect(page.get_by_test_id("workload-well").get_by_role("img", name="3 ready, 3 there, 3 wanted")).to_be_visible()
    page.screenshot(path=shots / "desired.png")
    assert axe(page, "main") == []
    assert page.problems == []


def test_evidence_leads_to_the_span_that_bears_it_out(page, realistic, unwell, shots, axe):
    unwell("typo", 2, "ngnix:1.27")
    visit(page, realistic, "/deployment/default/typo")
    detail = page.get_by_test_id("desired-detail")
    evidence = detail.get_by_test_id("finding").first.get_by_test_id("span").first
    expect(evidence).to_contain_text(re.compile("kubelet/node-., pull.*error.*failed to pull"), timeout=30_000)
    expect(detail.get_by_test_id("last-span").first).to_contain_text("deployment, act")
    page.screenshot(path=shots / "desired-evidence.png", full_page=True)
    assert axe(page, "main") == []
    evidence.click()
    pointed = page.get_by_test_id("pointed")
    expect(pointed).to_be_in_viewport(timeout=15_000)
    expect(pointed).to_contain_text("pull")
    expect(pointed).to_contain_text("failed to pull and unpack image")
    expect(pointed).to_have_attribute("aria-current", "true")
    # It is an address: whoever is sent it sees the same, and the map stands still at that moment.
    assert re.search(r"/explore/pipeline/\w+\.\w+%3A\d+", page.url)
    expect(page.get_by_text("Replaying")).to_be_visible()
    page.screenshot(path=shots / "desired-span.png")
    assert axe(page, ".why") == []
    page.reload()
    expect(page.get_by_test_id("pointed")).to_contain_text("pull", timeout=15_000)
    assert page.problems == []


def test_a_finding_is_mended_by_one_click_after_a_look(page, realistic, unwell, shots, axe):
    unwell("slip", 2, "ngnix:1.27")
    visit(page, realistic)
    page.get_by_test_id("workload-slip").click()
    detail = page.get_by_test_id("desired-detail")
    finding = detail.get_by_test_id("finding").first
    expect(finding).to_contain_text("Use nginx:1.27, which nodes know.", timeout=20_000)
    expect(detail).to_contain_text("2 of 2 pods are not ready")
    expect(detail).to_contain_text("compare")
    page.screenshot(path=shots / "desired-typo.png")
    assert axe(page, "main") == []
    finding.get_by_test_id("mend").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("spec.template.spec.containers[c].image")
    expect(dialog).to_contain_text("ngnix:1.27")
    page.screenshot(path=shots / "desired-mend.png")
    assert realistic.kubectl("get", "deployment", "slip", "-o", "jsonpath={..image}") == "ngnix:1.27", (
        "a look changes nothing"
    )
    page.get_by_test_id("mend-apply").click()
    # The list is ticked off while the loops work, and the verdict follows.
    expect(detail).to_contain_text("Healthy", timeout=40_000)
    expect(detail).to_contain_text("3 of 3 done")
    page.screenshot(path=shots / "desired-mended.png")
    assert page.problems == []


def test_green_while_unready_is_impossible(page, realistic, unwell):
    unwell("unready", readinessProbe=DEAF)
    visit(page, realistic, "/deployment/default/unready")
    detail = page.get_by_test_id("desired-detail")
    for _ in range(20):
        verdict = detail.locator("header .chip")
        expect(verdict).to_be_visible(timeout=10_000)
        assert "Healthy" not in verdict.inner_text().split() and "green" not in (verdict.get_attribute("class") or "")
        page.wait_for_timeout(200)
    expect(detail).to_contain_text("1 of 1 pods are not ready")


def test_a_probe_and_a_service_are_mended_by_a_click_each(page, realistic, unwell, shots, axe):
    """A Deployment whose readiness probe asks at port 81; and a Service that chooses nobody."""
    unwell("mute", readinessProbe=DEAF)
    visit(page, realistic, "/deployment/default/mute")
    detail = page.get_by_test_id("desired-detail")
    expect(detail).to_contain_text("Let the readiness probe ask at port 80", timeout=30_000)
    detail.get_by_test_id("mend").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("readinessProbe.httpGet.port")
    page.get_by_test_id("mend-apply").click()
    expect(detail).to_contain_text("Healthy", timeout=40_000)
    realistic.kubectl("delete", "service", "wel", "--ignore-not-found")
    realistic.kubectl("create", "service", "clusterip", "wel", "--tcp=80")
    realistic.kubectl("set", "selector", "service", "wel", "app=wel")
    visit(page, realistic, "/service/default/wel")
    expect(detail).to_contain_text("no pod in default has the labels app=wel", timeout=20_000)
    page.screenshot(path=shots / "desired-service.png")
    assert axe(page, "main") == []
    detail.get_by_test_id("mend").first.click()
    page.get_by_test_id("mend-apply").click()
    expect(detail).to_contain_text("Healthy", timeout=20_000)
    assert page.problems == []


def test_on_a_phone(sign_in, realistic, well, shots, axe):
    page = sign_in("/explore/desired/deployment/default/well", 390, 844, "dark")
    expect(page.get_by_test_id("desired-detail")).to_contain_text("Healthy", timeout=15_000)
    page.screenshot(path=shots / "desired-phone.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe(page, "main") == []
