/** Containers, volumes and tolerations: what pods and pod templates share. */
import type { Thing } from '../../kube/types';
import { stamp } from '../../text/duration';
import { annotations, multiline } from './lines';

interface Env {
  name: string;
  value?: string;
  valueFrom?: {
    fieldRef?: { apiVersion?: string; fieldPath: string };
    resourceFieldRef?: { containerName?: string; resource: string };
    secretKeyRef?: { name: string; key: string; optional?: boolean };
    configMapKeyRef?: { name: string; key: string; optional?: boolean };
  };
}

interface Probe {
  exec?: { command?: string[] };
  httpGet?: { scheme?: string; host?: string; port: number | string; path?: string };
  tcpSocket?: { host?: string; port: number | string };
  grpc?: { port: number; service?: string };
  initialDelaySeconds?: number;
  timeoutSeconds?: number;
  periodSeconds?: number;
  successThreshold?: number;
  failureThreshold?: number;
}

export interface Container {
  name: string;
  image?: string;
  command?: string[];
  args?: string[];
  ports?: { containerPort: number; hostPort?: number; protocol?: string; name?: string }[];
  env?: Env[];
  envFrom?: { prefix?: string; configMapRef?: { name: string; optional?: boolean }; secretRef?: { name: string; optional?: boolean } }[];
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> };
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean; subPath?: string }[];
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  startupProbe?: Probe;
}

export interface State {
  running?: { startedAt?: string };
  waiting?: { reason?: string; message?: string };
  terminated?: { reason?: string; message?: string; exitCode: number; signal?: number; startedAt?: string; finishedAt?: string };
}

export interface ContainerStatus {
  name: string;
  containerID?: string;
  imageID?: string;
  ready: boolean;
  restartCount: number;
  state?: State;
  lastState?: State;
}

function probe(one: Probe): string {
  const times = `delay=${one.initialDelaySeconds ?? 0}s timeout=${one.timeoutSeconds ?? 1}s period=${one.periodSeconds ?? 10}s successThreshold=${one.successThreshold ?? 1} failureThreshold=${one.failureThreshold ?? 3}`;
  if (one.exec) return `exec [${(one.exec.command ?? []).join(' ')}] ${times}`;
  if (one.httpGet) return `http-get ${(one.httpGet.scheme ?? 'HTTP').toLowerCase()}://${one.httpGet.host ?? ''}:${one.httpGet.port}${one.httpGet.path ?? ''} ${times}`;
  if (one.tcpSocket) return `tcp-socket ${one.tcpSocket.host ?? ''}:${one.tcpSocket.port} ${times}`;
  if (one.grpc) return `grpc <pod>:${one.grpc.port} ${one.grpc.service ?? ''} ${times}`;
  return `unknown ${times}`;
}

function state(title: string, value: State | undefined, indent: string): string[] {
  if (!value || !Object.keys(value).length) return title === 'State' ? [`${indent}${title}:\tWaiting`] : [];
  const deeper = `${indent}  `;
  if (value.running) return [`${indent}${title}:\tRunning`, `${deeper}Started:\t${stamp(value.running.startedAt)}`];
  if (value.waiting) return [`${indent}${title}:\tWaiting`, ...(value.waiting.reason ? [`${deeper}Reason:\t${value.waiting.reason}`] : [])];
  const ended = value.terminated!;
  return [
    `${indent}${title}:\tTerminated`,
    ...(ended.reason ? [`${deeper}Reason:\t${ended.reason}`] : []),
    ...(ended.message ? [`${deeper}Message:\t${ended.message}`] : []),
    `${deeper}Exit Code:\t${ended.exitCode}`,
    ...(ended.signal ? [`${deeper}Signal:\t${ended.signal}`] : []),
    `${deeper}Started:\t${stamp(ended.startedAt)}`,
    `${deeper}Finished:\t${stamp(ended.finishedAt)}`,
  ];
}

function env(one: Env, indent: string, pod: Thing | null): string {
  const from = one.valueFrom;
  const head = `${indent}${one.name}:\t`;
  if (!from) return head + (one.value ?? '').split('\n').join(`\n${indent}\t`);
  if (from.fieldRef) return `${head}${fieldValue(pod, from.fieldRef.fieldPath)} (${from.fieldRef.apiVersion ?? 'v1'}:${from.fieldRef.fieldPath})`;
  if (from.resourceFieldRef) return `${head}${from.resourceFieldRef.resource}`;
  const optional = (value?: { optional?: boolean }) => `Optional: ${value?.optional ?? false}`;
  if (from.secretKeyRef) return `${head}<set to the key '${from.secretKeyRef.key}' in secret '${from.secretKeyRef.name}'>\t${optional(from.secretKeyRef)}`;
  if (from.configMapKeyRef) return `${head}<set to the key '${from.configMapKeyRef.key}' of config map '${from.configMapKeyRef.name}'>\t${optional(from.configMapKeyRef)}`;
  return head;
}

function fieldValue(pod: Thing | null, path: string): string {
  const match = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (!pod) return '';
  if (match) return pod.metadata[match[1] as 'labels']?.[match[2]!] ?? '';
  // As kubectl: only what the object's metadata knows.
  const [head, field] = path.split('.');
  return head === 'metadata' ? String((pod.metadata as unknown as Record<string, unknown>)[field!] ?? '') : '';
}

export function container(one: Container, status: ContainerStatus | undefined, indent: string, pod: Thing | null): string[] {
  // In a template the name stands one space further in, what is inside does not.
  const inner = '    ';
  const ports = one.ports ?? [];
  const port = (text: (one: NonNullable<Container['ports']>[0]) => number) =>
    ports.map((each) => `${text(each)}/${each.protocol ?? 'TCP'}${each.name ? ` (${each.name})` : ''}`).join(', ') || '<none>';
  const many = ports.length > 1 ? 's' : '';
  const quantities = (title: string, values?: Record<string, string>) =>
    values && Object.keys(values).length ? [`${inner}${title}:`, ...Object.keys(values).sort().map((key) => `${inner}  ${key}:\t${values[key]}`)] : [];
  const words = (title: string, list?: string[]) =>
    list?.length ? [`${inner}${title}:`, ...list.flatMap((word) => word.split('\n').map((line) => `${inner}  ${line}`))] : [];
  return [
    `${indent}${one.name}:`,
    ...(status ? [`${inner}Container ID:\t${status.containerID ?? ''}`] : []),
    `${inner}Image:\t${one.image ?? ''}`,
    ...(status ? [`${inner}Image ID:\t${status.imageID ?? ''}`] : []),
    `${inner}Port${many}:\t${port((each) => each.containerPort)}`,
    `${inner}Host Port${many}:\t${port((each) => each.hostPort ?? 0)}`,
    ...words('Command', one.command),
    ...words('Args', one.args),
    ...(status ? [...state('State', status.state, inner), ...state('Last State', status.lastState, inner), `${inner}Ready:\t${status.ready ? 'True' : 'False'}`, `${inner}Restart Count:\t${status.restartCount}`] : []),
    ...quantities('Limits', one.resources?.limits),
    ...quantities('Requests', one.resources?.requests),
    ...(one.livenessProbe ? [`${inner}Liveness:\t${probe(one.livenessProbe)}`] : []),
    ...(one.readinessProbe ? [`${inner}Readiness:\t${probe(one.readinessProbe)}`] : []),
    ...(one.startupProbe ? [`${inner}Startup:\t${probe(one.startupProbe)}`] : []),
    ...(one.envFrom?.length
      ? [
          `${inner}Environment Variables from:`,
          ...one.envFrom.map((each) => {
            const [kind, from] = each.configMapRef ? ['ConfigMap', each.configMapRef] : ['Secret', each.secretRef];
            const prefix = each.prefix ? ` with prefix '${each.prefix}'` : '';
            return `${inner}  ${from?.name}\t${kind}${prefix}\tOptional: ${from?.optional ?? false}`;
          }),
        ]
      : []),
    ...(one.env?.length ? [`${inner}Environment:`, ...one.env.map((each) => env(each, `${inner}  `, pod))] : [`${inner}Environment:\t<none>`]),
    ...(one.volumeMounts?.length
      ? [
          `${inner}Mounts:`,
          ...[...one.volumeMounts].sort((a, b) => (a.mountPath < b.mountPath ? -1 : 1)).map((each) => `${inner}  ${each.mountPath} from ${each.name} (${each.readOnly ? 'ro' : 'rw'}${each.subPath ? `,path="${each.subPath}"` : ''})`),
        ]
      : [`${inner}Mounts:\t<none>`]),
  ];
}

export function containers(title: string, list: Container[] | undefined, statuses: ContainerStatus[] | undefined, indent: string, pod: Thing | null): string[] {
  if (!list?.length) return [];
  const each = list.flatMap((one) => container(one, statuses?.find((status) => status.name === one.name), indent ? `${indent} ` : '  ', pod));
  return [`${indent}${title}:`, ...each];
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Volume = { name: string } & Record<string, any>;

const unset = (value: unknown) => (value === undefined || value === null ? '<unset>' : String(value));

/** What is said of each kind of volume: its type, then its fields. */
const VOLUMES: Record<string, (one: Volume) => string[]> = {
  emptyDir: ({ emptyDir }) => ["EmptyDir (a temporary directory that shares a pod's lifetime)", `Medium:\t${emptyDir.medium ?? ''}`, `SizeLimit:\t${unset(emptyDir.sizeLimit)}`],
  configMap: ({ configMap }) => ['ConfigMap (a volume populated by a ConfigMap)', `Name:\t${configMap.name}`, `Optional:\t${configMap.optional ?? false}`],
  secret: ({ secret }) => ['Secret (a volume populated by a Secret)', `SecretName:\t${secret.secretName}`, `Optional:\t${secret.optional ?? false}`],
  hostPath: ({ hostPath }) => ['HostPath (bare host directory volume)', `Path:\t${hostPath.path}`, `HostPathType:\t${hostPath.type ?? ''}`],
  persistentVolumeClaim: ({ persistentVolumeClaim: claim }) => ['PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)', `ClaimName:\t${claim.claimName}`, `ReadOnly:\t${claim.readOnly ?? false}`],
  nfs: ({ nfs }) => ['NFS (an NFS mount that lasts the lifetime of a pod)', `Server:\t${nfs.server}`, `Path:\t${nfs.path}`, `ReadOnly:\t${nfs.readOnly ?? false}`],
  csi: ({ csi }) => ['CSI (a Container Storage Interface (CSI) volume source)', `Driver:\t${csi.driver}`, `FSType:\t${csi.fsType ?? ''}`, `ReadOnly:\t${csi.readOnly ?? false}`],
  projected: ({ projected }) => [
    'Projected (a volume that contains injected data from multiple sources)',
    ...(projected.sources ?? []).flatMap((source: Record<string, { name?: string; optional?: boolean; expirationSeconds?: number }>) => {
      if (source.serviceAccountToken) return [`TokenExpirationSeconds:\t${source.serviceAccountToken.expirationSeconds}`];
      if (source.configMap) return [`ConfigMapName:\t${source.configMap.name}`, `Optional:\t${source.configMap.optional ?? false}`];
      if (source.secret) return [`SecretName:\t${source.secret.name}`, `Optional:\t${source.secret.optional ?? false}`];
      return source.downwardAPI ? ['DownwardAPI:\ttrue'] : [];
    }),
  ],
  downwardAPI: () => ['DownwardAPI (a volume populated by information about the pod)'],
  ephemeral: () => ['EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)'],
};

export function volumes(list: Volume[] | undefined, indent: string): string[] {
  if (!list?.length) return [`${indent}Volumes:\t<none>`];
  const each = list.flatMap((one) => {
    const kind = Object.keys(one).find((key) => key in VOLUMES);
    const [type, ...fields] = kind ? VOLUMES[kind]!(one) : ['<unknown>'];
    const inner = indent ? `${indent} ` : '  ';
    return [`${inner}${one.name}:`, `    Type:\t${type}`, ...fields.map((field) => `    ${field}`)];
  });
  return [`${indent}Volumes:`, ...each];
}

interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

export function tolerations(list: Toleration[] | undefined, indent = ''): string[] {
  if (!list?.length) return [`${indent}Tolerations:\t<none>`];
  const said = [...list]
    .sort((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1))
    .map((one) => {
      let text = one.key ?? '';
      if (one.value) text += `=${one.value}`;
      if (one.effect) text += `:${one.effect}`;
      if (one.operator === 'Exists' && !one.value) text += one.key || one.effect ? ' op=Exists' : 'op=Exists';
      if (one.tolerationSeconds !== undefined) text += ` for ${one.tolerationSeconds}s`;
      return text;
    });
  return said.map((text, at) => `${indent}${at ? '' : 'Tolerations:'}\t${text}`);
}

/** The pod template of a workload. */
export function podTemplate(template: Thing): string[] {
  const spec = (template.spec ?? {}) as { containers?: Container[]; initContainers?: Container[]; volumes?: Volume[]; nodeSelector?: Record<string, string>; tolerations?: Toleration[]; serviceAccountName?: string };
  return [
    'Pod Template:',
    ...multiline('Labels', template.metadata?.labels, '  '),
    ...(Object.keys(template.metadata?.annotations ?? {}).length ? annotations(template.metadata.annotations, '  ') : []),
    ...(spec.serviceAccountName ? [`  Service Account:\t${spec.serviceAccountName}`] : []),
    ...containers('Init Containers', spec.initContainers, undefined, '  ', null),
    ...containers('Containers', spec.containers, undefined, '  ', null),
    ...volumes(spec.volumes, '  '),
    ...multiline('Node-Selectors', spec.nodeSelector, '  '),
    ...tolerations(spec.tolerations, '  '),
  ];
}

