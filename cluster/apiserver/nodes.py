"""The calls that run the other way: from the API server to a kubelet's endpoint. An interface: the API server imports no kubelet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(slots=True)
class Asked:
    """A request that is passed on. `path` comes with its query."""

    path: str
    method: str
    headers: dict[str, str]
    body: bytes
    client: str = "10.96.0.1"


class Answered(Protocol):
    """What came back: status 0 and `error` when nothing did."""

    status: int
    body: str
    error: str
    headers: dict[str, str]


class Nodes(Protocol):
    """The calls that run the other way: from the API server to a kubelet's endpoint."""

    async def execute(
        self,
        node: str,
        namespace: str,
        pod: str,
        container: str,
        command: list[str],
        stdin: asyncio.Queue[bytes | None] | None,
        write: Callable[[bytes], None],
        write_error: Callable[[bytes], None],
        room: Callable[[], Awaitable[None]],
        *,
        tty: bool,
    ) -> int:
        """Run a command in a container, or (without one) attach to it; the exit code. Who writes much waits for `room`."""
        ...

    async def forward(
        self,
        node: str,
        namespace: str,
        pod: str,
        port: int,
        incoming: asyncio.Queue[bytes | None],
        write: Callable[[bytes], None],
    ) -> str:
        """One connection to a pod's port: until it is over; why it failed, or nothing."""
        ...

    async def dial(self, ip: str, port: int, request: Any, timeout: float) -> Answered:
        """One HTTP request (an `Asked`) to a pod's address."""
        ...

    def node_usage(self, name: str) -> dict[str, tuple[float, int]]:
        """Cores and bytes in use by node (empty name: all whose kubelet answers)."""
        ...

    def node_log(self, name: str, path: str) -> Answered:
        """What a node's kubelet answers for a path below its /logs/."""
        ...

    def pod_usage(self, namespace: str, name: str) -> dict[tuple[str, str], dict[str, tuple[float, int]]]:
        """Cores and bytes in use by (namespace, pod) and container; empty: all."""
        ...

    async def inside(self, node: str, namespace: str, pod: str) -> dict[str, dict[str, Any]]:
        """What one would find by looking into a pod, by container.

        `memory`: bytes that it holds, or held when it ended last; `listens`: {port: those of a few usual paths that answer well}.
        """
        ...

    async def logs(
        self,
        node: str,
        namespace: str,
        pod: str,
        container: str,
        *,
        follow: bool,
        previous: bool,
        timestamps: bool,
        tail_lines: int | None,
        limit_bytes: int | None,
        since_seconds: int | None,
        since_time: float | None,
    ) -> AsyncIterator[bytes]: ...
