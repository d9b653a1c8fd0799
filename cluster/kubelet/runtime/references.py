"""Image references: parsing and normalising as containerd does (distribution/reference)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)


class InvalidReference(ValueError):
    """Not a reference; the message is the parser's."""


@dataclass(frozen=True, slots=True)
class Reference:
    """`docker.io` / `library/nginx` : `1.27` @ `sha256:…`."""

    domain: str
    path: str
    tag: str
    digest: str

    @property
    def repository(self) -> str:
        return f"{self.domain}/{self.path}"

    @property
    def familiar(self) -> str:
        """The name people type: `nginx`, `grafana/grafana`, `registry.k8s.io/pause`."""
        if self.domain != "docker.io":
            return self.repository
        return self.path.removeprefix("library/")

    def __str__(self) -> str:
        text = f"{self.repository}:{self.tag}" if self.tag else self.repository
        return f"{text}@{self.digest}" if self.digest else text


@lru_cache(maxsize=4096)
def parse(image: str) -> Reference:
    """The normalised reference; a missing tag is `latest` unless there is a digest."""
    match = _REFERENCE.fullmatch(image)
    if not match:
        lowered = _REFERENCE.fullmatch(image.lower())
        if lowered and image != image.lower():
            raise InvalidReference("repository name must be lowercase")
        raise InvalidReference("invalid reference format")
    name, tag, digest = match.group("name"), match.group("tag") or "", match.group("digest") or ""
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        domain, path = first, rest
    else:
        domain, path = "docker.io", name
    if domain == "index.docker.io":
        domain = "docker.io"
    if path != path.lower():
        raise InvalidReference("repository name must be lowercase")
    if domain == "docker.io" and "/" not in path:
        path = f"library/{path}"
    if not tag and not digest:
        tag = "latest"
    return Reference(domain, path, tag, digest)
