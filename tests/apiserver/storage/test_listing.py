"""Lists: revisions, pages that show one moment, and tokens that expire."""

from __future__ import annotations

import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.storage import listing
from cluster.apiserver.storage.listing import ListOptions, list_page
from cluster.apiserver.storage.selection import Selection

pytestmark = pytest.mark.asyncio


def names(page):
    return [entry.key[1] for entry in page.entries]


async def test_pages_show_the_moment_of_the_first(storage, put):
    for name in "abcde":
        await put(f"ns/{name}")
    first = await list_page(storage, "pods", Selection("ns"), ListOptions(limit=2))
    assert (names(first), first.remaining, first.revision) == (["a", "b"], 3, 5)
    await put("ns/c", delete=True)
    await put("ns/bb")
    second = await list_page(storage, "pods", Selection("ns"), ListOptions(limit=2, token=first.token))
    assert (names(second), second.revision, second.source) == (["c", "d"], 5, "etcd")
    last = await list_page(storage, "pods", Selection("ns"), ListOptions(limit=2, token=second.token))
    assert (names(last), last.token) == (["e"], "")


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
