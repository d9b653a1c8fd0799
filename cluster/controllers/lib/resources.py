"""What kinds there are, for the controllers that treat all alike: garbage collection, namespace deletion, quotas.

`BUILT_IN` is what every cluster of ours serves; `custom_resources` adds what its CustomResourceDefinitions declare.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cluster.client.client import Obj


@dataclass(frozen=True, slots=True)
class ResourceInfo:
    """One resource: its client path (`apps/v1/deployments`), its kind, and whether it lives in namespaces."""

    path: str
    kind: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        version, _, _ = self.path.rpartition("/")
        return version.rpartition("/")[0]

    @property
    def plural(self) -> str:
        return self.path.rpartition("/")[2]


# Kinds that own or are owned, or are deleted in the foreground: the garbage collector watches them.
OWNERSHIP = (
    ResourceInfo("v1/pods", "Pod"),
    ResourceInfo("apps/v1/replicasets", "ReplicaSet"),
    ResourceInfo("apps/v1/deployments", "Deployment"),
    ResourceInfo("apps/v1/statefulsets", "StatefulSet"),
    ResourceInfo("apps/v1/daemonsets", "DaemonSet"),
    ResourceInfo("apps/v1/controllerrevisions", "ControllerRevision"),
    ResourceInfo("batch/v1/jobs", "Job"),
    ResourceInfo("batch/v1/cronjobs", "CronJob"),
    ResourceInfo("v1/replicationcontrollers", "ReplicationController"),
    ResourceInfo("v1/services", "Service"),
    ResourceInfo("discovery.k8s.io/v1/endpointslices", "EndpointSlice"),
    ResourceInfo("v1/configmaps", "ConfigMap"),
    ResourceInfo("v1/secrets", "Secret"),
    ResourceInfo("v1/serviceaccounts", "ServiceAccount"),
    ResourceInfo("v1/persistentvolumeclaims", "PersistentVolumeClaim"),
    ResourceInfo("rbac.authorization.k8s.io/v1/roles", "Role"),
    ResourceInfo("rbac.authorization.k8s.io/v1/rolebindings", "RoleBinding"),
    ResourceInfo("networking.k8s.io/v1/ingresses", "Ingress"),
    ResourceInfo("networking.k8s.io/v1/networkpolicies", "NetworkPolicy"),
    ResourceInfo("policy/v1/poddisruptionbudgets", "PodDisruptionBudget"),
    ResourceInfo("autoscaling/v2/horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    ResourceInfo("coordination.k8s.io/v1/leases", "Lease"),
    ResourceInfo("sim.kubeweb.dev/v1alpha1/sandboxes", "Sandbox", namespaced=False),
    ResourceInfo("v1/nodes", "Node", namespaced=False),
    ResourceInfo("v1/namespaces", "Namespace", namespaced=False),
    ResourceInfo("rbac.authorization.k8s.io/v1/clusterroles", "ClusterRole", namespaced=False),
    ResourceInfo("rbac.authorization.k8s.io/v1/clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    ResourceInfo("v1/endpoints", "Endpoints"),
    ResourceInfo("v1/limitranges", "LimitRange"),
    ResourceInfo("v1/podtemplates", "PodTemplate"),
    ResourceInfo("v1/resourcequotas", "ResourceQuota"),
    ResourceInfo("storage.k8s.io/v1/csistoragecapacities", "CSIStorageCapacity"),
    ResourceInfo("resource.k8s.io/v1/resourceclaims", "ResourceClaim"),
    ResourceInfo("resource.k8s.io/v1/resourceclaimtemplates", "ResourceClaimTemplate"),
    ResourceInfo("sim.kubeweb.dev/v1alpha1/traffics", "Traffic"),
    *(
        ResourceInfo(path, kind, namespaced=False)
        for path, kind in (
            ("v1/persistentvolumes", "PersistentVolume"),
            ("storage.k8s.io/v1/storageclasses", "StorageClass"),
            ("storage.k8s.io/v1/csidrivers", "CSIDriver"),
            ("storage.k8s.io/v1/csinodes", "CSINode"),
            ("storage.k8s.io/v1/volumeattachments", "VolumeAttachment"),
            ("storage.k8s.io/v1/volumeattributesclasses", "VolumeAttributesClass"),
            ("scheduling.k8s.io/v1/priorityclasses", "PriorityClass"),
            ("node.k8s.io/v1/runtimeclasses", "RuntimeClass"),
            ("networking.k8s.io/v1/ingressclasses", "IngressClass"),
            ("networking.k8s.io/v1/servicecidrs", "ServiceCIDR"),
            ("networking.k8s.io/v1/ipaddresses", "IPAddress"),
            ("resource.k8s.io/v1/deviceclasses", "DeviceClass"),
            ("resource.k8s.io/v1/resourceslices", "ResourceSlice"),
            ("certificates.k8s.io/v1/certificatesigningrequests", "CertificateSigningRequest"),
            ("apiextensions.k8s.io/v1/customresourcedefinitions", "CustomResourceDefinition"),
            ("apiregistration.k8s.io/v1/apiservices", "APIService"),
            ("flowcontrol.apiserver.k8s.io/v1/flowschemas", "FlowSchema"),
            ("flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations", "PriorityLevelConfiguration"),
            ("admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
            ("admissionregistration.k8s.io/v1/validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
            ("admissionregistration.k8s.io/v1/validatingadmissionpolicies", "ValidatingAdmissionPolicy"),
            ("admissionregistration.k8s.io/v1/validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"),
            ("admissionregistration.k8s.io/v1/mutatingadmissionpolicies", "MutatingAdmissionPolicy"),
            ("admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding"),
            ("sim.kubeweb.dev/v1alpha1/faults", "Fault"),
            ("sim.kubeweb.dev/v1alpha1/containerimages", "ContainerImage"),
        )
    ),
)
# Events come in masses and own nothing; the garbage collector passes over them.
BUILT_IN = (*OWNERSHIP, ResourceInfo("v1/events", "Event"))


def by_kind(api_version: str, kind: str) -> ResourceInfo | None:
    """The built-in resource of a kind; None when there is none."""
    for one in BUILT_IN:
        if one.kind == kind and one.path.rpartition("/")[0] == api_version:
            return one
    return None


DEFINITIONS = "apiextensions.k8s.io/v1/customresourcedefinitions"


def custom_resources(definitions: Iterable[Obj]) -> Iterable[ResourceInfo]:
    """What established definitions declare: each in its stored version, or in the first that is served."""
    for crd in definitions:
        conditions = (crd.get("status") or {}).get("conditions") or ()
        if not any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
            continue
        spec = crd["spec"]
        served = [version for version in spec["versions"] if version.get("served")]
        served.sort(key=lambda version: not version.get("storage"))
        if served:
            path = f"{spec['group']}/{served[0]['name']}/{spec['names']['plural']}"
            yield ResourceInfo(path, spec["names"]["kind"], spec["scope"] == "Namespaced")


def ownership() -> Iterable[ResourceInfo]:
    """The garbage collector's default discovery."""
    return OWNERSHIP


def built_in() -> Iterable[ResourceInfo]:
    """The namespace controller's default discovery."""
    return BUILT_IN
