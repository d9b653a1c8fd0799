"""Rows of all other kinds (pkg/printers/internalversion/printers.go)."""

from __future__ import annotations

from typing import Any

from cluster.apiserver.printers.columns import (
    NONE,
    Cells,
    Obj,
    age,
    human_duration,
    images,
    joined,
    labels,
    printer,
    seconds_of,
    selector,
    since,
)


def _spec(obj: Obj) -> Any:
    return obj.get("spec") or {}


def _status(obj: Obj) -> Any:
    return obj.get("status") or {}


def _template(obj: Obj) -> Any:
    return (_spec(obj).get("template") or {}).get("spec") or {}


# -- workloads ------------------------------------------------------------------------------------------------------


@printer(
    "apps/deployments",
    "Ready,Up-to-date:integer,Available:integer,Age,!Containers,!Images,!Selector",
)
def deployment(obj: Obj, now: float) -> Cells:
    spec, status = _spec(obj), _status(obj)
    return [
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age(obj, now),
        *images(_template(obj)),
        selector(spec.get("selector")),
    ]


@printer("apps/replicasets", "Desired:integer,Current:integer,Ready:integer,Age,!Containers,!Images,!Selector")
def replicaset(obj: Obj, now: float) -> Cells:
    spec, status = _spec(obj), _status(obj)
    return [
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age(obj, now),
        *images(_template(obj)),
        selector(spec.get("selector")),
    ]


@printer("replicationcontrollers", "Desired:integer,Current:integer,Ready:integer,Age,!Containers,!Images,!Selector")
def replicationcontroller(obj: Obj, now: float) -> Cells:
    return [*replicaset(obj, now)[:-1], labels(_spec(obj).get("selector"))]


@printer("apps/statefulsets", "Ready,Age,!Containers,!Images")
def statefulset(obj: Obj, now: float) -> Cells:
    return [
        f"{_status(obj).get('readyReplicas', 0)}/{_spec(obj).get('replicas', 0)}",
        age(obj, now),
        *images(_template(obj)),
    ]


@printer(
    "apps/daemonsets",
    "Desired:integer,Current:integer,Ready:integer,Up-to-date:integer,Available:integer,Node Selector,Age,"
    "!Containers,!Images,!Selector",
)
def daemonset(obj: Obj, now: float) -> Cells:
    status = _status(obj)
    return [
        status.get("desiredNumberScheduled", 0),
        status.get("currentNumberScheduled", 0),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        labels(_template(obj).get("nodeSelector")),
        age(obj, now),
        *images(_template(obj)),
        selector(_spec(obj).get("selector")),
    ]


@printer("apps/controllerrevisions", "Controller,Revision:integer,Age")
def controllerrevision(obj: Obj, now: float) -> Cells:
    owner = next((one for one in obj["metadata"].get("ownerReferences") or () if one.get("controller")), None)
    shown = NONE
    if owner is not None:
        group = owner["apiVersion"].rpartition("/")[0]
        shown = f"{owner['kind'].lower()}{'.' + group if group else ''}/{owner['name']}"
    return [shown, obj.get("revision", 0), age(obj, now)]


@printer("batch/jobs", "Status,Completions,Duration,Age,!Containers,!Images,!Selector")
def job(obj: Obj, now: float) -> Cells:
    spec, status = _spec(obj), _status(obj)
    done, wanted, parallel = status.get("succeeded", 0), spec.get("completions"), spec.get("parallelism", 1)
    if wanted is not None:
        completions = f"{done}/{wanted}"
    else:
        completions = f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"
    start, end = status.get("startTime"), status.get("completionTime")
    duration = ""
    if start:
        duration = human_duration((seconds_of(end) if end else now) - seconds_of(start))
    true = {one["type"] for one in status.get("conditions") or () if one["status"] == "True"}
    if obj["metadata"].get("deletionTimestamp"):
        state = "Terminating"
    else:
        words = {
            "Complete": "Complete",
            "Failed": "Failed",
            "Suspended": "Suspended",
            "FailureTarget": "FailureTarget",
            "SuccessCriteriaMet": "SuccessCriteriaMet",
        }
        state = next((shown for kind, shown in words.items() if kind in true), "Running")
    return [state, completions, duration, age(obj, now), *images(_template(obj)), selector(spec.get("selector"))]


@printer(
    "batch/cronjobs",
    "Schedule,Timezone,Suspend:boolean,Active:integer,Last Schedule,Age,!Containers,!Images,!Selector",
)
def cronjob(obj: Obj, now: float) -> Cells:
    spec, status = _spec(obj), _status(obj)
    last = status.get("lastScheduleTime")
    inner = (spec.get("jobTemplate") or {}).get("spec") or {}
    return [
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        str(bool(spec.get("suspend"))),
        len(status.get("active") or ()),
        since(last, now) if last else NONE,
        age(obj, now),
        *images((inner.get("template") or {}).get("spec") or {}),
        selector(inner.get("selector")),
    ]


@printer("podtemplates", "Containers,Images,Pod Labels")
def podtemplate(obj: Obj, now: float) -> Cells:
    template = obj.get("template") or {}
    return [*images(template.get("spec") or {}), labels((template.get("metadata") or {}).get("labels"))]


@printer("autoscaling/horizontalpodautoscalers", "Reference,Targets,MinPods,MaxPods:integer,Replicas:integer,Age")
def autoscaler(obj: Obj, now: float) -> Cells:
    spec, status = _spec(obj), _status(obj)
    target = spec.get("scaleTargetRef") or {}
    return [
        f"{target.get('kind')}/{target.get('name')}",
        _metrics(spec.get("metrics") or (), status.get("currentMetrics") or ()),
        str(spec.get("minReplicas", "<unset>")),
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        age(obj, now),
    ]


def _metrics(wanted: Any, current: Any) -> str:
    shown = []
    for index, metric in enumerate(wanted):
        resource = metric.get("resource")
        if resource is None:
            shown.append("<unknown>")
            continue
        target = resource.get("target") or {}
        now = ((current[index].get("resource") or {}).get("current") or {}) if index < len(current) else {}
        if "averageUtilization" in target:
            have = f"{now['averageUtilization']}%" if "averageUtilization" in now else "<unknown>"
            shown.append(f"{resource['name']}: {have}/{target['averageUtilization']}%")
        else:
            shown.append(f"{resource['name']}: {now.get('averageValue', '<unknown>')}/{target.get('averageValue')}")
    if len(shown) > 2:
        return f"{', '.join(shown[:2])} + {len(shown) - 2} more..."
    return ", ".join(shown) or NONE


@printer("policy/poddisruptionbudgets", "Min Available,Max Unavailable,Allowed Disruptions:integer,Age")
def budget(obj: Obj, now: float) -> Cells:
    spec = _spec(obj)
    return [
        str(spec.get("minAvailable", "N/A")),
        str(spec.get("maxUnavailable", "N/A")),
        _status(obj).get("disruptionsAllowed", 0),
        age(obj, now),
    ]


# -- network -----------------------------------------------------------------------------------------------------------


@printer("services", "Type,Cluster-IP,External-IP,Port(s),Age,!Selector")
def service(obj: Obj, now: float) -> Cells:
    spec = _spec(obj)
    return [
        spec.get("type", ""),
        spec.get("clusterIP") or NONE,
        _external(spec, _status(obj)),
        _ports(spec.get("ports") or ()),
        age(obj, now),
        labels(spec.get("selector")),
    ]


def _external(spec: Any, status: Any) -> str:
    kind, external = spec.get("type"), spec.get("externalIPs") or []
    if kind == "ExternalName":
        return str(spec.get("externalName", ""))
    if kind == "LoadBalancer":
        given = [
            one.get("ip") or one.get("hostname") for one in (status.get("loadBalancer") or {}).get("ingress") or ()
        ]
        return ",".join([*given, *external]) or "<pending>"
    return joined(external)


def _ports(ports: Any) -> str:
    return joined(
        f"{port['port']}:{port['nodePort']}/{port.get('protocol', 'TCP')}"
        if port.get("nodePort")
        else f"{port['port']}/{port.get('protocol', 'TCP')}"
        for port in ports
    )


@printer("endpoints", "Endpoints,Age")
def endpoints(obj: Obj, now: float) -> Cells:
    found = []
    for subset in obj.get("subsets") or ():
        for address in subset.get("addresses") or ():
            ports = subset.get("ports") or ()
            found.extend(f"{address['ip']}:{port['port']}" for port in ports)
            if not ports:
                found.append(address["ip"])
    shown = ",".join(found[:3])
    if len(found) > 3:
        shown += f" + {len(found) - 3} more..."
    return [shown or NONE, age(obj, now)]


@printer("discovery.k8s.io/endpointslices", "AddressType,Ports,Endpoints,Age")
def endpointslice(obj: Obj, now: float) -> Cells:
    ports = [str(port.get("port", "*")) for port in obj.get("ports") or ()]
    addresses = [address for one in obj.get("endpoints") or () for address in one.get("addresses") or ()]

    def shortened(values: list[str], none: str) -> str:
        if not values:
            return none
        text = ",".join(values[:3])
        return f"{text} + {len(values) - 3} more..." if len(values) > 3 else text

    return [obj.get("addressType", ""), shortened(ports, "<unset>"), shortened(addresses, "<unset>"), age(obj, now)]


@printer("networking.k8s.io/ingresses", "Class,Hosts,Address,Ports,Age")
def ingress(obj: Obj, now: float) -> Cells:
    spec = _spec(obj)
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    given = [
        one.get("ip") or one.get("hostname") for one in (_status(obj).get("loadBalancer") or {}).get("ingress") or ()
    ]
    shown = ",".join(hosts[:3]) or "*"
    if len(hosts) > 3:
        shown += f" + {len(hosts) - 3} more..."
    return [
        spec.get("ingressClassName") or NONE,
        shown,
        ",".join(given),
        "80, 443" if spec.get("tls") else "80",
        age(obj, now),
    ]


@printer("networking.k8s.io/ingressclasses", "Controller,Parameters,Age")
def ingressclass(obj: Obj, now: float) -> Cells:
    parameters = _spec(obj).get("parameters")
    shown = NONE
    if parameters:
        group = parameters.get("apiGroup")
        shown = f"{parameters['kind']}{'.' + group if group else ''}/{parameters['name']}"
    return [_spec(obj).get("controller", ""), shown, age(obj, now)]


@printer("networking.k8s.io/networkpolicies", "Pod-Selector,Age")
def networkpolicy(obj: Obj, now: float) -> Cells:
    return [selector(_spec(obj).get("podSelector")), age(obj, now)]


@printer("networking.k8s.io/servicecidrs", "CIDRs,Age")
def servicecidr(obj: Obj, now: float) -> Cells:
    return [joined(_spec(obj).get("cidrs") or ()), age(obj, now)]


@printer("networking.k8s.io/ipaddresses", "ParentRef")
def ipaddress(obj: Obj, now: float) -> Cells:
    parent = _spec(obj).get("parentRef") or {}
    return [f"{parent.get('resource', '')}/{parent.get('namespace', '')}/{parent.get('name', '')}"]


# -- the core ------------------------------------------------------------------------------------------------------------


@printer("namespaces", "Status,Age")
def namespace(obj: Obj, now: float) -> Cells:
    return [_status(obj).get("phase", ""), age(obj, now)]


@printer(
    "nodes",
    "Status,Roles,Age,Version,!Internal-IP,!External-IP,!OS-Image,!Kernel-Version,!Container-Runtime",
)
def node(obj: Obj, now: float) -> Cells:
    status = _status(obj)
    ready = next((one for one in status.get("conditions") or () if one["type"] == "Ready"), None)
    if ready is None:
        state = "Unknown"
    else:
        state = "Ready" if ready["status"] == "True" else "NotReady"
    if _spec(obj).get("unschedulable"):
        state += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    roles = sorted(
        key.removeprefix(prefix)
        for key in obj["metadata"].get("labels") or {}
        if key.startswith(prefix) and key != prefix
    )
    info = status.get("nodeInfo") or {}
    addresses = {one["type"]: one["address"] for one in status.get("addresses") or ()}
    return [
        state,
        joined(roles),
        age(obj, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        info.get("osImage") or "<unknown>",
        info.get("kernelVersion") or "<unknown>",
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


@printer("configmaps", "Data:integer,Age")
def configmap(obj: Obj, now: float) -> Cells:
    return [len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age(obj, now)]


@printer("secrets", "Type,Data:integer,Age")
def secret(obj: Obj, now: float) -> Cells:
    return [obj.get("type", ""), len(obj.get("data") or ()), age(obj, now)]


@printer("serviceaccounts", "Age")
def serviceaccount(obj: Obj, now: float) -> Cells:
    return [age(obj, now)]


@printer("limitranges", "Created At")
def limitrange(obj: Obj, now: float) -> Cells:
    return [obj["metadata"].get("creationTimestamp", "")]


@printer("resourcequotas", "Request,Limit,Age")
def quota(obj: Obj, now: float) -> Cells:
    status = _status(obj)
    hard, used = status.get("hard") or {}, status.get("used") or {}
    parts: tuple[list[str], list[str]] = ([], [])
    for name in sorted(hard):
        parts[int(name.startswith("limits."))].append(f"{name}: {used.get(name, '0')}/{hard[name]}")
    return [", ".join(parts[0]), ", ".join(parts[1]), age(obj, now)]


@printer(
    "events",
    "Last Seen,Type,Reason,Object,!Subobject,!Source,Message,!First Seen,!Count:integer,!Name",
    named=False,
)
def event(obj: Obj, now: float) -> Cells:
    involved = obj.get("involvedObject") or {}
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    last = obj.get("lastTimestamp") or first
    source = obj.get("source") or {}
    shown = source.get("component") or obj.get("reportingComponent", "")
    if source.get("host"):
        shown += f", {source['host']}"
    return [
        since(last, now),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{involved.get('kind', '').lower()}/{involved['name']}"
        if involved.get("name")
        else involved.get("kind", "").lower(),
        involved.get("fieldPath", ""),
        shown,
        (obj.get("message") or "").strip(),
        since(first, now),
        obj.get("count", 1),
        obj["metadata"]["name"],
    ]


@printer("componentstatuses", "Status,Message,Error")
def componentstatus(obj: Obj, now: float) -> Cells:
    healthy = next((one for one in obj.get("conditions") or () if one["type"] == "Healthy"), {})
    return [
        "Healthy" if healthy.get("status") == "True" else "Unhealthy",
        healthy.get("message", ""),
        healthy.get("error", ""),
    ]


@printer("coordination.k8s.io/leases", "Holder,Age")
def lease(obj: Obj, now: float) -> Cells:
    return [_spec(obj).get("holderIdentity", ""), age(obj, now)]


@printer("scheduling.k8s.io/priorityclasses", "Value:integer,Global-Default:boolean,Age,PreemptionPolicy")
def priorityclass(obj: Obj, now: float) -> Cells:
    return [obj.get("value", 0), bool(obj.get("globalDefault")), age(obj, now), obj.get("preemptionPolicy", "")]


@printer("node.k8s.io/runtimeclasses", "Handler,Age")
def runtimeclass(obj: Obj, now: float) -> Cells:
    return [obj.get("handler", ""), age(obj, now)]


# -- RBAC ----------------------------------------------------------------------------------------------------------------


@printer("rbac.authorization.k8s.io/roles", "Created At")
@printer("rbac.authorization.k8s.io/clusterroles", "Created At")
def role(obj: Obj, now: float) -> Cells:
    return [obj["metadata"].get("creationTimestamp", "")]


def _subjects(obj: Obj) -> list[str]:
    found: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or ():
        name = subject["name"]
        if subject["kind"] == "ServiceAccount":
            name = f"{subject.get('namespace', '')}/{name}"
        found.setdefault(subject["kind"], []).append(name)
    return [", ".join(found[kind]) for kind in ("User", "Group", "ServiceAccount")]


@printer("rbac.authorization.k8s.io/rolebindings", "Role,Age,!Users,!Groups,!ServiceAccounts")
@printer("rbac.authorization.k8s.io/clusterrolebindings", "Role,Age,!Users,!Groups,!ServiceAccounts")
def binding(obj: Obj, now: float) -> Cells:
    reference = obj["roleRef"]
    return [f"{reference['kind']}/{reference['name']}", age(obj, now), *_subjects(obj)]


# -- storage -----------------------------------------------------------------------------------------------------------------

_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _modes(modes: Any) -> str:
    return ",".join(_MODES.get(mode, mode) for mode in modes or ())


@printer(
    "persistentvolumes",
    "Capacity,Access Modes,Reclaim Policy,Status,Claim,StorageClass,VolumeAttributesClass,Reason,Age,!VolumeMode",
)
def volume(obj: Obj, now: float) -> Cells:
    spec, status = _spec(obj), _status(obj)
    claim = spec.get("claimRef")
    phase = "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", "")
    return [
        (spec.get("capacity") or {}).get("storage", ""),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        phase,
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or "<unset>",
        status.get("reason", ""),
        age(obj, now),
        spec.get("volumeMode", "<unset>"),
    ]


@printer(
    "persistentvolumeclaims",
    "Status,Volume,Capacity,Access Modes,StorageClass,VolumeAttributesClass,Age,!VolumeMode",
)
def claim(obj: Obj, now: float) -> Cells:
    spec, status = _spec(obj), _status(obj)
    phase = "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", "")
    bound = bool(spec.get("volumeName"))
    return [
        phase,
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", "") if bound else "",
        _modes(status.get("accessModes")) if bound else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or "<unset>",
        age(obj, now),
        spec.get("volumeMode", "<unset>"),
    ]


@printer(
    "storage.k8s.io/storageclasses",
    "Provisioner,ReclaimPolicy,VolumeBindingMode,AllowVolumeExpansion:boolean,Age",
)
def storageclass(obj: Obj, now: float) -> Cells:
    return [
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        bool(obj.get("allowVolumeExpansion")),
        age(obj, now),
    ]


@printer(
    "storage.k8s.io/csidrivers",
    "AttachRequired:boolean,PodInfoOnMount:boolean,StorageCapacity:boolean,TokenRequests,RequiresRepublish:boolean,Modes,Age",
)
def csidriver(obj: Obj, now: float) -> Cells:
    spec = _spec(obj)
    return [
        bool(spec.get("attachRequired", True)),
        bool(spec.get("podInfoOnMount")),
        bool(spec.get("storageCapacity")),
        ",".join(one.get("audience", "") for one in spec.get("tokenRequests") or ()) or "<unset>",
        bool(spec.get("requiresRepublish")),
        ",".join(spec.get("volumeLifecycleModes") or ()) or NONE,
        age(obj, now),
    ]


@printer("storage.k8s.io/csinodes", "Drivers:integer,Age")
def csinode(obj: Obj, now: float) -> Cells:
    return [len(_spec(obj).get("drivers") or ()), age(obj, now)]


@printer("storage.k8s.io/volumeattachments", "Attacher,PV,Node,Attached:boolean,Age")
def volumeattachment(obj: Obj, now: float) -> Cells:
    spec = _spec(obj)
    return [
        spec.get("attacher", ""),
        (spec.get("source") or {}).get("persistentVolumeName", ""),
        spec.get("nodeName", ""),
        bool(_status(obj).get("attached")),
        age(obj, now),
    ]


# -- the API's own ------------------------------------------------------------------------------------------------------------


@printer("certificates.k8s.io/certificatesigningrequests", "Age,SignerName,Requestor,RequestedDuration,Condition")
def certificaterequest(obj: Obj, now: float) -> Cells:
    spec, conditions = _spec(obj), {one["type"] for one in _status(obj).get("conditions") or ()}
    words = [kind for kind in ("Approved", "Denied", "Failed") if kind in conditions] or ["Pending"]
    if _status(obj).get("certificate"):
        words.append("Issued")
    seconds = spec.get("expirationSeconds")
    return [
        age(obj, now),
        spec.get("signerName", NONE),
        spec.get("username", ""),
        human_duration(seconds) if seconds else NONE,
        ",".join(words),
    ]


@printer("apiextensions.k8s.io/customresourcedefinitions", "Created At")
def definition(obj: Obj, now: float) -> Cells:
    return [obj["metadata"].get("creationTimestamp", "")]


@printer("apiregistration.k8s.io/apiservices", "Service,Available,Age")
def apiservice(obj: Obj, now: float) -> Cells:
    target = _spec(obj).get("service")
    good = next((one for one in _status(obj).get("conditions") or () if one["type"] == "Available"), {})
    return [
        f"{target['namespace']}/{target['name']}" if target else "Local",
        good.get("status", "Unknown"),
        age(obj, now),
    ]


@printer("admissionregistration.k8s.io/mutatingwebhookconfigurations", "Webhooks:integer,Age")
@printer("admissionregistration.k8s.io/validatingwebhookconfigurations", "Webhooks:integer,Age")
def webhooks(obj: Obj, now: float) -> Cells:
    return [len(obj.get("webhooks") or ()), age(obj, now)]


@printer("admissionregistration.k8s.io/validatingadmissionpolicies", "Validations:integer,ParamKind,Age")
def policy(obj: Obj, now: float) -> Cells:
    kind = _spec(obj).get("paramKind")
    shown = f"{kind['apiVersion']}/{kind['kind']}" if kind else "<unset>"
    return [len(_spec(obj).get("validations") or ()), shown, age(obj, now)]


@printer(
    "flowcontrol.apiserver.k8s.io/flowschemas",
    "PriorityLevel,MatchingPrecedence:integer,DistinguisherMethod,Age,MissingPL",
)
def flowschema(obj: Obj, now: float) -> Cells:
    spec = _spec(obj)
    missing = next((one["status"] for one in _status(obj).get("conditions") or () if one["type"] == "Dangling"), "?")
    return [
        (spec.get("priorityLevelConfiguration") or {}).get("name", ""),
        spec.get("matchingPrecedence", 0),
        (spec.get("distinguisherMethod") or {}).get("type", NONE),
        age(obj, now),
        missing,
    ]


@printer("resource.k8s.io/resourceclaims", "State,Age")
def resourceclaim(obj: Obj, now: float) -> Cells:
    status = _status(obj)
    words = [word for key, word in (("allocation", "allocated"), ("reservedFor", "reserved")) if status.get(key)]
    return [",".join(words) or "pending", age(obj, now)]


@printer("Scale", "Desired:integer,Current:integer,Age")
def scale(obj: Obj, now: float) -> Cells:
    return [_spec(obj).get("replicas", 0), _status(obj).get("replicas", 0), age(obj, now)]
