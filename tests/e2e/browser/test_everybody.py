"""Everybody can use the page: axe finds nothing on any view, in both themes, on a phone, and with everything opened."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

WAYS = [(1440, 900, "light"), (1440, 900, "dark"), (390, 844, "light"), (390, 844, "dark")]


@pytest.mark.parametrize(("width", "height", "scheme"), WAYS)
def test_every_view_is_clean(sign_in, realistic, axe, shots, width, height, scheme):
    realistic.kubectl("create", "deployment", "seen", "--image=nginx:1.27", "--replicas=2", check=False)
    page = sign_in(width=width, height=height, scheme=scheme)
    page.get_by_test_id("menu").click() if width < 900 else page.keyboard.press("Control+k")
    addresses = page.evaluate(
        """() => [...document.querySelectorAll('a[href^="/explore/"]')].map(link => link.getAttribute('href'))"""
    )
    page.keyboard.press("Escape")
    for group in page.locator("button[data-testid^='group-']").all() if width >= 900 else []:
        group.click()
        addresses += page.evaluate(
            """() => [...document.querySelectorAll('a[href^="/explore/"]')].map(link => link.getAttribute('href'))"""
        )
        page.keyboard.press("Escape")
    found = {}
    for address in ["/", *dict.fromkeys(addresses)]:
        page.goto(f"http://127.0.0.1:{realistic.http}{address}")
        expect(page.get_by_test_id("live")).to_contain_text("live", timeout=15_000)
        expect(page.locator("#view .wait")).to_have_count(0)
        if troubles := axe(page):
            found[address] = troubles
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    assert found == {}
    assert page.problems == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_opens_is_clean_too(sign_in, realistic, axe, scheme):
    page = sign_in(scheme=scheme)
    expect(page.get_by_test_id("station-etcd")).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_test_id("palette-input").fill("node")
    assert axe(page) == []
    page.keyboard.press("Escape")
    page.get_by_test_id("clock").click()
    assert axe(page) == []
    page.keyboard.press("Escape")
    page.get_by_test_id("compare").click()
    expect(page.get_by_test_id("changes")).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("Escape")
    page.get_by_test_id("timebar").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_test_id("past")).to_be_visible()
    assert axe(page) == []
    page.get_by_test_id("to-live").click()
    page.get_by_test_id("node-node-1").get_by_role("button").first.click()
    assert axe(page) == []
    for tab in ("Examples", "Journeys"):
        page.get_by_role("tab", name=tab).click()
        assert axe(page) == []
    page.locator(".person summary").click()
    assert axe(page) == []
    page.context.close()


def test_the_map_is_walked_by_keyboard_in_the_order_of_a_request(sign_in):
    page = sign_in()
    expect(page.get_by_test_id("station-etcd")).to_be_visible()
    page.get_by_test_id("station-request-info").focus()
    walked = ["station-request-info"]
    for _ in range(12):
        page.keyboard.press("Tab")
        walked.append(page.evaluate("document.activeElement.dataset.testid ?? ''"))
    order = ["station-request-info", "station-authn", "station-authz", "station-admission", "station-etcd"]
    places = [walked.index(name) for name in order]
    assert places == sorted(places)
    page.get_by_test_id("station-authz").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("panel")).to_contain_text("authz")
    page.context.close()
