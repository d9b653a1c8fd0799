"""The cluster map where there is more than can be read at once: from afar, by name, and page by page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from bench.crowd import fill
from tests.support.server import Cluster, wait_for

NODES, PODS = 240, 900


@pytest.fixture(scope="module")
def realistic():
    """In the place of the small cluster that the other tests of the page use."""
    cluster = Cluster(f"--nodes={NODES}", "--profile=instant").start()
    try:
        fill(cluster.request, NODES, PODS, timeout=240)
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="module")
def page(sign_in):
    return sign_in("/explore/nodes?ns=shop")


def test_the_whole_cluster_comes_in_and_is_counted(page, shots):
    heading = re.compile(rf"Cluster {NODES} nodes, \d+ pods")
    expect(page.get_by_role("heading", name=heading)).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("pods-table")).to_contain_text("CrashLoopBackOff", timeout=30_000)
    page.screenshot(path=shots / "scale.png")
    assert page.problems == []


def test_the_list_is_read_page_by_page(page):
    expect(page.get_by_text(re.compile(r"^1 to 50 of 9\d\d pods"))).to_be_visible()
    first = page.get_by_test_id("pods-table").locator("tbody tr").first.inner_text()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text(re.compile(r"^51 to 100 of 9\d\d pods"))).to_be_visible()
    assert page.get_by_test_id("pods-table").locator("tbody tr").count() == 50
    assert page.get_by_test_id("pods-table").locator("tbody tr").first.inner_text() != first
    page.get_by_role("button", name="Before").click()


def test_a_node_is_found_by_its_name(page):
    page.get_by_test_id("find").fill("node-217")
    expect(page.get_by_role("option", name="node node-217")).to_be_visible()
    page.get_by_test_id("find").press("Enter")
    expect(page.get_by_label("details").get_by_role("heading", name="node-217")).to_be_visible()
    page.get_by_test_id("find").fill("no such thing")
    expect(page.get_by_text("Nothing has that name.")).to_be_visible()
    page.get_by_test_id("find").press("Escape")
    assert page.problems == []


def test_from_afar_nodes_are_cells_with_a_legend_of_their_own(page, shots):
    stage = page.get_by_test_id("nodes-stage")
    expect(page.get_by_label("what the tiles mean")).to_be_visible()
    stage.focus()
    for _ in range(12):
        stage.press("-")
    expect(page.get_by_label("what the cells mean")).to_contain_text("cordoned")
    page.screenshot(path=shots / "scale-afar.png")
    stage.press("0")
    assert page.problems == []


# Pixels of the board that are otherwise than when this was last asked; `anew`: after all of it was drawn once more.
DIFFERENT = """async (anew) => {
  const stage = document.querySelector('[data-testid=nodes-stage]'), canvas = stage.querySelector('canvas');
  if (anew) for (const key of ['ArrowLeft', 'ArrowRight']) stage.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  const copy = new OffscreenCanvas(canvas.width, canvas.height), context = copy.getContext('2d');
  context.drawImage(canvas, 0, 0);
  const now = context.getImageData(0, 0, copy.width, copy.height).data, before = window.drawnBefore ?? [];
  window.drawnBefore = now;
  return now.reduce((count, value, index) => count + (Math.abs(value - before[index]) <= 2 ? 0 : 1), 0);
}"""


@pytest.mark.parametrize("steps", [0, 8], ids=["tiles", "cells"])
def test_what_was_drawn_piece_by_piece_is_what_is_drawn_at_once(sign_in, realistic, steps):
    page = sign_in("/explore/nodes?ns=default")
    # Others crash and come back all the time.
    page.get_by_role("checkbox", name="only default").check()
    stage = page.get_by_test_id("nodes-stage")
    stage.focus()
    for _ in range(steps):
        stage.press("-")
    expect(stage).to_have_attribute("data-detail", "heat" if steps else "tiles")

    def settled() -> bool:
        return page.evaluate(DIFFERENT, False) == 0

    name = f"drawn-{steps}"
    wait_for(settled, "nothing changes", 60)
    realistic.kubectl("delete", "deployment", name, "--ignore-not-found")
    realistic.kubectl("create", "deployment", name, "--image=nginx:1.27", "--replicas=60")
    realistic.kubectl("set", "resources", f"deployment/{name}", "--requests=cpu=1")
    wait_for(lambda: not settled(), "they come", 60)
    realistic.kubectl("rollout", "status", f"deployment/{name}", "--timeout=120s")
    realistic.kubectl("cordon", "node-3", "node-4")
    realistic.kubectl("scale", f"deployment/{name}", "--replicas=20")
    realistic.kubectl("uncordon", "node-4")
    left = ("get", "pods", "-l", f"app={name}", "-o", "name")
    wait_for(lambda: realistic.kubectl(*left).count("pod/") == 20, "the others are gone", 120)
    wait_for(settled, "nothing changes any more", 60)
    assert page.evaluate(DIFFERENT, True) == 0
    assert page.problems == []
    page.context.close()


def test_the_first_view_shows_some_districts_and_the_way_to_the_others(page):
    page.goto(page.url.partition("/explore")[0] + "/")
    expect(page.get_by_test_id("node-node-1")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("link", name=re.compile(f"and {NODES - 60} more nodes"))).to_be_visible()
    assert page.locator("[data-testid^=node-node-]").count() == 60
    assert page.problems == []
