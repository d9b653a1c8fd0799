"""What the page's own endpoints say to strangers, to people without rights and to people with rights in one namespace.

The tables are checked against the URLs that are served: a new endpoint is not forgotten, because a test fails until it stands here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from cluster.explorer.urls import urlpatterns
from tests.support.person import Person
from tests.support.server import wait_for

SECRET = "a-long-enough-one"
# Nobody but the admin may read of this.
MARK = "hush-hush"
METHODS = ("get", "post", "put", "patch", "delete")

# (URL name, method) → path, body, and the codes for a stranger, for nemo (no rights) and for bob (all rights in namespace team).
# {root}, {event}, {manifest}, {share}: the admin's journey, audit event, kept manifest and link to it.
TABLE: dict[tuple[str, str], tuple[str, Any, int, int, int]] = {
    ("page", "GET"): ("/", None, 302, 200, 200),
    ("explore", "GET"): ("/explore/nodes", None, 302, 200, 200),
    ("pipeline", "GET"): ("/explorer/pipeline/", None, 403, 200, 200),
    ("journeys", "GET"): ("/explorer/journeys/?limit=500", None, 403, 200, 200),
    ("journey", "GET"): ("/explorer/journeys/{root}/", None, 403, 404, 404),
    ("timeline", "GET"): ("/explorer/timeline/", None, 403, 200, 200),
    ("past", "GET"): ("/explorer/past/?at={revision}", None, 403, 200, 200),
    ("changes", "GET"): ("/explorer/changes/?from={before}&to={revision}", None, 403, 200, 200),
    ("termination", "GET"): (f"/explorer/termination/?namespace=hidden&name={MARK}", None, 403, 403, 403),
    ("why", "GET"): (f"/explorer/why/?resource=v1/configmaps&namespace=hidden&name={MARK}", None, 403, 403, 403),
    ("sandbox", "GET"): ("/explorer/sandbox/", None, 403, 200, 200),
    ("sandbox", "POST"): ("/explorer/sandbox/", {}, 403, 201, 201),
    ("audit", "GET"): ("/explorer/audit/?limit=500", None, 403, 200, 200),
    ("audit-event", "GET"): ("/explorer/audit/{event}/", None, 403, 404, 404),
    ("lessons", "GET"): ("/explorer/lessons/", None, 403, 200, 200),
    ("lesson", "POST"): ("/explorer/lessons/declare-and-heal/", {"step": 0, "namespace": "hidden"}, 403, 200, 200),
    ("lesson", "DELETE"): ("/explorer/lessons/declare-and-heal/", None, 403, 204, 204),
    ("rates", "GET"): ("/explorer/rates/", None, 403, 200, 200),
    ("examples", "GET"): ("/explorer/examples/", None, 403, 200, 200),
    ("manifests", "GET"): ("/explorer/manifests/", None, 403, 200, 200),
    ("manifests", "POST"): ("/explorer/manifests/", {"name": "mine", "text": ""}, 403, 201, 201),
    ("manifest", "GET"): ("/explorer/manifests/{manifest}/", None, 403, 404, 404),
    ("manifest", "PATCH"): ("/explorer/manifests/{manifest}/", {"name": "stolen"}, 403, 404, 404),
    ("manifest", "DELETE"): ("/explorer/manifests/{manifest}/", None, 403, 404, 404),
    ("manifest-share", "POST"): ("/explorer/manifests/{manifest}/share/", {}, 403, 404, 404),
    ("manifest-share", "DELETE"): ("/explorer/manifests/{manifest}/share/", None, 403, 404, 404),
    # A link is for everybody who is signed in and has it.
    ("shared-manifest", "GET"): ("/explorer/shared/{share}/", None, 403, 200, 200),
}


@pytest.fixture(scope="module")
def people(cluster) -> dict[str, Person]:
    cluster.django(
        "from cluster.accounts.models import User\n"
        f"for name in ('nemo', 'bob'): User.objects.create_user(name, password='{SECRET}')"
    )
    for namespace in ("hidden", "team"):
        cluster.kubectl("create", "namespace", namespace)
    cluster.kubectl("-n", "team", "create", "role", "all", "--verb=*", "--resource=*.*")
    cluster.kubectl("-n", "team", "create", "rolebinding", "all", "--role=all", "--user=bob")
    return {
        "a stranger": Person(cluster),
        "nemo": Person(cluster, "nemo", SECRET).sign_in(),
        "bob": Person(cluster, "bob", SECRET).sign_in(),
    }


@pytest.fixture(scope="module")
def world(cluster, people) -> dict[str, Any]:
    """What the admin has and did where nobody else may look."""
    admin = Person(cluster).sign_in()
    before = admin.ask("GET", "/explorer/timeline/")[1]["newest"]
    pod = {"metadata": {"name": MARK}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    assert admin.ask("POST", "/api/v1/namespaces/hidden/pods", pod)[0] == 201
    assert admin.ask("POST", "/api/v1/namespaces/hidden/configmaps", {"metadata": {"name": MARK}})[0] == 201
    assert admin.ask("DELETE", f"/api/v1/namespaces/hidden/pods/{MARK}?gracePeriodSeconds=0")[0] == 200
    kept = admin.ask("POST", "/explorer/manifests/", {"name": MARK, "text": "a: b"})[1]
    share = admin.ask("POST", f"/explorer/manifests/{kept['id']}/share/")[1]["share"]

    def journey() -> str:
        found = admin.ask("GET", "/explorer/journeys/?limit=500")[1]["journeys"]
        return next((str(one["id"]) for one in found if one["name"] == MARK), "")

    def event() -> int:
        found = admin.ask("GET", f"/explorer/audit/?name={MARK}")[1]["events"]
        return next((int(one["id"]) for one in found), 0)

    known = {
        "root": wait_for(journey, "the admin's journey"),
        "event": wait_for(event, "the admin's audit event"),
        "manifest": kept["id"],
        "share": share,
        "before": before,
        "revision": admin.ask("GET", "/explorer/timeline/")[1]["newest"],
    }
    # The admin sees all of it: what is refused below is refused for want of rights.
    for key, (path, _, *_) in TABLE.items():
        if key[1] == "GET":
            assert admin.ask("GET", path.format(**known))[0] == 200, key
    return known


def served() -> set[tuple[str, str]]:
    found = set()
    for pattern in urlpatterns:
        view = getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", None)
        methods = [method for method in METHODS if hasattr(view, method)] if view is not None else ["get"]
        found |= {(str(pattern.name), method.upper()) for method in methods}
    return found


def test_the_table_knows_every_endpoint_of_the_explorer():
    assert served() == set(TABLE)


@pytest.mark.parametrize("who", ["a stranger", "nemo", "bob"])
@pytest.mark.parametrize("key", TABLE, ids=lambda key: f"{key[1]} {key[0]}")
def test_each_says_what_this_person_may_know(cluster, people, world, key, who):
    path, body, *codes = TABLE[key]
    if key == ("sandbox", "POST"):
        # Who has one is given that one.
        cluster.kubectl("delete", "sandboxes", "--all")
    status, answer = people[who].ask(key[1], path.format(**world), body)
    assert status == codes[list(people).index(who)], answer
    told = answer if isinstance(answer, str) else json.dumps(answer)
    if key[0] == "audit" and status == 200:
        # That one asked for something oneself may be read: by oneself.
        assert {one["user"] for one in answer["events"]} <= {who}
    elif key[0] != "shared-manifest":
        # A refusal repeats the name that was asked for, and nothing else.
        told = told.replace(f'"{MARK}"', "").replace(f'\\"{MARK}\\"', "") if status in (403, 404) else told
        assert MARK not in told


def test_with_rights_in_a_namespace_one_sees_that_one(people, cluster):
    bob, nemo = people["bob"], people["nemo"]
    pod = {"metadata": {"name": "ours"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    assert bob.ask("POST", "/api/v1/namespaces/team/pods", pod)[0] == 201
    why = "/explorer/why/?resource=v1/pods&namespace=team&name=ours"
    wait_for(lambda: bob.ask("GET", why)[0] == 200, "why it is there")
    assert nemo.ask("GET", why)[0] == 403
    now = bob.ask("GET", "/explorer/timeline/")[1]["newest"]
    for person, names in ((bob, {"ours"}), (nemo, set())):
        past = person.ask("GET", f"/explorer/past/?at={now}&resources=v1/pods")[1]["resources"].get("v1/pods", [])
        assert {one["name"] for one in past} == names
    assert bob.ask("DELETE", "/api/v1/namespaces/team/pods/ours?gracePeriodSeconds=0")[0] == 200
    end = "/explorer/termination/?namespace=team&name=ours"
    wait_for(lambda: bob.ask("GET", end)[0] == 200, "how it ended")
    assert nemo.ask("GET", end)[0] == 403
    mine = bob.ask("GET", "/explorer/journeys/?limit=500")[1]["journeys"]
    assert {one["actor"] for one in mine} == {"bob"}
    assert nemo.ask("GET", f"/explorer/journeys/{mine[0]['id']}/")[0] == 404


# What somebody who is not signed in may reach of all that Django serves: to sign in, and to be told that they are nobody.
OPEN = {"login/": 200, "accounts/me/": 401}
SAMPLES = {"str": "x", "int": "1", "slug": "roles", "path": "1", "": "1"}


def every_url() -> Iterator[str]:
    """Every URL that Django serves, its parameters filled in."""

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[str]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, before + str(pattern.pattern))
            else:
                yield before + str(pattern.pattern)

    for route in walk(get_resolver("kubeweb.urls").url_patterns, ""):
        url = re.sub(
            r"<(?:(\w+):)?\w+>", lambda found: SAMPLES[found[1] or ""], re.sub(r"\(\?P<\w+>[^)]*\)", "x", route)
        )
        yield re.sub(r"\(\?:[^)]*\)\?|[\^$]", "", url)


def test_a_stranger_reaches_nothing_but_the_way_in(people):
    stranger = people["a stranger"]
    seen = []
    for url in every_url():
        status, answer = stranger.ask("GET", f"/{url}")
        seen.append(url)
        if url in OPEN:
            assert status == OPEN[url], url
        else:
            # To the sign-in page, refused, or not for GET at all.
            assert status in (302, 403, 404, 405), (url, status)
        assert MARK not in json.dumps(answer)
    assert len(seen) > 60
    assert set(seen) >= OPEN.keys()
