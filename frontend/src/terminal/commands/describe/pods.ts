/** describe pod, node. */
import { quantity } from '../get';
import { isNotFound } from '../../kube/errors';
import type { Thing } from '../../kube/types';
import { stamp } from '../../text/duration';
import { annotations, controlledBy, events, multiline, since, table, type Describer } from './lines';
import { containers, tolerations, volumes } from './template';

export const pod: Describer = async (about) => {
  const { object, call } = about;
  const { spec, status = {}, metadata } = object;
  const hosts = (status.podIPs ?? []) as { ip: string }[];
  const conditions = (status.conditions ?? []) as { type: string; status: string }[];
  const deleting = metadata.deletionTimestamp;
  return [
    `Name:\t${metadata.name}`,
    `Namespace:\t${metadata.namespace}`,
    `Priority:\t${spec.priority ?? 0}`,
    ...(spec.priorityClassName ? [`Priority Class Name:\t${spec.priorityClassName}`] : []),
    ...(spec.runtimeClassName ? [`Runtime Class Name:\t${spec.runtimeClassName}`] : []),
    `Service Account:\t${spec.serviceAccountName ?? ''}`,
    spec.nodeName ? `Node:\t${spec.nodeName}/${status.hostIP ?? ''}` : 'Node:\t<none>',
    ...(status.startTime ? [`Start Time:\t${stamp(status.startTime)}`] : []),
    ...multiline('Labels', metadata.labels),
    ...annotations(metadata.annotations),
    ...(deleting && status.phase !== 'Failed' && status.phase !== 'Succeeded'
      ? [`Status:\tTerminating (lasts ${since(call, deleting)})`, `Termination Grace Period:\t${metadata.deletionGracePeriodSeconds}s`]
      : [`Status:\t${status.phase ?? ''}`]),
    ...(status.reason ? [`Reason:\t${status.reason}`] : []),
    ...(status.message ? [`Message:\t${status.message}`] : []),
    `IP:\t${status.podIP ?? ''}`,
    ...(hosts.length ? ['IPs:', ...hosts.map(({ ip }) => `  IP:\t${ip}`)] : ['IPs:\t<none>']),
    ...controlledBy(object),
    ...containers('Init Containers', spec.initContainers, status.initContainerStatuses ?? [], '', object),
    ...containers('Containers', spec.containers, status.containerStatuses ?? [], '', object),
    ...(conditions.length ? ['Conditions:', '  Type\tStatus', ...conditions.map((one) => `  ${one.type} \t${one.status} `)] : []),
    ...volumes(spec.volumes, ''),
    ...(status.qosClass ? [`QoS Class:\t${status.qosClass}`] : []),
    ...multiline('Node-Selectors', spec.nodeSelector),
    ...tolerations(spec.tolerations),
    ...(await events(about)),
  ];
};

const sum = (pods: Thing[], kind: 'requests' | 'limits', resource: string) =>
  pods.reduce((total, one) => total + needs(one, kind, resource), 0);

/** What a pod needs: its containers together, or the largest init container if that is more. */
function needs(one: Thing, kind: 'requests' | 'limits', resource: string): number {
  const of = (list: { resources?: Record<string, Record<string, string>> }[] = []) => list.map((each) => quantity(each.resources?.[kind]?.[resource] ?? '0'));
  return Math.max(of(one.spec.containers).reduce((a, b) => a + b, 0), ...of(one.spec.initContainers), 0);
}

/** A quantity as Kubernetes writes it: 250m, 64Mi. */
export function said(value: number, resource: string): string {
  if (value === 0) return '0';
  if (resource === 'cpu') return value % 1 === 0 ? String(value) : `${Math.round(value * 1000)}m`;
  for (const [unit, size] of [['Gi', 2 ** 30], ['Mi', 2 ** 20], ['Ki', 2 ** 10]] as const) {
    if (value % size === 0) return `${value / size}${unit}`;
  }
  return value % 1e6 === 0 ? `${value / 1e6}M` : String(value);
}

export const node: Describer = async (about) => {
  const { object, call } = about;
  const { spec = {}, status = {}, metadata } = object;
  const { kube, session } = call;
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => (key.startsWith('node-role.kubernetes.io/') ? [key.slice('node-role.kubernetes.io/'.length)] : key === 'kubernetes.io/role' ? [value] : []));
  const taints = (spec.taints ?? []) as { key: string; value?: string; effect: string }[];
  const lease = await kube
    .get(await session.discovery.named(kube, 'leases'), 'kube-node-lease', metadata.name)
    .catch((error: unknown) => (isNotFound(error) ? null : Promise.reject(error)));
  const all = await kube.list(await session.discovery.named(kube, 'pods'), '', { fieldSelector: `spec.nodeName=${metadata.name},status.phase!=Succeeded,status.phase!=Failed` });
  const pods = all.items;
  const allocatable = (status.allocatable ?? status.capacity ?? {}) as Record<string, string>;
  const share = (value: number, resource: string) => `${said(value, resource)} (${Math.trunc((value / quantity(allocatable[resource] ?? '1')) * 100)}%)`;
  const quantities = (values: Record<string, string> | undefined) => Object.keys(values ?? {}).sort().map((key) => `  ${key}:\t${values![key]}`);
  const conditions = (status.conditions ?? []) as { type: string; status: string; lastHeartbeatTime?: string; lastTransitionTime?: string; reason?: string; message?: string }[];
  const info = (status.nodeInfo ?? {}) as Record<string, string>;
  return [
    `Name:\t${metadata.name}`,
    `Roles:\t${roles.sort().join(',') || '<none>'}`,
    ...multiline('Labels', metadata.labels),
    ...annotations(metadata.annotations),
    `CreationTimestamp:\t${stamp(metadata.creationTimestamp)}`,
    ...(taints.length ? taints.map((one, at) => `${at ? '' : 'Taints:'}\t${one.key}${one.value ? `=${one.value}` : ''}:${one.effect}`) : ['Taints:\t<none>']),
    `Unschedulable:\t${Boolean(spec.unschedulable)}`,
    'Lease:',
    `  HolderIdentity:\t${lease?.spec?.holderIdentity ?? '<unset>'}`,
    `  AcquireTime:\t${stamp(lease?.spec?.acquireTime)}`,
    `  RenewTime:\t${stamp(lease?.spec?.renewTime)}`,
    ...(conditions.length
      ? ['Conditions:', ...table(['Type', 'Status', 'LastHeartbeatTime', 'LastTransitionTime', 'Reason', 'Message'], conditions.map((one) => [`${one.type} `, `${one.status} `, `${stamp(one.lastHeartbeatTime)} `, `${stamp(one.lastTransitionTime)} `, `${one.reason ?? ''} `, one.message ?? '']))]
      : []),
    'Addresses:',
    ...((status.addresses ?? []) as { type: string; address: string }[]).map((one) => `  ${one.type}:\t${one.address}`),
    ...(Object.keys(status.capacity ?? {}).length ? ['Capacity:', ...quantities(status.capacity)] : []),
    ...(Object.keys(allocatable).length ? ['Allocatable:', ...quantities(allocatable)] : []),
    'System Info:',
    `  Machine ID:\t${info.machineID ?? ''}`,
    `  System UUID:\t${info.systemUUID ?? ''}`,
    `  Boot ID:\t${info.bootID ?? ''}`,
    `  Kernel Version:\t${info.kernelVersion ?? ''}`,
    `  OS Image:\t${info.osImage ?? ''}`,
    `  Operating System:\t${info.operatingSystem ?? ''}`,
    `  Architecture:\t${info.architecture ?? ''}`,
    `  Container Runtime Version:\t${info.containerRuntimeVersion ?? ''}`,
    `  Kubelet Version:\t${info.kubeletVersion ?? ''}`,
    ...(spec.podCIDR ? [`PodCIDR:\t${spec.podCIDR}`] : []),
    ...(spec.podCIDRs?.length ? [`PodCIDRs:\t${spec.podCIDRs.join(',')}`] : []),
    ...(spec.providerID ? [`ProviderID:\t${spec.providerID}`] : []),
    `Non-terminated Pods:\t(${pods.length} in total)`,
    ...table(
      ['Namespace', 'Name', '', 'CPU Requests', 'CPU Limits', 'Memory Requests', 'Memory Limits', 'Age'],
      pods.map((one) => [
        one.metadata.namespace ?? '',
        one.metadata.name,
        '',
        share(needs(one, 'requests', 'cpu'), 'cpu'),
        share(needs(one, 'limits', 'cpu'), 'cpu'),
        share(needs(one, 'requests', 'memory'), 'memory'),
        share(needs(one, 'limits', 'memory'), 'memory'),
        since(call, one.metadata.creationTimestamp),
      ]),
      '  ',
      ['---------', '----', '', '------------', '----------', '---------------', '-------------', '---'],
    ),
    'Allocated resources:',
    '  (Total limits may be over 100 percent, i.e., overcommitted.)',
    ...table(
      ['Resource', 'Requests', 'Limits'],
      ['cpu', 'memory', 'ephemeral-storage'].map((resource) => [resource, share(sum(pods, 'requests', resource), resource), share(sum(pods, 'limits', resource), resource)]),
    ),
    ...(await events(about)),
  ];
};

