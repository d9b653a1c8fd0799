import { describe, expect, it } from 'vitest';
import type { Journey } from '../../types';
import { documentOf, header, journeyLine, journeysOf, objectsIn, pieces } from './archive';
import { waitsFor } from './importing';
import { clean, goesAlong, originOf, rankOf, type Thing } from './objects';
import { doomed, order } from './reset';

function thing(kind: string, metadata: Thing['metadata'], more: Record<string, unknown> = {}): Thing {
  return { apiVersion: 'v1', kind, metadata, ...more };
}
const by = (...managers: string[]) => managers.map((manager) => ({ manager }));

describe('whose an object is', () => {
  const table: [string, Thing, string][] = [
    ['applied by a person', thing('ConfigMap', { name: 'a', managedFields: by('kubectl-create') }), 'person'],
    ['applied, and its status kept by a loop', thing('Deployment', { name: 'a', managedFields: by('deployment-controller', 'helm') }), 'person'],
    ['a bare pod, whose fields nobody tracks yet', thing('Pod', { name: 'a' }), 'person'],
    ['a pod of a ReplicaSet', thing('Pod', { name: 'a', ownerReferences: [{ controller: true }] }), 'derived'],
    ["a StatefulSet's claim", thing('PersistentVolumeClaim', { name: 'a', managedFields: by('statefulset-controller', 'persistent-volume-binder') }), 'derived'],
    ["a Service's Endpoints", thing('Endpoints', { name: 'a', labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } }), 'derived'],
    ['Endpoints by hand', thing('Endpoints', { name: 'a', managedFields: by('kubectl-client-side-apply') }), 'person'],
    ['the cluster admin role, though somebody edited it', thing('ClusterRole', { name: 'admin', managedFields: by('kube-apiserver', 'kubectl-edit') }), 'own'],
    ['a definition, whose status the API server keeps', thing('CustomResourceDefinition', { name: 'a', managedFields: [...by('kubectl-create'), { manager: 'kube-apiserver', subresource: 'status' }] }), 'person'],
    ['a machine that registered itself', thing('Node', { name: 'node-1' }), 'own'],
    ['a machine that somebody applied', thing('Node', { name: 'big', managedFields: by('kubectl-client-side-apply', 'kubelet') }), 'person'],
    ['the root certificate in a namespace', thing('ConfigMap', { name: 'kube-root-ca.crt', managedFields: by('root-ca-cert-publisher') }), 'own'],
    ['kube-system', thing('Namespace', { name: 'kube-system' }), 'own'],
    ['a namespace', thing('Namespace', { name: 'shop', managedFields: by('kubectl-create') }), 'person'],
  ];
  it.each(table)('%s', (_, object, origin) => expect(originOf(object)).toBe(origin));

  it('a reset takes what nobody else takes along', () => {
    expect(doomed(thing('PersistentVolumeClaim', { name: 'a', managedFields: by('statefulset-controller') }))).toBe(true);
    expect(doomed(thing('Pod', { name: 'a', ownerReferences: [{ controller: true }] }))).toBe(false);
    expect(doomed(thing('Namespace', { name: 'default', managedFields: by('kubectl-label') }))).toBe(false);
    const volume = (policy: string) => thing('PersistentVolume', { name: 'a', annotations: { 'pv.kubernetes.io/provisioned-by': 'x' } }, { spec: { persistentVolumeReclaimPolicy: policy } });
    expect(doomed(volume('Delete'))).toBe(false);
    expect(doomed(volume('Retain'))).toBe(true);
    expect(goesAlong(thing('Lease', { name: 'node-1', ownerReferences: [{ kind: 'Node' }] }))).toBe(true);
  });
});

describe('what is kept', () => {
  it('drops what the server fills in, and keeps every word of the person', () => {
    const object = thing(
      'Service',
      { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '7', labels: { app: 'web' }, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', mine: 'yes' }, managedFields: by('x') },
      { spec: { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'], selector: { app: 'web' } }, status: { loadBalancer: {} } },
    );
    expect(clean(object)).toEqual({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' }, annotations: { mine: 'yes' } }, spec: { selector: { app: 'web' } } });
  });
  it('a headless Service stays headless', () => {
    expect(clean(thing('Service', { name: 'db' }, { spec: { clusterIP: 'None' } }))['spec']).toEqual({ clusterIP: 'None' });
  });
  it("a pod loses its node and the token that admission mounted", () => {
    const mount = { name: 'kube-api-access-x', mountPath: '/var/run' };
    const pod = thing('Pod', { name: 'a' }, { spec: { nodeName: 'node-1', volumes: [{ name: 'kube-api-access-x' }, { name: 'mine' }], containers: [{ name: 'c', volumeMounts: [mount] }] } });
    expect(clean(pod)['spec']).toEqual({ volumes: [{ name: 'mine' }], containers: [{ name: 'c' }] });
  });
  it("a Job's generated selector does not come back", () => {
    const job = thing('Job', { name: 'a', labels: { 'job-name': 'a' } }, { spec: { selector: { matchLabels: { x: 'y' } }, template: { metadata: { labels: { 'controller-uid': 'u', app: 'a' } }, spec: {} } } });
    expect(clean(job)).toEqual({ apiVersion: 'v1', kind: 'Job', metadata: { name: 'a' }, spec: { template: { metadata: { labels: { app: 'a' } }, spec: {} } } });
  });
  it('what has no specification keeps its data', () => {
    expect(clean(thing('ConfigMap', { name: 'a' }, { data: { a: 'b' } }))['data']).toEqual({ a: 'b' });
  });
});

describe('the archive', () => {
  const journey = { id: 'j1', root: 'j1', causes: [], spans: [], actor: 'alice\u2028--- #', reason: 'line\nbreak' } as unknown as Journey;
  const text = header({ server: 'v1.37', when: 'now', revision: 3, person: 'eve\n---\nkind: Pod' }) + journeyLine(journey) + documentOf(thing('ConfigMap', { name: 'a' }, { data: { script: 'one\n---\ntwo', on: 'yes' } })) + documentOf(thing('Namespace', { name: 'shop' }));
  it('gives back what went in', () => {
    const objects = pieces(text).flatMap(objectsIn);
    expect(objects).toEqual([{ object: thing('ConfigMap', { name: 'a' }, { data: { script: 'one\n---\ntwo', on: 'yes' } }) }, { object: thing('Namespace', { name: 'shop' }) }]);
  });
  it('carries journeys that no other reader stumbles over', () => expect(journeysOf(text)).toEqual([journey]));
  it('takes a List apart', () => expect(objectsIn('apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- 3')).toHaveLength(2));
  it.each([
    ['a: [', /./],
    ['kind: Pod', /apiVersion and kind/],
    ['apiVersion: v1\nkind: Pod', /metadata.name/],
    ['- 1', /no object/],
    [`a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(20)}]\nc: &c [${'*b,'.repeat(20)}]\nd: [${'*c,'.repeat(20)}]`, /alias/i],
  ])('says what is wrong with %j', (piece, told) => expect((objectsIn(piece)[0] as { problem: string }).problem).toMatch(told));
});

describe('the order', () => {
  it('puts back definitions, namespaces, rights, settings, workloads, and what judges them last', () => {
    const kinds = ['Deployment', 'ValidatingWebhookConfiguration', 'ConfigMap', 'Widget', 'RoleBinding', 'Role', 'Namespace', 'CustomResourceDefinition'];
    expect(kinds.sort((a, b) => rankOf(a) - rankOf(b))).toEqual(['CustomResourceDefinition', 'Namespace', 'Role', 'RoleBinding', 'ConfigMap', 'Deployment', 'Widget', 'ValidatingWebhookConfiguration']);
  });
  it('takes away what hinders first, definitions last', () => {
    const kinds = ['CustomResourceDefinition', 'Namespace', 'ConfigMap', 'Deployment', 'ValidatingWebhookConfiguration', 'Widget'];
    expect(kinds.sort((a, b) => order(a) - order(b))).toEqual(['ValidatingWebhookConfiguration', 'Widget', 'Deployment', 'ConfigMap', 'Namespace', 'CustomResourceDefinition']);
  });
  it('knows what a dry run cannot try yet', () => {
    const all = [thing('Namespace', { name: 'shop' }), { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'widgets.example.com' }, spec: { names: { kind: 'Widget' } } }];
    const missing = { code: 404, message: 'namespaces "shop" not found' };
    expect(waitsFor(missing, thing('Pod', { name: 'a', namespace: 'shop' }), all)).toBe('after Namespace shop');
    expect(waitsFor(missing, thing('Pod', { name: 'a', namespace: 'shop' }), [])).toBe('');
    expect(waitsFor({ code: 0, message: 'no matches for kind "Widget" in version "example.com/v1"' }, thing('Widget', { name: 'a' }), all)).toBe('after its definition widgets.example.com');
    expect(waitsFor({ code: 403, message: 'forbidden' }, thing('Pod', { name: 'a', namespace: 'shop' }), all)).toBe('');
  });
});
