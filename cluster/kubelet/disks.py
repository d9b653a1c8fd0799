"""What is on disks: volumes behind claims, machines' own directories, pods' empty directories, containers' writable layers.

Kept across restarts of the server. A disk is a tree under a key: a volume's name, `NODE:` for what is the machine's own, `pod/UID/NAME`
and `pod/UID/container/ID` for what goes with a pod. With a directory each tree that is not as it was made or written last is written to
a file of its own, now and then and at the end; without one all is memory.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from cluster.kubelet.runtime.tree import Attributes, Tree

log = logging.getLogger(__name__)
# Real seconds between two looks at what has changed.
SAVE_EVERY = 30.0
# Trees that are looked at before others have their turn.
TURN = 100
POD = "pod/"


class Disks:
    """All disks of the cluster. A tree that was handed out stays the one that is kept."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._trees: dict[str, Tree] = {}
        # The keys of each pod's own, by its UID.
        self._of_pods: dict[str, set[str]] = {}
        # What each tree was when it was made or written last.
        self._written: dict[str, int] = {}
        self._saving: asyncio.Task[None] | None = None

    def tree(self, key: str, make: Callable[[], Tree]) -> Tree:
        """The disk of this key: as it is, as it was before the restart, or new."""
        found = self._trees.get(key)
        if found is None:
            found = self._read(key)
            if found is None:
                found = make()
            # What is as it is made anyway need not be kept.
            self._written[key] = fingerprint(found)
            self._trees[key] = found
            self._note(key)
        return found

    def _note(self, key: str) -> None:
        if key.startswith(POD):
            self._of_pods.setdefault(key.split("/")[1], set()).add(key)

    def forget(self, key: str) -> None:
        """What was a pod's own is gone before the pod is."""
        self._of_pods.get(key.split("/")[1], set()).discard(key)
        self._trees.pop(key, None)
        self._remove(key)

    def forget_pod(self, uid: str) -> None:
        """A pod is gone, and what was its own with it."""
        for key in self._of_pods.pop(uid, ()):
            self._trees.pop(key, None)
            self._remove(key)

    # -- files -----------------------------------------------------------------------------------------------------------

    def start(self, gone: Callable[[str], bool]) -> None:
        """Drop what belongs to nobody any more (`gone` tells of a key), and begin to write what changes."""
        if self._directory is None:
            return
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self._directory.glob("*.json"):
            key = self._key_in(path)
            if key is None or gone(key):
                path.unlink(missing_ok=True)
            else:
                self._note(key)
        self._saving = asyncio.create_task(self._save_now_and_then(), name="disks")

    async def stop(self) -> None:
        """Write what has changed, once more."""
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.gather(self._saving, return_exceptions=True)
            self._saving = None
            self.save()

    async def _save_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY)
            for number, key in enumerate(list(self._trees), 1):
                if number % TURN == 0:
                    await asyncio.sleep(0)
                with _failures_told(key):
                    if (changed := self._changed(key)) is not None:
                        # The loop packs, so that the tree is of one moment; a thread waits for the disk.
                        await asyncio.to_thread(self._write, key, *changed)
                    # A tree that went meanwhile leaves no file behind.
                    if key not in self._trees:
                        self._remove(key)

    def save(self) -> None:
        """Write each tree that is not as it was."""
        for key in self._trees:
            with _failures_told(key):
                if (changed := self._changed(key)) is not None:
                    self._write(key, *changed)

    def _changed(self, key: str) -> tuple[int, bytes] | None:
        """The tree's fingerprint and itself packed, if it is not what was written last."""
        tree = self._trees.get(key)
        if tree is None or self._directory is None:
            return None
        now = fingerprint(tree)
        return None if self._written.get(key) == now else (now, _packed(key, tree))

    def _write(self, key: str, now: int, packed: bytes) -> None:
        if self._directory is None:
            return
        path = self._path(self._directory, key)
        fresh = path.with_suffix(".new")
        try:
            fresh.write_bytes(packed)
            fresh.replace(path)
        except OSError as error:
            log.warning("disk %s cannot be written: %s", key, error)
        else:
            self._written[key] = now

    def _read(self, key: str) -> Tree | None:
        if self._directory is None:
            return None
        try:
            return _unpacked(self._path(self._directory, key).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("disk %s cannot be read: %s", key, error)
            return None

    @staticmethod
    def _key_in(path: Path) -> str | None:
        try:
            return str(json.loads(path.read_bytes())["key"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _remove(self, key: str) -> None:
        self._written.pop(key, None)
        if self._directory is not None:
            self._path(self._directory, key).unlink(missing_ok=True)

    @staticmethod
    def _path(directory: Path, key: str) -> Path:
        return directory / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.json"


@contextlib.contextmanager
def _failures_told(key: str) -> Iterator[None]:
    """Whatever goes wrong with one disk is told, and the others go on."""
    try:
        yield
    except Exception:
        log.exception("disk %s cannot be kept", key)


def fingerprint(tree: Tree) -> int:
    """Equal for trees in which somebody who looks sees the same."""
    parts: Iterable[object] = (
        frozenset(tree.items()),
        frozenset(tree.links.items()),
        frozenset(tree.directories),
        frozenset(tree.attributes.items()),
    )
    return hash(tuple(parts))


def _packed(key: str, tree: Tree) -> bytes:
    # Names may hold bytes that are not UTF-8, as lone surrogates: this module writes and reads them as escapes.
    return json.dumps(
        {
            "key": key,
            "medium": tree.medium,
            "files": {name: base64.b64encode(content).decode() for name, content in tree.items()},
            "directories": sorted(tree.directories),
            "links": tree.links,
            "attributes": {name: [one.mode, one.uid, one.gid] for name, one in tree.attributes.items()},
        },
        separators=(",", ":"),
    ).encode()


def _unpacked(data: bytes) -> Tree:
    said = json.loads(data)
    tree = Tree(
        {name: base64.b64decode(content) for name, content in said["files"].items()}, medium=str(said["medium"])
    )
    tree.directories.update(said["directories"])
    tree.links.update(said["links"])
    tree.attributes = {name: Attributes(*(int(part) for part in one)) for name, one in said["attributes"].items()}
    return tree
