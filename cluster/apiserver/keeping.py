"""What the API server keeps right on its own: a task that reconciles whenever its bell has rung (its post-start hooks' controllers)."""

from __future__ import annotations

import asyncio
import logging

from cluster.apimachinery.errors import StatusError

log = logging.getLogger(__name__)
# Seconds of real time before what failed is tried again.
RETRY = 0.5
_EVERYDAY = frozenset({"Conflict", "NotFound", "AlreadyExists"})


class Keeper:
    """A subclass says how to `reconcile`; `ring` from wherever something may have changed."""

    name = "keeper"

    def __init__(self) -> None:
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def reconcile(self) -> None:
        """Bring everything right; raise to be called again."""
        raise NotImplementedError

    def ring(self) -> None:
        self._bell.set()

    def begin(self) -> None:
        """Start the task, and reconcile once."""
        self._bell.set()
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._bell.wait()
            self._bell.clear()
            try:
                await self.reconcile()
                continue
            except StatusError as error:
                if error.reason not in _EVERYDAY:
                    log.warning("%s: %s", self.name, error.message)
            except Exception:
                log.exception("%s", self.name)
            asyncio.get_running_loop().call_later(RETRY, self._bell.set)
