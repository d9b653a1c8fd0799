"""The page as somebody else: the map, the stream and every view follow, a banner says so, and all of it ends with the right to act."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.server import Cluster

PASSWORD = "a-long-enough-one"


@pytest.fixture(scope="module")
def shop(realistic: Cluster) -> Cluster:
    """alice looks after `shop`; boss and chief, who may see nothing, may act as alice."""
    realistic.django(
        "from cluster.accounts.models import User\n"
        + "\n".join(f"User.objects.create_user('{name}', password='{PASSWORD}')" for name in ("alice", "boss", "chief"))
    )
    kubectl = realistic.kubectl
    kubectl("create", "namespace", "shop")
    kubectl("create", "deployment", "hidden", "--image=nginx:1.27")
    kubectl("-n", "shop", "create", "rolebinding", "alice", "--clusterrole=admin", "--user=alice")
    # Her own: how the scheduler placed its pod is hers to see.
    kubectl("-n", "shop", "create", "deployment", "till", "--image=nginx:1.27", "--as=alice")
    kubectl("create", "clusterrole", "be-alice", "--verb=impersonate", "--resource=users", "--resource-name=alice")
    kubectl("create", "clusterrolebinding", "boss", "--clusterrole=be-alice", "--user=boss")
    kubectl("create", "clusterrolebinding", "chief", "--clusterrole=be-alice", "--user=chief")
    kubectl("-n", "shop", "rollout", "status", "deployment/till", timeout=120)
    return realistic


def act(page: Page, origin: str, account: str = "boss") -> None:
    """By the access view, as people do."""
    page.goto(f"{origin}/explore/access?who=alice&ns=shop")
    page.get_by_test_id("act-as").click()
    expect(page.get_by_test_id("acting")).to_contain_text(f"{account} acting as alice")


@pytest.fixture(scope="module")
def origin(shop: Cluster) -> str:
    return f"http://127.0.0.1:{shop.http}"


@pytest.fixture(scope="module")
def page(sign_in, origin: str) -> Page:
    """boss's, who acts as alice."""
    opened: Page = sign_in("/?ns=shop", user="boss", password=PASSWORD)
    act(opened, origin)
    return opened


def test_the_map_and_the_stream_are_the_others(sign_in, shop, origin, shots):
    shop.kubectl("-n", "shop", "scale", "deployment", "till", "--replicas=1")
    page = sign_in("/?ns=shop", user="boss", password=PASSWORD)
    expect(page.get_by_test_id("rights")).to_contain_text("You see a part of this cluster")
    expect(page.get_by_test_id("panel")).not_to_contain_text("till")
    act(page, origin)
    page.goto(f"{origin}/?ns=shop")
    panel = page.get_by_test_id("panel")
    expect(panel.get_by_role("button", name="till").first).to_be_visible()
    expect(panel).to_contain_text("1/1")
    # Live: what alice may see arrives as it happens.
    shop.kubectl("-n", "shop", "scale", "deployment", "till", "--replicas=2")
    expect(panel).to_contain_text("2/2", timeout=40_000)
    expect(panel).not_to_contain_text("hidden")
    # The account is still who is signed in.
    expect(page.locator(".person summary")).to_contain_text("boss")
    page.screenshot(path=shots / "acting-map.png")
    page.context.close()


def test_what_is_done_is_done_as_the_other_and_names_both(page, shop, origin, shots):
    shop.kubectl("-n", "shop", "delete", "deployment", "web", "--ignore-not-found")
    page.goto(f"{origin}/?ns=shop")
    page.get_by_test_id("apply").click()
    expect(page.get_by_test_id("answers")).to_contain_text("deployment.apps/web created")
    journey = page.get_by_test_id("journey-list").get_by_role("button").filter(has_text="web").first
    expect(journey).to_contain_text("boss as alice")
    page.get_by_test_id("panel").get_by_role("button", name="web").first.click()
    expect(page.get_by_test_id("why")).to_contain_text("boss as alice", timeout=15_000)
    page.screenshot(path=shots / "acting-why.png")


@pytest.mark.parametrize("view", ["nodes", "desired", "daemonsets", "events", "graph", "metrics", "scheduler"])
def test_every_view_follows(page, origin, view):
    page.goto(f"{origin}/explore/{view}?ns=shop")
    expect(page.get_by_test_id("acting")).to_be_visible()
    seen = {
        "nodes": lambda: expect(page.get_by_test_id("pods-table")).to_contain_text("till"),
        "desired": lambda: expect(page.get_by_test_id("workload-till")).to_be_visible(),
        "daemonsets": lambda: expect(page.get_by_role("main")).to_contain_text("No DaemonSet in shop yet"),
        "events": lambda: expect(page.get_by_test_id("events")).to_contain_text("till"),
        "graph": lambda: expect(page.get_by_test_id("graph-Deployment-till")).to_be_visible(),
        "metrics": lambda: expect(page.get_by_role("main").get_by_test_id("not-yours")).to_contain_text(
            "no binding gives it to alice"
        ),
        "scheduler": lambda: expect(page.get_by_text("won:")).to_be_visible(),
    }
    seen[view]()


def test_what_placed_the_pod_of_somebody_else_is_said_to_be_theirs(page, shop, origin):
    shop.kubectl("-n", "shop", "run", "guest", "--image=nginx:1.27")
    shop.kubectl("-n", "shop", "wait", "--for=condition=Ready", "pod/guest", "--timeout=60s")
    try:
        page.goto(f"{origin}/explore/scheduler/shop/guest?ns=shop")
        expect(page.get_by_role("main")).to_contain_text("guest stands on node-")
        expect(page.get_by_role("main")).to_contain_text("followed from a request of somebody else")
    finally:
        shop.kubectl("-n", "shop", "delete", "pod", "guest", "--now")


def test_the_past_is_the_others_too(page, shop, origin):
    newest = shop.request("GET", "/api/v1/nodes?limit=1")[1]["metadata"]["resourceVersion"]
    page.goto(f"{origin}/explore/desired?ns=shop&at={newest}")
    expect(page.get_by_test_id("workload-till")).to_be_visible()
    page.goto(f"{origin}/explore/desired?ns=default&at={newest}")
    expect(page.get_by_role("main").get_by_test_id("not-yours")).to_contain_text("What you may see now decides")


def test_the_terminal_speaks_as_the_other_even_inside_a_container(page, shop, origin):
    page.goto(f"{origin}/explore/terminal?ns=shop")
    screen = page.get_by_test_id("terminal")
    screen.locator("textarea").focus()
    page.keyboard.type("kubectl auth whoami\n")
    expect(screen).to_contain_text(re.compile(r"Username\s+alice"), timeout=20_000)
    # Over a WebSocket, which has no headers. What answers is the pod's own name.
    page.keyboard.type("kubectl exec deploy/till -n shop -- hostname\n")
    expect(screen).to_contain_text(re.compile(r"till-[0-9a-f]+-\w{5}"), timeout=20_000)
    page.keyboard.type("kubectl exec deploy/hidden -n default -- hostname\n")
    expect(screen).to_contain_text('User "alice" cannot get resource "deployments"', timeout=20_000)


def test_all_of_it_ends_with_the_right_and_one_is_oneself_again(sign_in, shop, origin, axe, shots):
    page = sign_in("/?ns=shop", user="chief", password=PASSWORD)
    act(page, origin, "chief")
    page.goto(f"{origin}/?ns=shop")
    expect(page.get_by_test_id("panel").get_by_role("button", name="till").first).to_be_visible()
    shop.kubectl("delete", "clusterrolebinding", "chief")
    banner = page.get_by_test_id("acting")
    expect(banner).to_contain_text("You may not act as alice, or not any more")
    expect(banner).to_contain_text('User "chief" cannot impersonate resource "users"')
    # What was seen as alice is not there any more, and nothing says that there is nothing.
    expect(page.get_by_role("heading", name="You may not act as alice")).to_be_visible()
    expect(page.get_by_test_id("live")).to_contain_text("behind")
    expect(page.get_by_test_id("panel")).to_be_hidden()
    expect(page.get_by_text("till", exact=True)).to_have_count(0)
    assert axe(page) == []
    page.screenshot(path=shots / "acting-over.png")
    # Coming back is refused, too.
    page.reload()
    expect(page.get_by_test_id("acting")).to_contain_text("You may not act as alice", timeout=15_000)
    page.get_by_test_id("oneself").click()
    expect(page.get_by_test_id("acting")).to_have_count(0)
    expect(page.get_by_test_id("rights")).to_contain_text("you may do nothing yet")
    assert page.problems == []
    page.context.close()
    shop.kubectl("create", "clusterrolebinding", "chief", "--clusterrole=be-alice", "--user=chief")
