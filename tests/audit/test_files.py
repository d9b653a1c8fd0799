"""A batch is in the file as a whole or not at all, whatever the disk does."""

from __future__ import annotations

import resource

import pytest

from cluster.audit.files import RotatingFile


@pytest.fixture
def file(tmp_path):
    return RotatingFile(tmp_path / "audit.log", max_bytes=1 << 20, backups=1, days=1)


def test_what_fails_in_the_middle_leaves_the_file_as_it_was(file):
    with file.batch() as write:
        write(b"one\n")
    with pytest.raises(RuntimeError), file.batch() as write:
        write(b"half")
        raise RuntimeError
    assert file.path.read_bytes() == b"one\n"


def test_so_does_a_disk_that_is_full(file):
    with file.batch() as write:
        write(b"one\n")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"), file.batch() as write:
            write(b"x" * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert file.path.read_bytes() == b"one\n"
    with file.batch() as write:
        write(b"two\n")
    assert file.path.read_bytes() == b"one\ntwo\n"
