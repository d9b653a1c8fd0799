"""What is shown is the answer to what is asked: not another namespace's that comes late, not a refusal where the server failed, and no page
of a table beyond its end; and what goes on with time does."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.manifests import deployment
from tests.support.server import Cluster, wait_for

HERE, THERE = "here", "there"


@pytest.fixture(scope="module")
def two(realistic: Cluster) -> Cluster:
    """Two namespaces with a Deployment each, named after them."""
    for name in (HERE, THERE):
        realistic.kubectl("create", "namespace", name)
        realistic.kubectl("-n", name, "apply", "-f", "-", stdin=json.dumps(deployment(f"of-{name}", 1, "nginx:1.27")))
    return realistic


@pytest.fixture
def asked(page: Page):
    """`asked(pattern)`: requests like that are held back from now on, in the list that it gives; at the end nothing is."""

    def hold(pattern: str) -> list[Route]:
        held: list[Route] = []

        def keep(route: Route) -> None:
            held.append(route)

        page.route(re.compile(pattern), keep)
        return held

    yield hold
    page.unroute_all(behavior="ignoreErrors")


def visit(page: Page, cluster: Cluster, path: str) -> None:
    page.goto(f"http://127.0.0.1:{cluster.http}/explore/{path}")


def choose(page: Page, namespace: str) -> None:
    page.get_by_test_id("namespace").select_option(namespace)


# A view, what is asked for it of a namespace, and what shows that the answer is about it.
VIEWS = [
    ("desired", "/namespaces/{}/diagnoses", "workload-of-{}"),
    ("graph", "/namespaces/{}/(pods|deployments)", "graph-Deployment-of-{}"),
]


@pytest.mark.parametrize(("view", "path", "shows"), VIEWS, ids=[view for view, _, _ in VIEWS])
def test_an_answer_that_comes_late_is_not_shown_under_another_name(page, two, asked, view, path, shows):
    held = asked(path.format(HERE) + r"(\?|$)")
    visit(page, two, f"{view}?ns={HERE}")
    # The other namespace's is asked for at once, though the first is not answered yet.
    with page.expect_response(re.compile(path.format(THERE))):
        expect(page.get_by_test_id("live")).to_contain_text("rev", timeout=15_000)
        choose(page, THERE)
    expect(page.get_by_test_id(shows.format(THERE))).to_be_visible(timeout=20_000)
    assert held, "nothing was held back"
    # Nothing comes after it that would put it right.
    asked(path.format(THERE) + r"(\?|$)")
    with page.expect_response(re.compile(path.format(HERE))) as late:
        for one in held:
            one.continue_()
    late.value.finished()
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.get_by_test_id(shows.format(HERE)).count() == 0
    assert page.get_by_test_id(shows.format(THERE)).count() == 1


@pytest.mark.parametrize(("view", "path", "shows"), VIEWS, ids=[view for view, _, _ in VIEWS])
def test_what_was_known_of_one_is_gone_while_the_other_is_awaited(page, two, asked, view, path, shows):
    visit(page, two, f"{view}?ns={HERE}")
    expect(page.get_by_test_id(shows.format(HERE))).to_be_visible(timeout=20_000)
    held = asked(path.format(THERE) + r"(\?|$)")
    with page.expect_request(re.compile(path.format(THERE))):
        choose(page, THERE)
    expect(page.get_by_test_id(shows.format(HERE))).to_have_count(0)
    for one in held:
        one.continue_()
    page.unroute_all(behavior="ignoreErrors")
    expect(page.get_by_test_id(shows.format(THERE))).to_be_visible(timeout=20_000)


FAILING = {
    "desired": ("**/diagnoses*", "There is no answer about workloads in here"),
    "daemonsets": ("**/diagnoses*", "There is no answer about DaemonSets"),
    "graph": ("**/namespaces/here/**", "There is no answer about the objects of here"),
    "events": ("**/namespaces/here/events*", "There is no answer about events in here"),
    "metrics": ("**/metrics.k8s.io/**", "Not to be had now: what nodes use"),
    "termination/here/none": ("**/explorer/termination/*", "There is no answer about how none ended"),
    "object/apps~v1/deployments/here/of-here": ("**/apis/apps/v1/**", "There is no answer about deployments in here"),
}


@pytest.mark.parametrize("view", FAILING)
def test_a_server_that_fails_is_not_called_a_right_that_is_missing(page, two, view, shots):
    pattern, words = FAILING[view]
    body = json.dumps({"kind": "Status", "status": "Failure", "message": "etcd is away", "code": 500})
    for path in (pattern, "**/explorer/why/*"):
        page.route(path, lambda route: route.fulfill(status=500, content_type="application/json", body=body))
    visit(page, two, f"{view}?ns={HERE}")
    main = page.get_by_role("main")
    expect(main.get_by_text(words)).to_be_visible(timeout=20_000)
    expect(main.get_by_text("etcd is away. ").first).to_be_visible()
    expect(main.get_by_text("The server failed; its log says why.").first).to_be_visible()
    expect(main.get_by_text("You may not see")).to_have_count(0)
    page.screenshot(path=shots / f"failed-{view.split('/')[0]}.png")
    page.unroute_all(behavior="ignoreErrors")
    if (again := main.get_by_role("button", name="Ask again")).count():
        again.first.click()
        expect(main.get_by_text(words)).to_have_count(0, timeout=20_000)


def test_a_table_that_shrinks_shows_its_last_page(page, two):
    two.kubectl("-n", HERE, "scale", "deployment/of-here", "--replicas=60")
    visit(page, two, f"nodes?ns={HERE}")
    page.get_by_role("tab", name="Pods").click()
    rows = page.get_by_test_id("pods-table").locator("tbody tr")
    expect(page.get_by_text(re.compile(r"1 to 50 of \d+ pods"))).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text(re.compile(r"51 to \d+ of \d+ pods"))).to_be_visible()
    two.kubectl("-n", HERE, "scale", "deployment/of-here", "--replicas=1")
    two.kubectl("-n", HERE, "delete", "pods", "-l", "app=of-here", "--grace-period=0", "--force")
    expect(rows.first).to_contain_text("of-", timeout=60_000)
    expect(page.get_by_text("No pods")).to_have_count(0)


def test_the_age_of_a_lease_goes_on_between_two_renewals(page, two):
    visit(page, two, "../")
    lease = page.locator(".kubelet .mono").first
    expect(lease).to_contain_text("lease", timeout=20_000)
    page.evaluate(
        """() => {
            const seen = window.seen = [];
            const look = () => seen.push(parseInt(document.querySelector('.kubelet .mono').textContent.replace(/\\D+/g, '')));
            new MutationObserver(look).observe(document.querySelector('.kubelet .mono'), {characterData: true, subtree: true, childList: true});
        }"""
    )

    # Kubelets renew every ten seconds; what changes then alone is never told four seconds in a row.
    def goes_on() -> bool:
        seen = page.evaluate("window.seen")
        return "++++" in "".join("+" if after == before + 1 else "." for before, after in pairwise(seen))

    wait_for(goes_on, "four seconds in a row", 40)
