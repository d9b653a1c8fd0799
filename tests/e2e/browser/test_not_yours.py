"""Nothing is there, or one may not see it: the page never says the one for the other, and says which right is missing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.server import Cluster

PASSWORD = "a-long-enough-one"


@pytest.fixture(scope="module")
def full(realistic: Cluster) -> Cluster:
    """shop has everything; mia may see nothing, max the namespace `empty`."""
    realistic.django(
        "from cluster.accounts.models import User\n"
        + "\n".join(f"User.objects.create_user('{name}', password='{PASSWORD}')" for name in ("mia", "max"))
    )
    for namespace in ("shop", "empty"):
        realistic.kubectl("create", "namespace", namespace)
    realistic.kubectl("-n", "shop", "create", "deployment", "till", "--image=nginx:1.27")
    realistic.kubectl("-n", "empty", "create", "rolebinding", "max", "--clusterrole=admin", "--user=max")
    return realistic


@pytest.fixture(scope="module")
def mia(sign_in, full) -> Page:
    return sign_in("/?ns=shop", user="mia", password=PASSWORD)


@pytest.fixture(scope="module")
def max_(sign_in, full) -> Page:
    return sign_in("/?ns=empty", user="max", password=PASSWORD)


# What each view says to whoever may not see what it shows, and the right that it takes.
VIEWS = {
    "nodes": ("You may not see nodes", "list nodes in the whole cluster"),
    "desired": ("You may not see workloads in shop", "list diagnoses.sim.kubeweb.dev in the namespace shop"),
    "daemonsets": ("You may not see DaemonSets", "list diagnoses.sim.kubeweb.dev in the namespace shop"),
    "scheduler": ("You may not see pods in shop", "list pods in the whole cluster"),
    "termination": ("You may not see pods in shop", "list pods in the whole cluster"),
    "graph": ("You may not see the objects of shop", "in the namespace shop"),
    "events": ("You may not see events in shop", "list events in the namespace shop"),
    "metrics": ("You may not see what nodes use", "list nodes.metrics.k8s.io in the whole cluster"),
    "object/apps~v1/deployments/shop/till": (
        "You may not see deployments in shop",
        "list deployments.apps in the namespace shop",
    ),
}


# What nodes used in the past is kept nowhere: nobody may see it.
@pytest.mark.parametrize(
    ("view", "when"),
    [(view, when) for view in VIEWS for when in ("now", "then") if (view, when) != ("metrics", "then")],
)
def test_a_view_says_that_one_may_not_see_and_which_right_it_takes(mia, full, shots, view, when):
    title, right = VIEWS[view]
    past = ""
    if when == "then":
        past = f"&at={full.request('GET', '/api/v1/nodes?limit=1')[1]['metadata']['resourceVersion']}"
    mia.goto(f"http://127.0.0.1:{full.http}/explore/{view}?ns=shop{past}")
    told = mia.get_by_role("main").get_by_test_id("not-yours").filter(has_text=title).first
    expect(told).to_be_visible(timeout=15_000)
    expect(told).to_contain_text(right)
    expect(told).to_contain_text("no binding gives it to mia")
    if when == "now":
        mia.screenshot(path=shots / f"not-yours-{view.split('/')[0]}.png")
        # A place of one's own is offered where it would help.
        if view != "metrics":
            expect(told.get_by_role("button", name="Give me a sandbox")).to_be_visible()


def test_why_not_leads_to_the_question_itself(mia, full):
    mia.goto(f"http://127.0.0.1:{full.http}/explore/events?ns=shop")
    mia.get_by_role("main").get_by_test_id("not-yours").get_by_role("link", name="Why not?").click()
    expect(mia.get_by_test_id("gate")).to_contain_text("mia may not list events in shop")


EMPTY = {
    "desired": "Nothing is desired in empty yet",
    "scheduler": "No pod in empty to place",
    "termination": "No pod of empty has ended lately",
    "events": "Nobody has said anything",
    "daemonsets": "No DaemonSet in empty yet",
}


@pytest.mark.parametrize("view", EMPTY)
def test_where_one_may_see_and_nothing_is_there_that_is_what_is_said(max_, full, view):
    max_.goto(f"http://127.0.0.1:{full.http}/explore/{view}?ns=empty")
    expect(max_.get_by_role("heading", name=EMPTY[view])).to_be_visible(timeout=15_000)


def test_a_namespace_that_one_sees_says_nothing_of_the_next(max_, full, axe):
    """The stream carries `empty` alone: of shop it is not known whether there are pods."""
    max_.goto(f"http://127.0.0.1:{full.http}/?ns=empty")
    panel = max_.get_by_test_id("panel")
    expect(panel).to_contain_text("No pods.")
    max_.goto(f"http://127.0.0.1:{full.http}/?ns=shop")
    expect(panel).to_contain_text("You may not see pods in shop. It takes the right to list pods in the namespace shop")
    expect(panel).not_to_contain_text("No pods.")
    at = full.request("GET", "/api/v1/nodes?limit=1")[1]["metadata"]["resourceVersion"]
    max_.goto(f"http://127.0.0.1:{full.http}/?ns=shop&at={at}")
    expect(panel).to_contain_text("You may not see pods in shop")
    max_.goto(f"http://127.0.0.1:{full.http}/?ns=empty&at={at}")
    expect(panel).to_contain_text("There was no pod at this revision.")
    assert axe(max_) == []


def test_a_sandbox_in_one_click_from_where_it_is_missed(mia, full):
    mia.goto(f"http://127.0.0.1:{full.http}/explore/nodes?ns=shop")
    mia.get_by_role("main").get_by_test_id("not-yours").get_by_role("button", name="Give me a sandbox").first.click()
    mia.wait_for_url("**ns=sandbox-mia**", timeout=20_000)
    mia.goto(f"http://127.0.0.1:{full.http}/explore/desired?ns=shop")
    expect(
        mia.get_by_role("main").get_by_test_id("not-yours").get_by_role("button", name="To my sandbox, sandbox-mia")
    ).to_be_visible()


def test_nothing_went_wrong_on_the_way(mia, max_):
    assert mia.problems == max_.problems == []
