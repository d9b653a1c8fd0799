"""The audit log as a file: a JSON line for each event, rotated by size, old files removed by number and age."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class RotatingFile:
    """`PATH`, and what it was before as `PATH-TIME.log` (the API server's --audit-log-maxsize, -maxbackup and -maxage)."""

    def __init__(self, path: Path, *, max_bytes: int, backups: int, days: float) -> None:
        self.path, self.max_bytes, self.backups, self.days = path, max_bytes, backups, days
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def batch(self) -> Iterator[Callable[[bytes], object]]:
        """Whole lines are written with what is yielded. When that does not end well, the file is as it was; else it may be turned."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        # Without a buffer: what a full disk has refused would be in it still, and be written after all.
        with open(descriptor, "ab", buffering=0) as file:
            before = file.tell()

            def write(data: bytes) -> None:
                rest = memoryview(data)
                while rest:
                    rest = rest[file.write(rest) :]

            try:
                yield write
            except BaseException:
                file.truncate(before)
                raise
            size = file.tell()
        if size >= self.max_bytes:
            self._rotate()

    def _rotate(self) -> None:
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime(now)) + f".{int(now * 1e6) % 1_000_000:06d}"
        os.replace(self.path, self.path.with_name(f"{self.path.stem}-{stamp}{self.path.suffix}"))
        old = self.old()
        for position, path in enumerate(reversed(old)):
            if position >= self.backups or now - path.stat().st_mtime > self.days * 86400:
                path.unlink()

    def old(self) -> list[Path]:
        """What was rotated away and is still there, oldest first."""
        return sorted(self.path.parent.glob(f"{self.path.stem}-*{self.path.suffix}"))
