import { describe, expect, it } from 'vitest';
import { documents } from '../api/manifests';
import { journey } from '../views/pipeline/position.test';
import { applyParts, assignSlots, collect, lookOf, type Objects, type Tree } from './reduce';

describe('objects', () => {
  it('follow whole cuts: what is fresh replaces, what is deleted goes', () => {
    const objects: Objects = {};
    const named = (name: string) => ({ name, namespace: 'x' });
    const [a, b, c] = [named('a'), named('b'), named('c')];
    applyParts(objects, [{ resource: 'v1/pods', fresh: true, events: [['SET', a], ['SET', b]] }]);
    applyParts(objects, [{ resource: 'v1/pods', fresh: false, events: [['DELETED', a], ['ADDED', c]] }]);
    expect([...objects['v1/pods']!.keys()]).toEqual(['x/b', 'x/c']);
    applyParts(objects, [{ resource: 'v1/pods', fresh: true, events: [] }]);
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

  it('stay while somebody looks at them, however much else happens', () => {
    const trees = new Map<string, Tree>();
    const many = Array.from({ length: 200 }, (_, n) => journey(`r${n}`, [], { origin: 'outside' }));
    collect(trees, [journey('a', [], { origin: 'outside' })], 0);
    collect(trees, many, 0, new Set(['a']));
    expect([trees.size, trees.has('a'), trees.has('r199'), trees.has('r0')]).toEqual([60, true, true, false]);
    expect(collect(trees, [journey('a.1', [], { root: 'a', causes: ['a'] })], 0, new Set(['a']))).toEqual(['a']);
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
