"""Decoding against the schema: canonical forms, unknown fields, wrong types, in Kubernetes' words."""

from __future__ import annotations

import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.resources.definitions import definitions
from cluster.apiserver.resources.registry import Registry
from cluster.apiserver.resources.schema import decode

REGISTRY = Registry()
POD = REGISTRY.by_path("v1/pods")
DEPLOYMENT = REGISTRY.by_path("apps/v1/deployments")


def pod(**container):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a"},
        "spec": {"containers": [{"name": "c", "image": "nginx", **container}]},
    }


def refused(resource, obj, validation="Strict"):
    with pytest.raises(StatusError) as caught:
        decode(resource, obj, field_validation=validation)
    assert caught.value.code == 400
    return caught.value.message


def test_every_kind_has_a_schema():
    for resource in REGISTRY.all():
        assert resource.definition in definitions(), resource.path


def test_what_is_canonical_is_handed_back_as_it_is():
    obj = pod()
    decoded, warnings = decode(POD, obj, field_validation="Strict")
    assert decoded is obj and warnings == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("1024Mi", "1Gi"),
        ("1000m", "1"),
        ("0.5", "500m"),
        (2, "2"),
        (0.25, "250m"),
        ("100Mi", "100Mi"),
        ("1500m", "1500m"),
        ("1000", "1k"),
        ("1e3", "1e3"),
        ("0", "0"),
    ],
)
def test_quantities_become_canonical(given, kept):
    decoded, _ = decode(POD, pod(resources={"limits": {"memory": given}}), field_validation="Strict")
    assert decoded["spec"]["containers"][0]["resources"]["limits"]["memory"] == kept


def test_nulls_and_empty_lists_are_left_out_as_go_leaves_them_out():
    obj = pod(command=[], env=None, resources={})
    obj["metadata"]["creationTimestamp"] = None
    obj["metadata"]["labels"] = {}
    decoded, _ = decode(POD, obj, field_validation="Strict")
    assert decoded["metadata"] == {"name": "a"}
    assert decoded["spec"]["containers"][0] == {"name": "c", "image": "nginx", "resources": {}}


def test_a_null_under_a_key_is_the_zero_of_its_type():
    obj = pod(resources={"requests": {"cpu": None}})
    obj["metadata"]["labels"] = {"a": None}
    decoded, _ = decode(POD, obj, field_validation="Strict")
    assert decoded["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "0"}}
    assert decoded["metadata"]["labels"] == {"a": ""}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": None}}
    decoded, _ = decode(REGISTRY.by_path("v1/secrets"), secret, field_validation="Strict")
    assert decoded["data"] == {"a": ""}


def test_unknown_fields_strict_warn_and_ignore():
    obj = pod(imagee="x")
    obj["spec"]["foo"] = 1
    message = refused(POD, obj)
    assert message == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: '
        'unknown field "spec.containers[0].imagee", unknown field "spec.foo"'
    )
    decoded, warnings = decode(POD, obj, field_validation="Warn")
    assert warnings == ['unknown field "spec.containers[0].imagee"', 'unknown field "spec.foo"']
    assert "foo" not in decoded["spec"]
    assert decode(POD, obj, field_validation="Ignore")[1] == []


def test_wrong_types_in_gos_words():
    obj = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": "three"}}
    assert refused(DEPLOYMENT, obj) == (
        'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct '
        "field DeploymentSpec.spec.replicas of type int32"
    )
    assert "cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string" in refused(
        POD, pod(env=[{"name": "A", "value": 1}])
    )
    assert "cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container" in refused(
        POD, {"spec": {"containers": {"name": "x"}}}
    )
    assert "cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string" in refused(
        POD, {"metadata": {"labels": {"a": 1}}}
    )
    assert "quantities must match the regular expression" in refused(POD, pod(resources={"limits": {"cpu": "lots"}}))


def test_times_are_utc_and_whole_seconds():
    obj = pod()
    obj["metadata"]["creationTimestamp"] = "2026-01-02T03:04:05.678+02:00"
    decoded, _ = decode(POD, obj, field_validation="Strict")
    assert decoded["metadata"]["creationTimestamp"] == "2026-01-02T01:04:05Z"


def test_another_kind_or_version_than_the_path():
    assert refused(POD, {"apiVersion": "v1", "kind": "Service"}).startswith(
        'Service in version "v1" cannot be handled as a Pod'
    )
    assert refused(DEPLOYMENT, {"apiVersion": "apps/v1beta1", "kind": "Deployment"}) == (
        "the API version in the data (apps/v1beta1) does not match the expected API version (apps/v1)"
    )


@pytest.mark.parametrize("value", [None, 1, "text", [], True])
def test_a_body_that_is_no_object(value):
    assert "must be of type Pod" in refused(POD, value)


@pytest.mark.parametrize(
    "path", ["v1/pods", "apps/v1/deployments", "apiextensions.k8s.io/v1/customresourcedefinitions"]
)
def test_a_condition_of_a_status_has_a_type_whoever_wrote_it(path):
    resource = REGISTRY.by_path(path)
    obj = {"apiVersion": resource.api_version, "kind": resource.kind, "status": {"conditions": [{"message": "m"}]}}
    decoded, warnings = decode(resource, obj, field_validation="Strict")
    assert decoded["status"]["conditions"] == [{"message": "m", "type": "", "status": ""}] and warnings == []
