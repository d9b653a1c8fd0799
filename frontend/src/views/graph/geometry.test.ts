import { describe, expect, it } from 'vitest';
import { HEIGHT, layOut } from './geometry';
import type { Graph, GraphNode } from './graph';

const node = (id: string, column: number): GraphNode => ({ id, kind: 'Pod', apiVersion: 'v1', plural: 'pods', namespace: 'shop', name: id, column, tone: 'ok', n: 1, note: '' });
const SEVEN: Graph = {
  nodes: [...[0, 1, 2, 3, 5, 6].map((column) => node(`c${column}`, column)), node('a', 4), node('b', 4), node('c', 4)],
  edges: [{ from: 'c3', to: 'a', kind: 'owns' }, { from: 'c3', to: 'c', kind: 'owns' }, { from: 'a', to: 'c6', kind: 'runs' }],
};
const slots = new Map([['a', 0], ['b', 1], ['c', 2]]);

/** The corners of every line. */
const corners = (path: string) => [...path.matchAll(/([\d.]+) ([\d.]+)/g)].map(([, x, y]) => ({ x: Number(x), y: Number(y) }));

describe('the places of a graph', () => {
  it.each([320, 364, 500])('are all in sight of a window %i wide, without a way to the side', (room) => {
    const drawn = layOut(SEVEN, slots, room);
    expect(drawn.width).toBeLessThanOrEqual(room);
    const boxes = [...drawn.spots.values()];
    for (const one of boxes) expect(one.x + drawn.wide).toBeLessThanOrEqual(room);
    for (const one of boxes) expect(one.y + HEIGHT).toBeLessThanOrEqual(drawn.height);
    // No two on top of one another.
    for (const [index, one] of boxes.entries())
      for (const other of boxes.slice(index + 1)) expect(Math.abs(one.x - other.x) >= drawn.wide || Math.abs(one.y - other.y) >= HEIGHT).toBe(true);
  });

  it('stand below one another in the order of the columns', () => {
    const { spots } = layOut(SEVEN, slots, 364);
    const order = ['c0', 'c1', 'c2', 'c3', 'a', 'c', 'c5', 'c6'].map((id) => spots.get(id)!.y);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(spots.get('a')!.y).toBe(spots.get('b')!.y);
  });

  it('are beside one another where there is room', () => {
    const { spots, headings } = layOut(SEVEN, slots, 1600);
    expect(new Set(['c0', 'c3', 'c6'].map((id) => spots.get(id)!.y)).size).toBe(1);
    expect(headings.map((one) => one.column)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

describe('the lines', () => {
  it('run beside all objects where these stand below one another', () => {
    const drawn = layOut(SEVEN, slots, 364);
    for (const edge of SEVEN.edges)
      for (const { x } of corners(drawn.line(edge))) for (const spot of drawn.spots.values()) expect(x <= spot.x || x >= spot.x + drawn.wide).toBe(true);
  });
  it('of two kinds do not cover one another', () => {
    const drawn = layOut(SEVEN, slots, 364);
    const lane = (kind: 'owns' | 'runs') => corners(drawn.line({ from: 'c0', to: 'c6', kind }))[1]!.x;
    expect(lane('owns')).not.toBe(lane('runs'));
  });
  it('are none to what is not there', () => expect(layOut(SEVEN, slots, 364).line({ from: 'a', to: 'gone', kind: 'owns' })).toBe(''));
});
