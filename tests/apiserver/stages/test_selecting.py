"""What a list or a watch selects by fields (the kinds' ToSelectableFields)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from cluster.apiserver.resources.registry import Registry
from cluster.apiserver.stages.reading import selection_of

GROUPS = {"replicasets": ("apps", "v1"), "jobs": ("batch", "v1")}


@pytest.mark.parametrize(
    ("plural", "selector", "body", "selected"),
    [
        # Clients ask for what was never set: the conformance tests find their nodes so.
        ("nodes", "spec.unschedulable=false", {"spec": {}}, True),
        ("nodes", "spec.unschedulable=false", {"spec": {"unschedulable": True}}, False),
        ("nodes", "spec.unschedulable!=true", {}, True),
        ("nodes", "spec.unschedulable=", {"spec": {}}, False),
        ("pods", "spec.hostNetwork=false", {"spec": {}}, True),
        ("pods", "spec.hostNetwork=true", {"spec": {"hostNetwork": True}}, True),
        ("replicasets", "status.replicas=0", {"status": {}}, True),
        ("replicasets", "status.replicas!=0", {"status": {"replicas": 2}}, True),
        ("replicationcontrollers", "status.replicas=0", {}, True),
        ("jobs", "status.successful=0", {"status": {}}, True),
    ],
)
def test_a_field_nobody_has_set_counts_as_its_type_does(plural, selector, body, selected):
    group, version = GROUPS.get(plural, ("", "v1"))
    resource = Registry().get(group, version, plural)
    info = SimpleNamespace(namespace="", name="")
    context = SimpleNamespace(info=info, params={"fieldSelector": selector}, resource=resource)
    obj = {"metadata": {"name": "a", "namespace": "b"}, **body}
    assert selection_of(context).matches(obj) is selected
