"""The files of one file system: a container's own, a volume, a machine's disk. Contents, and what stands beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Links that are followed to find one file.
MAX_HOPS = 100


@dataclass(frozen=True, slots=True)
class Attributes:
    """Permission bits (with setuid, setgid and sticky) and the owner."""

    mode: int
    uid: int = 0
    gid: int = 0


class Tree(dict[str, bytes]):
    """File name below the root → content; the root itself is "". Directories are what names imply, and those that were made.

    `medium` is what the file system is kept on: tmpfs, or a disk.
    """

    __slots__ = ("attributes", "directories", "links", "medium")

    def __init__(
        self, files: Mapping[str, bytes] | None = None, *, mode: int = 0o755, gid: int = 0, medium: str = ""
    ) -> None:
        super().__init__(files or {})
        self.attributes: dict[str, Attributes] = {"": Attributes(mode, 0, gid)}
        self.directories: set[str] = set()
        # Symbolic links: name → target.
        self.links: dict[str, str] = {}
        self.medium = medium

    def attributes_of(self, name: str) -> Attributes:
        """What was set, or what root's umask leaves: 0644 for files, 0755 for directories, 0777 for links."""
        found = self.attributes.get(name)
        if found is not None:
            return found
        root = self.attributes[""]
        mode = 0o644 if name in self else 0o777 if name in self.links else 0o755
        return Attributes(mode, 0, root.gid if root.mode & 0o2000 else 0)

    def names(self) -> Iterable[str]:
        """Everything that was made in it."""
        yield from self
        yield from self.directories
        yield from self.links

    def has(self, name: str) -> bool:
        """Whether there is a file, a link or a directory of this name."""
        if name in self or name in self.links or name in self.directories:
            return True
        return any(one.startswith(name + "/") for one in self.names())

    def forget(self, name: str) -> None:
        """Remove one entry."""
        self.pop(name, None)
        self.links.pop(name, None)
        self.directories.discard(name)
        if name:
            self.attributes.pop(name, None)

    def same_as(self, other: Tree) -> bool:
        """Whether somebody who looks sees the same."""
        return (
            self == other
            and self.attributes == other.attributes
            and self.links == other.links
            and self.directories == other.directories
        )

    def replace(self, other: Tree) -> None:
        """Become another tree, in place: whoever mounts this one sees it."""
        if other is self:
            return
        self.clear()
        self.update(other)
        self.attributes = dict(other.attributes)
        self.directories, self.links = set(other.directories), dict(other.links)

    def resolved(self, name: str) -> str:
        """A name with the links of this tree followed, as far as they stay in it."""
        done: list[str] = []
        parts, hops = name.split("/"), 0
        while parts:
            part = parts.pop(0)
            if part in ("", "."):
                continue
            if part == "..":
                done = done[:-1]
                continue
            target = self.links.get("/".join((*done, part)))
            hops += 1
            if target is None or target.startswith("/") or hops > MAX_HOPS:
                done.append(part)
            else:
                parts = target.split("/") + parts
        return "/".join(done)

    def snapshot(self, name: str) -> Tree:
        """What lies under a name as it is now (its links followed), under the same name in a tree of its own."""
        real = self.resolved(name)
        tree = Tree(medium=self.medium)
        tree.attributes[""] = self.attributes[""]
        for one in (*self.names(), *self.attributes):
            if one == real or one.startswith(real + "/"):
                place = name + one[len(real) :]
                if one in self:
                    tree[place] = self[one]
                if one in self.links:
                    tree.links[place] = self.links[one]
                if one in self.directories:
                    tree.directories.add(place)
                if one in self.attributes:
                    tree.attributes[place] = self.attributes[one]
        return tree
