/** Whole documents to begin with. `${name}` is a place to write; Tab goes to the next one. */

export interface Skeleton {
  label: string;
  info: string;
  template: string;
}

const POD = (pad: string) => `${pad}containers:
${pad}- name: \${app}
${pad}  image: \${nginx:1.27}`;

export const SKELETONS: readonly Skeleton[] = [
  {
    label: 'Deployment',
    info: 'Pods that are replaced when they die, and rolled over when their template changes.',
    template: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: \${web}
spec:
  replicas: 3
  selector:
    matchLabels:
      app: \${web}
  template:
    metadata:
      labels:
        app: \${web}
    spec:
${POD('      ')}
`,
  },
  { label: 'Pod', info: 'One pod, that nobody replaces.', template: `apiVersion: v1\nkind: Pod\nmetadata:\n  name: \${web}\nspec:\n${POD('  ')}\n` },
  { label: 'Service', info: 'One address for the pods that a selector finds.', template: 'apiVersion: v1\nkind: Service\nmetadata:\n  name: ${web}\nspec:\n  selector:\n    app: ${web}\n  ports:\n  - port: 80\n    targetPort: 80\n' },
  {
    label: 'StatefulSet',
    info: 'Pods with names and disks of their own, one after the other.',
    template: `apiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: \${db}\nspec:\n  serviceName: \${db}\n  replicas: 3\n  selector:\n    matchLabels:\n      app: \${db}\n  template:\n    metadata:\n      labels:\n        app: \${db}\n    spec:\n${POD('      ')}\n`,
  },
  { label: 'DaemonSet', info: 'One pod on each node.', template: `apiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: \${agent}\nspec:\n  selector:\n    matchLabels:\n      app: \${agent}\n  template:\n    metadata:\n      labels:\n        app: \${agent}\n    spec:\n${POD('      ')}\n` },
  { label: 'Job', info: 'Work that ends.', template: 'apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: ${once}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: ${once}\n        image: ${busybox}\n        command: ["sh", "-c", "${echo done}"]\n' },
  { label: 'CronJob', info: 'A Job at set times.', template: 'apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: ${hourly}\nspec:\n  schedule: "${0 * * * *}"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: OnFailure\n          containers:\n          - name: ${hourly}\n            image: ${busybox}\n            command: ["sh", "-c", "${date}"]\n' },
  { label: 'ConfigMap', info: 'Settings that pods read as files or variables.', template: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${settings}\ndata:\n  ${key}: ${value}\n' },
  { label: 'Namespace', info: 'A room for objects, with rights and quotas of its own.', template: 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${shop}\n' },
  { label: 'Ingress', info: 'A way in by host name and path.', template: 'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: ${web}\nspec:\n  rules:\n  - host: ${web.example}\n    http:\n      paths:\n      - path: /\n        pathType: Prefix\n        backend:\n          service:\n            name: ${web}\n            port:\n              number: 80\n' },
  { label: 'Role and RoleBinding', info: 'What somebody may do in a namespace.', template: 'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: ${reader}\nrules:\n- apiGroups: [""]\n  resources: ["${pods}"]\n  verbs: ["get", "list", "watch"]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: ${reader}\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: ${reader}\nsubjects:\n- apiGroup: rbac.authorization.k8s.io\n  kind: User\n  name: ${alice}\n' },
  { label: 'PodDisruptionBudget', info: 'How many pods may be away at once on purpose.', template: 'apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: ${web}\nspec:\n  minAvailable: 2\n  selector:\n    matchLabels:\n      app: ${web}\n' },
  { label: 'HorizontalPodAutoscaler', info: 'More pods when they are busy, fewer when they are not.', template: 'apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: ${web}\nspec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: ${web}\n  minReplicas: 1\n  maxReplicas: 5\n  metrics:\n  - type: Resource\n    resource:\n      name: cpu\n      target:\n        type: Utilization\n        averageUtilization: 80\n' },
];
