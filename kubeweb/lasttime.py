"""What time it was in the cluster, kept across starts: cluster time never runs backwards."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from cluster import clock

log = logging.getLogger(__name__)
# Real seconds between two notes.
PERIOD = 30.0


class LastTime:
    """A file with one number: seconds since the epoch, as the cluster counts them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def go_on(self) -> None:
        """Where cluster time ran ahead of the world's, it goes on from there."""
        try:
            clock.clock.advance_to(float(self.path.read_text()))
        except FileNotFoundError:
            return
        except ValueError:
            log.warning("%s holds no time: the cluster's clock begins with the world's", self.path)

    def note(self) -> None:
        """Whole or not at all: whoever is killed here leaves the note before."""
        beside = self.path.with_suffix(".new")
        beside.write_text(f"{clock.now():.0f}")
        os.replace(beside, self.path)

    async def run(self) -> None:
        """Note it now and then, for the next start."""
        while True:
            self.note()
            await asyncio.sleep(PERIOD)
