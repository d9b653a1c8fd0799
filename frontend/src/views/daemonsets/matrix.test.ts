import { describe, expect, it } from 'vitest';
import type { Diagnosis } from '../../why/diagnosis';
import { matrix, stateOf } from './matrix';

describe('the DaemonSet matrix', () => {
  it('tells ready, unready, missing, unwanted and not meant', () => {
    expect(stateOf({ node: 'n', eligible: true, ready: true, pod: 'p' })).toBe('ready');
    expect(stateOf({ node: 'n', eligible: true, ready: false, pod: 'p', reason: 'ImagePullBackOff' })).toBe('unready');
    expect(stateOf({ node: 'n', eligible: true, ready: false })).toBe('missing');
    expect(stateOf({ node: 'n', eligible: false, ready: true, pod: 'p', reason: 'should not run here any more' })).toBe('surplus');
    expect(stateOf({ node: 'n', eligible: false, ready: false, reason: 'taint' })).toBe('none');
    // A tainted or cordoned node that keeps a good pod is well.
    expect(stateOf({ node: 'n', eligible: false, ready: true, pod: 'p' })).toBe('ready');
  });

  it('has the nodes in order and counts only those that are meant', () => {
    const one = { target: { name: 'agent', namespace: 'a', uid: '1' }, nodes: [{ node: 'node-10', eligible: true, ready: true, pod: 'x' }, { node: 'node-2', eligible: false, ready: false }, { node: 'node-1', eligible: true, ready: false }] } as unknown as Diagnosis;
    const found = matrix([one]);
    expect(found.nodes).toEqual(['node-1', 'node-2', 'node-10']);
    expect(found.rows[0]!.cells.map((cell) => cell.state)).toEqual(['missing', 'none', 'ready']);
    expect([found.rows[0]!.ready, found.rows[0]!.eligible]).toEqual([1, 2]);
  });

  it('has first what lacks something where there are more nodes than stand side by side', () => {
    const nodes = Array.from({ length: 100 }, (_, index) => ({ node: `node-${index}`, eligible: true, ready: index !== 77, pod: index === 77 ? '' : 'p' }));
    const one = { target: { name: 'agent', namespace: 'a', uid: '1' }, nodes } as unknown as Diagnosis;
    const found = matrix([one]);
    expect(found.nodes.slice(0, 3)).toEqual(['node-77', 'node-0', 'node-1']);
    expect(found.rows[0]!.cells[0]!.state).toBe('missing');
    expect(found.rows[0]!.ready).toBe(99);
  });
});
