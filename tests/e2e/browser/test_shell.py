"""The shell around the views: signing in, addresses, the command palette, the left region, both sizes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.server import PASSWORD


def test_a_stranger_is_sent_to_sign_in_and_lands_where_they_were_going(browser, realistic, shots):
    stranger = browser.new_page()
    stranger.goto(f"http://127.0.0.1:{realistic.http}/explore/pipeline/some/where?ns=kube-system")
    assert "/login/?next=/explore/pipeline/some/where%3Fns%3Dkube-system" in stranger.url
    stranger.fill("input[name=username]", "admin")
    stranger.fill("input[name=password]", "wrong")
    stranger.click("button[type=submit]")
    assert "/login/" in stranger.url
    stranger.screenshot(path=shots / "login.png")
    stranger.fill("input[name=username]", "admin")
    stranger.fill("input[name=password]", PASSWORD)
    stranger.click("button[type=submit]")
    expect(stranger.get_by_test_id("namespace")).to_have_value("kube-system", timeout=15_000)
    assert stranger.url.endswith("/explore/pipeline/some/where?ns=kube-system")
    stranger.close()


def test_the_page_sends_a_policy_that_keeps_foreign_scripts_out(page):
    answer = page.request.get(page.url)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]


def test_an_unknown_view_says_so_and_leads_back(page):
    page.goto(page.url.rstrip("/") + "/explore/nowhere")
    expect(page.get_by_role("heading", name=re.compile("no view called"))).to_be_visible()
    page.get_by_role("button", name="To the map").click()
    expect(page.get_by_test_id("station-authn")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name=re.compile("no view called"))).to_be_visible()
    page.go_forward()
    expect(page.get_by_test_id("station-authn")).to_be_visible()


def test_the_palette_finds_views_objects_examples_and_actions(page, shots):
    page.keyboard.press("Control+k")
    ask = page.get_by_test_id("palette-input")
    expect(ask).to_be_focused()
    ask.fill("node-2")
    expect(page.get_by_role("option", name="node-2 node")).to_be_visible()
    page.screenshot(path=shots / "palette.png")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("panel")).to_contain_text("node-2")
    page.keyboard.press("Control+k")
    ask.fill("example job")
    page.get_by_role("option", name=re.compile("example")).first.click()
    expect(page.get_by_test_id("editor")).to_contain_text("kind: Job")
    page.keyboard.press("Control+k")
    ask.fill("nothing is called like this")
    expect(page.get_by_role("listbox")).to_contain_text("Nothing is called that")
    page.keyboard.press("Escape")
    expect(ask).to_have_count(0)


def said(page, name):
    return page.get_by_role("tablist", name="what you say").get_by_role("tab", name=name)


def test_the_left_region_has_tabs_that_arrow_keys_walk(page):
    page.get_by_label("KubeWeb, to the map").click()
    said(page, "YAML").focus()
    page.keyboard.press("ArrowLeft")
    expect(said(page, "Journeys")).to_have_attribute("aria-selected", "true")
    said(page, "Examples").click()
    page.get_by_label("find an example").fill("database")
    expect(page.get_by_test_id("gallery").get_by_role("button").first).to_contain_text("StatefulSet")
    page.get_by_test_id("gallery").get_by_role("button").first.click()
    expect(page.get_by_test_id("editor")).to_contain_text("StatefulSet")


def test_the_left_region_folds_and_stays_folded(page):
    said(page, "YAML").click()
    page.get_by_test_id("fold").click()
    expect(page.get_by_test_id("editor")).to_be_hidden()
    page.reload()
    expect(page.get_by_test_id("station-authn")).to_be_visible()
    expect(page.get_by_test_id("editor")).to_be_hidden()
    page.get_by_test_id("fold").click()
    expect(page.get_by_test_id("editor")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_views_are_a_sheet(sign_in, shots, scheme):
    page = sign_in(width=390, height=844, scheme=scheme)
    page.get_by_test_id("menu").click()
    expect(page.get_by_test_id("menu-sheet")).to_contain_text("What happens to a request")
    page.screenshot(path=shots / f"menu-390-{scheme}.png")
    page.get_by_test_id("menu-sheet").get_by_role("link").first.click()
    expect(page.get_by_test_id("menu-sheet")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.problems == []
    page.context.close()


def test_nothing_went_wrong_on_the_way(page):
    assert page.problems == []
