"""The three patches and server-side apply, on plain dicts."""

from __future__ import annotations

import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.patch.apply import apply
from cluster.apiserver.patch.fieldset import tree_of
from cluster.apiserver.patch.json_patch import apply_json_patch
from cluster.apiserver.patch.managedfields import track_update
from cluster.apiserver.patch.merge_patch import apply_merge_patch
from cluster.apiserver.patch.strategic import apply_strategic_patch
from cluster.apiserver.resources.nodes import root

DEPLOYMENT = root("io.k8s.api.apps.v1.Deployment")
POD = root("io.k8s.api.core.v1.Pod")
SERVICE = root("io.k8s.api.core.v1.Service")


def test_a_raw_extension_is_owned_as_one_value():
    node = root("io.k8s.api.apps.v1.ControllerRevision")
    assert tree_of(node, {"data": {"spec": {"template": {}}}, "revision": 1}, updating=True) == {
        "f:data": {},
        "f:revision": {},
    }


def test_json_patch_and_its_refusals():
    assert apply_json_patch({"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}]) == {"a": [1, 2]}
    with pytest.raises(StatusError) as caught:
        apply_json_patch({}, [{"op": "test", "path": "/a", "value": 2}])
    assert caught.value.code == 422
    for bad in ({}, [{"op": "fly"}], "x"):
        with pytest.raises(StatusError) as caught:
            apply_json_patch({}, bad)
        assert caught.value.code == 400


def test_merge_patch():
    before = {"a": {"b": 1, "c": 2}, "l": [1, 2]}
    assert apply_merge_patch(before, {"a": {"b": None, "d": {"e": 3, "f": None}}, "l": [3]}) == {
        "a": {"c": 2, "d": {"e": 3}},
        "l": [3],
    }
    assert before == {"a": {"b": 1, "c": 2}, "l": [1, 2]}


def containers(*items):
    return {"spec": {"containers": list(items)}}


def test_strategic_merge_by_key_keeps_order_and_the_rest():
    before = containers({"name": "a", "image": "1", "args": ["x"]}, {"name": "b", "image": "2"})
    after = apply_strategic_patch(before, containers({"name": "b", "image": "3"}, {"name": "c", "image": "4"}), POD)
    assert after == containers(
        {"name": "a", "image": "1", "args": ["x"]}, {"name": "b", "image": "3"}, {"name": "c", "image": "4"}
    )


def test_strategic_directives():
    before = containers({"name": "a"}, {"name": "b"})
    assert apply_strategic_patch(before, containers({"name": "a", "$patch": "delete"}), POD) == containers(
        {"name": "b"}
    )
    assert apply_strategic_patch(before, containers({"name": "c"}, {"$patch": "replace"}), POD) == containers(
        {"name": "c"}
    )
    finalizers = {"metadata": {"finalizers": ["x", "y"]}}
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x"], "finalizers": ["z"]}}
    assert apply_strategic_patch(finalizers, patch, POD) == {"metadata": {"finalizers": ["y", "z"]}}
    strategy = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert apply_strategic_patch(strategy, patch, DEPLOYMENT) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_set_element_order_sorts_what_it_names():
    before = containers({"name": "server"}, {"name": "a"}, {"name": "b"})
    patch = {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}], "containers": [{"name": "b"}]}}
    after = apply_strategic_patch(before, patch, POD)
    assert [c["name"] for c in after["spec"]["containers"]] == ["server", "b", "a"]


def test_a_merge_key_that_is_missing_is_a_bad_request():
    with pytest.raises(StatusError) as caught:
        apply_strategic_patch(containers({"name": "a"}), containers({"image": "x"}), POD)
    assert "does not contain declared merge key: name" in caught.value.message


def deployment(replicas=1, image="nginx", **labels):
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": containers({"name": "c", "image": image})}
    if replicas is not None:
        spec["replicas"] = replicas
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", **({"labels": labels} if labels else {})},
        "spec": spec,
    }


def applying(live, wanted, manager, *, force=False):
    return apply(
        live, wanted, manager=manager, force=force, node=DEPLOYMENT, api_version="apps/v1", now="T", subresource=""
    )


def owners(obj):
    return {one["manager"]: one["fieldsV1"] for one in obj["metadata"]["managedFields"]}


def test_apply_owns_what_it_names():
    live = applying(None, deployment(app="x"), "me")
    assert owners(live)["me"] == {
        "f:metadata": {"f:labels": {"f:app": {}}},
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:template": {
                "f:spec": {"f:containers": {'k:{"name":"c"}': {".": {}, "f:name": {}, "f:image": {}}}},
            },
        },
    }


def test_apply_removes_what_it_no_longer_names():
    live = applying(None, deployment(3, app="x", tier="y"), "me")
    after = applying(live, deployment(None, app="x"), "me")
    assert "replicas" not in after["spec"]
    assert after["metadata"]["labels"] == {"app": "x"}


def test_apply_leaves_what_others_own():
    live = applying(None, deployment(3, app="x"), "me")
    live = applying(live, {**deployment(3, tier="y"), "spec": {"replicas": 3}}, "you")
    assert live["metadata"]["labels"] == {"app": "x", "tier": "y"}
    after = applying(live, deployment(None), "me")
    assert after["spec"]["replicas"] == 3
    assert after["metadata"]["labels"] == {"tier": "y"}


def test_a_conflict_names_the_field_and_its_manager():
    live = deployment(1)
    live["metadata"]["managedFields"] = track_update(
        None, live, manager="kubectl-create", node=DEPLOYMENT, api_version="apps/v1", subresource="", now="T"
    )
    with pytest.raises(StatusError) as caught:
        applying(live, deployment(2), "me")
    error = caught.value
    assert (error.code, error.reason) == (409, "Conflict")
    assert error.message == (
        'Apply failed with 1 conflict: conflict with "kubectl-create" using apps/v1: .spec.replicas'
    )
    assert error.status["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "kubectl-create" using apps/v1',
            "field": ".spec.replicas",
        }
    ]
    forced = applying(live, deployment(2), "me", force=True)
    assert forced["spec"]["replicas"] == 2
    assert "f:replicas" not in owners(forced)["kubectl-create"]["f:spec"]


def test_two_conflicts_are_listed():
    live = applying(None, deployment(1, "a"), "other")
    with pytest.raises(StatusError) as caught:
        applying(live, deployment(2, "b"), "me")
    assert caught.value.message == (
        'Apply failed with 2 conflicts: conflicts with "other":\n- .spec.replicas\n'
        '- .spec.template.spec.containers[name="c"].image'
    )


def test_the_same_value_is_no_conflict_but_shared():
    live = applying(None, deployment(1), "other")
    after = applying(live, deployment(1), "me")
    assert set(owners(after)) == {"me", "other"}


def test_ports_without_a_protocol_are_tcp():
    def service(*ports):
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": list(ports)}}

    live = apply(
        None, service({"port": 80}), manager="me", force=False, node=SERVICE, api_version="v1", now="T", subresource=""
    )
    live["spec"]["ports"][0]["protocol"] = "TCP"
    after = apply(
        live,
        service({"port": 80, "name": "web"}),
        manager="me",
        force=False,
        node=SERVICE,
        api_version="v1",
        now="T",
        subresource="",
    )
    assert after["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "name": "web"}]


def test_an_update_takes_over_what_it_changes_and_drops_what_it_removes():
    live = applying(None, deployment(1, app="x"), "me")
    after = deployment(5)
    after["metadata"]["managedFields"] = live["metadata"]["managedFields"]
    managed = track_update(
        live, after, manager="kubectl", node=DEPLOYMENT, api_version="apps/v1", subresource="", now="U"
    )
    found = {(one["manager"], one["operation"]): one["fieldsV1"] for one in managed}
    assert found["kubectl", "Update"] == {"f:spec": {"f:replicas": {}}}
    assert "f:metadata" not in found["me", "Apply"]
    assert "f:replicas" not in found["me", "Apply"]["f:spec"]


def test_updaters_are_bounded():
    obj = deployment(0)
    managed = []
    for number in range(1, 15):
        before, obj = obj, deployment(number)
        before["metadata"]["managedFields"] = managed
        obj["metadata"]["labels"] = {f"l{n}": "x" for n in range(number)}
        managed = track_update(
            before,
            obj,
            manager=f"m{number}",
            node=DEPLOYMENT,
            api_version="apps/v1",
            subresource="",
            now=f"{number:02}",
        )
    assert len(managed) <= 11
    assert any(one["manager"] == "ancient-changes" for one in managed)
