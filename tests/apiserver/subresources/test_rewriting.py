"""Links of pages that come through the proxy."""

from __future__ import annotations

import pytest

from cluster.apiserver.subresources.rewriting import Rewriter

PREFIX = "/api/v1/namespaces/a/pods/http:web:80/proxy"
REWRITER = Rewriter(PREFIX, "10.244.1.2:80", "127.0.0.1:8443")


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/rewriteme", f"{PREFIX}/rewriteme"),
        ("/docs/?q=1#top", f"{PREFIX}/docs/?q=1#top"),
        ("/", f"{PREFIX}/"),
        ("relative/page", "relative/page"),
        ("#top", "#top"),
        ("https://example.com/x", "https://example.com/x"),
        ("http://10.244.1.2:80/x", f"{PREFIX}/x"),
        (f"{PREFIX}/x", f"{PREFIX}/x"),
        ("http://[broken", "http://[broken"),
    ],
)
def test_links(link: str, expected: str) -> None:
    assert REWRITER.link(link) == expected


def test_a_page() -> None:
    page = '<a class=x href=\'/a?b=1&amp;c=2\'>/a</a><img src=/i.png alt="/alt"><p title=/t>a < b > c</p><A HREF="/u">'
    assert REWRITER.page(page) == (
        f'<a class=x href="{PREFIX}/a?b=1&amp;c=2">/a</a><img src="{PREFIX}/i.png" alt="/alt">'
        f'<p title=/t>a < b > c</p><A HREF="{PREFIX}/u">'
    )


def test_a_page_of_one_long_word_is_read_in_one_go() -> None:
    """Whoever runs a pod writes its pages: with a pattern that tries each beginning again this would take hours."""
    word = "x" * 1_000_000
    assert REWRITER.page(f"<a {word}>") == f"<a {word}>"
    assert REWRITER.page(f'<a {word} href="/y">') == f'<a {word} href="{PREFIX}/y">'
