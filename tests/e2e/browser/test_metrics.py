"""Metrics: what was measured, as charts and as figures."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.support.server import wait_for


def test_requests_show_as_figures(sign_in, realistic, shots):
    page = sign_in("/explore/metrics")
    requests = page.get_by_role("region", name="Requests")

    def busy() -> bool:
        for _ in range(5):
            realistic.request("GET", "/api/v1/pods")
        figure = re.search(r"all requests\s+([\d.,]+)", requests.inner_text())
        return figure is not None and float(figure[1].replace(",", "")) > 0

    wait_for(busy, "requests are counted")
    expect(page.get_by_role("region", name="How long they took")).to_contain_text("read p99")
    expect(page.get_by_role("link", name="node-1")).to_be_visible(timeout=15_000)
    page.screenshot(path=shots / "metrics.png")
    assert page.problems == []
    page.context.close()


def test_the_samples_are_for_people_who_are_signed_in(browser, realistic):
    stranger = browser.new_page()
    answer = stranger.request.get(f"http://127.0.0.1:{realistic.http}/explorer/rates/")
    assert answer.status == 403
    stranger.close()


def test_a_moment_that_is_no_number_is_refused(sign_in):
    page = sign_in("/explore/metrics")
    answer = page.request.get(page.url.split("/explore")[0] + "/explorer/rates/?since=yesterday")
    assert answer.status == 400
    assert "seconds since the epoch" in answer.text()
    page.context.close()
