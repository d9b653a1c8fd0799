"""Somebody without rights comes: the page teaches, gives a sandbox, and is then theirs to use; and the page goes by keyboard."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import expect

from tests.support.person import Person
from tests.support.server import PASSWORD

numbers = itertools.count(1)


@pytest.fixture
def nora(realistic):
    """The name of somebody who has never been here."""
    name = f"nora-{next(numbers)}"
    realistic.django(
        "from django.contrib.auth import get_user_model\n"
        f"get_user_model().objects.create_user({name!r}, password={PASSWORD!r})"
    )
    return name


def test_who_may_see_nothing_is_taught_and_gets_a_sandbox(sign_in, realistic, nora, axe, shots):
    page = sign_in(user=nora)
    rights = page.get_by_test_id("rights")
    expect(rights).to_contain_text("In default you may do nothing yet")
    expect(page.get_by_text("You may not see the machines")).to_be_visible()
    # The wall of refusals stands folded.
    expect(page.get_by_text("cannot list resource").first).not_to_be_visible()
    rights.get_by_text("Whom to ask for more").click()
    expect(rights).to_contain_text(f"--clusterrole=edit --user={nora} -n default")
    assert axe(page) == []
    page.screenshot(path=shots / "newcomer.png")
    # Where there is nothing to see, the way to a place of one's own is offered, too.
    for view, title in (
        ("daemonsets", "You may not see DaemonSets"),
        ("desired", "You may not see workloads in default"),
        ("events", "You may not see events in default"),
    ):
        page.goto(page.url.split("/explore")[0].rstrip("/").split("?")[0] + f"/explore/{view}?ns=default")
        expect(page.get_by_text(title)).to_be_visible()
        expect(page.get_by_role("main").get_by_test_id("sandbox")).to_be_visible()
    page.get_by_role("main").get_by_test_id("sandbox").click()
    page.wait_for_url(f"**ns=sandbox-{nora}**", timeout=20_000)
    expect(page.get_by_test_id("namespace")).to_have_value(f"sandbox-{nora}", timeout=15_000)
    expect(page.get_by_test_id("rights")).to_be_visible()
    page.get_by_test_id("apply").click()
    expect(page.get_by_test_id("answers")).to_contain_text("deployment.apps/web created")
    expect(page.get_by_test_id("panel")).to_contain_text("3/3", timeout=40_000)
    assert axe(page) == []
    page.screenshot(path=shots / "sandbox.png")
    assert page.problems == []
    page.context.close()


def test_a_sandbox_is_seen_and_given_back_on_the_page(sign_in, realistic, nora):
    assert Person(realistic, nora).sign_in().ask("POST", "/explorer/sandbox/", {})[0] == 201
    page = sign_in(f"/?ns=sandbox-{nora}", user=nora)
    rights = page.get_by_test_id("rights")
    rights.get_by_text("You see a part of this cluster").click()
    expect(rights.locator("li", has_text=f"sandbox-{nora}")).to_be_visible()
    # One is all that one may have.
    expect(rights.get_by_test_id("sandbox")).to_have_count(0)
    rights.get_by_test_id("give-back").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"Give sandbox-{nora} back?")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("toasts")).to_contain_text(f"sandbox-{nora} is being taken down")
    expect(rights.get_by_test_id("sandbox")).to_be_visible()
    assert nora not in realistic.kubectl("get", "sandboxes")
    page.context.close()


def test_who_may_read_one_namespace_sees_it(sign_in, realistic, nora):
    lent = f"lent-to-{nora}"
    realistic.kubectl("create", "namespace", lent)
    realistic.kubectl("create", "deployment", "lamp", "--image=nginx:1.27", "-n", lent)
    realistic.kubectl("create", "rolebinding", "view", "--clusterrole=view", f"--user={nora}", "-n", lent)
    page = sign_in(f"/?ns={lent}", user=nora)
    expect(page.get_by_test_id("rights")).to_contain_text("and change nothing")
    expect(page.get_by_test_id("panel").get_by_role("button", name="lamp").first).to_be_visible()
    page.context.close()


def test_the_page_goes_by_keyboard(sign_in):
    page = sign_in()
    expect(page.get_by_test_id("station-etcd")).to_be_visible()
    page.locator("main").focus()
    page.keyboard.press("?")
    expect(page.get_by_test_id("shortcuts")).to_contain_text("Scheduler")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("shortcuts")).to_have_count(0)
    for letter, title in (("s", "Scheduler"), ("x", "Metrics"), ("v", "Events")):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        expect(page).to_have_title(f"{title} · KubeWeb")
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page).to_have_title("KubeWeb")
    # Letters that are written stay letters.
    page.keyboard.press("Control+k")
    page.get_by_test_id("palette-input").press_sequentially("gx?")
    expect(page.get_by_test_id("palette-input")).to_have_value("gx?")
    page.keyboard.press("Escape")
    expect(page).to_have_title("KubeWeb")
    page.context.close()


def test_deleting_asks_and_scaling_can_be_taken_back(sign_in, realistic):
    realistic.kubectl("delete", "deployment", "kept", "--ignore-not-found")
    realistic.kubectl("create", "deployment", "kept", "--image=nginx:1.27", "--replicas=2")
    page = sign_in()
    panel = page.get_by_test_id("panel")
    panel.get_by_role("button", name="kept").first.click()
    page.get_by_test_id("scale-up").click()
    expect(panel.get_by_label("3 replicas wanted")).to_be_visible()
    page.get_by_test_id("toasts").get_by_role("button", name="Undo").click()
    expect(panel.get_by_label("2 replicas wanted")).to_be_visible()
    # What the question says is what there is when it is asked.
    expect(panel.get_by_role("row").filter(has_text="replicas")).to_contain_text("replicas22")
    panel.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 pods go with it")
    dialog.get_by_role("button", name="Keep it as it is").click()
    assert "kept" in realistic.kubectl("get", "deployment", "kept")
    panel.get_by_role("button", name="Delete").click()
    page.get_by_test_id("confirm").click()
    expect(panel).to_contain_text("does not exist any more", timeout=20_000)
    page.context.close()
