"""Schemas of the kinds that are ours and no Kubernetes': `sim.kubeweb.dev`, the simulated world as objects."""

from __future__ import annotations

from typing import Any

GROUP, VERSION = "sim.kubeweb.dev", "v1alpha1"
PACKAGE = "dev.kubeweb.sim"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
# What can break, and what each needs to know of its target.
FAULTS: dict[str, tuple[str, ...]] = {
    "NodeDown": ("node",),
    "ContainerCrash": ("namespace", "pod"),
    "OutOfMemory": ("namespace", "pod"),
    "ControllerStopped": ("controller",),
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def _kind(kind: str) -> list[dict[str, str]]:
    return [{"group": GROUP, "kind": kind, "version": VERSION}]


DEFINITIONS: dict[str, dict[str, Any]] = {
    f"{PACKAGE}.{VERSION}.Fault": {
        "description": "Fault is something that goes wrong in the simulated world, for a while or until it is deleted.",
        "type": "object",
        "properties": {
            "apiVersion": _text("APIVersion defines the versioned schema of this representation of an object."),
            "kind": _text("Kind is a string value representing the REST resource this object represents."),
            "metadata": _ref(f"{_META}.ObjectMeta"),
            "spec": _ref(f"{PACKAGE}.{VERSION}.FaultSpec"),
            "status": _ref(f"{PACKAGE}.{VERSION}.FaultStatus"),
        },
        "x-kubernetes-group-version-kind": _kind("Fault"),
    },
    f"{PACKAGE}.{VERSION}.FaultSpec": {
        "description": "FaultSpec says what breaks. It cannot be changed.",
        "type": "object",
        "properties": {
            "type": _text(f"What breaks: {', '.join(FAULTS)}."),
            "node": _text("The node that loses power (NodeDown)."),
            "namespace": _text("The namespace of the pod."),
            "pod": _text("The pod whose container ends (ContainerCrash: exit code 1, OutOfMemory: killed)."),
            "container": _text("The container; without it the pod's first."),
            "controller": _text("The control loop that stops working, or scheduler (ControllerStopped)."),
            "durationSeconds": {
                "type": "integer",
                "format": "int64",
                "description": "Seconds of cluster time until it heals; without it, when the Fault is deleted.",
            },
        },
        "required": ["type"],
    },
    f"{PACKAGE}.{VERSION}.FaultStatus": {
        "description": "FaultStatus says how it stands.",
        "type": "object",
        "properties": {
            "phase": _text("Active, Ended or Failed."),
            "message": _text("What was done, or why it could not be."),
            "startTime": _ref(f"{_META}.Time"),
            "endTime": _ref(f"{_META}.Time"),
        },
    },
    f"{PACKAGE}.{VERSION}.FaultList": {
        "description": "FaultList is a list of Faults.",
        "type": "object",
        "properties": {
            "apiVersion": _text("APIVersion defines the versioned schema of this representation of an object."),
            "kind": _text("Kind is a string value representing the REST resource this object represents."),
            "metadata": _ref(f"{_META}.ListMeta"),
            "items": {"type": "array", "items": _ref(f"{PACKAGE}.{VERSION}.Fault"), "description": "The Faults."},
        },
        "required": ["items"],
        "x-kubernetes-group-version-kind": _kind("FaultList"),
    },
}
