"""Rows of our own kinds (sim.kubeweb.dev) and of metrics."""

from __future__ import annotations

from cluster.apiserver.printers.columns import (
    AGE,
    NAME,
    Cells,
    Column,
    Obj,
    age,
    integer,
    name_of,
    printer,
    spec_of,
    status_of,
    wide,
)


@printer(
    "sim.kubeweb.dev/faults",
    NAME,
    Column("Type", "What breaks"),
    Column("Target", "Where it breaks"),
    Column("Phase", "Active, Ended or Failed"),
    AGE,
    wide("Message", "What was done, or why it could not be"),
)
def fault(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    pod = f"{spec.get('namespace', '')}/{spec['pod']}" if spec.get("pod") else ""
    target = spec.get("node") or spec.get("controller") or spec.get("registry") or pod or "control plane"
    status = status_of(obj)
    if spec.get("type", "").startswith("Registry") and not spec.get("registry"):
        target = "all registries"
    return [
        name_of(obj),
        spec.get("type", ""),
        target,
        status.get("phase", ""),
        age(obj, now),
        status.get("message", ""),
    ]


@printer(
    "sim.kubeweb.dev/traffics",
    NAME,
    Column("Service", "The Service that is asked"),
    Column("Rate", "Requests a second"),
    integer("Requests", "Requests so far"),
    integer("Failed", "Requests that failed"),
    Column("Success", "Share that succeeded since the beginning"),
    Column("Recent", "Share that succeeded within the last ten seconds"),
    AGE,
    wide("Last failure", "What the latest failure said"),
)
def traffic(obj: Obj, now: float) -> Cells:
    spec, status = spec_of(obj), status_of(obj)
    return [
        name_of(obj),
        spec.get("service", ""),
        f"{spec.get('requestsPerSecond', 0):g}/s",
        status.get("requests", 0),
        status.get("failed", 0),
        _percent(status.get("successPercent")),
        "paused" if spec.get("paused") else _percent(status.get("recentSuccessPercent")),
        age(obj, now),
        status.get("lastFailure", ""),
    ]


def _percent(text: str | None) -> str:
    return f"{text}%" if text else ""


@printer(
    "sim.kubeweb.dev/sandboxes",
    NAME,
    Column("User", "Whose it is"),
    Column("Namespace", "The namespace"),
    Column("Phase", "Pending, Ready or Failed"),
    AGE,
    wide("Message", "Why it failed"),
)
def sandbox(obj: Obj, now: float) -> Cells:
    status = status_of(obj)
    return [
        name_of(obj),
        spec_of(obj).get("user", ""),
        status.get("namespace", ""),
        status.get("phase", "Pending"),
        age(obj, now),
        status.get("message", ""),
    ]


@printer(
    "sim.kubeweb.dev/lessons",
    NAME,
    Column("Title", "What it is called"),
    Column("Steps", "How many steps it has"),
    Column("Minutes", "How long it takes"),
    AGE,
    wide("Question", "The question that it answers"),
)
def lesson(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    steps, minutes = len(spec.get("steps") or ()), spec.get("minutes", 0)
    return [name_of(obj), spec.get("title", ""), steps, minutes, age(obj, now), spec.get("question", "")]


@printer(
    "sim.kubeweb.dev/containerimages",
    NAME,
    Column("Image", "The image's name"),
    Column("Type", "Server, Shell or Once"),
    Column("Size", "How much is pulled"),
    AGE,
)
def container_image(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    return [name_of(obj), spec.get("image", ""), spec.get("type", ""), spec.get("size", "48Mi"), age(obj, now)]


@printer(
    "sim.kubeweb.dev/clocks",
    NAME,
    Column("Speed", "Seconds of cluster time in a second"),
    Column("Paused", "Whether time stands"),
    Column("Time", "Cluster time when something was last done"),
    Column("Next event", "When the next timer was due then"),
    AGE,
)
def clock(obj: Obj, now: float) -> Cells:
    spec, status = spec_of(obj), status_of(obj)
    return [
        name_of(obj),
        f"{spec.get('speed', 1):g}x",
        str(bool(spec.get("paused"))),
        status.get("time", ""),
        status.get("nextEvent", ""),
        age(obj, now),
    ]


def _diagnosis(obj: Obj, now: float) -> Cells:
    gaps = obj.get("desired") or []
    first = next((one for one in gaps if one.get("gap")), gaps[0] if gaps else {})
    failed = [one for one in obj.get("checklist") or () if one.get("result") == "Failed"]
    finding = failed[0]["findings"][0] if failed and failed[0].get("findings") else {}
    return [
        name_of(obj),
        obj.get("verdict", ""),
        first.get("desired", ""),
        first.get("actual", ""),
        f"{failed[0]['step']} {failed[0]['name']}" if failed else "",
        finding.get("reason", ""),
        obj.get("message", ""),
    ]


_COLUMNS = (
    NAME,
    Column("Verdict", "Healthy, Progressing or Unhealthy"),
    Column("Desired", "What the spec asks"),
    Column("Actual", "What is"),
    Column("Step", "The first step of the checklist that failed"),
    Column("Reason", "What was found there"),
    wide("Message", "The verdict in a sentence"),
)
printer("sim.kubeweb.dev/diagnoses", *_COLUMNS)(_diagnosis)
printer("sim.kubeweb.dev/nodediagnoses", *_COLUMNS)(_diagnosis)
