/** describe service, ingress, configmap, secret, namespace, pvc, pv, roles, bindings, quota, hpa and others, and whatever has none of its own. */
import { cells, compact, type Rule } from '../../kube/rules';
import type { Thing } from '../../kube/types';
import { stamp } from '../../text/duration';
import { annotations, events, header, labels, multiline, selector, table, type Describer, type Describing } from './lines';

interface Port {
  name?: string;
  port: number;
  targetPort?: number | string;
  nodePort?: number;
  protocol?: string;
}

interface Slice extends Thing {
  endpoints?: { addresses: string[]; conditions?: { ready?: boolean } }[];
  ports?: { name?: string; port?: number }[];
}

async function slices({ call }: Describing, namespace: string, service: string): Promise<Slice[]> {
  const resource = await call.session.discovery.named(call.kube, 'endpointslices');
  return (await call.kube.list(resource, namespace, { labelSelector: `kubernetes.io/service-name=${service}` })).items as Slice[];
}

function endpoints(found: Slice[], port: string | number | undefined): string {
  const all = found.flatMap((one) =>
    (one.endpoints ?? [])
      .filter((each) => each.conditions?.ready !== false)
      .flatMap((each) => (one.ports ?? []).filter((own) => port === undefined || (own.name ?? '') === port || own.port === port).flatMap((own) => each.addresses.map((ip) => `${ip}:${own.port}`))),
  );
  if (all.length <= 3) return all.join(',');
  return `${all.slice(0, 3).join(',')} + ${all.length - 3} more...`;
}

const service: Describer = async (about) => {
  const { object } = about;
  const { spec, metadata, status = {} } = object;
  const found = await slices(about, metadata.namespace ?? '', metadata.name);
  const ingress = (status.loadBalancer?.ingress ?? []) as { ip?: string; hostname?: string }[];
  return [
    ...header(object),
    `Selector:\t${labels(spec.selector)}`,
    `Type:\t${spec.type ?? ''}`,
    ...(spec.ipFamilyPolicy ? [`IP Family Policy:\t${spec.ipFamilyPolicy}`] : []),
    `IP Families:\t${(spec.ipFamilies ?? []).join(',') || '<none>'}`,
    `IP:\t${spec.clusterIP ?? ''}`,
    `IPs:\t${(spec.clusterIPs ?? []).join(',') || '<none>'}`,
    ...(spec.externalIPs?.length ? [`External IPs:\t${spec.externalIPs.join(',')}`] : []),
    ...(spec.externalName ? [`External Name:\t${spec.externalName}`] : []),
    ...(ingress.length ? [`LoadBalancer Ingress:\t${ingress.map((one) => one.ip ?? one.hostname).join(', ')}${ingress.some((one) => one.ip) ? ' (VIP)' : ''}`] : []),
    ...((spec.ports ?? []) as Port[]).flatMap((port) => [
      `Port:\t${port.name || '<unset>'}\t${port.port}/${port.protocol ?? 'TCP'}`,
      `TargetPort:\t${port.targetPort ?? port.port}/${port.protocol ?? 'TCP'}`,
      ...(port.nodePort ? [`NodePort:\t${port.name || '<unset>'}\t${port.nodePort}/${port.protocol ?? 'TCP'}`] : []),
      `Endpoints:\t${endpoints(found, port.name ?? '')}`,
    ]),
    `Session Affinity:\t${spec.sessionAffinity ?? 'None'}`,
    ...(spec.externalTrafficPolicy ? [`External Traffic Policy:\t${spec.externalTrafficPolicy}`] : []),
    ...(spec.internalTrafficPolicy ? [`Internal Traffic Policy:\t${spec.internalTrafficPolicy}`] : []),
    ...(await events(about)),
  ];
};

interface Backend {
  service?: { name: string; port?: { number?: number; name?: string } };
}

const endpointSlice: Describer = async (about) => {
  const { object } = about;
  const unset = (value: unknown) => (value === undefined || value === null || value === '' ? '<unset>' : String(value));
  const ports = (object.ports ?? []) as { name?: string; port?: number; protocol?: string }[];
  const all = (object.endpoints ?? []) as { addresses: string[]; conditions?: { ready?: boolean }; hostname?: string; targetRef?: { kind: string; name: string }; nodeName?: string; zone?: string }[];
  return [
    ...header(object),
    `AddressType:\t${object.addressType}`,
    ...(ports.length ? ['Ports:', ...table(['Name', 'Port', 'Protocol'], ports.map((one) => [unset(one.name), unset(one.port), one.protocol ?? 'TCP']))] : ['Ports: <unset>']),
    ...(all.length
      ? [
          'Endpoints:',
          ...all.flatMap((one) => [
            `  - Addresses:\t${one.addresses.join(', ')}`,
            '    Conditions:',
            `      Ready:\t${unset(one.conditions?.ready)}`,
            `    Hostname:\t${unset(one.hostname)}`,
            ...(one.targetRef ? [`    TargetRef:\t${one.targetRef.kind}/${one.targetRef.name}`] : []),
            `    NodeName:\t${unset(one.nodeName)}`,
            `    Zone:\t${unset(one.zone)}`,
          ]),
        ]
      : ['Endpoints: <none>']),
    ...(await events(about)),
  ];
};

const ingress: Describer = async (about) => {
  const { object } = about;
  const { spec = {}, metadata, status = {} } = object;
  const backend = async (one: Backend | undefined) => {
    if (!one?.service) return '<default>';
    const { name, port = {} } = one.service;
    const ready = endpoints(await slices(about, metadata.namespace ?? '', name), undefined);
    return `${name}:${port.number ?? port.name ?? ''} (${ready || `<error: services "${name}" not found>`})`;
  };
  const lines = [
    `Name:\t${metadata.name}`,
    ...multiline('Labels', metadata.labels),
    `Namespace:\t${metadata.namespace}`,
    `Address:\t${((status.loadBalancer?.ingress ?? []) as { ip?: string; hostname?: string }[]).map((one) => one.ip ?? one.hostname).join(',')}`,
    `Ingress Class:\t${spec.ingressClassName ?? '<none>'}`,
    `Default backend:\t${await backend(spec.defaultBackend)}`,
    'Rules:',
    ...table(['Host', 'Path', 'Backends'], [], '  ', ['----', '----', '--------']),
  ];
  for (const rule of (spec.rules ?? []) as { host?: string; http?: { paths: { path?: string; backend: Backend }[] } }[]) {
    lines.push(`  ${rule.host || '*'}\t`);
    for (const path of rule.http?.paths ?? []) lines.push(`  \t${path.path ?? ''} \t${await backend(path.backend)}`);
  }
  return [...lines, ...annotations(metadata.annotations), ...(await events(about))];
};

const configMap: Describer = async (about) => {
  const { object } = about;
  const data = (object.data ?? {}) as Record<string, string>;
  const binary = (object.binaryData ?? {}) as Record<string, string>;
  return [
    ...header(object),
    '',
    'Data',
    '====',
    ...Object.keys(data).sort().flatMap((key) => [`${key}:`, '----', ...data[key]!.split('\n'), '']),
    '',
    'BinaryData',
    '====',
    ...Object.keys(binary).sort().map((key) => `${key}: ${atob(binary[key]!).length} bytes`),
    '',
    ...(await events(about)),
  ];
};

const secret: Describer = async ({ object }) => {
  const data = (object.data ?? {}) as Record<string, string>;
  return [...header(object), '', `Type:\t${object.type ?? ''}`, '', 'Data', '====', ...Object.keys(data).sort().map((key) => `${key}:\t${atob(data[key]!).length} bytes`)];
};

function quotaRows(object: Thing): string[][] {
  const { hard = {}, used = {} } = (object.status ?? {}) as { hard?: Record<string, string>; used?: Record<string, string> };
  return Object.keys(hard).sort().map((key) => [key, used[key] ?? '', hard[key] ?? '']);
}

const quota: Describer = async ({ object }) => [
  `Name:\t${object.metadata.name}`,
  `Namespace:\t${object.metadata.namespace}`,
  ...((object.spec?.scopes ?? []).length ? [`Scopes:\t${object.spec.scopes.join(', ')}`] : []),
  ...table(['Resource', 'Used', 'Hard'], quotaRows(object), '', ['--------', '----', '----']),
];

interface Limit {
  type: string;
  [kind: string]: unknown;
}

function limitRows(object: Thing): string[][] {
  return ((object.spec?.limits ?? []) as Limit[]).flatMap((one) => {
    const value = (kind: string, resource: string) => (one[kind] as Record<string, string> | undefined)?.[resource] ?? '-';
    const resources = new Set(['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'].flatMap((kind) => Object.keys((one[kind] as object | undefined) ?? {})));
    return [...resources].sort().map((resource) => [one.type, resource, value('min', resource), value('max', resource), value('defaultRequest', resource), value('default', resource), value('maxLimitRequestRatio', resource)]);
  });
}

const LIMIT_HEAD = ['Type', 'Resource', 'Min', 'Max', 'Default Request', 'Default Limit', 'Max Limit/Request Ratio'];
const LIMIT_DASHES = ['----', '--------', '---', '---', '---------------', '-------------', '-----------------------'];

const limitRange: Describer = async ({ object }) => [`Name:\t${object.metadata.name}`, `Namespace:\t${object.metadata.namespace}`, ...table(LIMIT_HEAD, limitRows(object), '', LIMIT_DASHES)];

const namespace: Describer = async ({ object, call }) => {
  const { kube, session } = call;
  const [quotas, limits] = await Promise.all(
    ['resourcequotas', 'limitranges'].map(async (type) => (await kube.list(await session.discovery.named(kube, type), object.metadata.name)).items),
  );
  return [
    ...header(object),
    `Status:\t${object.status?.phase ?? ''}`,
    '',
    ...(quotas!.length
      ? ['Resource Quotas', ...quotas!.flatMap((one) => [`  Name:\t${one.metadata.name}`, ...table(['Resource', 'Used', 'Hard'], quotaRows(one), '  ', ['--------', '---', '---'])])]
      : ['No resource quota.']),
    '',
    ...(limits!.length ? ['Resource Limits', ...table(LIMIT_HEAD, limits!.flatMap(limitRows), ' ', LIMIT_DASHES)] : ['No LimitRange resource.']),
  ];
};

const MODES: Record<string, string> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' };
const modes = (list: string[] | undefined) => (list ?? []).map((one) => MODES[one] ?? one).join(',');
const finalizers = (object: Thing) => `Finalizers:\t[${(object.metadata.finalizers ?? []).join(' ')}]`;

const claim: Describer = async (about) => {
  const { object, call } = about;
  const { spec, status = {}, metadata } = object;
  const pods = (await call.kube.list(await call.session.discovery.named(call.kube, 'pods'), metadata.namespace ?? '')).items.filter((one) =>
    ((one.spec?.volumes ?? []) as { persistentVolumeClaim?: { claimName: string } }[]).some((volume) => volume.persistentVolumeClaim?.claimName === metadata.name),
  );
  return [
    `Name:\t${metadata.name}`,
    `Namespace:\t${metadata.namespace}`,
    `StorageClass:\t${spec.storageClassName ?? ''}`,
    `Status:\t${metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? '')}`,
    `Volume:\t${spec.volumeName ?? ''}`,
    ...multiline('Labels', metadata.labels),
    ...annotations(metadata.annotations),
    finalizers(object),
    `Capacity:\t${status.capacity?.storage ?? ''}`,
    `Access Modes:\t${modes(status.accessModes)}`,
    `VolumeMode:\t${spec.volumeMode ?? ''}`,
    ...(pods.length ? pods.map((one, at) => `${at ? '' : 'Used By:'}\t${one.metadata.name}`) : ['Used By:\t<none>']),
    ...(await events(about)),
  ];
};

const volume: Describer = async (about) => {
  const { object } = about;
  const { spec, status = {}, metadata } = object;
  return [
    ...header(object),
    finalizers(object),
    `StorageClass:\t${spec.storageClassName ?? ''}`,
    `Status:\t${status.phase ?? ''}`,
    `Claim:\t${spec.claimRef ? `${spec.claimRef.namespace}/${spec.claimRef.name}` : ''}`,
    `Reclaim Policy:\t${spec.persistentVolumeReclaimPolicy ?? ''}`,
    `Access Modes:\t${modes(spec.accessModes)}`,
    `VolumeMode:\t${spec.volumeMode ?? ''}`,
    `Capacity:\t${spec.capacity?.storage ?? ''}`,
    'Node Affinity:\t<none>',
    `Message:\t${status.message ?? ''}`,
    'Source:',
    ...(spec.csi ? ['    Type:\tCSI (a Container Storage Interface (CSI) volume source)', `    Driver:\t${spec.csi.driver}`, `    FSType:\t${spec.csi.fsType ?? ''}`, `    VolumeHandle:\t${spec.csi.volumeHandle}`, `    ReadOnly:\t${Boolean(spec.csi.readOnly)}`] : []),
    ...(spec.hostPath ? ['    Type:\tHostPath (bare host directory volume)', `    Path:\t${spec.hostPath.path}`, `    HostPathType:\t${spec.hostPath.type ?? ''}`] : []),
    ...(await events({ ...about, object: { ...object, metadata } })),
  ];
};

const role: Describer = async ({ object }) => {
  const rows = compact((object.rules ?? []) as Rule[]).map(cells);
  return [...header(object, { namespace: false }), 'PolicyRule:', ...table(['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs'], rows, '  ', ['---------', '-----------------', '--------------', '-----'])];
};

const binding: Describer = async ({ object }) => [
  ...header(object, { namespace: false }),
  'Role:',
  `  Kind:\t${object.roleRef.kind}`,
  `  Name:\t${object.roleRef.name}`,
  'Subjects:',
  ...table(['Kind', 'Name', 'Namespace'], ((object.subjects ?? []) as { kind: string; name: string; namespace?: string }[]).map((one) => [one.kind, one.name, one.namespace ?? '']), '  ', ['----', '----', '---------']),
];

const serviceAccount: Describer = async (about) => {
  const names = ((about.object.imagePullSecrets ?? []) as { name: string }[]).map((one) => one.name);
  return [...header(about.object), `Image pull secrets:\t${names.join(', ') || '<none>'}`, ...(await events(about))];
};

const priorityClass: Describer = async (about) => {
  const { object } = about;
  return [
    `Name:\t${object.metadata.name}`,
    `Value:\t${object.value}`,
    `GlobalDefault:\t${Boolean(object.globalDefault)}`,
    `PreemptionPolicy:\t${object.preemptionPolicy ?? ''}`,
    `Description:\t${object.description ?? ''}`,
    ...annotations(object.metadata.annotations),
    ...(await events(about)),
  ];
};

const storageClass: Describer = async (about) => {
  const { object } = about;
  const isDefault = object.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
  return [
    `Name:\t${object.metadata.name}`,
    `IsDefaultClass:\t${isDefault ? 'Yes' : 'No'}`,
    `Annotations:\t${labels(object.metadata.annotations)}`,
    `Provisioner:\t${object.provisioner}`,
    `Parameters:\t${labels(object.parameters)}`,
    `AllowVolumeExpansion:\t${object.allowVolumeExpansion === undefined ? '<unset>' : object.allowVolumeExpansion ? 'True' : 'False'}`,
    `MountOptions:\t${(object.mountOptions ?? []).join(', ') || '<none>'}`,
    `ReclaimPolicy:\t${object.reclaimPolicy ?? ''}`,
    `VolumeBindingMode:\t${object.volumeBindingMode ?? ''}`,
    ...(await events(about)),
  ];
};

const autoscaler: Describer = async (about) => {
  const { object } = about;
  const { spec, status = {}, metadata } = object;
  const current = (status.currentMetrics ?? []) as { resource?: { name: string; current: { averageUtilization?: number; averageValue?: string } } }[];
  const metrics = (spec.metrics ?? []) as { type: string; resource?: { name: string; target: { averageUtilization?: number; averageValue?: string } } }[];
  const conditions = (status.conditions ?? []) as { type: string; status: string; reason?: string; message?: string }[];
  return [
    ...header(object),
    `CreationTimestamp:\t${stamp(metadata.creationTimestamp)}`,
    `Reference:\t${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    'Metrics:\t( current / target )',
    ...metrics.map((one) => {
      const name = one.resource?.name ?? one.type;
      const now = current.find((each) => each.resource?.name === name)?.resource?.current;
      if (one.resource?.target.averageUtilization !== undefined) {
        const said = now?.averageUtilization === undefined ? '<unknown>' : `${now.averageUtilization}% (${now.averageValue})`;
        return `  resource ${name} on pods  (as a percentage of request):\t${said} / ${one.resource.target.averageUtilization}%`;
      }
      return `  resource ${name} on pods:\t${now?.averageValue ?? '<unknown>'} / ${one.resource?.target.averageValue ?? ''}`;
    }),
    `Min replicas:\t${spec.minReplicas ?? '<unset>'}`,
    `Max replicas:\t${spec.maxReplicas}`,
    `${spec.scaleTargetRef.kind} pods:\t${status.currentReplicas ?? 0} current / ${status.desiredReplicas ?? 0} desired`,
    ...(conditions.length ? ['Conditions:', ...table(['Type', 'Status', 'Reason', 'Message'], conditions.map((one) => [one.type, one.status, one.reason ?? '', one.message ?? '']))] : []),
    ...(await events(about)),
  ];
};

const disruptionBudget: Describer = async (about) => {
  const { object } = about;
  const { spec, status = {} } = object;
  return [
    `Name:\t${object.metadata.name}`,
    `Namespace:\t${object.metadata.namespace}`,
    ...(spec.minAvailable !== undefined ? [`Min available:\t${spec.minAvailable}`] : []),
    ...(spec.maxUnavailable !== undefined ? [`Max unavailable:\t${spec.maxUnavailable}`] : []),
    `Selector:\t${spec.selector ? selector(spec.selector) : '<unset>'}`,
    'Status:',
    `    Allowed disruptions:\t${status.disruptionsAllowed ?? 0}`,
    `    Current:\t${status.currentHealthy ?? 0}`,
    `    Desired:\t${status.desiredHealthy ?? 0}`,
    `    Total:\t${status.expectedPods ?? 0}`,
    ...(await events(about)),
  ];
};

/** camelCase → "Camel Case", as the generic describer titles fields. */
export function title(field: string): string {
  if (/[A-Z]{2,}/.test(field) && field === field.toUpperCase()) return field;
  return field
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(' ')
    .map((word) => (['api', 'cpu', 'id', 'ip', 'uid', 'url'].includes(word.toLowerCase()) ? word.toUpperCase() : word[0]!.toUpperCase() + word.slice(1)))
    .join(' ');
}

export function fields(value: Record<string, unknown>, indent: string, hidden: string[], path = ''): string[] {
  return Object.keys(value).sort().flatMap((key) => {
    const here = `${path}.${key}`;
    if (hidden.includes(here)) return [];
    const item = value[key];
    const name = `${indent}${title(key)}:`;
    if (Array.isArray(item)) {
      if (!item.length) return [name];
      return [
        name,
        ...item.flatMap((one) => (typeof one === 'object' && one !== null ? fields(one as Record<string, unknown>, `${indent}  `, hidden, here) : [`${indent}  ${String(one)}`])),
      ];
    }
    if (typeof item === 'object' && item !== null) return [name, ...fields(item as Record<string, unknown>, `${indent}  `, hidden, here)];
    return [`${name}\t${String(item)}`];
  });
}

const HIDDEN_FIELDS = ['.metadata.name', '.metadata.namespace', '.metadata.labels', '.metadata.annotations', '.metadata.managedFields'];

export const generic: Describer = async (about) => [
  `Name:\t${about.object.metadata.name}`,
  `Namespace:\t${about.object.metadata.namespace ?? ''}`,
  ...multiline('Labels', about.object.metadata.labels),
  ...annotations(about.object.metadata.annotations),
  ...fields(about.object, '', HIDDEN_FIELDS),
  ...(await events(about)),
];

export const REST: Record<string, Describer> = {
  services: service,
  'endpointslices.discovery.k8s.io': endpointSlice,
  'ingresses.networking.k8s.io': ingress,
  configmaps: configMap,
  secrets: secret,
  namespaces: namespace,
  resourcequotas: quota,
  limitranges: limitRange,
  persistentvolumeclaims: claim,
  persistentvolumes: volume,
  serviceaccounts: serviceAccount,
  'roles.rbac.authorization.k8s.io': role,
  'clusterroles.rbac.authorization.k8s.io': role,
  'rolebindings.rbac.authorization.k8s.io': binding,
  'clusterrolebindings.rbac.authorization.k8s.io': binding,
  'priorityclasses.scheduling.k8s.io': priorityClass,
  'storageclasses.storage.k8s.io': storageClass,
  'horizontalpodautoscalers.autoscaling': autoscaler,
  'poddisruptionbudgets.policy': disruptionBudget,
};

