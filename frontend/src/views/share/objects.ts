/**
 * Whose an object is, what of it is the person's own words, and in which order objects are put back. Pure: tables and plain functions
 * that export, import and reset share.
 */

export interface Meta {
  name?: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { controller?: boolean; kind?: string }[];
  managedFields?: { manager?: string; subresource?: string }[];
  deletionTimestamp?: string;
  [field: string]: unknown;
}

export interface Thing {
  apiVersion: string;
  kind: string;
  metadata: Meta;
  [field: string]: unknown;
}

/** person: somebody put it there. derived: a control loop made it from something else. own: the cluster came with it. */
export type Origin = 'person' | 'derived' | 'own';

/** Who writes what a cluster comes with: one of these among the managers (of more than the status), and it is the cluster's own. */
const FOUNDERS = new Set(['kube-apiserver', 'kube-aggregator', 'root-ca-cert-publisher', 'kubeweb-lessons', 'clock-controller']);
const OWN_NAMESPACES = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease']);
/** Follows from other objects, and goes with them. */
const FOLLOWS = new Set(['Event', 'IPAddress', 'CSINode', 'VolumeAttachment', 'ControllerRevision']);

export function originOf(object: Thing): Origin {
  const { kind, metadata } = object;
  const managed = metadata.managedFields ?? [];
  const managers = managed.map((one) => one.manager ?? '');
  const labels = metadata.labels ?? {};
  if (FOLLOWS.has(kind)) return 'derived';
  if (labels['endpoints.kubernetes.io/managed-by'] || labels['endpointslice.kubernetes.io/managed-by']?.endsWith('.k8s.io')) return 'derived';
  if ((metadata.ownerReferences ?? []).some((one) => one.controller || one.kind === 'Node')) return 'derived';
  if (kind === 'Namespace' && OWN_NAMESPACES.has(metadata.name ?? '')) return 'own';
  if (kind === 'ServiceAccount' && metadata.name === 'default') return 'own';
  if (labels['kubernetes.io/bootstrapping'] === 'rbac-defaults' || managed.some((one) => FOUNDERS.has(one.manager ?? '') && !one.subresource)) return 'own';
  // Machines that registered themselves: nobody applied them.
  if (kind === 'Node' && managers.every((one) => one === 'kubelet')) return 'own';
  if (metadata.annotations?.['pv.kubernetes.io/provisioned-by']) return 'derived';
  if (managers.length > 0 && managers.every((one) => one.endsWith('-controller') || one === 'persistent-volume-binder')) return 'derived';
  return 'person';
}

/** Whether it goes by itself when what it came from goes: nothing to delete. */
export function goesAlong(object: Thing): boolean {
  const { kind, metadata } = object;
  if (FOLLOWS.has(kind)) return true;
  if ((metadata.ownerReferences ?? []).length > 0) return true;
  // A volume that was provisioned for a claim is reclaimed with it.
  const reclaimed = (object['spec'] as { persistentVolumeReclaimPolicy?: string } | undefined)?.persistentVolumeReclaimPolicy === 'Delete';
  if (kind === 'PersistentVolume' && reclaimed && metadata.annotations?.['pv.kubernetes.io/provisioned-by']) return true;
  return kind === 'Endpoints' && Boolean(metadata.labels?.['endpoints.kubernetes.io/managed-by']);
}

const FILLED = ['managedFields', 'uid', 'resourceVersion', 'creationTimestamp', 'generation', 'selfLink', 'ownerReferences', 'deletionTimestamp', 'deletionGracePeriodSeconds'];
const NOTES = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'deployment.kubernetes.io/revision',
  'deprecated.daemonset.template.generation',
  'pv.kubernetes.io/bind-completed',
  'pv.kubernetes.io/bound-by-controller',
  'volume.kubernetes.io/selected-node',
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
];
const JOB_LABELS = ['controller-uid', 'batch.kubernetes.io/controller-uid', 'job-name', 'batch.kubernetes.io/job-name'];

type Fields = Record<string, unknown>;

function without(fields: unknown, names: string[]): Fields | undefined {
  if (!fields || typeof fields !== 'object') return undefined;
  const left = Object.entries(fields).filter(([name]) => !names.includes(name));
  return left.length ? Object.fromEntries(left) : undefined;
}

/** A pod's specification without what scheduler and admission wrote into it. */
function podSpec(spec: Fields): Fields {
  const token = (one: unknown) => String((one as { name?: unknown }).name ?? '').startsWith('kube-api-access-');
  const list = (value: unknown) => (Array.isArray(value) ? value : []);
  const containers = (value: unknown) =>
    list(value).map((one: Fields) => {
      const mounts = list(one['volumeMounts']).filter((mount) => !token(mount));
      return mounts.length ? { ...one, volumeMounts: mounts } : (without(one, ['volumeMounts']) ?? {});
    });
  const found: Fields = { ...without(spec, ['nodeName', 'volumes', 'priority', 'preemptionPolicy']) };
  const volumes = list(spec['volumes']).filter((one) => !token(one));
  if (volumes.length) found['volumes'] = volumes;
  for (const name of ['containers', 'initContainers']) if (spec[name]) found[name] = containers(spec[name]);
  return found;
}

const SPECS: Record<string, (spec: Fields) => Fields | undefined> = {
  Pod: podSpec,
  Namespace: (spec) => without(spec, ['finalizers']),
  PersistentVolumeClaim: (spec) => without(spec, ['volumeName']),
  PersistentVolume: (spec) => without(spec, ['claimRef']),
  // An address belongs to the cluster that gave it; a headless Service says None itself.
  Service: (spec) => (spec['clusterIP'] === 'None' ? spec : without(spec, ['clusterIP', 'clusterIPs', 'healthCheckNodePort'])),
  Job: (spec) => {
    if (spec['manualSelector']) return spec;
    const template = spec['template'] as { metadata?: Meta } | undefined;
    const labels = without(template?.metadata?.labels, JOB_LABELS);
    const meta = without(template?.metadata, ['labels', 'creationTimestamp']) ?? {};
    return { ...without(spec, ['selector']), template: { ...template, metadata: labels ? { ...meta, labels } : meta } };
  },
};

/** The object as somebody would write it: without what the server and the control loops fill in. */
export function clean(object: Thing): Thing {
  const { apiVersion, kind, metadata, spec } = object;
  const rest = without(object, ['apiVersion', 'kind', 'metadata', 'spec', 'status']) ?? {};
  const meta = without(metadata, [...FILLED, 'annotations', 'labels']) ?? {};
  const annotations = without(metadata.annotations, NOTES);
  const labels = without(metadata.labels, kind === 'Job' ? JOB_LABELS : kind === 'Namespace' ? ['kubernetes.io/metadata.name'] : []);
  const specified = spec && typeof spec === 'object' ? (SPECS[kind]?.(spec as Fields) ?? (SPECS[kind] ? undefined : spec)) : spec;
  return {
    apiVersion,
    kind,
    metadata: { ...meta, ...(labels && { labels }), ...(annotations && { annotations }) } as Meta,
    ...(specified !== undefined && { spec: specified }),
    ...rest,
  };
}

/** What must be there before what: a row is put back before the next one. */
const ORDER = [
  ['CustomResourceDefinition'],
  ['Namespace', 'Node', 'PriorityClass', 'StorageClass', 'RuntimeClass', 'IngressClass', 'PersistentVolume', 'ServiceCIDR', 'ContainerImage'],
  ['ServiceAccount', 'Role', 'ClusterRole'],
  ['RoleBinding', 'ClusterRoleBinding', 'ResourceQuota', 'LimitRange', 'NetworkPolicy'],
  ['ConfigMap', 'Secret', 'PersistentVolumeClaim', 'Service', 'Endpoints', 'EndpointSlice', 'PodTemplate', 'PodDisruptionBudget'],
  ['Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet', 'ReplicationController', 'Job', 'CronJob', 'Pod'],
  ['HorizontalPodAutoscaler', 'Ingress'],
];
/** These judge or hinder what comes after them. */
const LAST = ['Fault', 'Traffic', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding', 'MutatingAdmissionPolicy', 'MutatingAdmissionPolicyBinding', 'ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration', 'APIService'];

export const RANKS = ORDER.length + 2;

export function rankOf(kind: string): number {
  if (LAST.includes(kind)) return RANKS - 1;
  const found = ORDER.findIndex((row) => row.includes(kind));
  // Custom resources come when everything that may serve them is there.
  return found >= 0 ? found : RANKS - 2;
}

export function titleOf(object: { kind: string; metadata: { name?: string; namespace?: string } }): string {
  const { name = '', namespace } = object.metadata;
  return `${object.kind} ${namespace ? `${namespace}/` : ''}${name}`;
}
