import { describe, expect, it } from 'vitest';
import type { Journey } from '../../types';
import { progress, toneOf, worstFirst, type Diagnosis } from '../../why/diagnosis';
import { differences } from '../../why/diff';
import { discs, rounds, stepsOf } from './rounds';

function diagnosis(values: Partial<Diagnosis>): Diagnosis {
  return {
    metadata: { name: 'deployment.web', uid: 'u' },
    target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'u' },
    verdict: 'Healthy', message: '', desired: [], checklist: [], ...values,
  };
}

describe('verdicts', () => {
  it('are never green while anything is missing, whatever they call themselves', () => {
    const gap = { what: 'ready pods', desired: '3', actual: '2', gap: '1 of 3 pods are not ready' };
    expect(toneOf(diagnosis({ desired: [gap] }))).toBe('amber');
    expect(toneOf(diagnosis({ checklist: [{ step: 3, name: 'Pods', result: 'Failed' }] }))).toBe('red');
    expect(toneOf(diagnosis({ verdict: 'Progressing' }))).toBe('amber');
    expect(toneOf(diagnosis({}))).toBe('green');
  });

  it('come worst first', () => {
    const named = (name: string, verdict: Diagnosis['verdict']) => diagnosis({ verdict, target: { apiVersion: '', kind: 'Pod', name, uid: name } });
    expect(worstFirst([named('b', 'Healthy'), named('c', 'Unhealthy'), named('a', 'Progressing'), named('a2', 'Healthy')]).map((one) => one.target.name)).toEqual(['c', 'a', 'a2', 'b']);
  });

  it('count what is done', () => {
    expect(progress(diagnosis({ desired: [{ what: 'a', desired: '1', actual: '1' }, { what: 'b', desired: '1', actual: '0', gap: 'x' }] }))).toEqual({ done: 1, all: 2 });
  });
});

describe('discs', () => {
  it('stand for what is wanted, there, ready and too much', () => {
    expect(discs(4, 3, 1).map((one) => one.look)).toEqual(['ready', 'there', 'there', 'missing']);
    expect(discs(1, 2, 2).map((one) => one.look)).toEqual(['ready', 'surplus']);
    expect(discs(1000, 0, 0)).toHaveLength(16);
  });
});

describe('rounds', () => {
  const round = (component: string, name: string, start: number): Journey => ({ kind: 'reconcile', component, namespace: 'shop', name, start, spans: [{ stage: 'compare', start: 0, end: 0, outcome: 'ok', detail: { desired: 3, actual: 1 } }] }) as unknown as Journey;

  it('are those of the object and its ReplicaSets, newest first', () => {
    const all = [round('deployment', 'web', 1), round('replicaset', 'web-7f', 3), round('replicaset', 'other-1', 4), round('endpointslice', 'web', 5)];
    expect(rounds(all, 'Deployment', 'shop', 'web').map((one) => one.start)).toEqual([3, 1]);
    expect(rounds(all, 'Deployment', 'dev', 'web')).toEqual([]);
  });

  it('are those of the loops behind a Service or a claim', () => {
    const all = [round('endpointslice', 'web', 1), round('endpoints', 'web', 2), round('persistentvolume', 'web', 3)];
    expect(rounds(all, 'Service', 'shop', 'web').map((one) => one.start)).toEqual([1]);
    expect(rounds(all, 'PersistentVolumeClaim', 'shop', 'web').map((one) => one.start)).toEqual([3]);
  });

  it('tell what each step said, and which were not needed', () => {
    const steps = stepsOf(round('deployment', 'web', 1));
    expect(steps.map((one) => one.step)).toEqual(['observe', 'compare', 'decide', 'act', 'verify']);
    expect(steps[1]!.words).toBe('desired 3, actual 1');
    expect(steps[3]!.span).toBeNull();
  });
});

describe('differences', () => {
  it('are named by field, list items by their names, without bookkeeping', () => {
    const before = { metadata: { resourceVersion: '1' }, spec: { containers: [{ name: 'web', image: 'a' }, { name: 'log', image: 'l' }] } };
    const after = { metadata: { resourceVersion: '2', labels: { app: 'x' } }, spec: { containers: [{ name: 'log', image: 'l' }, { name: 'web', image: 'b' }] } };
    expect(differences(before, after)).toEqual([
      { field: 'metadata.labels.app', from: undefined, to: 'x' },
      { field: 'spec.containers[web].image', from: 'a', to: 'b' },
    ]);
  });
});
