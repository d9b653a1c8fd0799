"""What a person's browser bears: time until the page can be used, frame times of the cluster map while pods change, memory of the tab,
sizes of what is loaded. A real Chromium (software rendering where there is no graphics card) and a real server on the same cores; and
the browser alone, with the stream of a large cluster that nobody runs (`bench.feed`): at each level of detail (cells from afar, tiles,
labels), while nothing happens, while pods come and go, and while the map is moved and zoomed besides; in a large window and in a small one,
of which the difference is the drawing of pixels.
"""

from __future__ import annotations

import gzip
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.cluster import DEPLOYMENTS, running, until_ready
from tests.support.server import PASSWORD, ROOT, Cluster, free_port, wait_for

DIST = ROOT / "frontend" / "dist" / "assets"
FRAMES = """(seconds) => new Promise((done) => {
  const times = []; let last = performance.now(); const end = last + seconds * 1000;
  requestAnimationFrame(function frame(now) { times.push(now - last); last = now; if (now < end) requestAnimationFrame(frame); else done(times); });
})"""


def sizes() -> dict[str, float]:
    """Kilobytes as they are sent (gzip): what the first view needs, and the largest parts that wait until they are wanted."""
    packed = {path.name: len(gzip.compress(path.read_bytes())) / 1024 for path in DIST.glob("*.js")}
    main = next(name for name in packed if name.startswith("index-"))
    figures = {"page: main script (KB, gzip)": packed[main]}
    for name, size in sorted(packed.items(), key=lambda one: -one[1])[:6]:
        if name != main:
            figures[f"page: {name.split('-')[0]} script (KB, gzip)"] = size
    figures["page: all scripts (KB, gzip)"] = sum(packed.values())
    return figures


def _sign_in(page: Page, cluster: Cluster, path: str) -> None:
    page.goto(f"http://127.0.0.1:{cluster.http}/login/?next={path}")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")


def _frames(page: Page, seconds: float) -> tuple[float, float]:
    """Median and 95th percentile of the milliseconds between frames."""
    times = sorted(page.evaluate(FRAMES, seconds))
    return statistics.median(times), times[int(len(times) * 0.95)]


def _churn(cluster: Cluster, stop: threading.Event, name: str) -> None:
    """Twenty pods come and go every second."""
    replicas = 20
    while not stop.is_set():
        replicas = 20 if replicas == 40 else 40
        patch = {"spec": {"replicas": replicas}}
        cluster.request("PATCH", f"{DEPLOYMENTS}/{name}", patch, {"Content-Type": "application/merge-patch+json"})
        stop.wait(1)


def _map(pods: int, nodes: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    label = f"{pods:,} pods"
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with running(f"--nodes={nodes}", "--profile=instant") as cluster, sync_playwright() as playwright:
        until_ready(cluster, "crowd", pods - 20, timeout=900)
        until_ready(cluster, "churn", 20)
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--enable-precise-memory-info"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        _sign_in(page, cluster, "/explore/nodes")
        page.get_by_test_id("nodes-stage").wait_for()
        began = time.perf_counter()
        _until_shown(page, pods, began)
        figures[f"map, {label}: all of them there after (s)"] = time.perf_counter() - began
        page.wait_for_timeout(1500)
        figures[f"map, {label}, still: frame p50 (ms)"], figures[f"map, {label}, still: frame p95 (ms)"] = _frames(
            page, 5
        )
        stop = threading.Event()
        thread = threading.Thread(target=_churn, args=(cluster, stop, "churn"), daemon=True)
        thread.start()
        figures[f"map, {label}, changing: frame p50 (ms)"], figures[f"map, {label}, changing: frame p95 (ms)"] = (
            _frames(page, 10)
        )
        stop.set()
        thread.join(timeout=5)
        used = page.evaluate("performance.memory.usedJSHeapSize")
        figures[f"map, {label}: memory of the tab's objects (MB)"] = used / 2**20
        browser.close()
    return figures


# The page's stream comes from the generator instead: only where the socket leads to differs.
ELSEWHERE = """const Socket = WebSocket;
window.WebSocket = class extends Socket { constructor(url) { super(String(url).replace(location.host, '127.0.0.1:PORT')); } };"""


@contextmanager
def _generator(nodes: int, pods: int) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "bench.feed", str(port), str(nodes), str(pods)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for(lambda: _answers(port), "the generated stream", 60)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _changing(port: int, *, on: bool) -> bool:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/changing/{'on' if on else 'off'}", method="POST")
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _begin(port: int) -> bool:
    """Let the page be told of the cluster; false as long as it has not asked."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/begin", data=b"", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


# A hand that never rests: arrow keys around in a circle, and the wheel to and fro.
MOVING = """(seconds) => new Promise((done) => {
  const stage = document.querySelector('[data-testid=nodes-stage]'), canvas = stage.querySelector('canvas'), box = stage.getBoundingClientRect();
  const ways = ['ArrowLeft', 'ArrowUp', 'ArrowRight', 'ArrowDown'], times = [];
  let frames = 0, last = performance.now(); const end = last + seconds * 1000;
  requestAnimationFrame(function frame(now) {
    times.push(now - last); last = now;
    stage.dispatchEvent(new KeyboardEvent('keydown', { key: ways[Math.floor(frames / 4) % 4], bubbles: true, cancelable: true }));
    const deltaY = 15 * (Math.floor(frames / 40) % 2 ? -1 : 1);
    if (frames % 3 === 0) canvas.dispatchEvent(new WheelEvent('wheel', { deltaY, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2, bubbles: true, cancelable: true }));
    frames++;
    if (now < end) requestAnimationFrame(frame); else done(times);
  });
})"""
# Level of detail → steps nearer once its first step is reached, so that moving about does not leave it.
DETAILS = {"heat": 0, "tiles": 1, "labels": 2}


def _look(page: Page, detail: str) -> None:
    """Go as near as that level of detail."""
    stage = page.get_by_test_id("nodes-stage")
    stage.focus()
    stage.press("0")
    page.wait_for_timeout(800)
    for _ in range(40):
        if stage.get_attribute("data-detail") == detail:
            break
        stage.press("+")
        page.wait_for_timeout(500)
    for _ in range(DETAILS[detail]):
        stage.press("+")
        page.wait_for_timeout(500)
    assert stage.get_attribute("data-detail") == detail


def _alone(nodes: int, pods: int) -> dict[str, float]:
    """The browser alone: the real page of an idle server, shown a generated cluster."""
    figures: dict[str, float] = {}
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with running("--nodes=0") as cluster, _generator(nodes, pods) as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--enable-precise-memory-info"]
        )
        for width, height in ((1440, 900), (480, 400)):
            label = f"map alone, {nodes:,} nodes, {pods:,} pods, {width}×{height}"
            # The stream is on another port, which the page's policy rightly forbids.
            context = browser.new_context(viewport={"width": width, "height": height}, bypass_csp=True)
            context.add_init_script(ELSEWHERE.replace("PORT", str(port)))
            page = context.new_page()
            _sign_in(page, cluster, "/explore/nodes")
            page.get_by_test_id("nodes-stage").wait_for()
            wait_for(lambda: _begin(port), "the page asks", 60)
            began = time.perf_counter()
            _until_shown(page, pods, began)
            figures[f"{label}: all of them there after (s)"] = time.perf_counter() - began
            page.wait_for_timeout(5000)
            for detail in DETAILS:
                _look(page, detail)
                for on, word, script in ((False, "still", FRAMES), (True, "changing", FRAMES), (True, "moved", MOVING)):
                    assert _changing(port, on=on), "nobody listens to the generated stream"
                    page.wait_for_timeout(1500)
                    busy = _processor(browser)
                    times = sorted(page.evaluate(script, 8))
                    after = _processor(browser)
                    what = f"{label}, {detail}, {word}"
                    figures[f"{what}: frame p50 (ms)"] = statistics.median(times)
                    figures[f"{what}: frame p95 (ms)"] = times[int(len(times) * 0.95)]
                    figures[f"{what}: page's processor (ms of each second)"] = (after[0] - busy[0]) / 8 * 1000
                    figures[f"{what}: drawing's processor (ms of each second)"] = (after[1] - busy[1]) / 8 * 1000
                _changing(port, on=False)
            figures[f"{label}: memory of the tab's objects (MB)"] = (
                page.evaluate("performance.memory.usedJSHeapSize") / 2**20
            )
            context.close()
        browser.close()
    return figures


def _processor(browser: Browser) -> tuple[float, float]:
    """Seconds of processor time that the pages have used, and what draws for them: other work on the same cores does not change those."""
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    used = {kind: sum(one["cpuTime"] for one in told if one["type"] == kind) for kind in ("renderer", "GPU")}
    return used["renderer"], used["GPU"]


def _until_shown(page: Page, pods: int, began: float) -> None:
    # Asked from outside: the page's content security policy lets no test evaluate a string in it.
    shown = page.locator("h1 .soft").first
    while int(re.sub(r"\D", "", shown.inner_text().partition(" nodes, ")[2]) or 0) < pods:
        assert time.perf_counter() - began < 180, shown.inner_text()
        page.wait_for_timeout(50)


def _first_paint() -> dict[str, float]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with running("--profile=instant") as cluster, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        _sign_in(context.new_page(), cluster, "/")
        paints, usable = [], []
        for _ in range(5):
            page = context.new_page()
            began = time.perf_counter()
            page.goto(f"http://127.0.0.1:{cluster.http}/")
            page.get_by_test_id("station-etcd").wait_for()
            usable.append((time.perf_counter() - began) * 1000)
            paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            page.close()
        browser.close()
    return {
        "page: first paint (ms)": statistics.median(paints),
        "page: the map can be used after (ms)": statistics.median(usable),
    }


def measure() -> dict[str, float]:
    """50,000 pods take minutes and some gigabytes to start: the largest part of the bench."""
    assert Path(DIST).is_dir(), "the page is not built"
    return {**sizes(), **_first_paint(), **_alone(5000, 50_000), **_map(1000, 20), **_map(50_000, 500)}
