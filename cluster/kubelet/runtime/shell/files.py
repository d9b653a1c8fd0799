"""The files that a container sees: its own, and those of the volumes that are mounted into it.

Directories are what paths imply, and those that were made. Contents are bytes.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from fnmatch import fnmatchcase

# Bytes that the files of one container, or one volume, may come to.
MAX_BYTES = 16 * 1024 * 1024
STANDARD = (
    "/",
    "/bin",
    "/dev",
    "/etc",
    "/home",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sys",
    "/tmp",  # noqa: S108
    "/usr",
    "/var",
)


class FileTrouble(Exception):
    """Why a file could not be read or written, in the words of the C library."""


class Volume:
    """The files of one mount: path below the mount point → content. Shared by all who mount it."""

    __slots__ = ("files", "read_only")

    def __init__(self, files: dict[str, bytes] | None = None, *, read_only: bool = False) -> None:
        self.files = {} if files is None else files
        self.read_only = read_only


class Files:
    """One container's tree."""

    __slots__ = ("_mounts", "directories", "own")

    def __init__(self, own: dict[str, bytes] | None = None) -> None:
        self.own = {} if own is None else own
        self.directories: set[str] = set(STANDARD)
        self._mounts: list[tuple[str, Volume, str]] = []

    def mount(self, path: str, volume: Volume, sub_path: str = "") -> None:
        """A volume, or what lies under `sub_path` in it, at a path; the longest path wins."""
        path, sub_path = path.rstrip("/"), sub_path.strip("/")
        self._mounts.append((path, volume, sub_path))
        self._mounts.sort(key=lambda one: -len(one[0]))
        if not sub_path or sub_path not in volume.files:
            self.directories.add(path or "/")

    def _place(self, path: str) -> tuple[dict[str, bytes], str, bool]:
        """Where a path lies: the files, the name in them, and whether they may not be written."""
        for point, volume, sub in self._mounts:
            if path == point and sub in volume.files:
                return volume.files, sub, volume.read_only
            if path.startswith(point + "/"):
                return volume.files, f"{sub}/{path[len(point) + 1 :]}".lstrip("/"), volume.read_only
        return self.own, path, False

    def get(self, path: str) -> bytes | None:
        files, name, _ = self._place(path)
        return files.get(name)

    def put(self, path: str, content: bytes) -> None:
        """Write a file; FileTrouble where that cannot be."""
        files, name, read_only = self._place(path)
        if read_only:
            raise FileTrouble("Read-only file system")
        if self.is_directory(path):
            raise FileTrouble("Is a directory")
        if not self.is_directory(posixpath.dirname(path)):
            raise FileTrouble("No such file or directory" if name not in files else "Not a directory")
        if len(content) + sum(len(one) for key, one in files.items() if key != name) > MAX_BYTES:
            raise FileTrouble("No space left on device")
        files[name] = content

    def remove(self, path: str, *, recursive: bool = False) -> bool:
        """Whether there was anything to remove."""
        files, name, read_only = self._place(path)
        if read_only:
            raise FileTrouble("Read-only file system")
        if name in files:
            del files[name]
            return True
        if not self.is_directory(path):
            return False
        if not recursive:
            raise FileTrouble("Is a directory")
        for found in [key for key in self.paths() if key.startswith(path.rstrip("/") + "/")]:
            inner, key, locked = self._place(found)
            if locked:
                raise FileTrouble("Read-only file system")
            inner.pop(key, None)
        self.directories = {one for one in self.directories if one != path and not one.startswith(path + "/")}
        return True

    def paths(self) -> Iterable[str]:
        """Every file there is."""
        for path in list(self.own):
            if self._place(path)[0] is self.own:
                yield path
        for point, volume, sub in self._mounts:
            for name in list(volume.files):
                if not sub:
                    yield f"{point}/{name}"
                elif name == sub or name.startswith(sub + "/"):
                    yield point + name[len(sub) :]

    def is_directory(self, path: str) -> bool:
        path = path.rstrip("/") or "/"
        if path in self.directories:
            return True
        prefix = path.rstrip("/") + "/"
        return any(one.startswith(prefix) for one in self.paths()) or any(
            one.startswith(prefix) for one in self.directories
        )

    def exists(self, path: str) -> bool:
        return self.get(path) is not None or self.is_directory(path)

    def entries(self, path: str) -> list[str]:
        """The names in a directory, sorted."""
        prefix = path.rstrip("/") + "/"
        below = [*self.paths(), *self.directories]
        return sorted({one[len(prefix) :].split("/")[0] for one in below if one.startswith(prefix) and one != prefix})

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
