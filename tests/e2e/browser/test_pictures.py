"""The pictures of the README and the guide: a shop on five machines, seen from everywhere. KUBEWEB_PICTURES=1 puts them into docs/images."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.kubectl import apply
from tests.support.manifests import deployment
from tests.support.server import ROOT, Cluster

README = (ROOT / "README.md").read_text()
WORKLOADS = {"web": ("nginx:1.27", 6), "cart": ("nginx:1.27", 4), "search": ("redis:7", 3), "mail": ("nginx:1.27", 2)}


def workload(name, image, replicas):
    resources = {"requests": {"cpu": "200m", "memory": "128Mi"}}
    return deployment(name, replicas, image, container={"name": name, "resources": resources})


@pytest.fixture(scope="module")
def realistic():
    running = Cluster("--nodes=5", prepared=True).start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def shop(realistic):
    realistic.kubectl("create", "namespace", "shop")
    apply(realistic, *(workload(name, *what) for name, what in WORKLOADS.items()), namespace="shop")
    realistic.kubectl("expose", "deployment", "web", "-n", "shop", "--port=80")
    traffic = {
        "apiVersion": "sim.kubeweb.dev/v1alpha1",
        "kind": "Traffic",
        "metadata": {"name": "shoppers", "namespace": "shop"},
        "spec": {"service": "web", "requestsPerSecond": 20},
    }
    apply(realistic, traffic, namespace="shop")
    for name in WORKLOADS:
        realistic.kubectl("rollout", "status", f"deployment/{name}", "-n", "shop", "--timeout=90s")
    realistic.kubectl("cordon", "node-5")
    apply(realistic, workload("report", "ngnix:1.27", 2), namespace="shop")
    realistic.kubectl("wait", "deployment/report", "-n", "shop", "--for=condition=Progressing", "--timeout=30s")
    realistic.django(
        "from cluster.accounts.models import User; User.objects.create_user('dora', password='quiet-tram-7')"
    )
    realistic.kubectl("create", "rolebinding", "dora", "-n", "shop", "--clusterrole=edit", "--user=dora")
    return realistic


@pytest.fixture(scope="module")
def page(sign_in, shop):
    return sign_in("/?ns=shop")


@pytest.fixture
def show(page, picture, shop):
    """Go to a path, wait until it shows something, and take its picture, which the README must show."""

    def look(name, path, seen, scheme="light"):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"http://127.0.0.1:{shop.http}{path}")
        expect(seen(page)).to_be_visible(timeout=30_000)
        live = page.get_by_test_id("live")
        if "/admin/" not in path:
            expect(live).to_contain_text(re.compile("rev [1-9]"), timeout=15_000)
        picture(page, name)
        assert f"docs/images/{name}.png" in README
        page.emulate_media(color_scheme="light")

    return look


def test_the_map_while_something_happens(page, shop, picture):
    page.goto(f"http://127.0.0.1:{shop.http}/?ns=shop")
    expect(page.get_by_test_id("station-etcd")).to_be_visible(timeout=15_000)
    shop.kubectl("set", "image", "deployment/cart", "-n", "shop", "cart=nginx:1.26")
    page.get_by_test_id("journey-list").get_by_role("button").filter(has_text="deployments web").first.click()
    expect(page.get_by_text("Replaying")).to_be_visible(timeout=15_000)
    turning = page.get_by_role("button", name=re.compile("control loop replica.set, now: "))
    expect(turning).not_to_have_count(0, timeout=20_000)
    page.get_by_test_id("pause").click()
    picture(page, "map")
    page.get_by_role("button", name="back to live").click()


def test_the_cluster(page, show):
    heading = re.compile(r"Cluster 5 nodes, \d+ pods")
    show("cluster", "/explore/nodes?ns=shop", lambda page: page.get_by_role("heading", name=heading), "dark")


def test_desired_and_actual(show):
    show(
        "desired", "/explore/desired/deployment/shop/report?ns=shop", lambda page: page.get_by_test_id("finding").first
    )


def test_the_funnel(show, shop):
    pod = shop.kubectl("get", "pods", "-n", "shop", "-l", "app=report", "-o", "jsonpath={.items[0].metadata.name}")
    show("scheduler", f"/explore/scheduler/shop/{pod}?ns=shop", lambda page: page.get_by_role("table"))


def test_the_lessons(show):
    show("lessons", "/explore/lessons?ns=shop", lambda page: page.get_by_test_id("lesson-declare-and-heal"))


def test_the_matrix_of_rights(show):
    show("matrix", "/admin/rbac/matrix/?subject=User:dora&ns=shop", lambda page: page.get_by_role("table").first)


def test_a_journey_that_moves_by_itself(page, shop, documents):
    """The README's first picture is a journey as it is shared."""
    page.goto(f"http://127.0.0.1:{shop.http}/explore/share/slide")
    chosen = page.get_by_test_id("slide-journey")
    expect(chosen).to_be_visible(timeout=15_000)
    option = chosen.locator("option", has_text="create deployments web").first
    chosen.select_option(option.get_attribute("value"))
    expect(page.get_by_test_id("slide-preview")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_test_id("slide").click()
    waiting.value.save_as(documents / "journey.svg")
    text = (documents / "journey.svg").read_text()
    assert "deployments web in shop" in text and len(text) < 300_000
    assert "docs/images/journey.svg" in README
