"""Lists: revisions, pages that show one moment, and tokens that expire."""

from __future__ import annotations

import random

import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.storage import listing
from cluster.apiserver.storage.listing import ListOptions, list_page
from cluster.apiserver.storage.selection import Selection

pytestmark = pytest.mark.asyncio


def names(page):
    return [entry.key[1] for entry in page.entries]


@pytest.mark.parametrize("source", ["cache", "etcd"])
async def test_pages_show_the_moment_of_the_first(storage, put, source):
    for name in "abcde":
        await put(f"ns/{name}")
    first = await list_page(storage, "pods", Selection("ns"), ListOptions(limit=2))
    assert (names(first), first.remaining, first.revision) == (["a", "b"], 3, 5)
    await put("ns/c", delete=True)
    await put("ns/bb")
    if source == "etcd":
        storage.cache("pods").stream.forget(storage.revision)
    second = await list_page(storage, "pods", Selection("ns"), ListOptions(limit=2, token=first.token))
    assert (names(second), second.revision, second.source) == (["c", "d"], 5, source)
    last = await list_page(storage, "pods", Selection("ns"), ListOptions(limit=2, token=second.token))
    assert (names(last), last.token) == (["e"], "")


SELECTIONS = [
    ("",),
    ("a",),
    ("", "app=web"),
    ("b", "app=web"),
    ("", "", "spec.nodeName=n1"),
    ("a", "app=db", "spec.nodeName=n1"),
    ("", "", "spec.nodeName="),
    ("", "", "spec.nodeName!=n1"),
    ("a", "", "metadata.name=p3"),
    ("", "", "metadata.name=p3"),
]


@pytest.mark.parametrize("seed", range(4))
async def test_the_cache_tells_of_the_past_what_the_log_tells(storage, put, seed):
    chance = random.Random(seed)
    for _ in range(120):
        key = f"{chance.choice('ab')}/p{chance.randrange(6)}"
        if storage.entry("pods", tuple(key.split("/"))) and chance.random() < 0.3:
            await put(key, delete=True)
        else:
            await put(key, labels={"app": chance.choice(["web", "db"])}, node=chance.choice(["", "n1", "n2"]))
        if chance.random() < 0.3:
            await storage.write("nodes", ("", f"n{storage.revision}"), {"metadata": {"name": "n"}}, "create", 0, "j")

    async def pages(selection, at, limit):
        found = []
        options = ListOptions(str(at), "Exact", limit)
        while True:
            page = await list_page(storage, "pods", Selection(*selection), options)
            found.append(([(one.key, one.revision) for one in page.entries], page.revision, page.remaining))
            if not page.token:
                return page.source, found
            options = ListOptions(limit=limit, token=page.token)

    asked = [(one, chance.randrange(1, storage.revision), limit) for one in SELECTIONS for limit in (0, 1, 2, 500)]
    fast = [await pages(*one) for one in asked]
    storage.cache("pods").stream.forget(storage.revision)
    slow = [await pages(*one) for one in asked]
    assert [found for _, found in fast] == [found for _, found in slow]
    assert {source for source, _ in fast} == {"cache"} and {source for source, _ in slow} == {"etcd"}
    assert any(len(found) > 2 for _, found in fast)


async def test_a_node_lists_its_own_pods_without_looking_at_others(storage, put):
    await put("a/one", node="n1")
    await put("a/two", node="n2")
    await put("a/late")
    await put("a/late", node="n1")
    await put("a/gone", node="n1")
    await put("a/gone", delete=True)
    cache = storage.cache("pods")
    assert sorted(cache.of_trigger("n1")) == [("a", "late"), ("a", "one")]
    assert sorted(cache.of_trigger("")) == []
    await put("a/two", delete=True)
    assert "n2" not in cache._by_trigger


async def test_pages_with_a_selector_have_no_count(storage, put):
    for name in "abcd":
        await put(f"ns/{name}", labels={"app": "web" if name in "abd" else "db"})
    first = await list_page(storage, "pods", Selection("", "app=web"), ListOptions(limit=2))
    assert (names(first), first.remaining) == (["a", "b"], None)
    rest = await list_page(storage, "pods", Selection("", "app=web"), ListOptions(limit=2, token=first.token))
    assert names(rest) == ["d"]


async def test_an_exact_revision_shows_the_past(storage, put):
    await put("ns/a")
    await put("ns/b")
    await put("ns/a", delete=True)
    page = await list_page(storage, "pods", Selection(), ListOptions("2", "Exact"))
    assert (names(page), page.revision) == (["a", "b"], 2)


async def test_a_compacted_token_says_how_to_go_on(storage, put):
    for name in "abcd":
        await put(f"ns/{name}")
    first = await list_page(storage, "pods", Selection(), ListOptions(limit=2))
    await put("ns/e")
    await put("ns/f")
    await storage.log.compact(6)
    with pytest.raises(StatusError) as failure:
        await list_page(storage, "pods", Selection(), ListOptions(limit=2, token=first.token))
    assert failure.value.code == 410
    token = failure.value.status["metadata"]["continue"]
    rest = await list_page(storage, "pods", Selection(), ListOptions(token=token))
    assert names(rest) == ["c", "d", "e", "f"]


async def test_a_future_revision_times_out(storage, put, monkeypatch):
    monkeypatch.setattr(listing, "PATIENCE", 0.01)
    await put("ns/a")
    with pytest.raises(StatusError) as failure:
        await list_page(storage, "pods", Selection(), ListOptions("99"))
    assert failure.value.code == 504
    assert failure.value.message == "Too large resource version: 99, current: 1"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (ListOptions("x"), 400),
        (ListOptions(match="Exact"), 422),
        (ListOptions("0", "Exact"), 422),
        (ListOptions("1", "Nonsense"), 422),
        (ListOptions(token="garbage"), 400),
        (ListOptions("5", token="e30"), 400),
    ],
)
async def test_bad_options(storage, options, code):
    with pytest.raises(StatusError) as failure:
        await list_page(storage, "pods", Selection(), options)
    assert failure.value.code == code
