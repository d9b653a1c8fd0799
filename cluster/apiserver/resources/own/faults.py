"""Fault: something that goes wrong in the simulated world."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.apiserver.resources.own.schema import integer, kind, moment, number, ref, struct, text


@dataclass(frozen=True, slots=True)
class FaultType:
    """What can break. `needs`: fields that name the target; `takes`: fields that may be given."""

    says: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


FAULTS: dict[str, FaultType] = {
    "NodeDown": FaultType("the machine loses power", ("node",)),
    "NetworkPartition": FaultType("kubelet and API server do not reach one another; what runs runs on", ("node",)),
    "MemoryPressure": FaultType("something on the machine takes nearly all memory", ("node",)),
    "DiskPressure": FaultType("something on the machine fills its disk", ("node",)),
    "PIDPressure": FaultType("something on the machine takes nearly all process ids", ("node",)),
    "ClockSkew": FaultType("the machine's clock is off", ("node", "skewSeconds")),
    "RegistryDown": FaultType("images cannot be pulled", (), ("registry",)),
    "RegistrySlow": FaultType("pulls take longer", ("delaySeconds",), ("registry",)),
    "ContainerCrash": FaultType("a container exits with code 1", ("namespace", "pod"), ("container",)),
    "OutOfMemory": FaultType("a container is killed for want of memory", ("namespace", "pod"), ("container",)),
    "ContainerHang": FaultType("a container stops answering", ("namespace", "pod"), ("container",)),
    "ProbeFailure": FaultType(
        "a probe fails whatever the container says", ("namespace", "pod"), ("container", "probe")
    ),
    "SlowEtcd": FaultType("every write takes longer", ("delaySeconds",)),
    "APIServerOverload": FaultType("requests are refused with 429", (), ("percent",)),
    "ControllerStopped": FaultType("a control loop, or the scheduler, does not act", ("controller",)),
}
PROBES = ("liveness", "readiness", "startup")

DEFINITIONS = {
    **kind(
        "Fault",
        "Fault is something that goes wrong in the simulated world, for a while or until it is deleted.",
        {"spec": ref("FaultSpec"), "status": ref("FaultStatus")},
    ),
    **struct(
        "FaultSpec",
        "FaultSpec says what breaks. It cannot be changed.",
        {
            "type": text("What breaks. " + " ".join(f"{name}: {one.says}." for name, one in FAULTS.items())),
            "node": text("The node."),
            "namespace": text("The namespace of the pod."),
            "pod": text("The pod."),
            "container": text("The container; without it the pod's first (ProbeFailure: all)."),
            "probe": text(
                "The probe that fails (ProbeFailure): liveness, readiness or startup. Defaults to readiness."
            ),
            "controller": text("The control loop that stops working, or scheduler."),
            "registry": text("The registry's host, such as docker.io; without it all registries."),
            "delaySeconds": number("How much longer it takes, in seconds (RegistrySlow, SlowEtcd)."),
            "skewSeconds": number("How far the machine's clock is ahead, in seconds (ClockSkew); negative: behind."),
            "percent": integer("How many requests of a hundred are refused (APIServerOverload). Defaults to 50."),
            "durationSeconds": integer(
                "Seconds of cluster time until it heals; without it, when the Fault is deleted."
            ),
        },
        "type",
    ),
    **struct(
        "FaultStatus",
        "FaultStatus says how it stands.",
        {
            "phase": text("Active, Ended or Failed."),
            "message": text("What was done, or why it could not be."),
            "startTime": moment("When it began."),
            "endTime": moment("When it was over."),
        },
    ),
}
