"""The FlowSchemas and PriorityLevelConfigurations that every cluster has (apis/flowcontrol/bootstrap)."""

from __future__ import annotations

from typing import Any

Obj = dict[str, Any]
API_VERSION = "flowcontrol.apiserver.k8s.io/v1"
_AUTO = {"annotations": {"apf.kubernetes.io/autoupdate-spec": "true"}}
_ALL_RESOURCES: Obj = {
    "verbs": ["*"],
    "apiGroups": ["*"],
    "resources": ["*"],
    "clusterScope": True,
    "namespaces": ["*"],
}
_ALL_PATHS: Obj = {"verbs": ["*"], "nonResourceURLs": ["*"]}


def _group(*names: str) -> list[Obj]:
    return [{"kind": "Group", "group": {"name": name}} for name in names]


def _user(*names: str) -> list[Obj]:
    return [{"kind": "User", "user": {"name": name}} for name in names]


def _accounts(namespace: str, *names: str) -> list[Obj]:
    return [{"kind": "ServiceAccount", "serviceAccount": {"namespace": namespace, "name": name}} for name in names]


def _rule(subjects: list[Obj], *resources: Obj, paths: Obj | None = None) -> Obj:
    rule: Obj = {"subjects": subjects}
    if resources:
        rule["resourceRules"] = list(resources)
    if paths is not None:
        rule["nonResourceRules"] = [paths]
    return rule


def _resources(verbs: list[str], groups: list[str], plurals: list[str], *, cluster: bool = False, namespaces: list[str] | None = None) -> Obj:  # fmt: skip
    found: Obj = {"verbs": verbs, "apiGroups": groups, "resources": plurals}
    if cluster:
        found["clusterScope"] = True
    if namespaces is not None:
        found["namespaces"] = namespaces
    return found


def _schema(name: str, level: str, precedence: int, distinguisher: str, *rules: Obj) -> Obj:
    spec: Obj = {"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence}
    if distinguisher:
        spec["distinguisherMethod"] = {"type": distinguisher}
    if rules:
        spec["rules"] = list(rules)
    return {"apiVersion": API_VERSION, "kind": "FlowSchema", "metadata": {"name": name, **_AUTO}, "spec": spec}


def _level(name: str, shares: int, lendable: int, queues: tuple[int, int, int] | None = None) -> Obj:
    response: Obj = {"type": "Reject"}
    if queues is not None:
        count, hand, length = queues
        response = {"type": "Queue", "queuing": {"queues": count, "handSize": hand, "queueLengthLimit": length}}
    limited = {"nominalConcurrencyShares": shares, "lendablePercent": lendable, "limitResponse": response}
    spec = {"type": "Limited", "limited": limited}
    return {
        "apiVersion": API_VERSION,
        "kind": "PriorityLevelConfiguration",
        "metadata": {"name": name, **_AUTO},
        "spec": spec,
    }


_EXEMPT: Obj = {
    "apiVersion": API_VERSION,
    "kind": "PriorityLevelConfiguration",
    "metadata": {"name": "exempt", **_AUTO},
    "spec": {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}},
}
_LEASES = _resources(["get", "create", "update"], ["coordination.k8s.io"], ["leases"], namespaces=["*"])
OBJECTS: tuple[Obj, ...] = (
    _EXEMPT,
    _level("catch-all", 5, 0),
    _level("system", 30, 33, (64, 6, 50)),
    _level("node-high", 40, 25, (64, 6, 50)),
    _level("leader-election", 10, 0, (16, 4, 50)),
    _level("workload-high", 40, 50, (128, 6, 50)),
    _level("workload-low", 100, 90, (128, 6, 50)),
    _level("global-default", 20, 50, (128, 6, 50)),
    _schema("exempt", "exempt", 1, "", _rule(_group("system:masters"), _ALL_RESOURCES, paths=_ALL_PATHS)),
    _schema(
        "probes", "exempt", 2, "",
        _rule(
            _group("system:unauthenticated", "system:authenticated"),
            paths={"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]},
        ),
    ),
    _schema(
        "system-leader-election", "leader-election", 100, "ByUser",
        _rule([*_user("system:kube-controller-manager", "system:kube-scheduler"), *_accounts("kube-system", "*")], _LEASES),
    ),
    _schema(
        "endpoint-controller", "workload-high", 150, "ByUser",
        _rule(
            [*_user("system:kube-controller-manager"), *_accounts("kube-system", "endpoint-controller", "endpointslicemirroring-controller")],
            _resources(["get", "create", "update"], [""], ["endpoints"], namespaces=["*"]),
        ),
    ),
    _schema("workload-leader-election", "leader-election", 200, "ByUser", _rule(_accounts("kube-system", "*"), _LEASES)),
    _schema(
        "system-node-high", "node-high", 400, "ByUser",
        _rule(
            _group("system:nodes"),
            _resources(["*"], [""], ["nodes", "nodes/status"], cluster=True, namespaces=["*"]),
            _resources(["*"], ["coordination.k8s.io"], ["leases"], namespaces=["*"]),
        ),
    ),
    _schema("system-nodes", "system", 500, "ByUser", _rule(_group("system:nodes"), _ALL_RESOURCES, paths=_ALL_PATHS)),
    _schema(
        "kube-controller-manager", "workload-high", 800, "ByNamespace",
        _rule(_user("system:kube-controller-manager"), _ALL_RESOURCES, paths=_ALL_PATHS),
    ),
    _schema(
        "kube-scheduler", "workload-high", 800, "ByNamespace",
        _rule(_user("system:kube-scheduler"), _ALL_RESOURCES, paths=_ALL_PATHS),
    ),
    _schema(
        "kube-system-service-accounts", "workload-high", 900, "ByNamespace",
        _rule(_accounts("kube-system", "*"), _ALL_RESOURCES, paths=_ALL_PATHS),
    ),
    _schema(
        "service-accounts", "workload-low", 9000, "ByUser",
        _rule(_group("system:serviceaccounts"), _ALL_RESOURCES, paths=_ALL_PATHS),
    ),
    _schema(
        "global-default", "global-default", 9900, "ByUser",
        _rule(_group("system:unauthenticated", "system:authenticated"), _ALL_RESOURCES, paths=_ALL_PATHS),
    ),
    _schema(
        "catch-all", "catch-all", 10000, "ByUser",
        _rule(_group("system:unauthenticated", "system:authenticated"), _ALL_RESOURCES, paths=_ALL_PATHS),
    ),
)  # fmt: skip
