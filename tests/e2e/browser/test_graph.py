"""The object graph: how the objects of a namespace hang together, in places that do not change when others come and go."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.kubectl import apply
from tests.support.manifests import deployment


@pytest.fixture(scope="module")
def world(realistic):
    web = deployment(
        "web",
        2,
        container={"envFrom": [{"configMapRef": {"name": "settings"}}]},
        serviceAccountName="robot",
        terminationGracePeriodSeconds=1,
    )
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}
    objects = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "red"}},
        web,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "front"},
            "spec": {"rules": [{"http": {"paths": [path]}}]},
        },
    ]
    apply(realistic, *objects)
    realistic.kubectl("rollout", "status", "deployment/web", "--timeout=60s")


def visit(page, realistic, query=""):
    page.goto(f"http://127.0.0.1:{realistic.http}/explore/graph{query}")


def test_an_empty_namespace_teaches(page, realistic, axe):
    realistic.kubectl("create", "namespace", "bare")
    visit(page, realistic, "?ns=bare")
    expect(page.get_by_text("Nothing in bare yet")).to_be_visible(timeout=15_000)
    assert axe(page, "main") == []


def test_the_way_from_the_ingress_to_what_the_pods_need(page, realistic, world, shots, axe):
    visit(page, realistic)
    for one in ("Ingress-front", "Service-web", "Deployment-web", "ConfigMap-settings", "ServiceAccount-robot"):
        expect(page.get_by_test_id(f"graph-{one}")).to_be_visible(timeout=15_000)
    pods = page.locator('[data-testid^="graph-Pod-web-"]')
    expect(pods).to_have_count(2)
    for kind in ("owns", "routes", "mounts", "runs"):
        expect(page.locator(f"path.edge.{kind}").first).to_be_attached()
    page.get_by_test_id("graph-Ingress-front").hover()
    page.screenshot(path=shots / "graph.png")
    # The whole line of the Ingress stays lit, the nodes' neighbours among it; what does not belong recedes.
    expect(page.get_by_test_id("graph-Service-web")).not_to_have_class("dim")
    page.mouse.move(5, 5)
    assert axe(page, "main") == []
    assert page.problems == []


def places(page):
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('a.node')].map(one => [one.dataset.testid, one.firstElementChild.getAttribute('transform')]))"
    )


def test_nothing_jumps_when_objects_come_and_go(page, realistic, world):
    visit(page, realistic)
    expect(page.locator('[data-testid^="graph-Pod-web-"]')).to_have_count(2, timeout=15_000)
    before = places(page)
    realistic.kubectl("scale", "deployment/web", "--replicas=5")
    expect(page.locator('[data-testid^="graph-Pod-web-"]')).to_have_count(5, timeout=30_000)
    after = places(page)
    assert {key: after[key] for key in before} == before
    realistic.kubectl("delete", "configmap", "settings")
    expect(page.get_by_test_id("graph-ConfigMap-settings")).to_have_count(0, timeout=15_000)
    assert {key: place for key, place in places(page).items() if key in before} == {
        key: place for key, place in before.items() if "settings" not in key
    }


def test_the_keyboard_goes_along_the_lines_and_opens(page, realistic, world):
    visit(page, realistic)
    page.get_by_test_id("graph-Service-web").focus()
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.dataset.testid")
    assert focused.startswith("graph-"), focused
    page.get_by_test_id("graph-Deployment-web").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"http://127.0.0.1:{realistic.http}/explore/object/apps~v1/deployments/default/web")


def test_on_a_phone(sign_in, realistic, world, shots, axe):
    page = sign_in("/explore/graph", 390, 844, "dark")
    # Nobody flies there from where they would stand on a wide screen.
    page.add_init_script(
        """window.flights = 0;
        addEventListener('transitionrun', event => event.target.matches('.node g') && window.flights++, true);"""
    )
    page.reload()
    expect(page.get_by_test_id("graph-Deployment-web")).to_be_attached(timeout=15_000)
    page.screenshot(path=shots / "graph-phone.png")
    assert page.evaluate("document.querySelector('main').scrollWidth <= innerWidth")
    # However many columns there are: they stand below one another.
    columns = page.get_by_test_id("graph").locator("text.column").all()
    assert len(columns) >= 6
    assert page.get_by_test_id("graph").evaluate("one => one.scrollWidth <= one.clientWidth")
    assert page.evaluate("window.flights") == 0
    tops = [one.bounding_box()["y"] for one in columns]
    assert tops == sorted(set(tops))
    assert axe(page, "main") == []
