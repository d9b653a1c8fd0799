"""Sharing: the cluster as a file and back, a reset, a journey as a picture that moves, and the page on the wall."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from playwright.sync_api import expect

from tests.support.server import wait_for

DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "trams.city.example.com"},
    "spec": {
        "group": "city.example.com",
        "scope": "Namespaced",
        "names": {"plural": "trams", "singular": "tram", "kind": "Tram"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    },
}
TRAM = {
    "apiVersion": "city.example.com/v1",
    "kind": "Tram",
    "metadata": {"name": "six", "namespace": "shop"},
    "line": 6,
}


@pytest.fixture(scope="module")
def shop(realistic):
    """A namespace with one of each: settings, a Secret, rights, a claim, a workload, a custom resource."""
    realistic.kubectl("create", "namespace", "shop")
    realistic.kubectl("create", "configmap", "settings", "-n", "shop", "--from-literal=colour=amber\n---\nkind: Pod")
    realistic.kubectl("create", "secret", "generic", "key", "-n", "shop", "--from-literal=word=open-sesame")
    realistic.kubectl("create", "role", "reader", "-n", "shop", "--verb=get", "--resource=pods")
    realistic.kubectl("create", "rolebinding", "readers", "-n", "shop", "--role=reader", "--user=alice")
    realistic.kubectl("create", "deployment", "web", "-n", "shop", "--image=nginx:1.27", "--replicas=2")
    realistic.kubectl("expose", "deployment", "web", "-n", "shop", "--port=80")
    realistic.kubectl("create", "job", "once", "-n", "shop", "--image=busybox:1.36", "--", "echo", "done")
    realistic.kubectl("apply", "-f", "-", stdin=json.dumps(DEFINITION))
    realistic.kubectl("wait", "crd/trams.city.example.com", "--for=condition=Established")
    realistic.kubectl("apply", "-f", "-", stdin=json.dumps(TRAM))
    realistic.kubectl("rollout", "status", "deployment/web", "-n", "shop", "--timeout=60s")


def visit(page, realistic, path=""):
    page.goto(f"http://127.0.0.1:{realistic.http}/explore/share{path}")
    expect(page.get_by_role("heading", name="Share", exact=True)).to_be_visible(timeout=15_000)


def exported(page, target):
    with page.expect_download(timeout=60_000) as waiting:
        page.get_by_test_id("export").click()
    waiting.value.save_as(target)
    return target.read_text()


def names(text):
    return {(one["kind"], one["metadata"]["name"]) for one in yaml.safe_load_all(text) if one}


def test_a_cluster_goes_into_a_file_is_reset_and_comes_back(page, realistic, shop, shots, tmp_path):
    visit(page, realistic)
    page.get_by_label("with the latest journeys").check()
    text = exported(page, tmp_path / "cluster.yaml")
    found = names(text)
    assert {
        ("Namespace", "shop"),
        ("ConfigMap", "settings"),
        ("Role", "reader"),
        ("RoleBinding", "readers"),
        ("Deployment", "web"),
        ("Service", "web"),
        ("Job", "once"),
        ("CustomResourceDefinition", "trams.city.example.com"),
        ("Tram", "six"),
    } <= found
    assert not {kind for kind, _ in found} & {"Secret", "ReplicaSet", "Pod", "Endpoints", "Node", "Lesson"}
    assert "managedFields" not in text.replace('"managedFields"', "") and "\n  uid:" not in text
    assert "# journey {" in text
    settings = next(one for one in yaml.safe_load_all(text) if one and one["metadata"]["name"] == "settings")
    assert settings["data"]["colour"] == "amber\n---\nkind: Pod"

    page.get_by_test_id("count").click()
    expect(page.get_by_test_id("doomed")).to_contain_text("Deployment", timeout=30_000)
    expect(page.get_by_test_id("reset")).to_be_disabled()
    page.get_by_test_id("reset-word").fill("rese")
    expect(page.get_by_test_id("reset")).to_be_disabled()
    page.get_by_test_id("reset-word").fill("reset")
    page.get_by_test_id("doomed").scroll_into_view_if_needed()
    page.screenshot(path=shots / "share-reset.png")
    page.get_by_test_id("reset").click()
    expect(page.get_by_test_id("reset-status")).to_contain_text("as it was at its first start", timeout=60_000)
    assert "shop" not in realistic.kubectl("get", "namespaces")
    assert "trams" not in realistic.kubectl("get", "crd")
    assert realistic.kubectl("get", "nodes", "-o", "name").count("node/") == 3
    assert "cluster-admin" in realistic.kubectl("get", "clusterroles")

    page.get_by_test_id("archive").set_input_files(tmp_path / "cluster.yaml")
    expect(page.get_by_test_id("imported")).to_contain_text("0 refused", timeout=30_000)
    expect(page.get_by_test_id("results")).to_contain_text("after Namespace shop")
    expect(page.get_by_test_id("results")).to_contain_text("after its definition trams.city.example.com")
    assert "shop" not in realistic.kubectl("get", "namespaces"), "trying must not change anything"
    page.get_by_test_id("import").click()
    expect(page.get_by_test_id("imported")).to_contain_text("Applied:", timeout=60_000)
    expect(page.get_by_test_id("imported")).to_contain_text("0 refused")
    page.get_by_test_id("imported").scroll_into_view_if_needed()
    page.screenshot(path=shots / "share-import.png")
    realistic.kubectl("rollout", "status", "deployment/web", "-n", "shop", "--timeout=60s")
    assert realistic.kubectl("get", "trams", "-n", "shop", "six", "-o", "jsonpath={.line}") == "6"
    again = exported(page, tmp_path / "again.yaml")
    assert names(again) == found
    assert page.problems == []


def test_secrets_go_along_only_when_asked_for(page, realistic, shop, tmp_path):
    realistic.kubectl("create", "secret", "generic", "other", "-n", "shop", "--from-literal=word=c2hh")
    visit(page, realistic)
    page.get_by_test_id("some").check()
    page.get_by_test_id("namespaces").get_by_label("shop").check()
    assert ("Secret", "other") not in names(exported(page, tmp_path / "without.yaml"))
    page.get_by_test_id("secrets").check()
    expect(page.get_by_text("can read every Secret")).to_be_visible()
    found = names(exported(page, tmp_path / "with.yaml"))
    assert ("Secret", "other") in found
    assert ("Namespace", "shop") not in found, "only what is in the namespaces"


def test_who_may_read_little_exports_little_and_resets_nothing(sign_in, realistic, shop, shots, tmp_path):
    realistic.django(
        "from cluster.accounts.models import User; User.objects.create_user('rita', password='quiet-tram-stop')"
    )
    realistic.kubectl("create", "rolebinding", "rita", "-n", "shop", "--clusterrole=view", "--user=rita")
    page = sign_in("/explore/share?ns=shop", user="rita", password="quiet-tram-stop")
    expect(page.get_by_test_id("may-not-reset")).to_be_visible(timeout=15_000)
    expect(page.get_by_test_id("count")).to_have_count(0)
    page.get_by_test_id("secrets").check()
    found = names(exported(page, tmp_path / "rita.yaml"))
    assert ("Deployment", "web") in found
    assert not {kind for kind, _ in found} & {"Secret", "Role", "RoleBinding", "Namespace"}
    expect(page.get_by_test_id("export-refused")).to_contain_text("you may not read")
    (tmp_path / "more.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine, namespace: shop}\n---\nkind: [\n"
    )
    page.get_by_test_id("archive").set_input_files(tmp_path / "more.yaml")
    expect(page.get_by_test_id("imported")).to_contain_text("1 refused", timeout=15_000)
    expect(page.get_by_test_id("results")).to_contain_text("rita")
    expect(page.get_by_test_id("import")).to_be_disabled()
    expect(page.get_by_role("alert")).to_contain_text("Document 2")
    page.screenshot(path=shots / "share-forbidden.png")
    assert page.problems == []
    page.context.close()


def test_a_journey_becomes_a_picture_that_moves(browser, page, realistic, shop, shots, tmp_path):
    realistic.kubectl("scale", "deployment", "web", "-n", "shop", "--replicas=3")
    realistic.kubectl("rollout", "status", "deployment/web", "-n", "shop", "--timeout=60s")
    head = wait_for(lambda: journey_of(page, "scale"), "the journey is told")
    visit(page, realistic, f"/slide/{head}")
    expect(page.get_by_test_id("slide-preview")).to_be_visible(timeout=15_000)
    with page.expect_download() as waiting:
        page.get_by_test_id("slide").click()
    target = tmp_path / "journey.svg"
    waiting.value.save_as(target)
    text = target.read_text()
    assert "<script" not in text and "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    pictures = {}
    for scheme in ("light", "dark"):
        slide = browser.new_page(viewport={"width": 1120, "height": 680}, color_scheme=scheme)
        slide.goto(f"file://{target}")
        assert slide.evaluate("document.documentElement.tagName") == "svg"
        assert slide.evaluate("document.getAnimations().length") > 8
        for moment in (700, 3000):
            slide.evaluate("t => document.getAnimations().forEach(one => { one.pause(); one.currentTime = t })", moment)
            pictures[scheme, moment] = slide.screenshot(path=shots / f"slide-{scheme}-{moment}.png")
        slide.close()
    assert len(set(pictures.values())) == 4
    still = browser.new_page(viewport={"width": 1120, "height": 680}, reduced_motion="reduce")
    still.goto(f"file://{target}")
    assert still.evaluate("document.getAnimations().length") == 0
    still.close()
    assert page.problems == []


FILM = """async film => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [film.videoWidth / 4, film.videoHeight / 4];
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const found = [];
    for (const share of [0.1, 0.5, 0.9]) {
        await new Promise(done => { film.onseeked = done; film.currentTime = film.duration * share; });
        context.drawImage(film, 0, 0, canvas.width, canvas.height);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        // Amber is the write line: the picture is the map, and no two of the three are alike.
        let [amber, sum] = [0, 0];
        for (let i = 0; i < data.length; i += 4) {
            if (data[i] > 190 && data[i + 1] > 110 && data[i + 1] < 200 && data[i + 2] < 90) amber += 1;
            sum = (sum * 31 + data[i] + data[i + 1] + data[i + 2]) % 1e9;
        }
        found.push({ amber, sum });
    }
    return { seconds: film.duration, width: film.videoWidth, found };
}"""


def test_a_journey_becomes_a_film(page, realistic, shop, shots, tmp_path):
    realistic.kubectl("scale", "deployment", "web", "-n", "shop", "--replicas=4")
    realistic.kubectl("rollout", "status", "deployment/web", "-n", "shop", "--timeout=60s")
    head = wait_for(lambda: journey_of(page, "scale"), "the journey is told")
    visit(page, realistic, f"/slide/{head}")
    expect(page.get_by_test_id("slide-preview")).to_be_visible(timeout=15_000)
    # Called off, nothing is saved, and it can begin again.
    page.get_by_test_id("film").click()
    expect(page.get_by_role("progressbar", name="recording")).to_be_visible()
    page.get_by_test_id("film-stop").click()
    expect(page.get_by_test_id("film")).to_be_enabled(timeout=15_000)
    expect(page.get_by_role("alert")).to_have_count(0)
    with page.expect_download(timeout=120_000) as waiting:
        page.get_by_test_id("film").click()
    target = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(target)
    assert target.suffix == ".webm"
    assert target.read_bytes()[:4] == b"\x1a\x45\xdf\xa3"
    expect(page.get_by_test_id("film-saved")).to_contain_text(target.name)
    film = page.get_by_test_id("film-preview")
    wait_for(lambda: film.evaluate("film => film.readyState > 1"), "the film can be shown")
    told = film.evaluate(FILM)
    assert told["width"] == 1440
    assert 1 < told["seconds"] < 120
    assert all(one["amber"] > 200 for one in told["found"]), told
    assert len({one["sum"] for one in told["found"]}) == 3, told
    page.screenshot(path=shots / "film.png")
    assert page.problems == []


def test_a_browser_that_cannot_record_says_so(sign_in, shop):
    page = sign_in("/?ns=shop")
    page.add_init_script("delete window.MediaRecorder")
    page.goto(page.url.split("/?")[0] + "/explore/share/slide?ns=shop")
    expect(page.get_by_test_id("film-unable")).to_contain_text("cannot record", timeout=15_000)
    expect(page.get_by_test_id("film")).to_be_disabled()
    expect(page.get_by_test_id("slide")).to_be_enabled()
    page.context.close()


def journey_of(page, subresource):
    answer = page.request.get("/".join(page.url.split("/")[:3]) + "/explorer/journeys/?limit=50").json()
    found = [
        one for one in answer["journeys"] if one["subresource"] == subresource and one["verb"] in ("patch", "update")
    ]
    return found[0]["root"] if found else None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_everybody_can_use_it(sign_in, realistic, shop, shots, axe, scheme, width, height):
    page = sign_in("/explore/share", width=width, height=height, scheme=scheme)
    expect(page.get_by_test_id("slide-preview")).to_be_visible(timeout=15_000)
    expect(page.get_by_test_id("count")).to_be_visible()
    page.screenshot(path=shots / f"share-{width}-{scheme}.png")
    assert page.evaluate("document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth")
    assert axe(page, "main") == []
    assert page.problems == []
    page.context.close()


def test_on_the_wall_it_shows_follows_and_goes_on(sign_in, realistic, shop, shots):
    wall = sign_in("/?kiosk=pipeline,nodes,metrics&every=5", width=2560, height=1440)
    expect(wall.get_by_test_id("kiosk")).to_contain_text("Map")
    expect(wall.get_by_test_id("editor")).to_have_count(0)
    expect(wall.get_by_test_id("palette")).to_have_count(0)
    realistic.kubectl("create", "configmap", "seen", "-n", "shop")
    expect(wall.get_by_test_id("kiosk")).to_contain_text("Cluster", timeout=15_000)
    expect(wall.get_by_role("group", name="faults")).to_have_count(0)
    expect(wall.get_by_test_id("kiosk")).to_contain_text("Metrics", timeout=15_000)
    expect(wall.get_by_test_id("kiosk")).to_contain_text("What happens to a request", timeout=15_000)
    assert "kiosk=pipeline" in wall.url and "every=5" in wall.url
    assert wall.problems == []
    wall.context.close()

    wall = sign_in("/?kiosk=1", width=2560, height=1440, scheme="dark")
    # What begins before the stream is there is history, and does not travel.
    expect(wall.get_by_test_id("live")).to_contain_text(re.compile("live rev [1-9]"), timeout=15_000)
    realistic.kubectl("create", "deployment", "parade", "-n", "shop", "--image=nginx:1.27", "--replicas=4")
    expect(wall.get_by_test_id("panel")).to_contain_text("parade", timeout=15_000)
    wall.screenshot(path=shots / "kiosk-2560-dark.png")
    # What changes something does not leave the page, whatever is pressed.
    sent = []
    wall.on(
        "request",
        lambda one: (
            one.method != "GET" and "/authorization.k8s.io/" not in one.url and sent.append((one.method, one.url))
        ),
    )
    wall.evaluate("document.querySelectorAll('main button, aside button').forEach(one => one.click())")
    wall.keyboard.press("Control+k")
    expect(wall.get_by_test_id("palette-input")).to_have_count(0)
    expect(wall.get_by_test_id("apply")).to_have_count(0)
    wall.goto(wall.url.replace("/?kiosk", "/explore/terminal?kiosk"))
    expect(wall.get_by_test_id("station-authn")).to_be_visible(timeout=15_000)
    assert sent == []
    wall.get_by_role("link", name="leave").click()
    expect(wall.get_by_test_id("palette")).to_be_visible()
    wall.context.close()


def test_what_pages_look_up_does_not_hide_what_people_did(page, realistic, shop):
    realistic.kubectl("create", "configmap", "looked-past", "-n", "shop")
    visit(page, realistic)
    for _ in range(110):
        assert page.request.get(f"http://127.0.0.1:{realistic.http}/api/v1/namespaces?limit=1").ok
    latest = page.request.get(f"http://127.0.0.1:{realistic.http}/explorer/journeys/?limit=100").json()["journeys"]
    assert "looked-past" not in {one["name"] for one in latest}
    page.reload()
    expect(page.locator("select option", has_text="looked-past")).to_have_count(1)
