"""A real Chromium does what a person does: sign in, paste, apply, watch, delete, scale, roll out. Asserts on what the page shows.

Screenshots are left in tests/e2e/shots.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.server import wait_for

SHOTS = Path(__file__).parent.parent / "shots"
STAGES = ("request-info", "authn", "authz", "decode", "admission", "validation", "policy", "etcd")
YAML = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shown
spec:
  replicas: 3
  selector:
    matchLabels: {app: shown}
  template:
    metadata:
      labels: {app: shown}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: web
        image: nginx:1.27
"""


def write(page: Page, text: str) -> None:
    editor = page.get_by_test_id("editor").get_by_role("textbox")
    expect(editor).to_be_editable()
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def pods(page: Page, name: str = "shown"):
    return page.locator(f'[data-testid^="pod-{name}-"]')


def running(page: Page, name: str = "shown"):
    return page.locator(f'[data-testid^="pod-{name}-"][data-status="Running"]')


def test_the_map_shows_what_the_server_declares(page):
    for stage in STAGES:
        expect(page.get_by_test_id(f"station-{stage}")).to_be_visible()
    for loop in ("deployment", "replicaset", "garbagecollector", "scheduler"):
        expect(page.get_by_test_id(f"loop-{loop}")).to_be_visible()
    for number in (1, 2, 3):
        expect(page.get_by_test_id(f"node-node-{number}")).to_contain_text("Ready")


def test_apply_travels_and_three_pods_run(page):
    write(page, YAML)
    page.get_by_test_id("apply").click()
    expect(page.get_by_test_id("answers")).to_contain_text("deployment.apps/shown created")
    expect(page.get_by_test_id("journey-list")).to_contain_text("deployments shown")
    # Trains are under way: somewhere on the map there is one, and it moves.
    train = page.locator("g.train").first
    expect(train).to_be_visible()
    before = train.get_attribute("transform")
    page.wait_for_function(
        "before => document.querySelector('g.train')?.getAttribute('transform') !== before", arg=before
    )
    page.screenshot(path=SHOTS / "apply.png")
    expect(running(page)).to_have_count(3, timeout=30_000)
    page.screenshot(path=SHOTS / "running.png")


def test_a_journey_can_be_replayed_paused_and_stepped(page):
    page.get_by_test_id("journey-list").get_by_role("button").first.click()
    panel = page.get_by_test_id("panel")
    expect(panel).to_contain_text("patch deployments shown")
    for word in ("authz", "etcd", "revision", "What followed", "deployment"):
        expect(panel).to_contain_text(word)
    page.get_by_test_id("pause").click()
    bar = page.get_by_test_id("timebar")
    seen = []
    for _ in range(25):
        page.get_by_test_id("step").click()
        page.wait_for_timeout(60)
        seen += page.evaluate(
            "[...document.querySelectorAll('g.station.here')].map(one => one.dataset.testid.replace('station-', ''))"
        )
    at = int(bar.get_attribute("aria-valuenow"))
    page.wait_for_timeout(300)
    assert int(bar.get_attribute("aria-valuenow")) == at, "paused is paused"
    assert set(STAGES) <= set(seen), "the train stops at every stage"
    page.get_by_test_id("speed").select_option("4")
    page.get_by_test_id("play").click()
    page.wait_for_function(
        "at => Number(document.querySelector('[data-testid=timebar]').ariaValueNow) > at + 500", arg=at
    )
    page.screenshot(path=SHOTS / "replay.png")
    page.get_by_text("back to live").click()


def test_a_deleted_pod_is_replaced_and_the_journey_says_why(page):
    victim = pods(page).first.get_attribute("data-testid")
    page.get_by_test_id(victim).click()
    panel = page.get_by_test_id("panel")
    expect(panel).to_contain_text("Why is this here?")
    expect(panel).to_contain_text("Deployment shown")
    page.get_by_test_id("delete-pod").click()
    expect(page.get_by_role("dialog")).to_contain_text("will make another")
    page.get_by_test_id("confirm").click()
    expect(page.locator(f'[data-testid="{victim}"][data-status="Terminating"]')).to_have_count(1)
    page.screenshot(path=SHOTS / "terminating.png")
    expect(page.get_by_test_id(victim)).to_have_count(0, timeout=20_000)
    expect(running(page)).to_have_count(3, timeout=20_000)
    row = page.get_by_test_id("journey-list").get_by_role("button").filter(has_text="delete").first
    row.click()
    expect(panel).to_contain_text("delete pods")
    expect(panel).to_contain_text("replicaset")
    page.get_by_text("back to live").click()


def test_scale_and_roll_out_from_the_panel(page):
    page.get_by_role("button", name="close").click()
    page.get_by_test_id("panel").get_by_role("button", name=re.compile("^shown")).first.click()
    panel = page.get_by_test_id("panel")
    expect(panel).to_contain_text("Desired vs actual")
    page.get_by_test_id("scale-up").click()
    expect(running(page)).to_have_count(4, timeout=20_000)
    page.get_by_test_id("scale-up").click()
    expect(running(page)).to_have_count(5, timeout=20_000)
    page.get_by_test_id("image").fill("nginx:1.28")
    page.get_by_test_id("set-image").click()
    expect(panel).to_contain_text("revision 2", timeout=20_000)
    expect(panel.locator("td", has_text="nginx:1.28")).to_be_visible()
    expect(panel.locator("tr", has_text="up to date")).to_contain_text("55", timeout=60_000)
    expect(pods(page)).to_have_count(5, timeout=40_000)
    page.screenshot(path=SHOTS / "rollout.png")


def test_what_is_refused_stops_at_its_station(page):
    write(page, YAML.replace("labels: {app: shown}", "labels: {app: another}"))
    page.get_by_test_id("apply").click()
    answers = page.get_by_test_id("answers")
    expect(answers).to_contain_text("`selector` does not match template `labels`")
    expect(page.locator(".reason")).to_contain_text("Refused at", timeout=10_000)
    page.screenshot(path=SHOTS / "refused.png")


def test_dry_run_then_delete_ends_gracefully(page):
    write(page, YAML)
    page.get_by_test_id("dry-run").click()
    expect(page.get_by_test_id("answers")).to_contain_text("(dry run)")
    page.get_by_test_id("delete").click()
    expect(page.get_by_test_id("answers")).to_contain_text("deployment.apps/shown deleted")
    expect(page.locator('[data-status="Terminating"]').first).to_be_visible(timeout=10_000)
    expect(pods(page)).to_have_count(0, timeout=40_000)
    assert page.problems == []


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_sizes_and_themes(sign_in, width, height, scheme):
    page = sign_in(width=width, height=height, scheme=scheme)
    expect(page.get_by_test_id("node-node-1")).to_contain_text("Ready", timeout=15_000)
    page.screenshot(path=SHOTS / f"page-{width}-{scheme}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    face = page.locator(".person summary").bounding_box()
    assert face is not None and face["x"] + face["width"] <= width
    if width < 900:
        page.get_by_role("button", name="YAML").click()
        expect(page.get_by_test_id("apply")).to_be_visible()
        page.screenshot(path=SHOTS / f"yaml-{width}-{scheme}.png")
    assert page.problems == []
    page.context.close()


def test_a_train_is_read_by_hovering_and_all_stand_meanwhile(sign_in):
    page = sign_in()
    page.get_by_test_id("journey-list").get_by_role("button").first.click()
    train = page.locator("g.train").first
    expect(train).to_be_visible()
    page.wait_for_function(
        """() => {
            const train = document.querySelector('g.train');
            train?.dispatchEvent(new PointerEvent('pointerenter'));
            return document.querySelector('.told') !== null;
        }"""
    )
    expect(page.locator(".told")).to_contain_text("deployments")
    at = page.get_by_test_id("timebar").get_attribute("aria-valuenow")
    page.wait_for_timeout(300)
    assert page.get_by_test_id("timebar").get_attribute("aria-valuenow") == at
    assert page.problems == []
    page.context.close()


def test_what_the_map_shows_is_also_a_list(sign_in):
    page = sign_in()
    page.get_by_test_id("journey-list").get_by_role("button").first.click()
    page.get_by_test_id("pause").click()
    page.get_by_text("In words").click()
    expect(page.get_by_test_id("in-words")).to_contain_text("deployments")
    page.get_by_test_id("in-words").get_by_role("button").first.click()
    expect(page.get_by_test_id("panel")).to_contain_text("What happened")
    page.context.close()


def test_a_delivered_revision_pulses_along_the_watch_lines(sign_in, realistic):
    page = sign_in()
    expect(page.get_by_test_id("station-etcd")).to_be_visible()
    page.evaluate(
        """() => {
            window.pulses = 0;
            new MutationObserver(() => (window.pulses += document.querySelectorAll('.pulses circle').length)).observe(
                document.querySelector('.pulses'), { childList: true }
            );
        }"""
    )
    realistic.kubectl("create", "configmap", "pulse")
    realistic.kubectl("run", "pulse", "--image=nginx:1.27")
    page.wait_for_function("() => window.pulses > 0")
    expect(page.locator(".watch-name")).to_contain_text("streams")
    page.context.close()


def test_with_reduced_motion_stations_light_up_and_nothing_travels(sign_in, realistic):
    page = sign_in(reduced_motion="reduce")
    expect(page.get_by_test_id("station-etcd")).to_be_visible()
    expect(page.get_by_test_id("live")).to_contain_text("live", timeout=15_000)
    # A station is lit for a moment: the page notes it, for a look from here may come too late.
    page.evaluate("""() => {
        window.lit = false;
        const look = () => { window.lit ||= document.querySelector('g.station.here') !== null; };
        new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    }""")
    realistic.kubectl("create", "configmap", "still")
    wait_for(lambda: page.evaluate("window.lit"), "a station lights up")
    assert page.locator("g.train").count() == 0
    page.context.close()
