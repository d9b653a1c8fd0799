"""Sandbox: a namespace of one's own, on request."""

from __future__ import annotations

from cluster.apiserver.resources.own.schema import kind, ref, struct, text

DEFINITIONS = {
    **kind(
        "Sandbox",
        "Sandbox asks for a namespace of one's own, with a quota, a limit range and the rights to work in it. Deleting it "
        "deletes the namespace.",
        {"spec": ref("SandboxSpec"), "status": ref("SandboxStatus")},
    ),
    **struct(
        "SandboxSpec",
        "SandboxSpec says for whom.",
        {
            "user": text("The person. Defaults to whoever asks; somebody else takes the right to impersonate them."),
            "role": text("The ClusterRole that they get in the namespace: admin (the default), edit or view."),
        },
    ),
    **struct(
        "SandboxStatus",
        "SandboxStatus says how far it is.",
        {
            "phase": text("Pending, Ready or Failed."),
            "namespace": text("The namespace."),
            "message": text("Why it failed."),
        },
    ),
}
