"""/livez, /readyz and /healthz: what is looked at, under the names that a kube-apiserver lists (apiserver/pkg/server/healthz).

Each name stands for something that this server does at start as well; a hook of Kubernetes that has no counterpart here is not
listed. `facts` are what the server knows: `etcd`, and the steps of its start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cluster.apimachinery.errors import generic_not_found
from cluster.apiserver.context import Response

TEXT = "text/plain; charset=utf-8"


class Check(NamedTuple):
    """`fact`: what must be true; empty for what is true when it can be asked at all."""

    name: str
    fact: str = ""
    readyz_only: bool = False


def _hooks(fact: str, *names: str) -> tuple[Check, ...]:
    return tuple(Check(f"poststarthook/{name}", fact) for name in names)


CHECKS: tuple[Check, ...] = (
    Check("ping"),
    Check("log"),
    Check("etcd", "etcd"),
    Check("etcd-readiness", "etcd", readyz_only=True),
    Check("informer-sync", "informers", readyz_only=True),
    *_hooks(
        "bootstrap",
        "start-apiserver-admission-initializer",
        "generic-apiserver-start-informers",
        "priority-and-fairness-config-consumer",
        "priority-and-fairness-filter",
        "storage-object-count-tracker-hook",
        "start-apiextensions-informers",
        "start-apiextensions-controllers",
        "crd-informer-synced",
        "start-system-namespaces-controller",
        "start-cluster-authentication-info-controller",
        "start-service-ip-repair-controllers",
        "rbac/bootstrap-roles",
        "scheduling/bootstrap-system-priority-classes",
        "priority-and-fairness-config-producer",
        "bootstrap-controller",
        "start-kubernetes-service-cidr-controller",
        "start-kube-aggregator-informers",
        "apiservice-status-local-available-controller",
        "apiservice-status-remote-available-controller",
        "apiservice-registration-controller",
        "apiservice-discovery-controller",
        "kube-apiserver-autoregistration",
    ),
    Check("autoregister-completion", "bootstrap"),
    *_hooks("bootstrap", "apiservice-openapi-controller", "apiservice-openapiv3-controller"),
    # KubeWeb's own: its machines have registered themselves.
    Check("machines", "machines", readyz_only=True),
)


def of(kind: str) -> list[Check]:
    """The checks of livez, readyz or healthz."""
    return [check for check in CHECKS if kind == "readyz" or not check.readyz_only]


def answer(kind: str, name: str, params: Mapping[str, Sequence[str]], facts: Mapping[str, bool]) -> Response:
    """The answer of `/kind` (all checks) or `/kind/name` (one). `params` holds every value of a parameter."""
    checks = of(kind)
    if name:
        found = [check for check in checks if check.name == name]
        if not found:
            raise generic_not_found()
        if not _well(found[0], facts):
            return _text(500, f"internal server error: {name} is not ready yet\n")
        return _text(200, "ok")
    excluded = dict.fromkeys(params.get("exclude", ()))
    lines, failed = [], False
    for check in checks:
        if check.name in excluded:
            del excluded[check.name]
            lines.append(f"[+]{check.name} excluded: ok")
        elif _well(check, facts):
            lines.append(f"[+]{check.name} ok")
        else:
            failed = True
            lines.append(f"[-]{check.name} failed: reason withheld")
    if excluded:
        unknown = ",".join(f'"{one}"' for one in sorted(excluded))
        lines.append(f"warn: some health checks cannot be excluded: no matches for {unknown}")
    if failed:
        return _text(500, "\n".join([*lines, f"{kind} check failed"]) + "\n")
    if "verbose" not in params:
        return _text(200, "ok")
    return _text(200, "\n".join([*lines, f"{kind} check passed"]) + "\n")


def _well(check: Check, facts: Mapping[str, bool]) -> bool:
    # A fact that nobody told is none that is waited for.
    return not check.fact or facts.get(check.fact, True)


def _text(code: int, text: str) -> Response:
    return Response(code, data=text.encode(), content_type=TEXT, headers={"X-Content-Type-Options": "nosniff"})
