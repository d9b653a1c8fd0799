import { describe, expect, it } from 'vitest';
import { branched, changed, found, stations, who, type Branch, type Step } from './told';

function step(values: Partial<Step>): Step {
  return {
    id: 'r', root: 'r', kind: 'request', component: 'apiserver', actor: 'alice', agent: '', verb: 'create', group: '', resource: 'pods', subresource: '',
    namespace: 'shop', name: 'web', outcome: 'ok', reason: '', revision: 7, start: 1, end: 2, code: 201, said: {}, ...values,
  };
}
const CONTROLLER = 'system:serviceaccount:kube-system:replicaset-controller';

describe('the line from a person to a pod', () => {
  const line = stations([
    step({ group: 'apps', resource: 'deployments', agent: 'kubectl/v1.37.1 (linux)' }),
    step({ id: 'r.1', kind: 'reconcile', component: 'replicaset', actor: CONTROLLER, said: { compare: { desired: 3, actual: 1 } } }),
    step({ id: 'r.2', actor: CONTROLLER, name: 'web-1' }),
    step({ id: 'r.3', kind: 'schedule', actor: 'system:kube-scheduler', said: { node: 'n2', score: 91, considered: 3, passed: 2 } }),
    step({ id: 'r.4', kind: 'sync', actor: 'system:node:n2', said: { stages: [['pull', 'ok'], ['start', 'ok']] } }),
  ]);

  it('has one stop for a loop and the write it made', () => {
    expect(line.map((one) => one.who)).toEqual(['alice', 'replicaset controller', 'scheduler', 'kubelet of n2']);
    expect(line[1]!.what).toBe('wanted 3, had 1: created Pod');
  });

  it('says who used what, what the scheduler weighed, what the kubelet did', () => {
    expect([line[0]!.what, line[0]!.how]).toEqual(['created Deployment', 'with kubectl']);
    expect(line[2]!.what).toBe('chose n2: 2 of 3 nodes would do, it scored 91');
    expect(line[3]!.what).toBe('pulled the image, started');
  });

  it('links to what was written', () => {
    expect(line[0]!.href).toBe('/explore/object/apps~v1/deployments/shop/web');
    expect(line[3]!.href).toBe('');
  });

  it('ends with a loop that has not written yet', () => {
    expect(stations([step({ kind: 'reconcile', actor: CONTROLLER, said: { compare: { desired: 1, actual: 1 } } })]).at(-1)!.what).toBe('wanted 1, had 1');
  });
});

describe('words', () => {
  it('names users by what they are', () => {
    expect(who(step({ actor: 'system:serviceaccount:shop:robot' }))).toBe('ServiceAccount shop/robot');
    expect(who(step({ actor: '', hidden: true }))).toBe('somebody else');
    expect(who(step({ actor: 'system:kube-controller-manager' }))).toBe('kube controller manager');
  });

  it('tells what a loop found, whatever its figures are called', () => {
    expect(found({ compare: { desired: 3, newReplicaSet: 0 } })).toBe('wanted 3, its newest ReplicaSet had 0');
    expect(found({ observe: { pods: 2, readyPods: 1 } })).toBe('pods 2, ready pods 1');
  });

  it('tells a change with before and after, and a secret one without', () => {
    const base = { revision: 1, verb: 'update', journey: '', status: false, step: null };
    expect(changed({ ...base, more: 2, fields: [{ field: 'spec.replicas', from: 3, to: 5 }, { field: 'metadata.labels.a', from: 'x', to: null }] })).toBe('spec.replicas 3 → 5, metadata.labels.a x → gone, and 2 more');
    expect(changed({ ...base, more: 0, fields: [{ field: 'data.key' }] })).toBe('data.key');
  });

  it('counts what was done alike', () => {
    const branch = (values: Partial<Branch>): Branch => ({ step: step({}), n: 1, distinct: 1, names: [], branches: [], ...values });
    expect(branched(branch({ n: 3, distinct: 3 }))).toBe('created 3 Pods');
    expect(branched(branch({ n: 4, distinct: 1, step: step({ verb: 'update' }) }))).toBe('updated Pod, 4 times');
    expect(branched(branch({ step: step({ outcome: 'refused', reason: 'exceeded quota' }) }))).toBe('was refused: exceeded quota');
  });
});
