"""Diagnosis: desired against actual for one object, and the ordered checklist of what is wrong, with evidence and mending."""

from __future__ import annotations

from cluster.apiserver.resources.own.schema import (
    boolean,
    integer,
    kind,
    moment,
    ref,
    several,
    struct,
    text,
)

_FIELDS = {
    "target": ref("DiagnosisTarget"),
    "verdict": text("Healthy, Progressing or Unhealthy."),
    "message": text("The verdict in a sentence."),
    "desired": several(ref("DiagnosisGap"), "What the spec asks against what is."),
    "checklist": several(
        ref("DiagnosisStep"), "The four steps, in their order: scheduling, nodes, pods, configuration."
    ),
}
DEFINITIONS = {
    **kind(
        "Diagnosis",
        "Diagnosis says for a workload or pod what is desired, what is, and why they differ. It is worked out when it is read.",
        {**_FIELDS, "nodes": several(ref("DiagnosisNode"), "For a DaemonSet: every node and its pod.")},
    ),
    **kind("NodeDiagnosis", "NodeDiagnosis says how a node is, and why. It is worked out when it is read.", _FIELDS),
    **struct(
        "DiagnosisTarget",
        "DiagnosisTarget names the object.",
        {
            "apiVersion": text("Its API version."),
            "kind": text("Its kind."),
            "namespace": text("Its namespace."),
            "name": text("Its name."),
            "uid": text("Its uid."),
        },
    ),
    **struct(
        "DiagnosisGap",
        "DiagnosisGap is one thing that is desired, and what is.",
        {
            "what": text("What is counted or compared."),
            "desired": text("What the spec asks."),
            "actual": text("What is."),
            "gap": text("What is missing; empty when nothing is."),
            "closedBy": text("Who should close the gap."),
            "lastAction": text("What they did last."),
            "lastActionTime": moment("When that was."),
            "lastSpan": ref("DiagnosisSpan", "Where that was recorded, while it is and the asker may see it."),
        },
    ),
    **struct(
        "DiagnosisStep",
        "DiagnosisStep is one step of the checklist.",
        {
            "step": integer("Its number: 1 to 4."),
            "name": text("Scheduling, Nodes, Pods or Configuration."),
            "result": text("Passed or Failed."),
            "findings": several(ref("DiagnosisFinding"), "What was found."),
        },
    ),
    **struct(
        "DiagnosisFinding",
        "DiagnosisFinding is one thing that is wrong.",
        {
            "reason": text("In one word, as Kubernetes calls it."),
            "message": text("What is wrong."),
            "evidence": several(ref("DiagnosisEvidence"), "Where that is written."),
            "fix": text("What would mend it."),
            "command": text("The same as a command, where there is one."),
            "mend": ref(
                "DiagnosisMend", "The same as a change to apply, where the cluster itself tells what is meant."
            ),
        },
    ),
    **struct(
        "DiagnosisMend",
        "DiagnosisMend is a change that would mend what was found.",
        {
            "sentence": text("What it does."),
            "manifest": text("YAML for server-side apply by a field manager of its own: it names only what changes."),
            "command": text("The same for a shell."),
        },
    ),
    **struct(
        "DiagnosisEvidence",
        "DiagnosisEvidence is a field of an object, an Event, or a span of a journey.",
        {
            "object": text("The object: kind/name."),
            "field": text("The field, or Event, or Span."),
            "value": text("What it says."),
            "time": moment("Since when, or when it was said."),
            "span": ref("DiagnosisSpan", "Of a Span: which one. Named when one diagnosis is read, not in a list."),
        },
    ),
    **struct(
        "DiagnosisSpan",
        "DiagnosisSpan names one stage of a recorded journey that the asker may see.",
        {
            "journey": text("The journey's id; its root is what stands before the first dot."),
            "id": text("The span's id: the journey's, a colon, and the span's number in it from 0."),
            "component": text("Who did it: apiserver, a control loop, default-scheduler, kubelet/NODE."),
            "stage": text("Which stage it was."),
            "outcome": text("ok, refused, error, wait, skipped or open."),
            "time": text("When it began, in real time (RFC 3339, microseconds)."),
            "detail": text("What it said, in a line."),
        },
    ),
    **struct(
        "DiagnosisNode",
        "DiagnosisNode is one node and the DaemonSet's pod on it.",
        {
            "node": text("The node."),
            "eligible": boolean("Whether a pod should run there."),
            "pod": text("The pod that is there."),
            "ready": boolean("Whether it is ready."),
            "reason": text("Why not, or why there is none."),
        },
    ),
}
