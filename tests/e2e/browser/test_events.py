"""Events: the same said again is one line, searchable, live, linked; as of a past revision, what had been said by then."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.support.manifests import deployment


@pytest.fixture(scope="module")
def said(realistic):
    realistic.kubectl("apply", "-f", "-", stdin=json.dumps(deployment("web", 3, "nginx:1.27")))
    realistic.kubectl("apply", "-f", "-", stdin=json.dumps(deployment("typo", 1, "ngnix:1.27")))
    realistic.kubectl("rollout", "status", "deployment/web", "--timeout=60s")


def visit(page, realistic, query=""):
    page.goto(f"http://127.0.0.1:{realistic.http}/explore/events{query}")


def test_silence_teaches(page, realistic, axe):
    visit(page, realistic, "?ns=kube-public")
    expect(page.get_by_text("Nobody has said anything")).to_be_visible(timeout=10_000)
    assert axe(page, "main") == []


def test_the_same_said_again_is_one_line(page, realistic, said, shots, axe):
    visit(page, realistic)
    lines = page.get_by_test_id("events").locator("> li")
    scheduled = lines.filter(has_text="Successfully assigned default/web-")
    expect(scheduled).to_have_count(1, timeout=15_000)
    expect(scheduled).to_contain_text("×3")
    page.screenshot(path=shots / "events.png")
    assert axe(page, "main") == []
    page.get_by_label("each by itself").check()
    expect(scheduled).to_have_count(3)
    assert page.problems == []


def test_search_and_filters_are_in_the_address(page, realistic, said):
    visit(page, realistic)
    lines = page.get_by_test_id("events").locator("> li")
    expect(lines.first).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="warnings").click()
    page.get_by_test_id("search").fill("ngnix pull")
    expect(lines.filter(has_text="Failed").first).to_be_visible(timeout=15_000)
    assert "web-" not in " ".join(lines.all_inner_texts())
    assert "type=Warning" in page.url and "q=ngnix" in page.url
    page.reload()
    expect(page.get_by_test_id("search")).to_have_value("ngnix pull")
    page.get_by_test_id("search").fill("no such words")
    expect(page.get_by_text("Nothing like that was said")).to_be_visible()


def test_it_is_live_linked_and_knows_the_past(page, realistic, said):
    visit(page, realistic)
    before = realistic.request("GET", "/api/v1/namespaces/default/events")[1]["metadata"]["resourceVersion"]
    realistic.kubectl("scale", "deployment/web", "--replicas=4")
    lines = page.get_by_test_id("events").locator("> li")
    expect(lines.filter(has_text="from 3 to 4")).to_be_visible(timeout=15_000)
    lines.filter(has_text="from 3 to 4").get_by_role("link", name="web", exact=True).click()
    expect(page.get_by_test_id("object")).to_be_visible()
    visit(page, realistic, f"?at={before}")
    expect(lines.first).to_be_visible(timeout=15_000)
    assert "from 3 to 4" not in " ".join(lines.all_inner_texts())


def test_on_a_phone(sign_in, realistic, said, shots, axe):
    page = sign_in("/explore/events", 390, 844, "dark")
    expect(page.get_by_test_id("events")).to_be_visible(timeout=15_000)
    page.screenshot(path=shots / "events-phone.png")
    assert page.evaluate("document.querySelector('main').scrollWidth <= innerWidth")
    assert axe(page, "main") == []
