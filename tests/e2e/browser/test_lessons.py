"""The lessons in the page, each played to its end by hand: predict, apply, run in the page's terminal, and go on when it is reached."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cluster.explorer.lessons.shipped import load

LESSONS = {lesson["metadata"]["name"]: lesson["spec"] for lesson in load()}
# Seen on a stage: these leave pictures.
PICTURED = {("declare-and-heal", 1), ("who-may", 0), ("daemonsets", 2)}


@pytest.fixture(scope="module")
def page(sign_in):
    return sign_in("/explore/lessons")


def play(page: Page, name: str, shots) -> None:
    guide = page.get_by_test_id("guide")
    for number, step in enumerate(LESSONS[name]["steps"]):
        expect(guide).to_contain_text(f"{number + 1} of {len(LESSONS[name]['steps'])}")
        expect(guide.get_by_role("heading", name=step["title"])).to_be_visible()
        if "predict" in step:
            expect(guide.get_by_test_id("lesson-run")).to_have_count(0)
            guide.get_by_test_id(f"option-{step['predict']['answer']}").click()
            expect(guide).to_contain_text("Right.")
        if "manifest" in step:
            guide.get_by_test_id("lesson-apply").click()
        if (name, number) in PICTURED:
            page.wait_for_timeout(1500)  # for the picture alone
            page.screenshot(path=shots / f"lesson-{name}.png")
        if "commands" in step:
            guide.get_by_test_id("lesson-run").click()
        expect(guide).to_have_attribute("data-reached", "true", timeout=90_000)
        if number + 1 < len(LESSONS[name]["steps"]):
            guide.get_by_test_id("lesson-next").click()


@pytest.mark.parametrize("name", list(LESSONS))
def test_a_lesson_can_be_played_in_the_page(page, name, shots):
    page.goto(re.sub(r"(//[^/]+/).*", r"\1explore/lessons", page.url))
    page.get_by_test_id(f"lesson-{name}").click()
    play(page, name, shots)
    guide = page.get_by_test_id("guide")
    guide.get_by_test_id("lesson-cleanup").click()
    expect(guide.get_by_test_id("lesson-cleanup")).to_have_count(0, timeout=60_000)
    guide.get_by_test_id("lesson-end").click()
    expect(page.get_by_test_id(f"lesson-{name}")).to_have_text("Again")
    assert page.problems == []


def test_progress_is_the_persons_own_and_stays(page, shots):
    page.goto(re.sub(r"(//[^/]+/).*", r"\1explore/lessons", page.url))
    expect(page.get_by_text("11 of 11 finished")).to_be_visible()
    page.screenshot(path=shots / "lessons.png")


def test_a_phone_folds_the_lesson_away(sign_in, shots):
    phone = sign_in("/?lesson=declare-and-heal&step=2", width=390, height=844, scheme="dark")
    guide = phone.get_by_test_id("guide")
    expect(guide).to_contain_text("Take it all away")
    phone.screenshot(path=shots / "lesson-phone-dark.png")
    guide.get_by_role("button", name="Declare, and it heals").click()
    expect(guide).not_to_contain_text("Take it all away")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.context.close()
