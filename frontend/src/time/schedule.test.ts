import { describe, expect, it } from 'vitest';
import { journey } from '../views/pipeline/position.test';
import { isNoise, lengthOf, legAt, schedule, shown, STAGE, steps } from './schedule';

describe('schedule', () => {
  it('gives every stage a moment and presses long waits together', () => {
    expect(shown(0.000001)).toBe(STAGE);
    expect(shown(0.01)).toBe(STAGE);
    expect(shown(1)).toBeGreaterThan(STAGE);
    expect(shown(3600)).toBeLessThanOrEqual(2200);
    expect(shown(2)).toBeGreaterThan(shown(1));
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

  it('knows where a run is, when it ends, and where to stop when stepping', () => {
    const runs = schedule([journey('a', ['authn', 'authz', 'etcd'])]);
    expect(legAt(runs[0]!, STAGE * 1.5)?.leg.stage).toBe('authz');
    expect(legAt(runs[0]!, 10 * STAGE)).toBeNull();
    expect(lengthOf(runs)).toBe(3 * STAGE);
    expect(steps(runs)).toEqual([0, STAGE, 2 * STAGE, 3 * STAGE]);
  });

  it('takes events and heartbeats for noise', () => {
    expect(isNoise(journey('a', [], { resource: 'events' }))).toBe(true);
    expect(isNoise(journey('a', [], { resource: 'pods' }))).toBe(false);
  });
});
