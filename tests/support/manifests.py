"""Manifests that people would apply, as small as they can be: for tests and measurements against real servers."""

from __future__ import annotations

from typing import Any

Obj = dict[str, Any]


def deployment(
    name: str, replicas: int = 1, image: str = "nginx:1.27", *, container: Obj | None = None, **spec: Any
) -> Obj:
    """A Deployment of pods labelled app=NAME; `container` is merged into their container, the rest into their spec."""
    labels = {"app": name}
    pod = {"containers": [{"name": "c", "image": image, **(container or {})}], **spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
