"""Every view at a past revision shows what was then, or says in plain words what it cannot; a log that was compacted below says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.server import PASSWORD, Cluster, wait_for

SIM = "/apis/sim.kubeweb.dev/v1alpha1"
AGENT = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      terminationGracePeriodSeconds: 6
      containers:
      - name: c
        image: nginx
        lifecycle: {preStop: {sleep: {seconds: 3}}}
"""


def revision(cluster: Cluster) -> int:
    return int(cluster.request("GET", "/api/v1/nodes?limit=1")[1]["metadata"]["resourceVersion"])


@pytest.fixture(scope="module")
def moments(realistic: Cluster) -> dict[str, Any]:
    """`begun`: nothing in shop but alice's right; `broken`: a Deployment that cannot be, a DaemonSet that is; then all that ends."""
    cluster, found = realistic, dict[str, Any]()
    cluster.kubectl("create", "namespace", "shop")
    cluster.kubectl("-n", "shop", "create", "rolebinding", "alice", "--clusterrole=admin", "--user=alice")
    found["begun"] = revision(cluster)
    cluster.kubectl("-n", "shop", "create", "deployment", "web", "--image=nonsense:1", "--replicas=2")
    cluster.kubectl("apply", "-f", "-", stdin=AGENT)

    def verdicts() -> dict[str, str]:
        listed = cluster.request("GET", f"{SIM}/namespaces/shop/diagnoses")[1]["items"]
        return {one["target"]["name"]: one["verdict"] for one in listed}

    wait_for(lambda: verdicts() == {"web": "Unhealthy", "agent": "Healthy"}, "the two verdicts", 90)
    found["broken"] = revision(cluster)
    cluster.kubectl("-n", "shop", "set", "image", "deployment/web", "nonsense=nginx:1.27")
    cluster.kubectl("-n", "shop", "delete", "rolebinding", "alice")
    pod = cluster.kubectl("-n", "shop", "get", "pods", "-l", "app=agent", "-o", "name").split()[0].removeprefix("pod/")
    cluster.kubectl("-n", "shop", "delete", "pod", pod, "--wait=false")
    found["ending"] = revision(cluster)
    path = f"/api/v1/namespaces/shop/pods/{pod}"
    wait_for(lambda: cluster.request("GET", path)[0] == 404, "the end of the pod", 60)
    cluster.kubectl("-n", "shop", "delete", "daemonset", "agent")
    wait_for(lambda: verdicts() == {"web": "Healthy"}, "the mended Deployment", 90)
    found["pod"] = pod
    return found


def go(page: Page, path: str, at: int, more: str = "") -> None:
    origin = "/".join(page.url.split("/")[:3])
    page.goto(f"{origin}/explore/{path}?ns=shop&at={at}{more}")
    expect(page.get_by_test_id("past")).to_contain_text(f"Revision {at:,}")


def test_desired_against_actual_is_what_it_was(page, moments, shots):
    go(page, "desired", moments["broken"])
    expect(page.get_by_test_id("workload-web")).to_contain_text("nonsense:1 cannot be pulled")
    expect(page.get_by_test_id("workload-agent")).to_contain_text("as it should be")
    page.screenshot(path=shots / "past-desired.png")
    page.get_by_test_id("workload-web").get_by_role("link").click()
    detail = page.get_by_test_id("desired-detail")
    expect(detail).to_contain_text("2 of 2 pods are not ready")
    expect(detail.get_by_test_id("finding").first).to_contain_text("ImagePull")
    # What was cannot be mended.
    expect(detail.get_by_role("button", name="Apply")).to_have_count(0)
    go(page, "desired", moments["begun"])
    expect(page.get_by_role("heading", name="Nothing was desired in shop at revision")).to_be_visible()
    page.get_by_test_id("to-live").click()
    expect(page.get_by_test_id("workload-web")).to_contain_text("as it should be")
    expect(page.get_by_test_id("workload-agent")).to_have_count(0)


def test_the_daemonset_matrix_is_what_it_was(page, moments, shots):
    go(page, "daemonsets", moments["broken"])
    expect(page.get_by_test_id("matrix").get_by_role("row").filter(has_text="agent")).to_contain_text("3/3")
    page.screenshot(path=shots / "past-daemonsets.png")
    page.get_by_test_id("to-live").click()
    expect(page.get_by_role("heading", name="No DaemonSet yet")).to_be_visible()


def test_access_is_by_the_rules_of_then(page, moments, shots):
    question = "&who=alice&verb=create&resource=pods"
    go(page, "access", moments["broken"], question)
    expect(page.get_by_test_id("then")).to_contain_text(f"By the roles and bindings of revision {moments['broken']:,}")
    expect(page.get_by_test_id("gate")).to_contain_text("alice could create pods in shop")
    expect(page.get_by_test_id("gate")).to_contain_text("RoleBinding/shop/alice")
    page.screenshot(path=shots / "past-access.png")
    go(page, "access", moments["ending"], question)
    expect(page.get_by_test_id("gate")).to_contain_text("alice could not create pods in shop")
    expect(page.get_by_text("How else it could be granted")).to_have_count(0)
    page.get_by_test_id("to-live").click()
    expect(page.get_by_test_id("gate")).to_contain_text("alice may not create pods in shop")
    expect(page.get_by_text("How else it could be granted")).to_be_visible()


def test_a_termination_is_told_as_far_as_it_had_come(page, moments, shots):
    pod = moments["pod"]
    go(page, f"termination/shop/{pod}", moments["broken"])
    expect(page.get_by_role("heading", name=f"{pod} was not ending")).to_be_visible()
    expect(page.get_by_test_id("end")).to_have_count(0)
    go(page, f"termination/shop/{pod}", moments["ending"])
    expect(page.get_by_text("was ending; admin had asked")).to_be_visible()
    page.screenshot(path=shots / "past-termination.png")
    page.get_by_test_id("to-live").click()
    expect(page.get_by_text("was gone")).to_be_visible()


def test_attempts_to_place_a_pod_are_those_of_by_then(page, moments):
    pod = moments["pod"]
    go(page, f"scheduler/shop/{pod}", moments["broken"])
    expect(page.get_by_text("won:")).to_be_visible()
    go(page, f"scheduler/shop/{pod}", moments["begun"])
    expect(page.get_by_role("heading", name=f"Nothing is remembered of {pod}")).to_be_visible()


def test_metrics_are_those_of_then_and_what_is_not_kept_is_said(page, moments, shots):
    go(page, "metrics", moments["broken"])
    expect(page.get_by_test_id("then")).to_contain_text("The ten minutes up to revision")
    expect(page.get_by_test_id("nodes-then")).to_contain_text("measured when somebody looks, and kept nowhere")
    page.screenshot(path=shots / "past-metrics.png")
    page.get_by_test_id("to-live").click()
    expect(page.get_by_test_id("then")).to_have_count(0)


def test_what_the_server_no_longer_knows_is_said_and_nothing_of_now_is_shown(page, moments):
    page.route("**/explorer/rates/**", lambda route: route.fulfill(json={"samples": [], "oldest": None}))
    go(page, "metrics", moments["broken"])
    expect(page.get_by_role("heading", name="What the server did then is not kept")).to_be_visible()
    page.unroute("**/explorer/rates/**")
    page.route(
        "**/explorer/termination/**",
        lambda route: route.fulfill(json={**route.fetch().json(), "kept": False, "bars": []}),
    )
    go(page, f"termination/shop/{moments['pod']}", moments["ending"])
    expect(page.get_by_role("heading", name=f"How {moments['pod']} ended is not kept any more")).to_be_visible()
    page.unroute("**/explorer/termination/**")


@pytest.mark.parametrize("view", ["terminal", "lessons"])
def test_views_that_tell_of_now_say_so(page, moments, view):
    go(page, view, moments["broken"])
    expect(page.get_by_test_id("past")).to_contain_text("This view tells of now, not of then.")


def test_a_revision_that_there_is_not_is_said(page, moments):
    origin = "/".join(page.url.split("/")[:3])
    page.goto(f"{origin}/explore/desired?at=99999999")
    expect(page.get_by_test_id("lost")).to_contain_text("There is no revision 99999999: the log goes from 1 to")
    page.get_by_role("button", name="Back to live").first.click()
    expect(page.get_by_test_id("live")).to_contain_text("live")


def test_nothing_went_wrong_on_the_way(page):
    assert page.problems == []


@pytest.fixture(scope="module")
def forgetful() -> Iterator[Cluster]:
    """A cluster whose log keeps next to nothing."""
    running = Cluster("--profile=instant", "--nodes=1", KUBEWEB_HISTORY="20").start()
    yield running
    running.close()


def test_a_moment_that_is_compacted_away_while_one_looks_is_said_and_there_is_a_way_back(forgetful, browser, shots):
    cluster = forgetful
    at = revision(cluster)
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"http://127.0.0.1:{cluster.http}/explore/nodes?at={at}")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    expect(page.get_by_test_id("past")).to_contain_text(f"Revision {at:,}", timeout=15_000)
    expect(page.get_by_role("heading", name="Cluster")).to_contain_text("1 nodes")
    # The log goes on, and the housekeeping forgets: for real.
    for number in range(60):
        later = {"metadata": {"name": f"later-{number}"}}
        assert cluster.request("POST", "/api/v1/namespaces/default/configmaps", later)[0] == 201

    def asked(path: str) -> int:
        return page.request.get(f"http://127.0.0.1:{cluster.http}{path}").status

    exactly = f"resourceVersion={at}&resourceVersionMatch=Exact"
    wait_for(lambda: asked(f"/explorer/past/?at={at}&resources=v1/pods") == 410, "the compaction", 60)
    answer = page.request.get(f"http://127.0.0.1:{cluster.http}/explorer/past/?at={at}&resources=v1/pods").json()
    assert answer["reason"] == "Expired"
    assert answer["message"].startswith(f"Revision {at} has been compacted away: the log goes back to revision ")
    for path in (
        f"/api/v1/pods?{exactly}",
        f"{SIM}/diagnoses?{exactly}",
        f"/explorer/changes/?from={at}",
        f"/explorer/why/?resource=v1/nodes&name=node-1&at={at}",
        f"/explorer/termination/?namespace=default&name=x&at={at}",
    ):
        assert asked(path) == 410, path
    question = {"apiVersion": "sim.kubeweb.dev/v1alpha1", "kind": "AccessMatrix", "spec": {"revision": at}}
    assert cluster.request("POST", f"{SIM}/accessmatrices", question)[0] == 410
    # The page finds out by itself, and says it instead of an empty cluster.
    expect(page.get_by_role("heading", name="That moment cannot be shown any more")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("lost")).to_contain_text("has been compacted away")
    expect(page.get_by_text("There was no node")).to_have_count(0)
    page.screenshot(path=shots / "past-gone.png")
    page.get_by_role("button", name="To the oldest moment").click()
    expect(page.get_by_role("heading", name="Cluster")).to_contain_text("1 nodes")
    expect(page.get_by_test_id("live")).to_contain_text("past")
    # A link to it says the same.
    page.goto(f"http://127.0.0.1:{cluster.http}/explore/desired?at={at}")
    expect(page.get_by_test_id("lost")).to_contain_text("has been compacted away")
    page.get_by_role("main").get_by_role("button", name="Back to live").click()
    expect(page.get_by_test_id("live")).to_contain_text("live")
    expect(page.get_by_test_id("lost")).to_have_count(0)
    page.context.close()
