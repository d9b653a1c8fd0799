import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../api/watch';
import { build, heading, place, type Slots } from './graph';

const object = (kind: string, name: string, more: Record<string, unknown> = {}, meta: Record<string, unknown> = {}): KubeObject => ({ kind, metadata: { name, namespace: 'shop', uid: kind + name, resourceVersion: '1', creationTimestamp: '', ...meta }, ...more }) as KubeObject;
const owned = (kind: string, name: string) => ({ ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: kind + name }] });
const pod = (name: string, more: Record<string, unknown> = {}) => object('Pod', name, { spec: { nodeName: 'n1', serviceAccountName: 'robot', volumes: [{ configMap: { name: 'settings' } }], ...more }, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }, { labels: { app: 'web' }, ...owned('ReplicaSet', 'web-1') });
const WORLD = [
  object('Ingress', 'front', { spec: { rules: [{ http: { paths: [{ backend: { service: { name: 'web' } } }] } }] } }),
  object('Service', 'web', { spec: { selector: { app: 'web' } } }),
  object('EndpointSlice', 'web-x', { endpoints: [{ targetRef: { kind: 'Pod', name: 'web-1-a' } }] }, owned('Service', 'web')),
  object('Deployment', 'web', { spec: { replicas: 2 }, status: { readyReplicas: 1 } }),
  object('ReplicaSet', 'web-1', { spec: { replicas: 2 }, status: { readyReplicas: 2, replicas: 2 } }, owned('Deployment', 'web')),
  object('ReplicaSet', 'web-0', { spec: { replicas: 0 } }, owned('Deployment', 'web')),
  pod('web-1-a'),
  pod('web-1-b'),
  object('ConfigMap', 'settings'),
  object('ConfigMap', 'kube-root-ca.crt'),
  object('ServiceAccount', 'robot'),
  object('RoleBinding', 'may-read', { subjects: [{ kind: 'ServiceAccount', name: 'robot' }], roleRef: { kind: 'Role', name: 'reader' } }),
  object('Role', 'reader'),
];

describe('the graph of a namespace', () => {
  const graph = build(WORLD);
  const edges = graph.edges.map((edge) => `${edge.from} ${edge.kind} ${edge.to}`);

  it('follows owners, routes, selectors, mounts, places and rights', () => {
    for (const one of ['Ingress/front routes Service/web', 'Service/web owns EndpointSlice/web-x', 'EndpointSlice/web-x routes Pod/web-1-a', 'Service/web selects Pod/web-1-b', 'Deployment/web owns ReplicaSet/web-1', 'ReplicaSet/web-1 owns Pod/web-1-a', 'Pod/web-1-a mounts ConfigMap/settings', 'Pod/web-1-a runs Node/n1', 'Pod/web-1-a mounts ServiceAccount/robot', 'ServiceAccount/robot grants RoleBinding/may-read', 'RoleBinding/may-read grants Role/reader'])
      expect(edges).toContain(one);
  });

  it('leaves out what tells nothing', () => {
    const ids = graph.nodes.map((node) => node.id);
    expect(ids).not.toContain('ReplicaSet/web-0');
    expect(ids).not.toContain('ConfigMap/kube-root-ca.crt');
    // The pod is reached by way of the slice.
    expect(edges).not.toContain('Service/web selects Pod/web-1-a');
  });

  it('tells how each fares', () => {
    expect(graph.nodes.find((node) => node.id === 'Deployment/web')).toMatchObject({ tone: 'warn', note: '1/2 ready' });
    expect(graph.nodes.find((node) => node.id === 'Pod/web-1-a')!.tone).toBe('ok');
  });

  it('names a column after what stands in it', () => {
    expect([0, 1, 3, 4].map((column) => heading(graph.nodes, column))).toEqual(['routes', 'services', 'sets', 'pods']);
    expect(heading(graph.nodes, 6)).toBe('bindings, nodes');
  });

  it('draws many alike as one', () => {
    const many = build([...WORLD.slice(0, 6), ...Array.from({ length: 40 }, (_, index) => pod(`web-1-${index}`))]);
    expect(many.nodes.filter((node) => node.kind === 'Pod').map((node) => node.n)).toEqual([40]);
  });
});

describe('places', () => {
  it('stay when others come and go', () => {
    const slots: Slots = new Map();
    place(build(WORLD), slots);
    const before = new Map(slots);
    place(build([...WORLD, pod('web-1-c'), object('Service', 'another', { spec: {} })]), slots);
    for (const [key, row] of before) expect(slots.get(key)).toBe(row);
    const gone = WORLD.filter((one) => one.metadata.name !== 'web-1-a');
    place(build([...gone, pod('web-1-c')]), slots);
    expect(slots.get('Pod/web-1-b')).toBe(before.get('Pod/web-1-b'));
    expect(slots.has('Pod/web-1-a')).toBe(false);
  });

  it('begin with the lines that come from furthest left; what stands alone is below', () => {
    const lone = place(build([object('Pod', 'alone', { spec: {}, status: {} }), object('Service', 'nobody', { spec: {} }), ...WORLD]), new Map());
    expect(lone.get('Pod/alone')!).toBeGreaterThan(Math.max(lone.get('Pod/web-1-a')!, lone.get('Pod/web-1-b')!));
    expect(lone.get('Service/nobody')!).toBeGreaterThan(lone.get('Service/web')!);
  });

  it('are never shared', () => {
    const graph = build(WORLD);
    const slots = place(graph, new Map());
    const cells = graph.nodes.map((node) => `${node.column} ${slots.get(node.id)}`);
    expect(new Set(cells).size).toBe(cells.length);
  });
});
