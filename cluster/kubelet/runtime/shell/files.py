"""The files that a container sees: its own, and those of the volumes that are mounted into it, as its user may use them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cluster.kubelet.runtime.tree import Attributes, Tree

# Bytes that the files of one container, or one volume, may come to.
MAX_BYTES = 16 * 1024 * 1024
MAX_LINKS = 20
# How often links may lead a walk to where it has been already.
MAX_AGAIN = 1000
STANDARD = (
    *("bin", "dev", "dev/shm", "etc", "home", "mnt", "opt", "proc", "root", "run", "sbin", "srv", "sys", "tmp"),
    *("usr", "usr/bin", "usr/local", "usr/local/bin", "usr/sbin", "usr/share", "var", "var/lib", "var/log", "var/run"),
    *("var/tmp", "var/cache"),
)
STICKY = ("tmp", "var/tmp", "dev/shm")
READ, WRITE, SEARCH = 4, 2, 1
DEVICES = ("/dev/null", "/dev/zero")


class FileTrouble(Exception):
    """Why a file could not be read or written, in the words of the C library."""


@dataclass(frozen=True, slots=True)
class Mounted:
    """A tree, or what lies under `sub` in it, at a path."""

    point: str
    tree: Tree
    sub: str
    read_only: bool


def root_of(files: Mapping[str, bytes]) -> Tree:
    """A root file system with these files, by path, beside what every one has."""
    tree = Tree({name.lstrip("/"): content for name, content in files.items()}, medium="overlay")
    tree.directories.update(STANDARD)
    for name in STICKY:
        tree.attributes[name] = Attributes(0o1777)
    tree.attributes["root"] = Attributes(0o700)
    return tree


class Files:
    """One container's tree. `user` and `groups` are its process's; root (0) may do everything."""

    __slots__ = ("_mounts", "groups", "own", "user")

    def __init__(
        self,
        own: Tree | None = None,
        *,
        user: int = 0,
        groups: tuple[int, ...] = (0,),
        read_only: bool = False,
    ) -> None:
        self.own = root_of({}) if own is None else own
        self.user = user
        self.groups = groups
        self._mounts = [Mounted("", self.own, "", read_only)]

    def mount(self, path: str, tree: Tree, sub_path: str = "", *, read_only: bool = False) -> None:
        """A volume, or what lies under `sub_path` in it (made where it is missing), at a path; the longest path wins."""
        sub_path = sub_path.strip("/")
        if sub_path and not tree.has(sub_path):
            # As open as what it is made in.
            tree.attributes.setdefault(sub_path, tree.attributes_of(sub_path.rpartition("/")[0]))
            tree.directories.add(sub_path)
        self._mounts.append(Mounted(path.rstrip("/"), tree, sub_path, read_only))
        self._mounts.sort(key=lambda one: -len(one.point))

    def below(self, path: str) -> Files:
        """What is seen by who has this directory for a root (chroot)."""
        path = self.real(path).rstrip("/")
        mounted, name = self._place(path or "/")
        inner = Files(user=self.user, groups=self.groups)
        inner.own = mounted.tree
        inner._mounts = [
            *(
                Mounted(one.point[len(path) :], one.tree, one.sub, one.read_only)
                for one in self._mounts
                if one.point.startswith(path + "/")
            ),
            Mounted("", mounted.tree, name, mounted.read_only),
        ]
        return inner

    @property
    def mounts(self) -> tuple[Mounted, ...]:
        """All of them, the longest paths first."""
        return tuple(self._mounts)

    def mounted_at(self, path: str) -> Mounted:
        """What lies at a path."""
        return self._place(self.real(path))[0]

    def _place(self, path: str) -> tuple[Mounted, str]:
        """The mount that a path lies in, and the name in its tree."""
        for one in self._mounts:
            if path == one.point or path.startswith(one.point + "/"):
                return one, f"{one.sub}/{path[len(one.point) :].lstrip('/')}".strip("/")
        return self._mounts[-1], path.lstrip("/")

    def real(self, path: str, *, last: bool = True) -> str:
        """The path with its symbolic links followed (`last`: its last part's, too)."""
        if not any(one.tree.links for one in self._mounts):
            return path
        done, parts, hops = "", path.split("/"), 0
        while parts:
            part = parts.pop(0)
            if part in ("", "."):
                continue
            if part == "..":
                done = done.rpartition("/")[0]
                continue
            mounted, name = self._place(f"{done}/{part}")
            target = mounted.tree.links.get(name)
            if target is None or not (parts or last):
                done = f"{done}/{part}"
                continue
            hops += 1
            if hops > MAX_LINKS:
                raise FileTrouble("Symbolic link loop")
            done = "" if target.startswith("/") else done
            parts = target.split("/") + parts
        return done or "/"

    # -- who may -------------------------------------------------------------------------------------------------------

    def attributes(self, path: str, *, follow: bool = True) -> Attributes:
        mounted, name = self._place(self.real(path, last=follow))
        return mounted.tree.attributes_of(name)

    def may(self, path: str, bit: int) -> bool:
        """Whether the user may read, write or search what is there."""
        if self.user == 0:
            return True
        found = self.attributes(path)
        shift = 6 if found.uid == self.user else 3 if found.gid in self.groups else 0
        return bool(found.mode >> shift & bit)

    def _need(self, path: str, bit: int) -> None:
        if not self.may(path, bit):
            raise FileTrouble("Permission denied")

    def _changeable(self, path: str) -> tuple[Mounted, str]:
        mounted, name = self._place(path)
        if mounted.read_only:
            raise FileTrouble("Read-only file system")
        return mounted, name

    def set_attributes(
        self, path: str, *, mode: int | None = None, uid: int | None = None, gid: int | None = None
    ) -> None:
        """chmod and chown; FileTrouble where that may not be."""
        path = self.real(path)
        if not self.exists(path):
            raise FileTrouble("No such file or directory")
        mounted, name = self._changeable(path)
        before = mounted.tree.attributes_of(name)
        if self.user not in (0, before.uid) or (self.user != 0 and uid not in (None, before.uid)):
            raise FileTrouble("Operation not permitted")
        mounted.tree.attributes[name] = Attributes(
            before.mode if mode is None else mode,
            before.uid if uid is None else uid,
            before.gid if gid is None else gid,
        )

    def _own(self, mounted: Mounted, name: str, mode: int, usual: int) -> None:
        """What is new belongs to whoever made it; in a setgid directory to the directory's group."""
        parent = mounted.tree.attributes_of(name.rpartition("/")[0])
        gid = parent.gid if parent.mode & 0o2000 else self.groups[0]
        if (mode, self.user, gid) != (usual, 0, 0):
            mounted.tree.attributes[name] = Attributes(mode, self.user, gid)

    # -- reading and writing -------------------------------------------------------------------------------------------

    def get(self, path: str) -> bytes | None:
        """The content of a file, whoever asks; None when there is none."""
        mounted, name = self._place(self.real(path))
        if path in DEVICES:
            return b""
        return mounted.tree.get(name)

    def read(self, path: str) -> bytes | None:
        """The content as the container's user reads it."""
        content = self.get(path)
        if content is not None and path not in DEVICES:
            self._need(path, READ)
        return content

    def put(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file; FileTrouble where that cannot be."""
        if path in DEVICES:
            return
        path = self.real(path)
        if self.is_directory(path):
            raise FileTrouble("Is a directory")
        parent = posixpath.dirname(path)
        if not self.is_directory(parent):
            raise FileTrouble("Not a directory" if self.get(parent) is not None else "No such file or directory")
        mounted, name = self._changeable(path)
        new = name not in mounted.tree
        self._need(parent if new else path, WRITE)
        if len(content) + sum(len(one) for key, one in mounted.tree.items() if key != name) > MAX_BYTES:
            raise FileTrouble("No space left on device")
        mounted.tree[name] = content
        if new:
            self._own(mounted, name, mode, 0o644)

    def make_directory(self, path: str, mode: int = 0o755, *, parents: bool = False) -> None:
        """mkdir, mkdir -p."""
        path = self.real(path)
        if self.is_directory(path):
            if parents:
                return
            raise FileTrouble("File exists")
        if self.get(path) is not None:
            raise FileTrouble("File exists")
        parent = posixpath.dirname(path)
        if not self.is_directory(parent):
            if not parents:
                raise FileTrouble("No such file or directory")
            self.make_directory(parent, parents=True)
        mounted, name = self._changeable(path)
        self._need(parent, WRITE)
        mounted.tree.directories.add(name)
        self._own(mounted, name, mode, 0o755)

    def link(self, path: str, target: str) -> None:
        """ln -s."""
        path = self.real(path, last=False)
        if self.exists(path) or self.link_of(path) is not None:
            raise FileTrouble("File exists")
        if not self.is_directory(posixpath.dirname(path)):
            raise FileTrouble("No such file or directory")
        mounted, name = self._changeable(path)
        self._need(posixpath.dirname(path), WRITE)
        mounted.tree.links[name] = target

    def link_of(self, path: str) -> str | None:
        """Where a symbolic link points; None when it is none."""
        mounted, name = self._place(self.real(path, last=False))
        return mounted.tree.links.get(name)

    def remove(self, path: str, *, recursive: bool = False) -> bool:
        """Whether there was anything to remove."""
        path = self.real(path, last=False)
        mounted, name = self._place(path)
        if name not in mounted.tree and name not in mounted.tree.links:
            if not self.is_directory(path):
                return False
            if not recursive:
                raise FileTrouble("Is a directory")
            if any(one.point == path for one in self._mounts):
                self._empty(path)
                raise FileTrouble("Resource busy")
            self._empty(path)
        mounted, name = self._changeable(path)
        self._need(posixpath.dirname(path), WRITE)
        mounted.tree.forget(name)
        # The directory stays that its last entry has left.
        if posixpath.dirname(name):
            mounted.tree.directories.add(posixpath.dirname(name))
        return True

    def _empty(self, path: str) -> None:
        for entry in self.entries(path):
            self.remove(f"{path.rstrip('/')}/{entry}", recursive=True)

    # -- looking ---------------------------------------------------------------------------------------------------------

    def same(self, path: str, other: str) -> bool:
        """Whether two paths, their links followed, are one and the same file or directory."""
        return self._identity(path) == self._identity(other)

    def within(self, path: str, directory: str) -> bool:
        """Whether a directory is another one, or lies somewhere in it."""
        outer, inner = self.real(directory), self.real(path)
        if f"{inner.rstrip('/')}/".startswith(f"{outer.rstrip('/')}/"):
            return True
        (tree, name), (other, below) = self._identity(directory), self._identity(path)
        return tree == other and (not name or f"{below}/".startswith(f"{name}/"))

    def _identity(self, path: str) -> tuple[int, str]:
        mounted, name = self._place(self.real(path))
        return id(mounted.tree), name

    def walk(self, path: str, *, follow: bool = False) -> Iterator[str]:
        """What is there and all below, each directory before what it holds; links are passed by unless they are to be followed.

        With `follow` a directory is not entered again from inside of itself; FileTrouble when links lead to the same ones too often.
        """
        waiting: list[tuple[str, tuple[str, ...]]] = [(path, ())]
        seen: set[str] = set()
        again = 0
        while waiting:
            one, above = waiting.pop()
            yield one
            if (not follow and self.link_of(one) is not None) or not self.is_directory(one):
                continue
            if follow:
                real = self.real(one)
                if real in above:
                    continue
                again += real in seen
                if again > MAX_AGAIN:
                    raise FileTrouble("Too many levels of symbolic links")
                seen.add(real)
                above = (*above, real)
            waiting += [(f"{one.rstrip('/')}/{name}", above) for name in reversed(self.entries(one))]

    def is_directory(self, path: str) -> bool:
        path = self.real(path.rstrip("/") or "/")
        mounted, name = self._place(path)
        if name in mounted.tree or path in DEVICES:
            return False
        if name in mounted.tree.directories or name in ("", mounted.sub):
            return True
        below = name + "/"
        return any(one.startswith(below) for one in mounted.tree.names()) or any(
            one.point.startswith(path + "/") for one in self._mounts
        )

    def exists(self, path: str) -> bool:
        return self.get(path) is not None or self.is_directory(path)

    def entries(self, path: str) -> list[str]:
        """The names in a directory, sorted."""
        path = self.real(path).rstrip("/")
        mounted, name = self._place(path)
        below = f"{name}/" if name else ""
        found = {one[len(below) :].split("/")[0] for one in mounted.tree.names() if one.startswith(below)}
        found |= {one.point[len(path) + 1 :].split("/")[0] for one in self._mounts if one.point.startswith(path + "/")}
        return sorted(found - {""})

    def glob(self, pattern: str) -> list[str]:
        """The paths that match, sorted; a wildcard never crosses a slash."""
        found = [""] if pattern.startswith("/") else []
        for part in pattern.strip("/").split("/"):
            found = [
                f"{base}/{name}"
                for base in found
                for name in self.entries(base or "/")
                if fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))
            ]
        return sorted(found)
