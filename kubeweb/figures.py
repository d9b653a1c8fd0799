"""The control loops' figures for /metrics, under the names of client-go's work queues and of the scheduler."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cluster.apiserver.metrics import Gauge
from cluster.client.loop import ControlLoop
from cluster.client.workqueue import WorkQueue
from cluster.scheduler.scheduler import Scheduler


def figures(loops: Mapping[str, ControlLoop]) -> Iterable[Gauge]:
    """Read when somebody asks; nothing is counted for them alone."""
    queues = {name: loop.queue for name, loop in loops.items() if isinstance(loop.queue, WorkQueue)}
    for name, text, samples in (
        ("workqueue_depth", "Current depth of workqueue", {name: len(queue) for name, queue in queues.items()}),
        ("workqueue_adds_total", "Total number of adds handled by workqueue", {n: q.adds for n, q in queues.items()}),
        (
            "workqueue_retries_total",
            "Total number of retries handled by workqueue",
            {n: q.retries for n, q in queues.items()},
        ),
    ):
        yield name, text, "name", samples
    reconciles = {name: loop.reconciles for name, loop in loops.items()}
    yield (
        "controller_runtime_reconcile_total",
        "Total number of reconciliations per controller",
        "controller",
        reconciles,
    )
    scheduler = loops.get(Scheduler.name)
    if isinstance(scheduler, Scheduler):
        pending = scheduler.queue.counts()
        yield "scheduler_pending_pods", "Number of pending pods, by the queue type.", "queue", pending
