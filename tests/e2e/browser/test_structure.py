"""What a screen reader and a keyboard find on every view that the registry names: landmarks, headings, names, focus, and quiet."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.support.manifests import deployment
from tests.support.views import REGISTRY, VIEWS, address

CONTROLS = (
    "button|link|textbox|combobox|checkbox|radio|slider|spinbutton|searchbox|switch|tab|menuitem|option|img|progressbar"
)
NAMELESS = re.compile(rf"^\s*- ({CONTROLS})( \[[^\]]*\])*:?$")
LANDMARK = re.compile(
    r'^\s*- (banner|main|complementary|contentinfo|navigation|search|form|region)(?=[ :])(?: "((?:[^"\\]|\\.)*)")?'
)
HEADING = re.compile(r'^\s*- \'?heading "(?:[^"\\]|\\.)*" \[level=(\d)\]')

# Whether the focus can be seen: by the outline of what has it, or by something within that changes when the focus goes.
SEEN = """() => {
    const here = document.activeElement;
    if (!here || here === document.body) return null;
    const box = here.getBoundingClientRect();
    const name = here.dataset.testid || here.getAttribute('aria-label') || here.textContent.trim().slice(0, 40) || here.tagName;
    const style = getComputedStyle(here);
    if (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) return { name, box: box.width * box.height, seen: true };
    const look = one => { const s = getComputedStyle(one); return [s.stroke, s.strokeWidth, s.boxShadow, s.borderColor, s.backgroundColor, s.opacity].join(); };
    const all = [here, ...here.querySelectorAll('*'), ...(here.closest('.cm-editor, .xterm, label') ? [here.closest('.cm-editor, .xterm, label')] : [])];
    for (const one of all) one.style.transition = 'none';
    const before = all.map(look);
    here.blur();
    const after = all.map(look);
    here.focus({ focusVisible: true, preventScroll: true });
    return { name, box: box.width * box.height, seen: before.some((one, index) => one !== after[index]) };
}"""


@pytest.fixture(scope="module")
def world(realistic):
    realistic.kubectl("create", "deployment", "seen", "--image=nginx:1.27", "--replicas=2")
    realistic.kubectl("expose", "deployment", "seen", "--port=80")
    realistic.kubectl("create", "deployment", "typo", "--image=ngnix:1.27")
    realistic.kubectl("rollout", "status", "deployment/seen", "--timeout=60s")
    return realistic


@pytest.fixture(scope="module")
def wide(sign_in, world):
    return sign_in()


@pytest.fixture(scope="module")
def phone(sign_in, world):
    return sign_in(width=390, height=844)


def visit(page, world, view):
    page.goto(f"http://127.0.0.1:{world.http}{address(view, 'seen')}")
    expect(page.get_by_test_id("live")).to_contain_text("live", timeout=15_000)
    expect(page.locator("#view .wait")).to_have_count(0, timeout=15_000)
    expect(page.locator("#view h1")).to_have_count(1, timeout=15_000)


def test_the_registry_is_read_whole():
    assert len(VIEWS) == REGISTRY.count("load: () => import(")
    assert {"pipeline", "nodes", "object"} <= set(VIEWS)


@pytest.mark.parametrize("size", ["wide", "phone"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_one_heading_its_landmarks_and_names_for_everything(request, world, view, size):
    page = request.getfixturevalue(size)
    visit(page, world, view)
    lines = page.locator("body").aria_snapshot().splitlines()

    assert [line.strip() for line in lines if NAMELESS.match(line)] == []

    found = [match.groups() for match in map(LANDMARK.match, lines) if match]
    roles = [role for role, _ in found]
    for role in ("banner", "main", "contentinfo"):
        assert roles.count(role) == 1, found
    # What there is more than one of is told apart by its name.
    assert len(set(found)) == len(found), found
    wanted = {"views"} if size == "wide" else {"regions"}
    assert wanted <= {name for role, name in found if role == "navigation"}

    # The view's own headings go down one by one, from its first.
    main = page.get_by_role("main").aria_snapshot().splitlines()
    levels = [int(match.group(1)) for match in map(HEADING.match, main) if match]
    assert levels.count(1) == 1 and levels[0] == 1, main
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    assert page.problems == []


def test_on_a_phone_the_sheet_that_is_open_is_what_the_page_is_about(phone, world):
    visit(phone, world, "pipeline")
    for button, name in (("YAML", "what you say"), ("Why", "why"), ("Map", "Map")):
        phone.get_by_role("navigation", name="regions").get_by_role("button", name=button).click()
        expect(phone.get_by_role("main")).to_have_count(1)
        expect(phone.get_by_role("main")).to_have_accessible_name(name)
        skip = phone.get_by_role("link", name="Skip to the view")
        skip.focus()
        phone.keyboard.press("Enter")
        expect(phone.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize("view", VIEWS)
def test_the_keyboard_sees_where_it_is_and_comes_to_the_view(wide, world, view):
    visit(wide, world, view)
    if view == "terminal":
        # It takes the focus to type at once, and Tab to complete: Shift-Tab is the way out.
        expect(wide.get_by_test_id("terminal").locator("textarea")).to_be_focused()
        wide.keyboard.press("Shift+Tab")
        expect(wide.get_by_test_id("terminal").locator("textarea")).not_to_be_focused()
        wide.evaluate("document.querySelector('.logo').focus()")
        wide.keyboard.press("Shift+Tab")
    else:
        wide.keyboard.press("Tab")
    first = wide.evaluate("document.activeElement.textContent")
    assert first == "Skip to the view"
    wide.keyboard.press("Enter")
    assert wide.evaluate("document.activeElement.id") == "view"
    stops = []
    for _ in range(14):
        told = wide.evaluate(SEEN)
        # A terminal keeps the Tab key for completion, as terminals do.
        if told is None or (view == "terminal" and stops and stops[-1]["name"] == told["name"]):
            break
        stops.append(told)
        wide.keyboard.press("Tab")
    assert stops
    assert [stop["name"] for stop in stops if not stop["seen"]] == []
    assert [stop["name"] for stop in stops if stop["box"] < 4] == []


# Announcements: every change of the words of a live region that is not switched off.
LISTEN = """() => {
    const live = '[aria-live="polite"], [aria-live="assertive"], [role="status"], [role="alert"], [role="log"]';
    window.announced = [];
    new MutationObserver(changes => {
        for (const change of changes) {
            const region = (change.target.nodeType === 1 ? change.target : change.target.parentElement)?.closest(live);
            if (region && !region.closest('[aria-live="off"]')) window.announced.push(region.textContent.trim());
        }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_that_lives_is_not_chatty(wide, world, view):
    visit(wide, world, view)
    expect(wide.locator("#view h1")).to_have_count(1)
    wide.evaluate(LISTEN)
    # Ten changes that are nobody's subject.
    for number in range(10):
        told = world.kubectl(
            "create", "configmap", f"quiet-{view}-{number}", "-o", "jsonpath={.metadata.resourceVersion}"
        )
    expect(wide.get_by_test_id("live")).to_contain_text(
        re.compile("|".join(f"{int(told) + more:,}" for more in range(40))), timeout=20_000
    )
    said = wide.evaluate("window.announced")
    assert len(set(said)) <= 1, said


def test_motion_that_is_not_wanted_is_left_out(sign_in, world):
    page = sign_in(reduced_motion="reduce")
    expect(page.get_by_test_id("station-etcd")).to_be_visible()
    page.get_by_test_id("apply").click()
    expect(page.get_by_test_id("answers")).to_contain_text(
        re.compile("web (created|unchanged|configured)"), timeout=20_000
    )
    # The request lights stations up; no train travels, and nothing else moves for longer than an instant.
    expect(page.get_by_text("Following")).to_be_visible(timeout=15_000)
    longest = page.evaluate(
        "Math.max(0, ...document.getAnimations().map(one => Number(one.effect.getComputedTiming().activeDuration)))"
    )
    assert longest <= 1
    assert page.locator("g.train:not(.no)").count() == 0
    page.context.close()


@pytest.mark.parametrize("view", VIEWS)
def test_twice_as_large_nothing_is_lost(request, sign_in, world, view):
    """A page zoomed to 200 % has half the width and half the height."""
    page = request.getfixturevalue("zoomed")
    visit(page, world, view)
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    main = page.get_by_role("main").bounding_box()
    assert main["height"] >= 200, main


@pytest.fixture(scope="module")
def zoomed(sign_in, world):
    return sign_in(width=720, height=450, device_scale_factor=2)


def test_colours_that_the_reader_chooses_leave_shapes_and_edges(sign_in, world, shots):
    page = sign_in(forced_colors="active", scheme="dark")
    expect(page.get_by_test_id("station-etcd")).to_be_visible()
    tile = page.locator("[data-testid^='pod-seen-']").first
    expect(tile).to_be_visible(timeout=15_000)
    assert tile.evaluate("one => getComputedStyle(one).forcedColorAdjust") == "none"
    assert tile.evaluate("one => getComputedStyle(one).backgroundColor") != "rgba(0, 0, 0, 0)"
    apply = page.get_by_test_id("apply")
    assert float(apply.evaluate("one => parseFloat(getComputedStyle(one).borderWidth)")) >= 1
    page.screenshot(path=shots / "forced-colors.png")
    page.context.close()


def test_from_paste_to_healed_by_keyboard_alone(sign_in, world):
    """Paste, apply, follow, ask why, break, and see it heal: no pointer is touched."""
    page = sign_in()
    manifest = deployment("typed", container={"name": "web"})
    expect(page.get_by_test_id("station-etcd")).to_be_visible()

    def tab_to(wanted, most=80, back=False):
        for _ in range(most):
            here = page.evaluate(
                "() => { const here = document.activeElement; return [here.dataset.testid || '', here.getAttribute('aria-label') || '', here.textContent.trim().slice(0, 60)] }"
            )
            if any(re.search(wanted, text) for text in here):
                return here
            # Tab indents within the editor; Escape and then, soon after, Tab leaves it. The first Escape may close a list of completions.
            if page.evaluate("() => !!document.activeElement.closest('.cm-editor')"):
                page.keyboard.press("Escape")
                page.keyboard.press("Escape")
            page.keyboard.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"the keyboard does not come to {wanted}")

    tab_to("^manifest$")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(json.dumps(manifest))
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("answers")).to_contain_text("deployment.apps/typed created", timeout=20_000)
    tab_to("^apply$")

    # Follow: the list of journeys plays it.
    tab_to(r"deployments typed")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Replaying")).to_be_visible(timeout=15_000)
    tab_to("^back to live$")
    page.keyboard.press("Enter")

    # Why: the pod's tile, and what it tells.
    world.kubectl("rollout", "status", "deployment/typed", "--timeout=60s")
    first = world.kubectl("get", "pods", "-l", "app=typed", "-o", "jsonpath={.items[0].metadata.name}")
    expect(page.get_by_test_id(f"pod-{first}").first).to_be_attached(timeout=15_000)
    tab_to(f"^pod-{first}$")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("panel")).to_contain_text("Why is this here?", timeout=15_000)

    # Break, and answer the question that comes.
    tab_to("^(delete|Delete)( pod.*)?$")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    tab_to("^Delete")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id(f"pod-{first}")).to_have_count(0, timeout=60_000)
    # Healed: another stands there.
    expect(page.locator("[data-testid^='pod-typed-'][data-status='Running']")).to_have_count(1, timeout=60_000)
    assert page.problems == []
    page.context.close()
