"""Every built-in kind that a default Kubernetes 1.37 serves: the one table that everything else derives from.

A line is: plural, Kind, scope (`ns` or `cluster`), then optional `short=a,b`, `cat=a,b`, `sub=status,scale,…`, `virtual` (a
question that is answered and stored nowhere), `computed` (worked out when it is read, stored nowhere), `verbs=…` where they differ from the usual eight. The order of groups is the
order in which discovery lists them (preferred version first).
"""

from __future__ import annotations

KINDS: dict[str, str] = {
    "v1": """
        bindings Binding ns virtual
        componentstatuses ComponentStatus cluster short=cs computed verbs=get,list
        configmaps ConfigMap ns short=cm
        endpoints Endpoints ns short=ep
        events Event ns short=ev
        limitranges LimitRange ns short=limits
        namespaces Namespace cluster short=ns sub=status,finalize verbs=create,delete,get,list,patch,update,watch
        nodes Node cluster short=no sub=status,proxy
        persistentvolumeclaims PersistentVolumeClaim ns short=pvc sub=status
        persistentvolumes PersistentVolume cluster short=pv sub=status
        pods Pod ns short=po cat=all sub=status,binding,eviction,log,exec,attach,portforward,proxy,ephemeralcontainers,resize
        podtemplates PodTemplate ns
        replicationcontrollers ReplicationController ns short=rc cat=all sub=status,scale
        resourcequotas ResourceQuota ns short=quota sub=status
        secrets Secret ns
        serviceaccounts ServiceAccount ns short=sa sub=token
        services Service ns short=svc cat=all sub=status,proxy
    """,
    "apiregistration.k8s.io/v1": """
        apiservices APIService cluster cat=api-extensions sub=status
    """,
    "apps/v1": """
        controllerrevisions ControllerRevision ns
        daemonsets DaemonSet ns short=ds cat=all sub=status
        deployments Deployment ns short=deploy cat=all sub=status,scale
        replicasets ReplicaSet ns short=rs cat=all sub=status,scale
        statefulsets StatefulSet ns short=sts cat=all sub=status,scale
    """,
    "events.k8s.io/v1": """
        events Event ns short=ev
    """,
    "authentication.k8s.io/v1": """
        selfsubjectreviews SelfSubjectReview cluster virtual
        tokenreviews TokenReview cluster virtual
    """,
    "authorization.k8s.io/v1": """
        localsubjectaccessreviews LocalSubjectAccessReview ns virtual
        selfsubjectaccessreviews SelfSubjectAccessReview cluster virtual
        selfsubjectrulesreviews SelfSubjectRulesReview cluster virtual
        subjectaccessreviews SubjectAccessReview cluster virtual
    """,
    "autoscaling/v2": """
        horizontalpodautoscalers HorizontalPodAutoscaler ns short=hpa cat=all sub=status
    """,
    "autoscaling/v1": """
        horizontalpodautoscalers HorizontalPodAutoscaler ns short=hpa cat=all sub=status
    """,
    "batch/v1": """
        cronjobs CronJob ns short=cj cat=all sub=status
        jobs Job ns cat=all sub=status
    """,
    "certificates.k8s.io/v1": """
        certificatesigningrequests CertificateSigningRequest cluster short=csr sub=status,approval
    """,
    "networking.k8s.io/v1": """
        ingressclasses IngressClass cluster
        ingresses Ingress ns short=ing sub=status
        ipaddresses IPAddress cluster short=ip
        networkpolicies NetworkPolicy ns short=netpol
        servicecidrs ServiceCIDR cluster sub=status
    """,
    "policy/v1": """
        poddisruptionbudgets PodDisruptionBudget ns short=pdb sub=status
    """,
    "rbac.authorization.k8s.io/v1": """
        clusterrolebindings ClusterRoleBinding cluster
        clusterroles ClusterRole cluster
        rolebindings RoleBinding ns
        roles Role ns
    """,
    "storage.k8s.io/v1": """
        csidrivers CSIDriver cluster
        csinodes CSINode cluster
        csistoragecapacities CSIStorageCapacity ns
        storageclasses StorageClass cluster short=sc
        volumeattachments VolumeAttachment cluster sub=status
        volumeattributesclasses VolumeAttributesClass cluster short=vac
    """,
    "admissionregistration.k8s.io/v1": """
        mutatingadmissionpolicies MutatingAdmissionPolicy cluster cat=api-extensions
        mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding cluster cat=api-extensions
        mutatingwebhookconfigurations MutatingWebhookConfiguration cluster cat=api-extensions
        validatingadmissionpolicies ValidatingAdmissionPolicy cluster cat=api-extensions sub=status
        validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding cluster cat=api-extensions
        validatingwebhookconfigurations ValidatingWebhookConfiguration cluster cat=api-extensions
    """,
    "apiextensions.k8s.io/v1": """
        customresourcedefinitions CustomResourceDefinition cluster short=crd,crds cat=api-extensions sub=status
    """,
    "scheduling.k8s.io/v1": """
        priorityclasses PriorityClass cluster short=pc
    """,
    "coordination.k8s.io/v1": """
        leases Lease ns
    """,
    "node.k8s.io/v1": """
        runtimeclasses RuntimeClass cluster
    """,
    "discovery.k8s.io/v1": """
        endpointslices EndpointSlice ns
    """,
    "flowcontrol.apiserver.k8s.io/v1": """
        flowschemas FlowSchema cluster sub=status
        prioritylevelconfigurations PriorityLevelConfiguration cluster sub=status
    """,
    "resource.k8s.io/v1": """
        deviceclasses DeviceClass cluster
        resourceclaims ResourceClaim ns sub=status
        resourceclaimtemplates ResourceClaimTemplate ns
        resourceslices ResourceSlice cluster
    """,
    # Ours: the simulated world as objects.
    "sim.kubeweb.dev/v1alpha1": """
        faults Fault cluster sub=status
        traffics Traffic ns sub=status
        containerimages ContainerImage cluster short=img
        clocks Clock cluster sub=status
        diagnoses Diagnosis ns short=diag computed verbs=get,list
        nodediagnoses NodeDiagnosis cluster short=nodediag computed verbs=get,list
        schedulingsimulations SchedulingSimulation ns virtual
        sandboxes Sandbox cluster short=sbx sub=status
        lessons Lesson cluster
        accessexplanations AccessExplanation cluster virtual
        accessmatrices AccessMatrix cluster virtual
        accessreports AccessReport cluster virtual
        bindingpreviews BindingPreview cluster virtual
    """,
    # What metrics-server serves beside a cluster, computed from what the kubelets report.
    "metrics.k8s.io/v1beta1": """
        nodes NodeMetrics cluster computed verbs=get,list
        pods PodMetrics ns computed verbs=get,list
    """,
}

# Resources with two served versions: which one is stored, and the key they share in the log.
STORED_AS: dict[str, tuple[str, str]] = {
    "events.k8s.io/events": ("events", "v1"),
    "autoscaling/horizontalpodautoscalers": ("autoscaling/horizontalpodautoscalers", "v2"),
}

_MAIN = ("get", "patch", "update")

# (group, version, Kind, verbs) of subresources; those not named here carry the resource's own kind and _MAIN verbs.
SUBRESOURCES: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "pods/binding": ("", "v1", "Binding", ("create",)),
    "pods/eviction": ("policy", "v1", "Eviction", ("create",)),
    "pods/log": ("", "v1", "Pod", ("get",)),
    "pods/exec": ("", "v1", "PodExecOptions", ("create", "get")),
    "pods/attach": ("", "v1", "PodAttachOptions", ("create", "get")),
    "pods/portforward": ("", "v1", "PodPortForwardOptions", ("create", "get")),
    "pods/proxy": ("", "v1", "PodProxyOptions", ("create", "delete", "get", "patch", "update")),
    "services/proxy": ("", "v1", "ServiceProxyOptions", ("create", "delete", "get", "patch", "update")),
    "nodes/proxy": ("", "v1", "NodeProxyOptions", ("create", "delete", "get", "patch", "update")),
    "namespaces/finalize": ("", "v1", "Namespace", ("update",)),
    "serviceaccounts/token": ("authentication.k8s.io", "v1", "TokenRequest", ("create",)),
    "*/scale": ("autoscaling", "v1", "Scale", _MAIN),
}
