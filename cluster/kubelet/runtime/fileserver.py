"""Files over HTTP, as Go's http.FileServer serves them: agnhost's `test-webserver`, and a kubelet's /logs/."""

from __future__ import annotations

import html
import mimetypes
import os
import posixpath
from urllib.parse import quote

from cluster.kubelet.runtime.cri import HTTPResult
from cluster.kubelet.runtime.servers import text_answer
from cluster.kubelet.runtime.shell.files import Files


def serve(files: Files, asked: str) -> HTTPResult:
    """A file; of a directory its index.html, or what is in it. Names that ought to end in a slash, or not to, are redirected."""
    path = posixpath.normpath(asked).replace("//", "/")
    if asked.endswith("/index.html"):
        return HTTPResult(301, headers={"Location": "./"})
    if files.is_directory(path):
        if not asked.endswith("/"):
            return HTTPResult(301, headers={"Location": f"{quote(os.fsencode(posixpath.basename(path)))}/"})
        index = files.get(f"{path.rstrip('/')}/index.html")
        return _listing(files, path) if index is None else text_answer(index.decode("utf-8", "replace"))
    content = files.get(path)
    if content is None:
        return text_answer("404 page not found\n", 404)
    if asked.endswith("/"):
        return HTTPResult(301, headers={"Location": f"../{quote(os.fsencode(posixpath.basename(path)))}"})
    answer = text_answer(content.decode("utf-8", "replace"))
    kind = mimetypes.guess_type(path)[0]
    return HTTPResult(200, answer.body, headers={"Content-Type": kind} if kind else answer.headers)


def _shown(name: str) -> str:
    """A name in a page, which is UTF-8 whatever the name is."""
    return os.fsencode(name).decode("utf-8", "replace")


def _listing(files: Files, path: str) -> HTTPResult:
    names = [name + ("/" if files.is_directory(f"{path.rstrip('/')}/{name}") else "") for name in files.entries(path)]
    lines = "".join(f'<a href="{quote(os.fsencode(name))}">{html.escape(_shown(name))}</a>\n' for name in names)
    return HTTPResult(200, f"<pre>\n{lines}</pre>\n", headers={"Content-Type": "text/html; charset=utf-8"})
