"""Slow start: 1, 2, 4, … calls at a time, stopping at the first batch in which one fails (pkg/controller/replicaset).

Five hundred pods that a quota forbids cost one refused request instead of five hundred. Within a batch all run at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def slow_start(
    count: int, call: Callable[[], Awaitable[object]], initial: int = 1
) -> tuple[int, Exception | None]:
    """Make `count` calls; returns how many succeeded, and the first error."""
    succeeded, remaining = 0, count
    size = min(remaining, initial)
    while size > 0:
        results = await asyncio.gather(*(call() for _ in range(size)), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        succeeded += size - len(failures)
        for failure in failures:
            if not isinstance(failure, Exception):
                raise failure
            return succeeded, failure
        remaining -= size
        size = min(2 * size, remaining)
    return succeeded, None
