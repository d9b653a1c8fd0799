"""A cluster with realistic pods and one Chromium for the browser tests of a file, and what a person does at a page.

Screenshots are left in tests/e2e/shots.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.server import PASSWORD, Cluster

HERE = Path(__file__).parent
SHOTS = HERE.parent / "shots"
# playwright's own event loop runs beside pytest's; Django would take that for async code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in Path(str(item.fspath)).parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where pictures are left."""
    SHOTS.mkdir(exist_ok=True)
    return SHOTS


# A document's picture is at most so many bytes.
PICTURE = 300_000


@pytest.fixture(scope="session")
def documents(shots: Path) -> Path:
    """Where the documents' pictures go: to docs/images with KUBEWEB_PICTURES=1, else beside the other screenshots."""
    return HERE.parent.parent.parent / "docs" / "images" if os.environ.get("KUBEWEB_PICTURES") == "1" else shots


@pytest.fixture(scope="session")
def picture(documents: Path) -> Callable[[Page, str], None]:
    """`picture(page, name)`: the page as it is now, for a document, and small enough for one."""

    def take(page: Page, name: str) -> None:
        target = documents / f"{name}.png"
        page.screenshot(path=target)
        assert target.stat().st_size < PICTURE

    return take


@pytest.fixture(scope="module")
def realistic() -> Iterator[Cluster]:
    """A cluster whose pods take the time that pods take."""
    running = Cluster(prepared=True).start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "the browser tests need Chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


SignIn = Callable[..., Page]
AXE = HERE.parent.parent.parent / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


def violations(page: Page, *regions: str) -> list[str]:
    """What axe finds on the page (or in these regions) as it stands, by the rules of WCAG 2.2 AA: `rule: element`."""
    page.evaluate(AXE.read_text())
    # What fades in or out passes through colours that nobody reads: wait for it to end. What never ends is looked at as it is.
    page.evaluate(
        """() => Promise.all(document.getAnimations()
            .filter(one => one instanceof CSSTransition)
            .map(one => one.finished.catch(() => undefined)))"""
    )
    found = page.evaluate(
        """regions => axe.run(regions.length ? {include: regions.map(one => [one])} : document,
            {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(done => done.violations)""",
        list(regions),
    )
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


@pytest.fixture(scope="session")
def axe() -> Callable[..., list[str]]:
    """`axe(page)` is empty when everybody can use the page, `axe(page, "main")` when they can use that region."""
    return violations


@pytest.fixture(scope="module")
def sign_in(browser: Browser, realistic: Cluster) -> SignIn:
    """`sign_in(path="/", width=1440, height=900, scheme="light", user="admin", password=…)`: a page of that person's own.

    `page.problems` collects errors of scripts and of the content security policy: tests assert that it stays empty.
    """

    def open_page(
        path: str = "/",
        width: int = 1440,
        height: int = 900,
        scheme: str = "light",
        user: str = "admin",
        password: str = PASSWORD,
        **options: object,
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda told: "Content Security" in told.text and page.problems.append(told.text))
        page.goto(f"http://127.0.0.1:{realistic.http}{path}")
        page.fill("input[name=username]", user)
        page.fill("input[name=password]", password)
        page.click("button[type=submit]")
        expect(page.get_by_test_id("live")).to_contain_text("rev", timeout=15_000)
        return page

    return open_page


@pytest.fixture(scope="module")
def page(sign_in: SignIn) -> Page:
    """The admin's page at 1440×900, shared by the tests of a file."""
    return sign_in()
