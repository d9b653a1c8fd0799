"""The first two minutes of somebody who knows nothing, as docs/first-two-minutes.md tells them: from a fresh start to understanding.

With KUBEWEB_PICTURES=1 the pictures go into docs/images, so that the document shows the page as it is.
"""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.support.server import PASSWORD, ROOT

DOCUMENT = (ROOT / "docs" / "first-two-minutes.md").read_text()


def quoted(text: str) -> str:
    """Words that the document says one reads on the page; they must stand in it."""
    assert text in " ".join(DOCUMENT.split()), text
    return text


def test_from_paste_to_understanding(browser, realistic, picture):
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    problems = []

    def show(name):
        assert f"images/first-{name}.png" in DOCUMENT
        picture(page, f"first-{name}")

    page.on("pageerror", lambda error: problems.append(str(error)))

    page.goto(f"http://127.0.0.1:{realistic.http}/")
    expect(page.get_by_text("printed the password")).to_contain_text(quoted("The first start printed the password of"))
    show("sign-in")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")

    expect(page.get_by_text(quoted("Press Apply below the YAML and watch your request travel."))).to_be_visible(
        timeout=15_000
    )
    expect(page.get_by_test_id("editor")).to_contain_text("kind: Deployment")
    expect(page.get_by_text("Ready", exact=True).first).to_be_visible(timeout=20_000)
    show("map")

    page.get_by_test_id("apply").click()
    expect(page.get_by_text("deployment.apps/web")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("button", name=re.compile(r"station etcd, .*passed"))).to_be_visible(timeout=20_000)
    expect(page.get_by_role("button", name=re.compile(r"control loop .*, now: "))).not_to_have_count(0, timeout=20_000)
    show("travel")

    pods = page.locator("[data-testid^=pod-web-][data-status=Running]")
    expect(pods).to_have_count(3, timeout=30_000)
    pods.first.click()
    panel = page.get_by_test_id("panel")
    for words in ("Why is this here?", "deployment controller", "replicaset controller", "scheduler", "kubelet of"):
        expect(panel).to_contain_text(quoted(words), timeout=15_000)
    expect(panel).to_contain_text(quoted("created Deployment"))
    show("why")

    gone = pods.first.get_attribute("data-testid")
    page.get_by_test_id("delete-pod").click()
    page.get_by_test_id("confirm").click()
    expect(page.locator(f"[data-testid={gone}][data-status=Running]")).to_have_count(0, timeout=40_000)
    expect(pods).to_have_count(3, timeout=40_000)
    show("heal")

    page.get_by_test_id("panel").get_by_label("close").click()
    page.get_by_test_id("toasts").get_by_label("dismiss").first.click()
    page.get_by_role("tab", name="Examples").click()
    page.get_by_test_id("gallery").get_by_role("button", name="A misspelt image").click()
    page.get_by_test_id("apply").click()
    expect(page.get_by_text("deployment.apps/typo")).to_be_visible(timeout=15_000)
    page.get_by_test_id("group-Workloads").click()
    page.get_by_test_id("view-desired").click()
    row = page.get_by_test_id("workload-typo")
    expect(row).to_contain_text(quoted("cannot be pulled"), timeout=40_000)
    row.click()
    expect(page.get_by_test_id("finding").first).to_be_visible(timeout=15_000)
    show("wrong")
    page.get_by_test_id("finding").get_by_test_id("mend").first.click()
    expect(page.get_by_test_id("mend-apply")).to_be_visible(timeout=15_000)
    show("mend")
    page.get_by_test_id("mend-apply").click()
    expect(page.get_by_test_id("desired-detail")).to_contain_text(quoted("Healthy"), timeout=40_000)
    assert problems == []
    page.context.close()
