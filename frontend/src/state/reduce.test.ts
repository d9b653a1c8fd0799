import { describe, expect, it } from 'vitest';
import { documents } from '../api/manifests';
import { journey } from '../views/pipeline/position.test';
import { applyEvents, applySnapshot, assignSlots, collect, lookOf, type Objects, type Tree } from './reduce';

describe('objects', () => {
  it('follow snapshots and events', () => {
    const objects: Objects = {};
    applySnapshot(objects, { op: 'snapshot', resource: 'v1/pods', revision: 1, first: true, items: [{ name: 'a', namespace: 'x' }] });
    applySnapshot(objects, { op: 'snapshot', resource: 'v1/pods', revision: 1, first: false, items: [{ name: 'b', namespace: 'x' }] });
    applyEvents(objects, {
      op: 'events', resource: 'v1/pods', revision: 2,
      events: [{ type: 'DELETED', object: { name: 'a', namespace: 'x' } }, { type: 'ADDED', object: { name: 'c', namespace: 'x' } }],
    });
    expect([...objects['v1/pods']!.keys()]).toEqual(['x/b', 'x/c']);
    applySnapshot(objects, { op: 'snapshot', resource: 'v1/pods', revision: 3, first: true, items: [] });
    expect(objects['v1/pods']!.size).toBe(0);
  });
});

describe('trees', () => {
  it('begin with a request from outside and keep what follows', () => {
    const trees = new Map<string, Tree>();
    expect(collect(trees, [journey('z.1', [])], 0)).toEqual([]);
    expect(collect(trees, [journey('a', [], { origin: 'outside' }), journey('a.1', [], { causes: ['a'] })], 0)).toEqual(['a']);
    expect(trees.get('a')!.journeys.size).toBe(2);
    for (let n = 0; n < 70; n++) collect(trees, [journey(`r${n}`, [], { origin: 'outside' })], 0);
    expect(trees.size).toBe(60);
    expect(trees.has('a')).toBe(false);
  });
});

describe('pods', () => {
  it('keep their place as long as they live', () => {
    const slots = new Map<string, number>();
    assignSlots(slots, ['a', 'b', 'c']);
    assignSlots(slots, ['a', 'c', 'd']);
    expect([...slots]).toEqual([['a', 0], ['c', 2], ['d', 1]]);
  });

  it('look like what they are', () => {
    const pod = { status: 'Running', phase: 'Running', isReady: true, deleting: null };
    expect(lookOf(pod)).toBe('running');
    expect(lookOf({ ...pod, isReady: false })).toBe('unready');
    expect(lookOf({ ...pod, deleting: 1 })).toBe('terminating');
    expect(lookOf({ ...pod, status: 'ImagePullBackOff', phase: 'Pending' })).toBe('failed');
    expect(lookOf({ ...pod, status: 'ContainerCreating', phase: 'Pending' })).toBe('creating');
    expect(lookOf({ ...pod, status: 'Pending', phase: 'Pending' })).toBe('pending');
    expect(lookOf({ ...pod, status: 'Completed', phase: 'Succeeded' })).toBe('done');
  });
});

describe('manifests', () => {
  it('are split into documents, with their source', () => {
    const found = documents('# one\nkind: A\n---\nkind: B\n---\n');
    expect(found.map((one) => one.manifest)).toEqual([{ kind: 'A' }, { kind: 'B' }]);
    expect(found[1]!.source).toContain('kind: B');
  });

  it('say what is wrong with them', () => {
    expect(documents('a: [')[0]!.problem).not.toBe('');
  });
});
