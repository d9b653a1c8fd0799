/** Where kinds live, for links: the built-in ones by table, all others from discovery once somebody asks. */
import { objectHref } from '../route.svelte';
import { get } from './http';

export interface Kind {
  apiVersion: string;
  plural: string;
  kind: string;
  namespaced: boolean;
}

const TABLE = `
v1: pods Pod, services Service, configmaps ConfigMap, secrets Secret, serviceaccounts ServiceAccount, endpoints Endpoints, events Event, persistentvolumeclaims PersistentVolumeClaim, replicationcontrollers ReplicationController, resourcequotas ResourceQuota, limitranges LimitRange, podtemplates PodTemplate
v1*: nodes Node, namespaces Namespace, persistentvolumes PersistentVolume
apps/v1: deployments Deployment, replicasets ReplicaSet, daemonsets DaemonSet, statefulsets StatefulSet, controllerrevisions ControllerRevision
batch/v1: jobs Job, cronjobs CronJob
autoscaling/v2: horizontalpodautoscalers HorizontalPodAutoscaler
policy/v1: poddisruptionbudgets PodDisruptionBudget
networking.k8s.io/v1: ingresses Ingress, networkpolicies NetworkPolicy
networking.k8s.io/v1*: ingressclasses IngressClass
discovery.k8s.io/v1: endpointslices EndpointSlice
coordination.k8s.io/v1: leases Lease
rbac.authorization.k8s.io/v1: roles Role, rolebindings RoleBinding
rbac.authorization.k8s.io/v1*: clusterroles ClusterRole, clusterrolebindings ClusterRoleBinding
storage.k8s.io/v1*: storageclasses StorageClass, volumeattachments VolumeAttachment, csinodes CSINode
scheduling.k8s.io/v1*: priorityclasses PriorityClass
apiextensions.k8s.io/v1*: customresourcedefinitions CustomResourceDefinition
sim.kubeweb.dev/v1alpha1: traffics Traffic
sim.kubeweb.dev/v1alpha1*: faults Fault, containerimages ContainerImage, clocks Clock`;

const known: Kind[] = TABLE.trim()
  .split('\n')
  .flatMap((line) => {
    const [where, list] = line.split(': ') as [string, string];
    return list.split(', ').map((one) => {
      const [plural, kind] = one.split(' ') as [string, string];
      return { apiVersion: where.replace('*', ''), plural, kind, namespaced: !where.endsWith('*') };
    });
  });

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion.split('/')[0]! : '');

export function byPlural(group: string, plural: string): Kind | undefined {
  return known.find((one) => one.plural === plural && groupOf(one.apiVersion) === group);
}

export function byKind(apiVersion: string, kind: string): Kind | undefined {
  return known.find((one) => one.kind === kind && groupOf(one.apiVersion) === groupOf(apiVersion));
}

/** Learn a group version's kinds from discovery (custom resources). */
export async function learn(apiVersion: string): Promise<void> {
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const list = await get<{ resources: { name: string; kind: string; namespaced: boolean }[] }>(base);
  for (const one of list.resources) {
    if (one.name.includes('/') || byPlural(groupOf(apiVersion), one.name)) continue;
    known.push({ apiVersion, plural: one.name, kind: one.kind, namespaced: one.namespaced });
  }
}

/** The collection of a resource: `/apis/apps/v1/namespaces/shop/deployments`; without a namespace all of them. */
export function collection(apiVersion: string, plural: string, namespace = ''): string {
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${base}${namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''}/${plural}`;
}

/** The page of an object known by group and plural, as journeys name them; empty when its version is not known. */
export function hrefOf(group: string, plural: string, namespace: string, name: string): string {
  const kind = byPlural(group, plural);
  return kind && name ? objectHref(kind.apiVersion, plural, kind.namespaced ? namespace : '', name) : '';
}

/** The page of an object known by its kind, as references name them. */
export function hrefOfKind(apiVersion: string, kind: string, namespace: string, name: string): string {
  const found = byKind(apiVersion, kind);
  return found && name ? objectHref(found.apiVersion, found.plural, found.namespaced ? namespace : '', name) : '';
}

export function titleOf(group: string, plural: string): string {
  return byPlural(group, plural)?.kind ?? plural;
}
