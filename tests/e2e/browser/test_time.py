"""One time bar over everything: rewind to any revision, what changed, share a moment, and the cluster's own clock."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support.server import PASSWORD, Cluster, wait_for


def pods(page, name="web"):
    return page.locator(f'[data-testid^="pod-{name}-"]')


def condition(pod: dict) -> dict:
    return next((one for one in pod["status"].get("conditions", ()) if one["type"] == "Ready"), {})


@pytest.fixture(scope="module")
def history(realistic: Cluster, page) -> dict[str, int]:
    """Two pods, then five, then one: and the revisions at which the log said so."""
    found = {}
    realistic.kubectl("create", "deployment", "web", "--image=nginx:1.27", "--replicas=2")
    for replicas in (2, 5, 1):
        realistic.kubectl("scale", "deployment", "web", f"--replicas={replicas}")

        def settled(replicas: int = replicas) -> str:
            listed = realistic.request("GET", "/api/v1/namespaces/default/pods?labelSelector=app%3Dweb")[1]
            ready = [
                pod for pod in listed["items"] if {"type": "Ready", "status": "True"}.items() <= condition(pod).items()
            ]
            whole = len(listed["items"]) == len(ready) == replicas
            return str(listed["metadata"]["resourceVersion"]) if whole else ""

        found[str(replicas)] = int(wait_for(settled, f"{replicas} ready pods", 60))
    return found


def test_a_link_to_a_moment_shows_exactly_that_moment(page, history, shots):
    at = history["5"]
    page.goto(f"{page.url.split('?')[0]}?at={at}")
    expect(page.get_by_test_id("live")).to_contain_text("past", timeout=15_000)
    expect(page.get_by_test_id("past")).to_contain_text(f"Revision {at:,}")
    expect(pods(page)).to_have_count(5)
    page.screenshot(path=shots / "past.png")


def test_arrow_keys_go_revision_by_revision_and_end_is_now(page, history):
    bar = page.get_by_test_id("timebar")
    bar.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_test_id("past")).to_contain_text(f"Revision {history['5'] - 2:,}")
    assert f"at={history['5'] - 2}" in page.url
    page.keyboard.press("End")
    expect(page.get_by_test_id("live")).to_contain_text("live")
    assert "at=" not in page.url
    expect(pods(page)).to_have_count(1)


def test_no_line_goes_through_the_words_of_the_bar(sign_in, realistic: Cluster, history):
    fault = {
        "apiVersion": "sim.kubeweb.dev/v1alpha1",
        "kind": "Fault",
        "metadata": {"name": "slow"},
        "spec": {"type": "SlowEtcd", "delaySeconds": 0.01, "durationSeconds": 1},
    }
    realistic.kubectl("apply", "-f", "-", stdin=json.dumps(fault))
    page = sign_in(width=390, height=844)
    bar = page.get_by_test_id("timebar")
    expect(bar.locator(".band")).to_have_count(1, timeout=15_000)
    expect(bar.locator(".mark").first).to_be_visible()
    seen = bar.evaluate(
        """bar => [...bar.querySelectorAll('.mark')].map(mark => {
            const [track, box] = [bar.getBoundingClientRect(), mark.getBoundingClientRect()];
            const ticks = [...bar.querySelectorAll('.tick')].map(tick => tick.getBoundingClientRect().top);
            return {
                plate: getComputedStyle(mark).backgroundColor,
                above: !!(bar.querySelector('.band').compareDocumentPosition(mark) & Node.DOCUMENT_POSITION_FOLLOWING),
                within: box.left >= track.left && box.right <= track.right,
                free: ticks.every(top => top >= box.bottom - 3),
            };
        })"""
    )
    for one in seen:
        assert one["plate"] != "rgba(0, 0, 0, 0)"
        assert (one["above"], one["within"], one["free"]) == (True, True, True), one
    page.context.close()


def test_dragging_the_bar_rewinds_and_back_to_live_returns(page):
    box = page.get_by_test_id("timebar").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 20, steps=8)
    page.mouse.up()
    expect(page.get_by_test_id("live")).to_contain_text("past")
    page.get_by_test_id("to-live").click()
    expect(page.get_by_test_id("live")).to_contain_text("live")


def test_what_changed_between_two_points_is_told_field_by_field(page, history, shots):
    page.goto(f"{page.url.split('?')[0]}?at={history['2']}")
    page.get_by_test_id("what-changed").click()
    dialog = page.get_by_role("dialog", name="What changed")
    dialog.get_by_label("to", exact=False).last.fill(str(history["5"]))
    dialog.get_by_role("button", name="Compare").click()
    row = dialog.get_by_role("listitem").filter(has_text="deployments").filter(has_text="default/web")
    expect(row).to_contain_text("spec.replicas")
    expect(row.locator("tr", has_text="spec.replicas")).to_contain_text("25")
    expect(dialog.get_by_role("listitem").filter(has_text="added")).to_have_count(3)
    page.screenshot(path=shots / "changes.png")
    page.keyboard.press("Escape")
    page.get_by_test_id("to-live").click()


def test_a_shared_moment_opens_as_it_was_for_somebody_else(realistic: Cluster, page, browser, history, shots):
    """View, namespace, moment and selection, by a link that a second person opens before they have signed in."""
    realistic.django(
        "from django.contrib.auth import get_user_model\n"
        f"get_user_model().objects.create_user('guest', password={PASSWORD!r})"
    )
    realistic.kubectl("create", "clusterrolebinding", "guest", "--clusterrole=view", "--user=guest")
    realistic.kubectl("create", "clusterrole", "see-nodes", "--verb=get,list,watch", "--resource=nodes")
    realistic.kubectl("create", "clusterrolebinding", "guest-nodes", "--clusterrole=see-nodes", "--user=guest")
    # One of the five: it is long gone.
    page.goto(f"http://127.0.0.1:{realistic.http}/?at={history['5']}")
    expect(pods(page)).to_have_count(5)
    alive = realistic.kubectl("get", "pods", "-l", "app=web", "-o", "name")
    gone = next(
        name
        for name in pods(page).evaluate_all("all => all.map(one => one.dataset.testid.slice(4))")
        if name not in alive
    )
    page.get_by_test_id(f"pod-{gone}").click()
    expect(page.get_by_test_id("panel").get_by_role("heading", level=2)).to_contain_text(gone)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="copy a link to this moment").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert f"at={history['5']}" in link
    assert "on=pod%3A" in link

    other = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    other.goto(link)
    other.fill("input[name=username]", "guest")
    other.fill("input[name=password]", PASSWORD)
    other.click("button[type=submit]")
    expect(other.get_by_test_id("live")).to_contain_text("past", timeout=15_000)
    assert other.url == link
    expect(pods(other)).to_have_count(5)
    panel = other.get_by_test_id("panel")
    expect(panel.get_by_role("heading", level=2)).to_contain_text(gone)
    expect(panel).to_contain_text("Running")
    other.screenshot(path=shots / "shared-moment.png")
    # Who selects something else is not where the link led any more.
    panel.get_by_role("button", name="close").click()
    expect(other).not_to_have_url(link)
    assert "on=" not in other.url
    assert f"at={history['5']}" in other.url
    other.context.close()
    page.get_by_test_id("to-live").click()


def test_the_clusters_clock_is_paused_stepped_and_sped_up_by_its_object(page, realistic: Cluster, shots):
    def spec() -> dict:
        return realistic.request("GET", "/apis/sim.kubeweb.dev/v1alpha1/clocks/cluster")[1]["spec"]

    page.get_by_test_id("clock").click()
    page.get_by_test_id("clock-pause").click()
    expect(page.get_by_test_id("clock")).to_contain_text("paused")
    assert spec()["paused"]
    page.get_by_test_id("clock-step").click()
    wait_for(lambda: spec().get("step") == 1, "a step")
    page.screenshot(path=shots / "clock.png")
    page.get_by_test_id("clock-pause").click()
    expect(page.get_by_test_id("clock")).not_to_contain_text("paused")
    slider = page.get_by_label("speed of the cluster's clock")
    slider.focus()
    page.keyboard.press("End")
    expect(page.get_by_test_id("clock-speed")).to_have_text("100×")
    assert spec()["speed"] == 100
    page.keyboard.press("Home")
    expect(page.get_by_test_id("clock-speed")).to_have_text("0.1×")
    realistic.kubectl("patch", "clock", "cluster", "--type=merge", "-p", '{"spec":{"speed":1}}')
    expect(page.get_by_test_id("clock")).to_contain_text(re.compile(r"cluster 1×"))
    page.keyboard.press("Escape")


def test_nonsense_is_refused_with_a_word(realistic: Cluster, page, history):
    answer = page.request.get(f"http://127.0.0.1:{realistic.http}/explorer/past/?at=x")
    assert answer.status == 400
    answer = page.request.get(
        f"http://127.0.0.1:{realistic.http}/explorer/past/?at={history['2']}&resources=v1/secrets"
    )
    assert answer.status == 400
    newest = realistic.request("GET", "/api/v1/pods")[1]["metadata"]["resourceVersion"]
    assert page.request.get(f"http://127.0.0.1:{realistic.http}/explorer/changes/?from=5&to={newest}9").status == 400


def test_nothing_went_wrong_on_the_way(page):
    assert page.problems == []
