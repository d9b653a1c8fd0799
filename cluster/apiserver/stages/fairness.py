"""Stage flow-control: is there room for this request now? (API Priority and Fairness, reduced to what can be seen of it.)

The simulated server is never too busy by itself; a Fault makes it so. Then a share of the requests is refused with 429 and told when to
come again, all but those that Kubernetes exempts: system:masters, and here the loop that ends the Fault.
"""

from __future__ import annotations

import random

from cluster.apimachinery.errors import too_many_requests
from cluster.apiserver.context import Context

EXEMPT_GROUP = "system:masters"
EXEMPT_USERS = frozenset({"system:serviceaccount:kube-system:fault-controller"})
# What a flow schema of Kubernetes would say of a user, by what their name begins with.
LEVELS = (
    ("system:node:", "system"),
    ("system:kube-scheduler", "workload-high"),
    ("system:kube-controller-manager", "workload-high"),
    ("system:serviceaccount:kube-system:", "workload-high"),
    ("system:serviceaccount:", "workload-low"),
    ("system:anonymous", "catch-all"),
)
_dice = random.Random("flow-control")


def level_of(context: Context) -> str:
    """The priority level of the request's user."""
    user = context.user
    if EXEMPT_GROUP in user.groups or user.name in EXEMPT_USERS:
        return "exempt"
    return next((level for prefix, level in LEVELS if user.name.startswith(prefix)), "global-default")


def admit_flow(context: Context) -> object:
    """Let the request in, or 429."""
    overload = context.server.disturbance.overload
    classifier = context.server.classifier
    if classifier is not None and not context.loopback:
        flow = context.flow = classifier.classify(context.user, context.info)
        if flow is not None and not overload:
            return flow
    if not overload:
        return None
    level = level_of(context)
    if level != "exempt" and _dice.random() * 100 < max(overload.values()):
        raise too_many_requests("Too many requests, please try again later.")
    return {"level": level}
