"""Any object's own page: what it is, why it is here, what it led to, and how it was."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.kubectl import apply
from tests.support.manifests import deployment
from tests.support.server import wait_for

WEB = deployment("web", 2, container={"name": "web"}, terminationGracePeriodSeconds=2)


@pytest.fixture(scope="module")
def pod(realistic) -> str:
    """The name of a pod of a Deployment that a person applied."""
    apply(realistic, WEB)
    realistic.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    return realistic.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}")


def visit(page, realistic, path):
    page.goto(f"http://127.0.0.1:{realistic.http}{path}")
    return page.get_by_test_id("panel")


def test_the_line_runs_from_the_person_to_the_pod(page, realistic, pod, shots, axe):
    panel = visit(page, realistic, f"/explore/object/v1/pods/default/{pod}")
    stops = panel.get_by_test_id("why").locator("ol.line > li")
    expect(stops).to_have_count(5, timeout=15_000)
    for position, words in enumerate(
        (
            ("admin", "created Deployment", "kubectl"),
            ("deployment controller", "created ReplicaSet"),
            ("replicaset controller", "wanted 2, had 0: created Pod", pod),
            ("scheduler", "of 3 nodes would do"),
            ("kubelet of node-", "started"),
        )
    ):
        for word in words:
            expect(stops.nth(position)).to_contain_text(word)
    expect(panel).to_contain_text("Belongs to")
    expect(panel.get_by_test_id("desired")).to_contain_text("running")
    expect(page.get_by_test_id("object")).to_contain_text("Running")
    page.screenshot(path=shots / "object.png")
    assert axe(page, "main", ".why") == []
    assert page.problems == []


def test_every_stop_is_a_link_and_plays_on_the_map(page, realistic, pod):
    panel = visit(page, realistic, f"/explore/object/v1/pods/default/{pod}")
    panel.get_by_role("link", name="web", exact=True).first.click()
    expect(page).to_have_url(f"http://127.0.0.1:{realistic.http}/explore/object/apps~v1/deployments/default/web")
    expect(page.get_by_test_id("object").get_by_role("heading", level=1)).to_have_text("web")
    panel.get_by_role("button", name="play this on the map").first.click()
    expect(page.get_by_text("Replaying")).to_be_visible()
    expect(panel).to_contain_text("What happened")


def test_what_a_request_led_to_is_a_tree(page, realistic, pod, shots, axe):
    visit(page, realistic, "/explore/object/apps~v1/deployments/default/web?tab=caused")
    tree = page.locator("#object-panel")
    for words in ("admin created Deployment", "created ReplicaSet", "created 2 Pods", "placed 2 pods", "kubelets"):
        expect(tree).to_contain_text(words)
    expect(tree.get_by_role("link", name=pod)).to_be_visible()
    page.screenshot(path=shots / "object-caused.png")
    assert axe(page, "main", ".why") == []


def test_changes_are_told_and_the_past_can_be_seen(page, realistic, pod):
    realistic.kubectl("scale", "deployment/web", "--replicas=3")
    visit(page, realistic, "/explore/object/apps~v1/deployments/default/web?tab=changes")
    row = page.locator("#object-panel li").filter(has_text="spec.replicas 2 → 3")
    expect(row).to_be_visible(timeout=10_000)
    page.locator("#object-panel li").filter(has_text="created it").get_by_role("link").click()
    yaml = page.get_by_test_id("object-yaml")
    expect(yaml).to_contain_text("replicas: 2")
    assert "replicas: 3" not in yaml.inner_text()


def test_a_deleted_object_tells_who_deleted_it(page, realistic, pod, shots):
    visit(page, realistic, f"/explore/object/v1/pods/default/{pod}")
    page.get_by_test_id("delete-object").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("panel")).to_contain_text("Gone", timeout=30_000)
    expect(page.get_by_test_id("object")).to_contain_text("It is gone")
    page.screenshot(path=shots / "object-gone.png")
    # Who replaced it came because of the deletion, not of the Deployment's creation.
    pods = wait_for(
        lambda: (
            len(
                found := realistic.kubectl(
                    "get", "pods", "-l", "app=web", "-o", "name", "--sort-by=.metadata.creationTimestamp"
                ).split()
            )
            == 3
            and found
        ),
        "it is replaced",
    )
    panel = visit(page, realistic, f"/explore/object/v1/pods/default/{pods[-1].partition('/')[2]}")
    expect(panel.get_by_test_id("why").locator("ol.line > li").first).to_contain_text(f"deleted Pod {pod}")
    expect(panel).to_contain_text("Deployment")


def test_whoever_may_not_get_it_is_not_told_why(realistic):
    realistic.kubectl("create", "namespace", "closed")
    code, answer = realistic.request(
        "GET", "/explorer/why/?resource=v1/pods&namespace=closed&name=x", headers={"Impersonate-User": "nobody"}
    )
    assert code in (401, 403, 404), answer


def test_a_link_to_nothing_teaches(page, realistic, axe):
    visit(page, realistic, "/explore/object/v1/pods/default/never-was")
    expect(page.get_by_text("It is not here")).to_be_visible(timeout=10_000)
    visit(page, realistic, "/explore/object")
    expect(page.get_by_text("Which object?")).to_be_visible()
    assert axe(page, "main", ".why") == []


def test_on_a_phone(sign_in, realistic, shots, axe):
    page = sign_in("/explore/object/apps~v1/deployments/default/web", 390, 844, "dark")
    expect(page.get_by_test_id("object")).to_contain_text("web")
    page.screenshot(path=shots / "object-phone.png")
    page.get_by_role("button", name="Why", exact=True).click()
    expect(page.get_by_test_id("why")).to_contain_text("admin")
    assert axe(page, "main", ".why") == []
