"""Disks: what is kept across restarts, and what goes with its pod."""

from __future__ import annotations

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
