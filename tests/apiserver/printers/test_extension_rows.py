"""Admission, extension and flow control: each kind's row as Kubernetes prints it (wide)."""

from __future__ import annotations

import pytest

from tests.apiserver.printers.rows import (
    ADMISSION,
    AGE,
    APP,
    FLOW,
    HOUR_AGO,
    NONE,
    UNSET,
    made,
    numbered,
    shows,
    true,
)

ROWS = [
    # -- what extends or guards the API
    (f"{ADMISSION}/mutatingwebhookconfigurations", made(webhooks=[{}, {}]), ["n", 2, AGE]),
    (f"{ADMISSION}/validatingwebhookconfigurations", made(), ["n", 0, AGE]),
    (
        f"{ADMISSION}/validatingadmissionpolicies",
        made({"validations": [{}], "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}),
        ["n", 1, "v1/ConfigMap", AGE],
    ),
    (f"{ADMISSION}/mutatingadmissionpolicies", made({"mutations": [{}, {}]}), ["n", 2, UNSET, AGE]),
    (f"{ADMISSION}/validatingadmissionpolicybindings", made({"policyName": "p"}), ["n", "p", UNSET, AGE]),
    (
        f"{ADMISSION}/validatingadmissionpolicybindings",
        made({"policyName": "p", "paramRef": {"name": "x", "namespace": "d"}}),
        ["n", "p", "d/x", AGE],
    ),
    (
        f"{ADMISSION}/mutatingadmissionpolicybindings",
        made({"policyName": "p", "paramRef": {"name": "x"}}),
        ["n", "p", "*/x", AGE],
    ),
    (
        f"{ADMISSION}/mutatingadmissionpolicybindings",
        made(
            {
                "policyName": "p",
                "paramRef": {
                    "selector": {**APP, "matchExpressions": [{"key": "k", "operator": "In", "values": ["a", "b"]}]}
                },
            }
        ),
        [
            "n",
            "p",
            "&LabelSelector{MatchLabels:map[string]string{app: w,},MatchExpressions:[]LabelSelectorRequirement{"
            "LabelSelectorRequirement{Key:k,Operator:In,Values:[a b],},},}",
            AGE,
        ],
    ),
    ("apiregistration.k8s.io/apiservices", made({}, {"conditions": true("Available")}), ["n", "Local", "True", AGE]),
    (
        "apiregistration.k8s.io/apiservices",
        made(
            {"service": {"namespace": "d", "name": "s"}},
            {"conditions": [{"type": "Available", "status": "False", "reason": "MissingEndpoints"}]},
        ),
        ["n", "d/s", "False (MissingEndpoints)", AGE],
    ),
    ("apiregistration.k8s.io/apiservices", made({}), ["n", "Local", "Unknown", AGE]),
    ("apiextensions.k8s.io/customresourcedefinitions", made(), ["n", HOUR_AGO]),
    (
        f"{FLOW}/flowschemas",
        made(
            {
                "priorityLevelConfiguration": {"name": "p"},
                "matchingPrecedence": 9,
                "distinguisherMethod": {"type": "ByUser"},
            },
            {"conditions": [{"type": "Dangling", "status": "False"}]},
        ),
        ["n", "p", 9, "ByUser", AGE, "False"],
    ),
    (f"{FLOW}/flowschemas", made({}), ["n", "", 0, NONE, AGE, "?"]),
    (
        f"{FLOW}/prioritylevelconfigurations",
        made(
            {
                "type": "Limited",
                "limited": {
                    "nominalConcurrencyShares": 30,
                    "limitResponse": {"queuing": {"queues": 64, "handSize": 6, "queueLengthLimit": 50}},
                },
            }
        ),
        ["n", "Limited", 30, 64, 6, 50, AGE],
    ),
    (f"{FLOW}/prioritylevelconfigurations", made({"type": "Exempt"}), ["n", "Exempt", NONE, NONE, NONE, NONE, AGE]),
]


@pytest.mark.parametrize(("key", "obj", "cells"), ROWS, ids=numbered(ROWS))
def test_a_row(key, obj, cells):
    shows(key, obj, cells)
