"""Disks: what is kept across restarts, and what goes with its pod."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cluster.kubelet.disks import Disks
from cluster.kubelet.runtime.tree import Attributes, Tree

pytestmark = pytest.mark.asyncio


async def test_a_tree_is_found_again_as_it_was(tmp_path: Path) -> None:
    disks = Disks(tmp_path / "disks")
    disks.start(lambda key: False)
    tree = disks.tree("pvc-1", lambda: Tree(mode=0o2777, gid=7, medium="ext2/ext3"))
    tree["dir/file"] = b"\x00\xff data"
    tree.attributes["dir/file"] = Attributes(0o640, 1000, 7)
    tree.directories.add("empty")
    tree.links["link"] = "dir/file"
    disks.tree("pod/u1/cache", lambda: Tree(medium="tmpfs"))["x"] = b"y"
    disks.tree("pod/u2/cache", lambda: Tree(medium="tmpfs"))["x"] = b"z"
    disks.forget_pod("u2")
    await disks.stop()

    again = Disks(tmp_path / "disks")
    again.start(lambda key: key.startswith("pod/u1"))
    found = again.tree("pvc-1", Tree)
    assert found.same_as(tree) and (found.medium, dict(found)) == ("ext2/ext3", {"dir/file": b"\x00\xff data"})
    assert again.tree("pvc-1", Tree) is found
    # The first pod is gone meanwhile, the second went before.
    assert again.tree("pod/u1/cache", Tree) == {} and again.tree("pod/u2/cache", Tree) == {}
    await again.stop()


def _count(directory: Path) -> int:
    return len(list(directory.glob("*.json")))


def _break_the_only_file(directory: Path) -> None:
    (path,) = directory.glob("*.json")
    path.write_bytes(b"{")


async def test_a_file_that_nobody_can_read_is_a_new_disk(tmp_path: Path) -> None:
    disks = Disks(tmp_path)
    disks.start(lambda key: False)
    disks.tree("v", Tree)["a"] = b"b"
    await disks.stop()
    _break_the_only_file(tmp_path)
    again = Disks(tmp_path)
    again.start(lambda key: False)
    assert again.tree("v", Tree) == {}
    await again.stop()


async def test_names_that_are_not_utf_8_are_kept_as_they_are(tmp_path: Path) -> None:
    disks = Disks(tmp_path)
    disks.start(lambda key: False)
    tree = disks.tree("v", Tree)
    name = b"caf\xe9 \xf0\x9f".decode("utf-8", "surrogateescape")
    tree[name], tree.links["link"], tree.attributes[name] = b"b", name, Attributes(0o600)
    tree.directories.add(f"{name}.d")
    disks.tree("other", Tree)["ä"] = b"c"
    await disks.stop()
    again = Disks(tmp_path)
    again.start(lambda key: False)
    assert again.tree("v", Tree).same_as(tree) and again.tree("other", Tree) == {"ä": b"c"}
    await again.stop()


@pytest.mark.parametrize("at_the_end", [True, False])
async def test_one_disk_that_cannot_be_kept_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, at_the_end: bool
) -> None:
    monkeypatch.setattr("cluster.kubelet.disks.SAVE_EVERY", 3600.0 if at_the_end else 0.01)
    written, loop, write = asyncio.Event(), asyncio.get_running_loop(), Disks._write

    def tell(disks: Disks, key: str, now: int, packed: bytes) -> None:
        write(disks, key, now, packed)
        loop.call_soon_threadsafe(written.set)

    monkeypatch.setattr(Disks, "_write", tell)
    disks = Disks(tmp_path)
    disks.start(lambda key: False)
    disks.tree("bad", Tree)["a"] = 5  # type: ignore[assignment]
    disks.tree("good", Tree)["a"] = b"b"
    if not at_the_end:
        await asyncio.wait_for(written.wait(), 30)
    await disks.stop()
    again = Disks(tmp_path)
    assert again.tree("good", Tree) == {"a": b"b"} and again.tree("bad", Tree) == {}
    assert "disk bad cannot be kept" in caplog.text


async def test_what_is_as_it_was_made_is_not_written_and_what_was_not_looked_at_goes_with_its_pod(
    tmp_path: Path,
) -> None:
    disks = Disks(tmp_path)
    disks.start(lambda key: False)
    disks.tree("pod/u1/container/a", lambda: Tree({"etc/x": b"image"}))
    for name in ("b", "c"):
        disks.tree(f"pod/u1/container/{name}", Tree)["x"] = b"changed"
    await disks.stop()
    assert _count(tmp_path) == 2
    again = Disks(tmp_path)
    again.start(lambda key: False)
    assert again.tree("pod/u1/container/a", lambda: Tree({"etc/x": b"image"})) == {"etc/x": b"image"}
    again.forget("pod/u1/container/b")
    assert _count(tmp_path) == 1
    # Nobody has looked at this one since the restart.
    again.forget_pod("u1")
    await again.stop()
    assert _count(tmp_path) == 0
