"""Diagnoses as resources: `kubectl get diagnoses`, one for each workload, Service and claim, and for each pod that stands alone; any other by name.

A list tells what objects tell, and looks into pods only where a Service leads to a port that they do not name. One that is asked for by name also names the spans that bear it out, of the journeys that the asker may
see, and looks into pods where that tells what would mend them: it is worked out once to learn what is to be read, and again then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from cluster import clock
from cluster.apiserver.computed.inside import Looks
from cluster.apiserver.computed.traces import Traces
from cluster.apiserver.context import Context, Obj
from cluster.diagnosis import KINDS, View, diagnose, diagnose_node
from cluster.diagnosis.surroundings import Surroundings, owner_of

# Diagnoses that are worked out in one go.
AT_ONCE = 20

# `deployment.web` → the storage key of deployments.
_BY_WORD = {kind.lower(): resource for resource, kind in KINDS.items() if kind != "Node"}


def workloads(view: View, now: float, namespace: str, name: str, looks: Looks | None = None) -> Iterator[Obj]:
    """The Diagnosis of that name, or of everything that nobody else controls."""
    if name:
        found = _diagnosis(view, now, namespace, name)
        if found is not None:
            yield found
        return
    around = Surroundings(view)
    for resource in _BY_WORD.values():
        for obj in around.list(resource, namespace):
            if not owner_of(obj) and _stands_for_itself(resource, obj):
                yield diagnose(around, resource, obj, now, None, looks if resource == "services" else None)


def _stands_for_itself(resource: str, obj: Obj) -> bool:
    """A Service without a selector is somebody else's affair: it is told of by name alone."""
    return resource != "services" or bool((obj.get("spec") or {}).get("selector"))


def nodes(view: View, now: float, namespace: str, name: str) -> Iterator[Obj]:
    """The NodeDiagnosis of that node, or of all."""
    around = Surroundings(view)
    wanted = [around.get("nodes", "", name)] if name else around.list("nodes")
    for node in wanted:
        if node is not None:
            yield diagnose_node(around, node, now)


async def listed(context: Context, namespace: str, name: str) -> list[Obj]:
    """The Diagnoses as of now."""
    view, looks = context.server.storage, Looks(context.server, context.user)
    found = await _in_turns(workloads(view, clock.now(), namespace, name, looks))
    return await _in_turns(workloads(view, clock.now(), namespace, name, looks)) if await looks.load() else found


async def listed_nodes(context: Context, namespace: str, name: str) -> list[Obj]:
    """The NodeDiagnoses as of now."""
    return await _in_turns(nodes(context.server.storage, clock.now(), namespace, name))


async def _in_turns(work: Iterable[Obj]) -> list[Obj]:
    """All of it, in small parts: thousands of diagnoses take seconds, in which others have their turns."""
    found = []
    for one in work:
        found.append(one)
        if len(found) % AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


async def workload(context: Context) -> Obj | None:
    """One Diagnosis as of now, with its spans."""
    around, (namespace, name) = Surroundings(context.server.storage), context.key
    return await _closer(context, lambda traces, looks: _diagnosis(around, clock.now(), namespace, name, traces, looks))


async def node(context: Context) -> Obj | None:
    """One NodeDiagnosis as of now, with its spans."""
    around, name = Surroundings(context.server.storage), context.key[1]

    def look(traces: Traces | None, looks: Looks) -> Obj | None:
        found = around.get("nodes", "", name)
        return None if found is None else diagnose_node(around, found, clock.now(), traces)

    return await _closer(context, look)


def _diagnosis(
    view: View | Surroundings,
    now: float,
    namespace: str,
    name: str,
    traces: Traces | None = None,
    looks: Looks | None = None,
) -> Obj | None:
    word, _, target = name.partition(".")
    resource = _BY_WORD.get(word)
    obj = view.get(resource, namespace, target) if resource else None
    return diagnose(view, resource, obj, now, traces, looks) if resource and obj is not None else None


async def _closer(context: Context, look: Callable[[Traces | None, Looks], Obj | None]) -> Obj | None:
    journeys, looks = context.server.journeys, Looks(context.server, context.user)
    traces = None if journeys is None else Traces(context.server, journeys, context.user)
    found = look(traces, looks)
    if found is None:
        return None
    read = [await looks.load(), traces is not None and await traces.load()]
    return look(traces, looks) if any(read) else found
