"""What can be pulled, and under which addresses."""

from __future__ import annotations

import pytest

from cluster.kubelet.runtime.images import Catalogue


@pytest.mark.parametrize(
    ("former", "present"),
    [
        ("k8s.gcr.io/e2e-test-images/agnhost:2.21", "registry.k8s.io/e2e-test-images/agnhost:2.21"),
        ("gcr.io/kubernetes-e2e-test-images/nonroot:1.0", "registry.k8s.io/e2e-test-images/nonroot:1.0"),
        ("k8s.gcr.io/pause:3.2", "registry.k8s.io/pause:3.2"),
    ],
)
def test_an_image_that_moved_is_the_same_under_its_former_address(former: str, present: str) -> None:
    catalogue = Catalogue()
    old, new = catalogue.resolve(former), catalogue.resolve(present)
    assert old[1] is new[1]
    # It keeps the name by which it was pulled.
    assert former in str(old[0])
