"""Admission that people configure: policies in CEL that refuse, warn and change."""

from __future__ import annotations

import json

from tests.support.admission import CONFIGMAPS, DEPLOYMENTS, GROUP, Admission, config_map, rule
from tests.support.manifests import deployment
from tests.support.server import Cluster, wait_for


def test_a_policy_denies_in_its_own_words(cluster: Cluster, admission: Admission) -> None:
    spec = {
        "matchConstraints": {"resourceRules": [rule("apps", "v1", "deployments")]},
        "variables": [{"name": "limit", "expression": "5"}],
        "validations": [
            {"expression": "object.spec.replicas <= variables.limit"},
            {
                "expression": "object.metadata.name != 'ugly'",
                "messageExpression": "'the name ' + object.metadata.name + ' is ugly'",
                "reason": "Forbidden",
            },
        ],
    }
    admission.put("validatingadmissionpolicies", "few.example.com", {"spec": spec})
    admission.put(
        "validatingadmissionpolicybindings",
        "few-binding",
        {"spec": {"policyName": "few.example.com", "validationActions": ["Deny"]}},
    )
    status, refused = cluster.request("POST", DEPLOYMENTS, deployment("many", 6))
    assert status == 422 and refused["reason"] == "Invalid"
    assert refused["message"] == (
        "deployments.apps \"many\" is forbidden: ValidatingAdmissionPolicy 'few.example.com' with binding 'few-binding' "
        "denied request: failed expression: object.spec.replicas <= variables.limit"
    )
    status, refused = cluster.request("POST", DEPLOYMENTS, deployment("ugly", 1))
    assert status == 403 and refused["message"].endswith("denied request: the name ugly is ugly")
    assert cluster.request("POST", DEPLOYMENTS, deployment("fine", 1))[0] == 201
    refused = cluster.kubectl("patch", "deployment/fine", "-p", '{"spec":{"replicas":9}}', check=False)
    assert "failed expression: object.spec.replicas <= variables.limit" in refused
    admission.drop("validatingadmissionpolicybindings", "few-binding")
    assert cluster.request("POST", DEPLOYMENTS, deployment("many", 6))[0] == 201


def test_parameters_conditions_and_warnings(cluster: Cluster, admission: Admission) -> None:
    cluster.request("POST", CONFIGMAPS, config_map("limits", most="3"))
    spec = {
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "matchConstraints": {"resourceRules": [rule("", "v1", "configmaps")]},
        "matchConditions": [
            {"name": "labelled", "expression": "object.metadata.?labels.?checked.orValue('') == 'yes'"}
        ],
        "validations": [{"expression": "object.data.size() <= int(params.data.most)", "message": "too many keys"}],
    }
    admission.put("validatingadmissionpolicies", "keys.example.com", {"spec": spec})
    reference = {"name": "limits", "namespace": "default", "parameterNotFoundAction": "Deny"}
    admission.put(
        "validatingadmissionpolicybindings",
        "keys",
        {"spec": {"policyName": "keys.example.com", "paramRef": reference, "validationActions": ["Warn"]}},
    )
    body = json.dumps(config_map("wide", {"checked": "yes"}, a="1", b="2", c="3", d="4"))
    told = cluster.kubectl("create", "-f", "-", stdin=body)
    assert (
        "Warning: Validation failed for ValidatingAdmissionPolicy 'keys.example.com' with binding 'keys': too many keys"
        in told
    )
    free = json.dumps(config_map("free", None, a="1", b="2", c="3", d="4"))
    assert "Warning" not in cluster.kubectl("create", "-f", "-", stdin=free)
    admission.drop("validatingadmissionpolicybindings", "keys")
    missing = {**reference, "name": "nowhere"}
    admission.put(
        "validatingadmissionpolicybindings",
        "keys",
        {"spec": {"policyName": "keys.example.com", "paramRef": missing, "validationActions": ["Deny"]}},
    )
    status, refused = cluster.request("POST", CONFIGMAPS, config_map("late", {"checked": "yes"}))
    assert (
        status == 422 and "no params found for policy binding with `Deny` parameterNotFoundAction" in refused["message"]
    )


def test_expressions_are_checked_against_the_kinds_they_speak_of(cluster: Cluster, admission: Admission) -> None:
    spec = {
        "matchConstraints": {"resourceRules": [rule("apps", "v1", "deployments")]},
        "validations": [{"expression": "object.spec.replicass > 1"}, {"expression": "object.spec.replicas > 1"}],
    }
    admission.put("validatingadmissionpolicies", "typo.example.com", {"spec": spec})
    path = f"{GROUP}/validatingadmissionpolicies/typo.example.com"
    status = wait_for(
        lambda: (
            (cluster.request("GET", path)[1].get("status") or {}).get("typeChecking")
            and cluster.request("GET", path)[1]["status"]
        )
    )
    (warning,) = status["typeChecking"]["expressionWarnings"]
    assert warning["fieldRef"] == "spec.validations[0].expression" and "apps/v1, Kind=Deployment" in warning["warning"]
    assert "undefined field 'replicass'" in warning["warning"] and status["observedGeneration"] == 1
    bad = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "bad"},
    }
    bad["spec"] = {**spec, "validations": [{"expression": "nothing > 1"}]}  # type: ignore[assignment]
    status, refused = cluster.request("POST", f"{GROUP}/validatingadmissionpolicies", bad)
    assert status == 422 and "undeclared reference to 'nothing'" in refused["message"]


def test_a_mutating_policy_changes_what_it_matches(cluster: Cluster, admission: Admission) -> None:
    spec = {
        "matchConstraints": {
            "resourceRules": [rule("", "v1", "configmaps", "CREATE")],
            "objectSelector": {"matchLabels": {"mutate": "me"}},
        },
        "reinvocationPolicy": "Never",
        "failurePolicy": "Fail",
        "mutations": [
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {
                    "expression": "Object{metadata: Object.metadata{labels: Object.metadata.labels{added: 'x'}}}"
                },
            },
            {
                "patchType": "JSONPatch",
                "jsonPatch": {
                    "expression": "[JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('a/b'), value: 'c'}]"
                },
            },
        ],
    }
    admission.put(
        "mutatingadmissionpolicies",
        "label.example.com",
        {"spec": {**spec, "mutations": spec["mutations"][:1]}},
    )
    admission.put("mutatingadmissionpolicybindings", "label", {"spec": {"policyName": "label.example.com"}})
    made = cluster.request("POST", CONFIGMAPS, config_map("mutated", {"mutate": "me"}, k="v"))[1]
    assert made["metadata"]["labels"] == {"mutate": "me", "added": "x"}
    assert "labels" not in cluster.request("POST", CONFIGMAPS, config_map("plain", None, k="v"))[1]["metadata"]
