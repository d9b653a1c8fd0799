/**
 * A namespace's objects and how they hang together, and where each is drawn. Columns follow the way of a request from the left
 * (routes in) over workloads and pods to what pods need (right). An object keeps its place as long as it lives: new ones take
 * free places, nothing else moves.
 */
import type { KubeObject } from '../../api/watch';

export type EdgeKind = 'owns' | 'selects' | 'routes' | 'mounts' | 'runs' | 'grants' | 'scales';

export interface GraphNode {
  id: string;
  kind: string;
  apiVersion: string;
  plural: string;
  namespace: string;
  name: string;
  column: number;
  tone: 'ok' | 'warn' | 'bad' | 'gone';
  /** How many alike it stands for. */
  n: number;
  note: string;
}

export interface Edge {
  from: string;
  to: string;
  kind: EdgeKind;
}

export interface Graph {
  nodes: GraphNode[];
  edges: Edge[];
}

/** Where the kinds of a namespace are read, and in which column each is drawn. */
export const SOURCES: { apiVersion: string; plural: string; kind: string; column: number }[] = [
  { apiVersion: 'networking.k8s.io/v1', plural: 'ingresses', kind: 'Ingress', column: 0 },
  { apiVersion: 'v1', plural: 'services', kind: 'Service', column: 1 },
  { apiVersion: 'batch/v1', plural: 'cronjobs', kind: 'CronJob', column: 2 },
  { apiVersion: 'autoscaling/v2', plural: 'horizontalpodautoscalers', kind: 'HorizontalPodAutoscaler', column: 1 },
  { apiVersion: 'discovery.k8s.io/v1', plural: 'endpointslices', kind: 'EndpointSlice', column: 2 },
  { apiVersion: 'apps/v1', plural: 'deployments', kind: 'Deployment', column: 2 },
  { apiVersion: 'apps/v1', plural: 'statefulsets', kind: 'StatefulSet', column: 3 },
  { apiVersion: 'apps/v1', plural: 'daemonsets', kind: 'DaemonSet', column: 3 },
  { apiVersion: 'apps/v1', plural: 'replicasets', kind: 'ReplicaSet', column: 3 },
  { apiVersion: 'batch/v1', plural: 'jobs', kind: 'Job', column: 3 },
  { apiVersion: 'v1', plural: 'pods', kind: 'Pod', column: 4 },
  { apiVersion: 'v1', plural: 'configmaps', kind: 'ConfigMap', column: 5 },
  { apiVersion: 'v1', plural: 'secrets', kind: 'Secret', column: 5 },
  { apiVersion: 'v1', plural: 'persistentvolumeclaims', kind: 'PersistentVolumeClaim', column: 5 },
  { apiVersion: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount', column: 5 },
  { apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'rolebindings', kind: 'RoleBinding', column: 6 },
  { apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'roles', kind: 'Role', column: 7 },
];

/** What stands above a column: the kinds that are there, in plain words. */
const WORDS: Record<string, string> = {
  Ingress: 'routes', Service: 'services', HorizontalPodAutoscaler: 'autoscalers', EndpointSlice: 'endpoints', Deployment: 'deployments', CronJob: 'cron jobs',
  StatefulSet: 'sets', DaemonSet: 'sets', ReplicaSet: 'sets', Job: 'jobs', Pod: 'pods', ConfigMap: 'configuration', Secret: 'secrets', PersistentVolumeClaim: 'claims',
  ServiceAccount: 'accounts', Node: 'nodes', RoleBinding: 'bindings', Role: 'roles',
};

export function heading(nodes: GraphNode[], column: number): string {
  const words = [...new Set(nodes.filter((node) => node.column === column).map((node) => WORDS[node.kind] ?? node.kind))];
  return words.length > 2 ? `${words.slice(0, 2).join(', ')} …` : words.join(', ');
}

/** More pods of one owner than this are drawn as one. */
const MOST_PODS = 12;

type Spec = Record<string, unknown>;
const spec = (one: KubeObject): Spec => (one['spec'] ?? {}) as Spec;
const id = (kind: string, name: string): string => `${kind}/${name}`;

export function build(objects: KubeObject[]): Graph {
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, Edge>();
  const add = (from: string, to: string, kind: EdgeKind) => edges.set(`${from} ${kind} ${to}`, { from, to, kind });
  const by = (kind: string) => objects.filter((one) => one.kind === kind);

  for (const one of objects) {
    const source = SOURCES.find((each) => each.kind === one.kind);
    if (!source || isOld(one)) continue;
    nodes.set(id(source.kind, one.metadata.name), { id: id(source.kind, one.metadata.name), kind: source.kind, apiVersion: source.apiVersion, plural: source.plural, namespace: one.metadata.namespace ?? '', name: one.metadata.name, column: source.column, tone: tone(one), n: 1, note: note(one) });
  }
  for (const one of objects) {
    for (const owner of one.metadata.ownerReferences ?? []) add(id(owner.kind, owner.name), id(one.kind!, one.metadata.name), 'owns');
  }
  for (const pod of by('Pod')) {
    const here = id('Pod', pod.metadata.name);
    const node = spec(pod)['nodeName'] as string | undefined;
    if (node) {
      const there = id('Node', node);
      if (!nodes.has(there)) nodes.set(there, { id: there, kind: 'Node', apiVersion: 'v1', plural: 'nodes', namespace: '', name: node, column: 6, tone: 'ok', n: 1, note: '' });
      add(here, there, 'runs');
    }
    for (const [kind, name] of needs(spec(pod))) add(here, id(kind, name), 'mounts');
  }
  for (const service of by('Service')) {
    const selector = Object.entries((spec(service)['selector'] ?? {}) as Record<string, string>);
    if (!selector.length) continue;
    for (const pod of by('Pod')) if (selector.every(([key, value]) => pod.metadata.labels?.[key] === value)) add(id('Service', service.metadata.name), id('Pod', pod.metadata.name), 'selects');
  }
  for (const slice of by('EndpointSlice')) {
    for (const endpoint of (slice['endpoints'] ?? []) as { targetRef?: { kind: string; name: string } }[]) {
      if (endpoint.targetRef?.kind === 'Pod') add(id('EndpointSlice', slice.metadata.name), id('Pod', endpoint.targetRef.name), 'routes');
    }
  }
  for (const ingress of by('Ingress')) for (const name of backends(spec(ingress))) add(id('Ingress', ingress.metadata.name), id('Service', name), 'routes');
  for (const scaler of by('HorizontalPodAutoscaler')) {
    const target = spec(scaler)['scaleTargetRef'] as { kind: string; name: string } | undefined;
    if (target) add(id('HorizontalPodAutoscaler', scaler.metadata.name), id(target.kind, target.name), 'scales');
  }
  for (const binding of by('RoleBinding')) {
    for (const subject of (binding['subjects'] ?? []) as { kind: string; name: string }[]) if (subject.kind === 'ServiceAccount') add(id('ServiceAccount', subject.name), id('RoleBinding', binding.metadata.name), 'grants');
    const role = binding['roleRef'] as { kind: string; name: string };
    if (role.kind === 'Role') add(id('RoleBinding', binding.metadata.name), id('Role', role.name), 'grants');
  }
  return collapse(nodes, quiet(nodes, [...edges.values()].filter((edge) => nodes.has(edge.from) && nodes.has(edge.to))));
}

/** What comes with every namespace and hangs together with nothing is left out; a path by way of a slice needs no second one. */
function quiet(nodes: Map<string, GraphNode>, edges: Edge[]): Edge[] {
  const touched = new Set(edges.flatMap((edge) => [edge.from, edge.to]));
  const everyday = ['ConfigMap/kube-root-ca.crt', 'ServiceAccount/default'];
  for (const name of everyday) if (nodes.has(name) && !edges.some((edge) => (edge.from === name || edge.to === name) && edge.kind !== 'mounts')) nodes.delete(name);
  const routed = new Set(edges.filter((edge) => edge.kind === 'routes' && edge.from.startsWith('EndpointSlice/')).map((edge) => edge.to));
  for (const [key, node] of nodes) if (node.kind === 'EndpointSlice' && !touched.has(key)) nodes.delete(key);
  return edges.filter((edge) => nodes.has(edge.from) && nodes.has(edge.to) && !(edge.kind === 'selects' && routed.has(edge.to)));
}

/** Many pods of one owner become one that stands for them. */
function collapse(nodes: Map<string, GraphNode>, edges: Edge[]): Graph {
  const of = new Map<string, string[]>();
  for (const edge of edges) if (edge.kind === 'owns' && nodes.get(edge.to)?.kind === 'Pod') of.set(edge.from, [...(of.get(edge.from) ?? []), edge.to]);
  const instead = new Map<string, string>();
  for (const pods of of.values()) {
    if (pods.length <= MOST_PODS) continue;
    const [first, ...rest] = [...pods].sort();
    const node = nodes.get(first!)!;
    const tones = pods.map((one) => nodes.get(one)!.tone);
    nodes.set(first!, { ...node, n: pods.length, tone: tones.includes('bad') ? 'bad' : tones.includes('warn') ? 'warn' : 'ok', note: `${tones.filter((one) => one === 'ok').length} ready` });
    for (const one of rest) (nodes.delete(one), instead.set(one, first!));
  }
  const kept = new Map<string, Edge>();
  for (const edge of edges) {
    const moved = { ...edge, from: instead.get(edge.from) ?? edge.from, to: instead.get(edge.to) ?? edge.to };
    kept.set(`${moved.from} ${moved.kind} ${moved.to}`, moved);
  }
  return { nodes: [...nodes.values()], edges: [...kept.values()] };
}

function needs(pod: Spec): [string, string][] {
  const found: [string, string][] = [];
  for (const volume of (pod['volumes'] ?? []) as Record<string, Record<string, unknown>>[]) {
    if (volume['configMap']) found.push(['ConfigMap', String(volume['configMap']['name'])]);
    if (volume['secret']) found.push(['Secret', String(volume['secret']['secretName'])]);
    if (volume['persistentVolumeClaim']) found.push(['PersistentVolumeClaim', String(volume['persistentVolumeClaim']['claimName'])]);
  }
  for (const container of [...((pod['initContainers'] ?? []) as Spec[]), ...((pod['containers'] ?? []) as Spec[])]) {
    for (const one of (container['envFrom'] ?? []) as Record<string, { name: string }>[]) {
      if (one['configMapRef']) found.push(['ConfigMap', one['configMapRef'].name]);
      if (one['secretRef']) found.push(['Secret', one['secretRef'].name]);
    }
    for (const one of (container['env'] ?? []) as { valueFrom?: Record<string, { name: string }> }[]) {
      if (one.valueFrom?.['configMapKeyRef']) found.push(['ConfigMap', one.valueFrom['configMapKeyRef'].name]);
      if (one.valueFrom?.['secretKeyRef']) found.push(['Secret', one.valueFrom['secretKeyRef'].name]);
    }
  }
  if (pod['serviceAccountName']) found.push(['ServiceAccount', String(pod['serviceAccountName'])]);
  return found;
}

function backends(ingress: Spec): string[] {
  const paths = ((ingress['rules'] ?? []) as { http?: { paths?: { backend?: { service?: { name: string } } }[] } }[]).flatMap((rule) => rule.http?.paths ?? []);
  const names = paths.map((one) => one.backend?.service?.name);
  const otherwise = (ingress['defaultBackend'] as { service?: { name: string } } | undefined)?.service?.name;
  return [...new Set([...names, otherwise].filter((one): one is string => Boolean(one)))];
}

/** A ReplicaSet that a rollout has left behind. */
function isOld(one: KubeObject): boolean {
  const status = (one['status'] ?? {}) as { replicas?: number };
  return one.kind === 'ReplicaSet' && spec(one)['replicas'] === 0 && !status.replicas && Boolean(one.metadata.ownerReferences?.length);
}

function tone(one: KubeObject): GraphNode['tone'] {
  if (one.metadata.deletionTimestamp) return 'gone';
  const status = (one['status'] ?? {}) as { phase?: string; readyReplicas?: number; numberReady?: number; desiredNumberScheduled?: number; conditions?: { type: string; status: string }[]; containerStatuses?: { state: { waiting?: { reason?: string } } }[] };
  if (one.kind === 'Pod') {
    if (status.phase === 'Failed' || status.containerStatuses?.some((each) => /Err|BackOff|Invalid/.test(each.state.waiting?.reason ?? ''))) return 'bad';
    const ready = status.conditions?.find((each) => each.type === 'Ready')?.status === 'True';
    return ready || status.phase === 'Succeeded' ? 'ok' : 'warn';
  }
  if (one.kind === 'PersistentVolumeClaim') return status.phase === 'Bound' ? 'ok' : 'warn';
  if (one.kind === 'DaemonSet') return (status.numberReady ?? 0) < (status.desiredNumberScheduled ?? 0) ? 'warn' : 'ok';
  const replicas = spec(one)['replicas'];
  if (['Deployment', 'ReplicaSet', 'StatefulSet'].includes(one.kind ?? '') && typeof replicas === 'number') return (status.readyReplicas ?? 0) < replicas ? 'warn' : 'ok';
  return 'ok';
}

function note(one: KubeObject): string {
  const status = (one['status'] ?? {}) as { readyReplicas?: number; phase?: string };
  const replicas = spec(one)['replicas'];
  if (typeof replicas === 'number') return `${status.readyReplicas ?? 0}/${replicas} ready`;
  if (one.kind === 'Service') return String(spec(one)['type'] ?? '');
  return status.phase ?? '';
}

export type Slots = Map<string, number>;

/** The wish of what hangs on nothing that has a row yet: it stands below the others. */
const LAST = 1e9;

/** A row for each object within its column. What has one keeps it; the others come beside what they hang on, or in the first free row. */
export function place(graph: Graph, slots: Slots): Slots {
  const here = new Set(graph.nodes.map((node) => node.id));
  for (const key of [...slots.keys()]) if (!here.has(key)) slots.delete(key);
  const column = new Map(graph.nodes.map((node) => [node.id, node.column]));
  const near = new Map<string, string[]>();
  for (const edge of graph.edges) {
    near.set(edge.to, [...(near.get(edge.to) ?? []), edge.from]);
    near.set(edge.from, [...(near.get(edge.from) ?? []), edge.to]);
  }
  const taken = new Map<number, Set<number>>();
  for (const [key, row] of slots) {
    const at = column.get(key)!;
    taken.set(at, (taken.get(at) ?? new Set()).add(row));
  }
  const lines = lineages(graph);
  // Pods first: they are the most, and everything else gathers around them.
  const order = [4, 3, 2, 1, 0, 5, 6, 7];
  for (const at of order) {
    const used = taken.get(at) ?? new Set<number>();
    taken.set(at, used);
    const fresh = graph.nodes
      .filter((node) => node.column === at && !slots.has(node.id))
      .map((node) => {
        const rows = (near.get(node.id) ?? []).map((one) => slots.get(one)).filter((row): row is number => row !== undefined);
        return { node, wish: rows.length ? Math.round(rows.reduce((sum, row) => sum + row, 0) / rows.length) : LAST, line: lines.get(node.id)! };
      })
      .sort((a, b) => a.wish - b.wish || a.line.from - b.line.from || b.line.n - a.line.n || a.line.name.localeCompare(b.line.name, 'en') || kinship(a.node, near).localeCompare(kinship(b.node, near)) || a.node.id.localeCompare(b.node.id, 'en', { numeric: true }));
    for (const { node, wish } of fresh) {
      let row = wish === LAST ? Math.max(-1, ...used) + 1 : wish;
      while (used.has(row)) row += 1;
      used.add(row);
      slots.set(node.id, row);
    }
  }
  return slots;
}

function kinship(node: GraphNode, near: Map<string, string[]>): string {
  return (near.get(node.id) ?? []).find((one) => !one.startsWith('Node/')) ?? '~';
}

interface Lineage {
  /** The leftmost column of what hangs together. */
  from: number;
  n: number;
  name: string;
}

/** What hangs together, machines and grants aside: lines that begin furthest left stand at the top, what stands alone at the bottom. */
function lineages(graph: Graph): Map<string, Lineage> {
  const next = new Map<string, string[]>();
  for (const edge of graph.edges) {
    if (edge.kind === 'runs' || edge.kind === 'grants' || edge.kind === 'mounts') continue;
    next.set(edge.from, [...(next.get(edge.from) ?? []), edge.to]);
    next.set(edge.to, [...(next.get(edge.to) ?? []), edge.from]);
  }
  const columns = new Map(graph.nodes.map((node) => [node.id, node.column]));
  const found = new Map<string, Lineage>();
  for (const { id: start } of graph.nodes) {
    if (found.has(start)) continue;
    const line: Lineage = { from: Infinity, n: 0, name: start };
    const waiting = [start];
    found.set(start, line);
    while (waiting.length) {
      const here = waiting.pop()!;
      line.n += 1;
      line.from = Math.min(line.from, columns.get(here) ?? Infinity);
      if (here < line.name) line.name = here;
      for (const one of next.get(here) ?? []) if (!found.has(one)) (found.set(one, line), waiting.push(one));
    }
    // Alone, it leads nowhere: it stands below what does.
    if (line.n === 1) line.from = Infinity;
  }
  return found;
}
