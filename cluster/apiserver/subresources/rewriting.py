"""Links of pages that come through the proxy: they lead back through it (apimachinery/pkg/util/proxy.Transport).

Absolute paths and URLs of the server's own host get the proxy's path in front; relative ones and those of other hosts stay.
"""

from __future__ import annotations

import html
import posixpath
import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

# Tag → its attributes that are links.
_LINKS: dict[str, tuple[str, ...]] = {
    "a": ("href",),
    "applet": ("codebase",),
    "area": ("href",),
    "audio": ("src",),
    "base": ("href",),
    "blockquote": ("cite",),
    "body": ("background",),
    "button": ("formaction",),
    "del": ("cite",),
    "embed": ("src",),
    "form": ("action",),
    "frame": ("longdesc", "src"),
    "head": ("profile",),
    "html": ("manifest",),
    "iframe": ("longdesc", "src"),
    "img": ("longdesc", "src", "usemap"),
    "input": ("src", "usemap", "formaction"),
    "ins": ("cite",),
    "link": ("href",),
    "object": ("classid", "codebase", "data", "usemap"),
    "q": ("cite",),
    "script": ("src",),
    "source": ("src",),
    "video": ("poster", "src"),
}
_TAG = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
# A name begins where one may begin and gives nothing back: pages are written by whoever runs a pod, and are read in one go.
_ATTRIBUTE = re.compile(r"(?<![^\s=/\"'>])([^\s=/\"'>]++)(\s*+=\s*+)(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)")


@dataclass(frozen=True, slots=True)
class Rewriter:
    """`prefix`: the proxy's own path; `host`: the server behind it; `asked`: the host that the client asked."""

    prefix: str
    host: str
    asked: str

    def link(self, text: str) -> str:
        """One link as the client has to follow it."""
        try:
            parts = urlsplit(text)
        except ValueError:
            return text
        if (parts.netloc and parts.netloc not in (self.host, self.asked)) or not parts.path.startswith("/"):
            return text
        same_host = bool(parts.netloc) and parts.netloc == self.asked
        scheme, netloc = (parts.scheme, parts.netloc) if same_host else ("", "")
        path = parts.path
        if not path.startswith(self.prefix):
            path = posixpath.normpath(f"{self.prefix}/{path}") + ("/" if path.endswith("/") else "")
        return urlunsplit((scheme, netloc, path, parts.query, parts.fragment))

    def page(self, text: str) -> str:
        """A page with all its links."""
        return _TAG.sub(self._tag, text)

    def _tag(self, match: re.Match[str]) -> str:
        links = _LINKS.get(match[1].lower())
        if links is None:
            return match[0]

        def attribute(found: re.Match[str]) -> str:
            if found[1].lower() not in links:
                return found[0]
            quoted = found[3][0] in "\"'"
            value = html.unescape(found[3][1:-1] if quoted else found[3])
            return f'{found[1]}{found[2]}"{html.escape(self.link(value))}"'

        return f"<{match[1]}{_ATTRIBUTE.sub(attribute, match[2])}>"
