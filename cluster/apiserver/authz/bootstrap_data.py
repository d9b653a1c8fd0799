"""The default RBAC policy as tables; `bootstrap` turns them into objects.

One line a rule: verbs, API groups, resources, and resource names if any, separated by blanks, each a comma list; `core` is
the core group. A rule on paths: verbs, then paths. READ and WRITE stand for their verbs. What is granted is what
Kubernetes 1.37 grants (plugin/pkg/auth/authorizer/rbac/bootstrappolicy); our own additions are at the end.
"""

from __future__ import annotations

EVENTS = "create,patch,update core,events.k8s.io events"

CLUSTER_ROLES: dict[str, list[str]] = {
    "cluster-admin": ["* * *", "* *"],
    "system:discovery": [
        "get /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/"
    ],
    "system:public-info-viewer": ["get /healthz,/livez,/readyz,/version,/version/"],
    "system:basic-user": [
        "create authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews",
        "create authentication.k8s.io selfsubjectreviews",
    ],
    "system:monitoring": [
        "get /healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*",
        "get /flagz",
        "get /statusz",
    ],
    "system:service-account-issuer-discovery": [
        "get /.well-known/openid-configuration,/.well-known/openid-configuration/,/openid/v1/jwks,/openid/v1/jwks/"
    ],
    "system:aggregate-to-admin": [
        "create authorization.k8s.io localsubjectaccessreviews",
        "READ,WRITE rbac.authorization.k8s.io rolebindings,roles",
    ],
    "system:aggregate-to-edit": [
        "READ core pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy",
        "impersonate core serviceaccounts",
        "WRITE core pods,pods/attach,pods/exec,pods/portforward,pods/proxy",
        "create core pods/eviction",
        "WRITE core configmaps,events,persistentvolumeclaims,replicationcontrollers,replicationcontrollers/scale,"
        "secrets,serviceaccounts,services,services/proxy",
        "create core serviceaccounts/token",
        "WRITE apps daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,replicasets/scale,"
        "statefulsets,statefulsets/scale",
        "WRITE autoscaling horizontalpodautoscalers",
        "WRITE batch cronjobs,jobs",
        "WRITE extensions daemonsets,deployments,deployments/rollback,deployments/scale,ingresses,networkpolicies,"
        "replicasets,replicasets/scale,replicationcontrollers/scale",
        "WRITE policy poddisruptionbudgets",
        "WRITE networking.k8s.io ingresses,networkpolicies",
        "READ,WRITE coordination.k8s.io leases",
        "WRITE resource.k8s.io resourceclaims,resourceclaimtemplates",
    ],
    "system:aggregate-to-view": [
        "READ core configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,"
        "replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status",
        "READ core bindings,events,limitranges,namespaces/status,pods/log,pods/status,replicationcontrollers/status,"
        "resourcequotas,resourcequotas/status",
        "READ core namespaces",
        "READ discovery.k8s.io endpointslices",
        "READ apps controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,"
        "replicasets,replicasets/scale,replicasets/status,statefulsets,statefulsets/scale,statefulsets/status",
        "READ autoscaling horizontalpodautoscalers,horizontalpodautoscalers/status",
        "READ batch cronjobs,cronjobs/status,jobs,jobs/status",
        "READ extensions daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,ingresses,"
        "ingresses/status,networkpolicies,replicasets,replicasets/scale,replicasets/status,replicationcontrollers/scale",
        "READ policy poddisruptionbudgets,poddisruptionbudgets/status",
        "READ networking.k8s.io ingresses,ingresses/status,networkpolicies",
        "READ resource.k8s.io resourceclaims,resourceclaims/status,resourceclaimtemplates",
    ],
    "system:auth-delegator": [
        "create authentication.k8s.io tokenreviews",
        "create authorization.k8s.io subjectaccessreviews",
    ],
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient": [
        "create certificates.k8s.io certificatesigningrequests/nodeclient"
    ],
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient": [
        "create certificates.k8s.io certificatesigningrequests/selfnodeclient"
    ],
    "system:certificates.k8s.io:kube-apiserver-client-approver": [
        "approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client"
    ],
    "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver": [
        "approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet"
    ],
    "system:certificates.k8s.io:kubelet-serving-approver": [
        "approve certificates.k8s.io signers kubernetes.io/kubelet-serving"
    ],
    "system:certificates.k8s.io:legacy-unknown-approver": [
        "approve certificates.k8s.io signers kubernetes.io/legacy-unknown"
    ],
    "system:kube-aggregator": ["READ core endpoints,services"],
    "system:kube-controller-manager": [
        EVENTS,
        "create coordination.k8s.io leases",
        "get,update coordination.k8s.io leases kube-controller-manager",
        "create core secrets,serviceaccounts",
        "delete core secrets",
        "get core configmaps,namespaces,secrets,serviceaccounts",
        "update core secrets,serviceaccounts",
        "create authentication.k8s.io tokenreviews",
        "create authorization.k8s.io subjectaccessreviews",
        "list,watch * *",
        "create core serviceaccounts/token",
    ],
    "system:kube-dns": ["list,watch core endpoints,services"],
    "system:kube-scheduler": [
        EVENTS,
        "create coordination.k8s.io leases",
        "get,update coordination.k8s.io leases kube-scheduler",
        "READ core nodes",
        "READ,delete core pods",
        "create core bindings,pods/binding",
        "patch,update core pods/status",
        "READ core replicationcontrollers,services",
        "READ apps,extensions replicasets",
        "READ apps statefulsets",
        "READ policy poddisruptionbudgets",
        "READ core persistentvolumeclaims,persistentvolumes",
        "create authentication.k8s.io tokenreviews",
        "create authorization.k8s.io subjectaccessreviews",
        "READ storage.k8s.io csinodes",
        "READ storage.k8s.io volumeattachments",
        "READ core namespaces",
        "READ storage.k8s.io csidrivers",
        "READ storage.k8s.io csistoragecapacities",
        "READ resource.k8s.io deviceclasses",
        "READ,patch,update resource.k8s.io resourceclaims",
        "READ,patch,update resource.k8s.io resourceclaims/status",
        "READ,patch,update core pods/finalizers",
        "READ resource.k8s.io resourceslices",
        "READ resource.k8s.io devicetaintrules",
    ],
    "system:kubelet-api-admin": [
        "READ core nodes",
        "proxy core nodes",
        "* core nodes/log,nodes/metrics,nodes/proxy,nodes/stats",
        "* core nodes/configz,nodes/healthz,nodes/pods",
    ],
    "system:node": [
        "create authentication.k8s.io tokenreviews",
        "create authorization.k8s.io localsubjectaccessreviews,subjectaccessreviews",
        "READ core services",
        "READ,create core nodes",
        "patch,update core nodes/status",
        "patch,update core nodes",
        "create,patch,update core events",
        "READ core pods",
        "create,delete core pods",
        "patch,update core pods/status",
        "create core pods/eviction",
        "READ core configmaps,secrets",
        "get core persistentvolumeclaims,persistentvolumes",
        "get core endpoints",
        "READ,create certificates.k8s.io certificatesigningrequests",
        "create,delete,get,patch,update coordination.k8s.io leases",
        "get storage.k8s.io volumeattachments",
        "create core serviceaccounts/token",
        "get,patch,update core persistentvolumeclaims/status",
        "READ storage.k8s.io csidrivers",
        "create,delete,get,patch,update storage.k8s.io csinodes",
        "READ node.k8s.io runtimeclasses",
        "get resource.k8s.io resourceclaims",
        "deletecollection resource.k8s.io resourceslices",
        "READ certificates.k8s.io clustertrustbundles",
        "get core serviceaccounts",
    ],
    "system:node-bootstrapper": ["READ,create certificates.k8s.io certificatesigningrequests"],
    "system:node-problem-detector": ["get core nodes", "patch core nodes/status", EVENTS],
    "system:node-proxier": [
        "list,watch core endpoints,services",
        "READ core nodes",
        EVENTS,
        "list,watch networking.k8s.io servicecidrs",
        "list,watch discovery.k8s.io endpointslices",
    ],
    "system:persistent-volume-provisioner": [
        "READ,create,delete core persistentvolumes",
        "READ,update core persistentvolumeclaims",
        "READ storage.k8s.io storageclasses",
        "watch core events",
        EVENTS,
    ],
    "system:volume-scheduler": [
        "READ,patch,update core persistentvolumes",
        "READ storage.k8s.io storageclasses",
        "READ,patch,update core persistentvolumeclaims",
    ],
}

# Roles that collect others: name → the aggregate it collects; and who is collected into which.
AGGREGATING = {"admin": "admin", "edit": "edit", "view": "view"}
AGGREGATED = {
    "edit": "admin",
    "view": "edit",
    "system:aggregate-to-admin": "admin",
    "system:aggregate-to-edit": "edit",
    "system:aggregate-to-view": "view",
    "kubeweb:aggregate-to-edit": "edit",
    "kubeweb:aggregate-to-view": "view",
}

# Subjects as `group:NAME`, `user:NAME` or `sa:NAMESPACE/NAME`; each binding binds the ClusterRole of its own name.
CLUSTER_ROLE_BINDINGS: dict[str, list[str]] = {
    "cluster-admin": ["group:system:masters"],
    "system:monitoring": ["group:system:monitoring"],
    "system:discovery": ["group:system:authenticated"],
    "system:basic-user": ["group:system:authenticated"],
    "kubeweb:access-questions": ["group:system:authenticated"],
    "kubeweb:sandboxes": ["group:system:authenticated"],
    "kubeweb:lessons": ["group:system:authenticated"],
    "system:public-info-viewer": ["group:system:authenticated", "group:system:unauthenticated"],
    "system:node-proxier": ["user:system:kube-proxy"],
    "system:kube-controller-manager": ["user:system:kube-controller-manager"],
    "system:kube-dns": ["sa:kube-system/kube-dns"],
    "system:kube-scheduler": ["user:system:kube-scheduler"],
    "system:volume-scheduler": ["user:system:kube-scheduler"],
    "system:node": [],
    "system:service-account-issuer-discovery": ["group:system:serviceaccounts"],
}

# Each gets the ClusterRole system:controller:NAME and a binding to the service account NAME in kube-system.
CONTROLLERS: dict[str, list[str]] = {
    "attachdetach-controller": [
        "list,watch core persistentvolumeclaims,persistentvolumes",
        "READ core nodes",
        "patch,update core nodes/status",
        "list,watch core pods",
        EVENTS,
        "READ,create,delete storage.k8s.io volumeattachments",
        "READ storage.k8s.io csidrivers",
        "READ storage.k8s.io csinodes",
    ],
    "certificate-controller": [
        "READ,delete certificates.k8s.io certificatesigningrequests",
        "update certificates.k8s.io certificatesigningrequests/approval,certificatesigningrequests/status",
        "approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet",
        "sign certificates.k8s.io signers kubernetes.io/kube-apiserver-client,"
        "kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,kubernetes.io/legacy-unknown",
        "create authorization.k8s.io subjectaccessreviews",
        EVENTS,
    ],
    "clusterrole-aggregation-controller": ["READ,escalate,patch,update rbac.authorization.k8s.io clusterroles"],
    "cronjob-controller": [
        "READ,update batch cronjobs",
        "READ,create,delete,patch,update batch jobs",
        "update batch cronjobs/status",
        "update batch cronjobs/finalizers",
        "delete,list,watch core pods",
        EVENTS,
    ],
    "daemon-set-controller": [
        "READ apps,extensions daemonsets",
        "update apps,extensions daemonsets/status",
        "update apps,extensions daemonsets/finalizers",
        "list,watch core nodes",
        "create,delete,list,patch,watch core pods",
        "create core pods/binding",
        "READ,create,delete,patch,update apps controllerrevisions",
        EVENTS,
    ],
    "deployment-controller": [
        "READ,update apps,extensions deployments",
        "update apps,extensions deployments/status",
        "update apps,extensions deployments/finalizers",
        "READ,create,delete,patch,update apps,extensions replicasets",
        "READ,update core pods",
        EVENTS,
    ],
    "device-taint-eviction-controller": [
        "READ,delete core pods",
        "patch,update core pods/status",
        "READ resource.k8s.io resourceclaims",
        "READ resource.k8s.io resourceslices",
        "READ resource.k8s.io deviceclasses",
        "READ resource.k8s.io devicetaintrules",
        EVENTS,
    ],
    "disruption-controller": [
        "READ apps,extensions deployments",
        "READ apps,extensions replicasets",
        "READ core replicationcontrollers",
        "READ policy poddisruptionbudgets",
        "READ apps statefulsets",
        "update policy poddisruptionbudgets/status",
        "patch,update core pods/status",
        "get * */scale",
        EVENTS,
    ],
    "endpoint-controller": [
        "READ core pods,services",
        "READ,create,delete,update core endpoints",
        "create core endpoints/restricted",
        EVENTS,
    ],
    "endpointslice-controller": [
        "READ core nodes,pods,services",
        "update core services/finalizers",
        "READ,create,delete,update discovery.k8s.io endpointslices",
        EVENTS,
    ],
    "endpointslicemirroring-controller": [
        "READ core endpoints,services",
        "update core services/finalizers",
        "update core endpoints/finalizers",
        "READ,create,delete,update discovery.k8s.io endpointslices",
        EVENTS,
    ],
    "ephemeral-volume-controller": [
        "READ core pods",
        "update core pods/finalizers",
        "READ,create core persistentvolumeclaims",
        EVENTS,
    ],
    "expand-controller": [
        "READ,patch,update core persistentvolumes",
        "patch,update core persistentvolumeclaims/status",
        "READ core persistentvolumeclaims",
        EVENTS,
        "get core services",
    ],
    "generic-garbage-collector": ["READ,delete,patch,update * *", EVENTS],
    "horizontal-pod-autoscaler": [
        "READ autoscaling horizontalpodautoscalers",
        "update autoscaling horizontalpodautoscalers/status",
        "get,update * */scale",
        "list,watch core pods",
        "list,watch metrics.k8s.io pods",
        "READ custom.metrics.k8s.io *",
        "READ external.metrics.k8s.io *",
        EVENTS,
    ],
    "job-controller": [
        "READ,patch,update batch jobs",
        "update batch jobs/status",
        "update batch jobs/finalizers",
        "create,delete,list,patch,watch core pods",
        EVENTS,
    ],
    "legacy-service-account-token-cleaner": [
        "get core configmaps kube-apiserver-legacy-service-account-token-tracking",
        "delete,patch core secrets",
    ],
    "namespace-controller": [
        "READ,delete core namespaces",
        "update core namespaces/finalize,namespaces/status",
        "READ,delete,deletecollection * *",
    ],
    "node-controller": [
        "READ,delete,patch,update core nodes",
        "patch,update core nodes/status",
        "patch,update core pods/status",
        "READ,delete core pods",
        EVENTS,
    ],
    "persistent-volume-binder": [
        "READ,create,delete,update core persistentvolumes",
        "update core persistentvolumes/status",
        "READ,update core persistentvolumeclaims",
        "update core persistentvolumeclaims/status",
        "READ,create,delete core pods",
        "READ storage.k8s.io storageclasses",
        "list,watch core nodes",
        EVENTS,
        "watch core events",
        "get core services",
    ],
    "pod-garbage-collector": ["delete,list,watch core pods", "READ core nodes", "patch core pods/status"],
    "pv-protection-controller": ["READ,update core persistentvolumes", EVENTS],
    "pvc-protection-controller": ["READ,update core persistentvolumeclaims", "READ core pods", EVENTS],
    "replicaset-controller": [
        "READ,update apps,extensions replicasets",
        "update apps,extensions replicasets/status",
        "update apps,extensions replicasets/finalizers",
        "create,delete,list,patch,watch core pods",
        EVENTS,
    ],
    "replication-controller": [
        "READ,update core replicationcontrollers",
        "update core replicationcontrollers/status",
        "update core replicationcontrollers/finalizers",
        "create,delete,list,patch,watch core pods",
        EVENTS,
    ],
    "resource-claim-controller": [
        "READ core pods",
        "update core pods/finalizers",
        "READ,create,delete resource.k8s.io resourceclaims",
        "patch,update resource.k8s.io resourceclaims,resourceclaims/status",
        "patch,update core pods/status",
        EVENTS,
    ],
    "resourcequota-controller": ["list,watch * *", "update core resourcequotas/status", EVENTS],
    "root-ca-cert-publisher": ["create,update core configmaps", EVENTS],
    "route-controller": ["list,watch core nodes", "patch core nodes/status", EVENTS],
    "selinux-warning-controller": [
        EVENTS,
        "READ core persistentvolumes",
        "READ core persistentvolumeclaims",
        "READ core pods",
        "READ storage.k8s.io csidrivers",
    ],
    "service-account-controller": ["create core serviceaccounts", EVENTS],
    "service-cidrs-controller": [
        "READ,patch,update networking.k8s.io servicecidrs",
        "patch,update networking.k8s.io servicecidrs/finalizers",
        "patch,update networking.k8s.io servicecidrs/status",
        "READ networking.k8s.io ipaddresses",
        EVENTS,
    ],
    "service-controller": [
        "READ core services",
        "patch,update core services/status",
        "list,watch core nodes",
        EVENTS,
    ],
    "statefulset-controller": [
        "list,watch core pods",
        "READ apps statefulsets",
        "update apps statefulsets/status",
        "update apps statefulsets/finalizers",
        "create,delete,get,patch,update core pods",
        "READ,create,delete,patch,update apps controllerrevisions",
        "READ,create core persistentvolumeclaims",
        "delete,update core persistentvolumeclaims",
        "update core pods/finalizers",
        EVENTS,
    ],
    "storage-version-migrator-controller": [
        "create,list,patch,watch * *",
        "update storagemigration.k8s.io storageversionmigrations/status",
    ],
    "ttl-after-finished-controller": ["READ,delete batch jobs", EVENTS],
    "ttl-controller": ["list,patch,update,watch core nodes", EVENTS],
    "validatingadmissionpolicy-status-controller": [
        "READ admissionregistration.k8s.io validatingadmissionpolicies",
        "get,patch,update admissionregistration.k8s.io validatingadmissionpolicies/status",
        EVENTS,
    ],
    # Ours.
    "fault-controller": [
        "READ sim.kubeweb.dev faults",
        "update sim.kubeweb.dev faults/status",
        "READ core nodes",
        EVENTS,
    ],
    "traffic-controller": [
        "READ sim.kubeweb.dev traffics",
        "update sim.kubeweb.dev traffics/status",
        "READ core services",
        EVENTS,
    ],
    "sandbox-controller": [
        "READ sim.kubeweb.dev sandboxes",
        "update sim.kubeweb.dev sandboxes/status",
        # An owner reference that blocks deletion takes the right to set it.
        "update sim.kubeweb.dev sandboxes/finalizers",
        "READ,create core namespaces",
        "READ,create core resourcequotas,limitranges",
        "READ,create rbac.authorization.k8s.io rolebindings",
        "create rbac.authorization.k8s.io clusterrolebindings",
        "bind rbac.authorization.k8s.io clusterroles admin,edit,view,kubeweb:surroundings",
        EVENTS,
    ],
    "clock-controller": [
        "READ,create,patch sim.kubeweb.dev clocks",
        "update sim.kubeweb.dev clocks/status",
        EVENTS,
    ],
    "volumeattributesclass-protection-controller": [
        "READ core persistentvolumeclaims",
        "READ core persistentvolumes",
        "READ,update storage.k8s.io volumeattributesclasses",
        EVENTS,
    ],
}

ROLES: dict[tuple[str, str], list[str]] = {
    ("kube-system", "extension-apiserver-authentication-reader"): [
        "READ core configmaps extension-apiserver-authentication"
    ],
    ("kube-system", "system:controller:bootstrap-signer"): ["READ core secrets"],
    ("kube-system", "system:controller:cloud-provider"): ["READ,create core configmaps"],
    ("kube-system", "system:controller:token-cleaner"): ["READ,delete core secrets", EVENTS],
    ("kube-system", "system::leader-locking-kube-controller-manager"): [
        "watch core configmaps",
        "get,update core configmaps kube-controller-manager",
    ],
    ("kube-system", "system::leader-locking-kube-scheduler"): [
        "watch core configmaps",
        "get,update core configmaps kube-scheduler",
    ],
    ("kube-public", "system:controller:bootstrap-signer"): [
        "READ core configmaps",
        "update core configmaps cluster-info",
        EVENTS,
    ],
}

# (namespace, name) → (the Role, its subjects)
ROLE_BINDINGS: dict[tuple[str, str], tuple[str, list[str]]] = {
    ("kube-system", "system::extension-apiserver-authentication-reader"): (
        "extension-apiserver-authentication-reader",
        ["user:system:kube-controller-manager", "user:system:kube-scheduler"],
    ),
    ("kube-system", "system::leader-locking-kube-controller-manager"): (
        "system::leader-locking-kube-controller-manager",
        ["user:system:kube-controller-manager", "sa:kube-system/kube-controller-manager"],
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): (
        "system::leader-locking-kube-scheduler",
        ["user:system:kube-scheduler", "sa:kube-system/kube-scheduler"],
    ),
    ("kube-system", "system:controller:bootstrap-signer"): (
        "system:controller:bootstrap-signer",
        ["sa:kube-system/bootstrap-signer"],
    ),
    ("kube-system", "system:controller:cloud-provider"): (
        "system:controller:cloud-provider",
        ["sa:kube-system/cloud-provider"],
    ),
    ("kube-system", "system:controller:token-cleaner"): (
        "system:controller:token-cleaner",
        ["sa:kube-system/token-cleaner"],
    ),
    ("kube-public", "system:controller:bootstrap-signer"): (
        "system:controller:bootstrap-signer",
        ["sa:kube-system/bootstrap-signer"],
    ),
}

# What is our own: the simulator's kinds, one by one, for whoever may view and edit. Journeys are not among them: they show
# everybody's requests, so they are for those alone who may see everything (cluster-admin and kubeweb:view-all).
SIMULATOR = "faults,faults/status,traffics,traffics/status,containerimages,clocks,clocks/status,diagnoses,nodediagnoses"
OWN_CLUSTER_ROLES: dict[str, list[str]] = {
    # Asking is everybody's right; asking about others takes the right to create SubjectAccessReviews.
    "kubeweb:access-questions": [
        "create sim.kubeweb.dev accessexplanations,accessmatrices,accessreports,bindingpreviews"
    ],
    # A namespace of one's own, for the asking; whose it is, admission sees to.
    "kubeweb:sandboxes": ["READ,create,delete sim.kubeweb.dev sandboxes"],
    # What a sandbox stands in: its owner sees on which machines their pods are, and by which clock they live.
    "kubeweb:surroundings": [
        "READ core nodes",
        "READ metrics.k8s.io nodes",
        "READ sim.kubeweb.dev clocks",
        "READ storage.k8s.io storageclasses",
        "READ scheduling.k8s.io priorityclasses",
    ],
    # What there is to learn is for everybody to read.
    "kubeweb:lessons": ["READ sim.kubeweb.dev lessons"],
    "kubeweb:aggregate-to-view": [f"READ sim.kubeweb.dev {SIMULATOR}", "READ metrics.k8s.io pods,nodes"],
    # Whoever may make pods in a namespace may ask where one would go.
    "kubeweb:aggregate-to-edit": [
        f"WRITE sim.kubeweb.dev {SIMULATOR}",
        "create sim.kubeweb.dev schedulingsimulations",
    ],
    "kubeweb:view-all": ["READ * *", "get *"],
}
