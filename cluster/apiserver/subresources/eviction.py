"""pods/eviction: a deletion that asks the PodDisruptionBudgets first (registry/core/pod/storage.EvictionREST)."""

from __future__ import annotations

from cluster import clock
from cluster.apimachinery import errors, labels
from cluster.apimachinery.meta import copy, set_condition
from cluster.apiserver.context import Context, Obj, Response
from cluster.apiserver.request import RequestInfo
from cluster.apiserver.stages import bodies
from cluster.etcd.log import Conflict


def decode(context: Context) -> None:
    """The Eviction carries DeleteOptions; the pod must exist."""
    eviction, _ = bodies.parse_body(context)
    name = (eviction.get("metadata") or {}).get("name")
    if name and name != context.info.name:
        raise errors.bad_request("name in URL does not match name in Eviction object")
    old = context.server.storage.entry("pods", context.key)
    if old is None:
        raise errors.not_found("pods", "", context.info.name)
    context.options = dict(eviction.get("deleteOptions") or {})
    if context.options.get("dryRun"):
        context.dry_run = True
    context.old = old
    context.operation = "CREATE"
    context.obj = None


def _budgets(context: Context, pod: Obj) -> list[Obj]:
    found = []
    for budget in context.server.storage.list("policy/poddisruptionbudgets", context.key[0]):
        selector = labels.from_selector(budget["spec"].get("selector"))
        if selector.matches(pod["metadata"].get("labels")):
            found.append(budget)
    return found


async def commit(context: Context) -> object:
    assert context.old is not None
    pod = context.old.obj
    phase = (pod.get("status") or {}).get("phase")
    done = phase in ("Succeeded", "Failed", "Pending") or pod["metadata"].get("deletionTimestamp")
    budgets = [] if done else _budgets(context, pod)
    if len(budgets) > 1:
        raise errors.internal(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        )
    if budgets:
        await _spend(context, budgets[0])
    if not context.dry_run:
        await _mark(context)
        single = RequestInfo(context.path, "delete", True, "", "v1", context.key[0], "pods", "", context.key[1])
        await context.server.delegate(context, single, context.options)
    context.response = Response(
        201, obj={"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    )
    return {"budgets": [budget["metadata"]["name"] for budget in budgets]}


async def _spend(context: Context, budget: Obj) -> None:
    """Take one disruption from the budget, or 429 in Kubernetes' words."""
    status, name = budget.get("status") or {}, budget["metadata"]["name"]
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise errors.too_many_requests(
            "Cannot evict pod as it would violate the pod's disruption budget.",
            10,
            [
                {
                    "reason": "DisruptionBudget",
                    "message": f"The disruption budget {name} is still being processed by the server.",
                }
            ],
        )
    allowed = status.get("disruptionsAllowed", 0)
    if allowed <= 0:
        raise errors.too_many_requests(
            "Cannot evict pod as it would violate the pod's disruption budget.",
            0,
            [
                {
                    "reason": "DisruptionBudget",
                    "message": f"The disruption budget {name} needs {status.get('desiredHealthy', 0)} healthy pods "
                    f"and has {status.get('currentHealthy', 0)} currently",
                }
            ],
        )
    if context.dry_run:
        return
    storage, key = context.server.storage, (context.key[0], name)
    changed = copy(budget)
    changed["status"]["disruptionsAllowed"] = allowed - 1
    changed["status"].setdefault("disruptedPods", {})[context.key[1]] = clock.timestamp()
    entry = storage.entry("policy/poddisruptionbudgets", key)
    try:
        revision = 0 if entry is None else entry.revision
        await storage.write("policy/poddisruptionbudgets", key, changed, "update", revision, context.journey.id)
    except Conflict as conflict:
        raise errors.too_many_requests(
            "Cannot evict pod as it would violate the pod's disruption budget.", 10
        ) from conflict


async def _mark(context: Context) -> None:
    """The DisruptionTarget condition says why the pod went."""
    entry = context.server.storage.entry("pods", context.key)
    if entry is None:
        return
    pod = copy(entry.obj)
    status = pod.setdefault("status", {})
    status["conditions"] = set_condition(
        status.get("conditions") or [],
        {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
            "lastProbeTime": None,
        },
    )
    try:
        await context.server.storage.write("pods", context.key, pod, "update", entry.revision, context.journey.id)
    except Conflict:
        # The pod changed meanwhile; the deletion that follows looks at it anew.
        return
