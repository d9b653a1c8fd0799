import { describe, expect, it } from 'vitest';
import { journey } from '../views/pipeline/position.test';
import { isNoise, lengthOf, legAt, schedule, shown, STAGE, steps, together } from './schedule';

describe('schedule', () => {
  it('shows time logarithmically: 50 µs and 5 s can both be seen', () => {
    expect(shown(0)).toBe(STAGE);
    expect(shown(5e-5)).toBeGreaterThan(STAGE);
    const decades = [1e-4, 1e-3, 1e-2, 1e-1, 1, 10].map(shown);
    const steps = decades.slice(1).map((one, index) => one - decades[index]!);
    expect(new Set(steps).size).toBe(1);
    expect(shown(86400 * 365)).toBeLessThanOrEqual(1400);
  });

  it('shows nothing before what caused it', () => {
    const runs = schedule([
      journey('a', ['authn', 'etcd']),
      journey('a.1', ['observe', 'act'], { kind: 'reconcile', component: 'deployment', causes: ['a'], start: 0.002 }),
      journey('a.2', ['authn', 'etcd'], { causes: ['a.1'], start: 0.0035 }),
    ]);
    const [root, reconcile, request] = runs;
    expect(reconcile!.from).toBeGreaterThan(root!.to);
    expect(request!.from).toBeGreaterThan(reconcile!.from);
  });

  it('never moves what was there when more arrives', () => {
    const first = [journey('a', ['authn', 'etcd'])];
    const more = [...first, journey('a.1', ['observe'], { kind: 'reconcile', component: 'x', causes: ['a'], start: 0.01 })];
    expect(schedule(more)[0]).toEqual(schedule(first)[0]);
  });

  it('lets many of a kind travel as one', () => {
    const pods = Array.from({ length: 1000 }, (_, index) => journey(`a.${index}`, ['authn', 'etcd'], { causes: ['a'], start: 0.002 }));
    const runs = schedule([journey('a', ['authn', 'etcd']), ...pods]);
    expect(runs).toHaveLength(2);
    expect(runs[1]!.count).toBe(1000);
  });

  it('lets what was only counted travel with its like', () => {
    const runs = together(schedule([journey('a', ['authn', 'etcd'])]), new Map([['request apiserver create pods ok', 997], ['sync kubelet/x   ok', 3]]));
    expect(runs.map((run) => run.count)).toEqual([998]);
  });

  it('knows where a run is, when it ends, and where to stop when stepping', () => {
    const runs = schedule([journey('a', ['authn', 'authz', 'etcd'])]);
    const stage = shown(0.001);
    expect(legAt(runs[0]!, stage * 1.5)?.leg.stage).toBe('authz');
    expect(legAt(runs[0]!, 10 * stage)).toBeNull();
    expect(lengthOf(runs)).toBe(3 * stage);
    expect(steps(runs)).toEqual([0, stage, 2 * stage, 3 * stage]);
  });

  it('takes events and heartbeats for noise', () => {
    expect(isNoise(journey('a', [], { resource: 'events' }))).toBe(true);
    expect(isNoise(journey('a', [], { resource: 'pods' }))).toBe(false);
  });
});
