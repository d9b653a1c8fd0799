"""Rows of what extends or guards the API: webhooks, admission policies, API services, priority and fairness, devices."""

from __future__ import annotations

from typing import Any

from cluster.apiserver.printers.columns import (
    AGE,
    NAME,
    NONE,
    PRINTERS,
    UNSET,
    Cells,
    Column,
    Obj,
    age,
    integer,
    name_of,
    printer,
    spec_of,
    status_of,
)

_ADMISSION = "admissionregistration.k8s.io"
_FLOW = "flowcontrol.v1"
_WEBHOOKS = integer("Webhooks", "Webhooks indicates the number of webhooks registered in this configuration")
_PARAM_KIND = Column("ParamKind", "ParamKind specifies the kind of resources used to parameterize this policy")


@printer(f"{_ADMISSION}/mutatingwebhookconfigurations", NAME, _WEBHOOKS, AGE)
@printer(f"{_ADMISSION}/validatingwebhookconfigurations", NAME, _WEBHOOKS, AGE)
def webhooks(obj: Obj, now: float) -> Cells:
    return [name_of(obj), len(obj.get("webhooks") or ()), age(obj, now)]


def _param_kind(obj: Obj) -> str:
    kind = spec_of(obj).get("paramKind")
    return f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET


@printer(
    f"{_ADMISSION}/validatingadmissionpolicies",
    NAME,
    integer("Validations", "Validations indicates the number of validation rules defined in this configuration"),
    _PARAM_KIND,
    AGE,
)
def validatingadmissionpolicy(obj: Obj, now: float) -> Cells:
    return [name_of(obj), len(spec_of(obj).get("validations") or ()), _param_kind(obj), age(obj, now)]


@printer(
    f"{_ADMISSION}/mutatingadmissionpolicies",
    NAME,
    integer("Mutations", "Mutation indicates the number of mutations rules defined in this configuration"),
    _PARAM_KIND,
    AGE,
)
def mutatingadmissionpolicy(obj: Obj, now: float) -> Cells:
    return [name_of(obj), len(spec_of(obj).get("mutations") or ()), _param_kind(obj), age(obj, now)]


_BINDING = (
    NAME,
    Column("PolicyName", "PolicyName indicates the policy definition which the policy binding binded to"),
    Column("ParamRef", "ParamRef indicates the param resource which sets the configration param"),
    AGE,
)


@printer(f"{_ADMISSION}/validatingadmissionpolicybindings", *_BINDING)
@printer(f"{_ADMISSION}/mutatingadmissionpolicybindings", *_BINDING)
def admissionpolicybinding(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    return [name_of(obj), spec.get("policyName", ""), _param_ref(spec.get("paramRef")), age(obj, now)]


def _param_ref(reference: Any) -> str:
    """The parameters of a binding; whether they live in a namespace cannot be told from here, hence the star."""
    if not reference:
        return UNSET
    if reference.get("name"):
        return f"{reference.get('namespace') or '*'}/{reference['name']}"
    if reference.get("selector") is not None:
        return _go_selector(reference["selector"])
    return UNSET


def _go_selector(selector: Any) -> str:
    """A LabelSelector as Go prints the structure: that is what Kubernetes shows here."""
    labels = "".join(f"{key}: {value}," for key, value in sorted((selector.get("matchLabels") or {}).items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{one['key']},Operator:{one['operator']},Values:[{' '.join(one.get('values') or ())}],}},"
        for one in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )


@printer(
    "apiregistration.k8s.io/apiservices",
    NAME,
    Column("Service", "The reference to the service that hosts this API endpoint."),
    Column("Available", "Whether this service is available."),
    AGE,
)
def apiservice(obj: Obj, now: float) -> Cells:
    target = spec_of(obj).get("service")
    available = "Unknown"
    for condition in status_of(obj).get("conditions") or ():
        if condition["type"] == "Available":
            available = condition["status"]
            if available != "True" and condition.get("reason"):
                available = f"{available} ({condition['reason']})"
    return [
        name_of(obj),
        f"{target.get('namespace', '')}/{target.get('name', '')}" if target else "Local",
        available,
        age(obj, now),
    ]


@printer(
    "flowcontrol.apiserver.k8s.io/flowschemas",
    NAME,
    Column("PriorityLevel", f"@{_FLOW}.PriorityLevelConfigurationReference.name"),
    Column("MatchingPrecedence", f"@{_FLOW}.FlowSchemaSpec.matchingPrecedence"),
    Column("DistinguisherMethod", f"@{_FLOW}.FlowSchemaSpec.distinguisherMethod"),
    AGE,
    Column("MissingPL", "references a broken or non-existent PriorityLevelConfiguration"),
)
def flowschema(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    conditions = status_of(obj).get("conditions") or ()
    return [
        name_of(obj),
        (spec.get("priorityLevelConfiguration") or {}).get("name", ""),
        spec.get("matchingPrecedence", 0),
        (spec.get("distinguisherMethod") or {}).get("type", NONE),
        age(obj, now),
        next((one["status"] for one in conditions if one["type"] == "Dangling"), "?"),
    ]


def _precedence(obj: Obj) -> tuple[int, str]:
    """Flow schemas are listed in the order in which they are tried."""
    return spec_of(obj).get("matchingPrecedence", 0), name_of(obj)


PRINTERS["flowcontrol.apiserver.k8s.io/flowschemas"].order = _precedence


@printer(
    "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations",
    NAME,
    Column("Type", f"@{_FLOW}.PriorityLevelConfigurationSpec.type"),
    Column("NominalConcurrencyShares", f"@{_FLOW}.LimitedPriorityLevelConfiguration.nominalConcurrencyShares"),
    Column("Queues", f"@{_FLOW}.QueuingConfiguration.queues"),
    Column("HandSize", f"@{_FLOW}.QueuingConfiguration.handSize"),
    Column("QueueLengthLimit", f"@{_FLOW}.QueuingConfiguration.queueLengthLimit"),
    AGE,
)
def prioritylevel(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    limited = spec.get("limited")
    queuing = ((limited or {}).get("limitResponse") or {}).get("queuing")
    shares = NONE if limited is None else limited.get("nominalConcurrencyShares", 0)
    queues = [NONE] * 3
    if queuing is not None:
        queues = [queuing.get(name, 0) for name in ("queues", "handSize", "queueLengthLimit")]
    return [name_of(obj), spec.get("type", ""), shares, *queues, age(obj, now)]


@printer("resource.k8s.io/deviceclasses", NAME, AGE)
@printer("resource.k8s.io/resourceclaimtemplates", NAME, AGE)
def name_and_age(obj: Obj, now: float) -> Cells:
    return [name_of(obj), age(obj, now)]


@printer(
    "resource.k8s.io/resourceclaims",
    NAME,
    Column("State", "A summary of the current state (allocated, pending, reserved, etc.)."),
    AGE,
)
def resourceclaim(obj: Obj, now: float) -> Cells:
    status = status_of(obj)
    deleted = bool(obj["metadata"].get("deletionTimestamp"))
    words = ["deleted"] if deleted else []
    if status.get("allocation") is not None:
        words.append("allocated")
        if status.get("reservedFor"):
            words.append("reserved")
    elif not deleted:
        words.append("pending")
    return [name_of(obj), ",".join(words), age(obj, now)]


@printer(
    "resource.k8s.io/resourceslices",
    NAME,
    Column("Node", "@resource.v1.ResourceSliceSpec.nodeName"),
    Column("Driver", "@resource.v1.ResourceSliceSpec.driver"),
    Column("Pool", "@resource.v1.ResourcePool.name"),
    AGE,
)
def resourceslice(obj: Obj, now: float) -> Cells:
    spec = spec_of(obj)
    return [
        name_of(obj),
        spec.get("nodeName", ""),
        spec.get("driver", ""),
        (spec.get("pool") or {}).get("name", ""),
        age(obj, now),
    ]
