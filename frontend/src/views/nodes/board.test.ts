import { describe, expect, it } from 'vitest';
import type { NodeInfo, Pod } from '../../types';
import { Board, type Scene } from './board';
import { search } from './finding';
import { fullness, heatOf } from './heat';
import type { Palette } from './looks';

const COLOURS: Record<string, readonly [number, number, number, number]> = { '--red': [200, 0, 0, 255], '--amber': [200, 150, 0, 255], '--blue': [0, 0, 200, 255], '--violet': [90, 0, 200, 255], '--card': [255, 255, 255, 255] };
const palette = { get: (token: string) => COLOURS[token] ?? [9, 9, 9, 255] } as unknown as Palette;

function node(number: number, more: Partial<NodeInfo> = {}): NodeInfo {
  return { uid: `n${number}`, name: `node-${number}`, namespace: '', zone: `zone-${number % 3}`, ready: 'True', reason: '', unschedulable: false, capacity: { cpu: 4, memory: 2 ** 33, pods: 110 }, ...more } as NodeInfo;
}

function pod(number: number, on: string, more: Partial<Pod> = {}): Pod {
  return { uid: `p${number}`, name: `web-${number}`, namespace: 'shop', node: on, phase: 'Running', status: 'Running', isReady: true, deleting: null, cpu: 0.5, memory: 0, ...more } as Pod;
}

function world(nodes: number, pods: number) {
  const byName = new Map(Array.from({ length: nodes }, (_, index) => [`node-${index}`, node(index)]));
  const byKey = new Map(Array.from({ length: pods }, (_, index) => [`shop/web-${index}`, pod(index, `node-${index % nodes}`)]));
  const scene: Scene = { nodes: byName, pods: byKey, by: 'phase', filter: () => true, aspect: 2, now: 1, offset: 0 };
  return { nodes: byName, pods: byKey, scene, board: new Board(palette) };
}

describe('the board', () => {
  it('stops at its deadline, goes on in the next frame, and forgets nobody', () => {
    const { board, scene } = world(50, 3000);
    board.update(scene, performance.now() - 1);
    expect(board.pods).toBeLessThan(3000);
    expect(board.behind).toBe(true);
    let frames = 1;
    while (board.behind && frames < 200) {
      board.update({ ...scene, now: 1 + frames++ }, performance.now() - 1);
    }
    expect(board.pods).toBe(3000);
    expect(frames).toBeGreaterThan(10);
    expect([...board.zones.values()].reduce((sum, zone) => sum + zone.pods, 0)).toBe(3000);
  });

  it('looks only at what it is told of', () => {
    const { board, scene, pods } = world(10, 100);
    board.update(scene);
    pods.set('shop/web-7', pod(7, 'node-7', { status: 'CrashLoopBackOff', isReady: false }));
    pods.set('shop/web-8', pod(8, 'node-8', { status: 'CrashLoopBackOff', isReady: false }));
    board.podsChanged(['shop/web-7']);
    board.drawn(false);
    board.drawn(true);
    board.update({ ...scene, now: 2 });
    expect(board.load('node-7').failed).toBe(1);
    expect(board.load('node-8').failed).toBe(0);
    expect([[...board.touched], [...board.repainted]]).toEqual([['node-7'], ['node-7']]);
    expect(board.behind).toBe(false);
  });

  it('takes away whom the store no longer has, and keeps the others where they were', () => {
    const { board, scene, pods } = world(3, 9);
    board.update(scene);
    const before = board.placeOfPod('shop/web-5');
    pods.delete('shop/web-2');
    board.podsChanged(['shop/web-2']);
    board.update({ ...scene, now: 2 });
    expect(board.placeOfPod('shop/web-2')).toBeNull();
    expect(board.placeOfPod('shop/web-5')).toEqual(before);
    expect([...board.on('node-2')].map((one) => one.key).sort()).toEqual(['shop/web-5', 'shop/web-8']);
  });

  it('puts a pod down on a node that came after it', () => {
    const { board, scene, nodes, pods } = world(2, 2);
    pods.set('shop/web-9', pod(9, 'node-late'));
    board.update(scene);
    expect(board.waiting).toBe(1);
    const late = node(5, { name: 'node-late' });
    nodes.set('node-late', late);
    board.nodesChanged(['node-late'], nodes);
    board.update({ ...scene, now: 2 });
    expect(board.waiting).toBe(0);
    expect(board.nodeOf('shop/web-9')).toBe('node-late');
  });
});

describe('motion', () => {
  /** How many set out at a moment. */
  const flights = (board: Board, now: number) => () => [...board.motions.all()].filter((one) => one.begins === now).length;

  it('is that of whom something happened to, and of nobody who is looked at another way', () => {
    const { board, scene, pods } = world(3, 9);
    const none = { ...scene, filter: (one: Pod) => one.name === 'web-1' };
    board.update(none);
    const looked = flights(board, 2);
    board.podsChanged(null);
    board.update({ ...scene, now: 2 });
    expect([board.pods, looked(), board.motions.busyUntil]).toEqual([9, 0, 0]);
    board.podsChanged(null);
    board.update({ ...none, now: 3 });
    expect([board.pods, board.motions.busyUntil]).toEqual([1, 0]);

    board.podsChanged(null);
    board.update({ ...scene, now: 4 });
    const came = flights(board, 5);
    pods.set('shop/web-9', pod(9, 'node-0'));
    board.podsChanged(['shop/web-9']);
    board.update({ ...scene, now: 5 });
    expect([board.pods, came()]).toEqual([10, 1]);
  });

  it('is drawn over what stands, which need not be drawn for it until it comes to rest', () => {
    const { board, scene, pods } = world(3, 9);
    board.update(scene);
    board.drawn(false);
    const standing = () => picked(board, ['node-0']).length;
    expect(standing()).toBe(3);
    pods.set('shop/web-9', pod(9, 'node-0'));
    board.podsChanged(['shop/web-9']);
    board.update({ ...scene, now: 5 });
    expect([standing(), [...board.motions.all()].length, board.motions.stirred]).toEqual([3, 1, true]);
    // Told of again on its way, it goes on its way.
    pods.set('shop/web-9', pod(9, 'node-0', { isReady: false }));
    board.podsChanged(['shop/web-9']);
    board.update({ ...scene, now: 5.2 });
    expect([...board.motions.all()].map((one) => [one.begins, one.look])).toEqual([[5, 'unready']]);
    board.drawn(false);
    expect(board.behind).toBe(true);
    board.update({ ...scene, now: 6 });
    expect([standing(), [...board.motions.all()].length, [...board.touched], board.behind]).toEqual([4, 0, ['node-0'], false]);
  });

  it('is a countdown for who is to end, as long as there is time, and a fading for who is gone', () => {
    const { board, scene, pods } = world(3, 3);
    board.update(scene);
    board.drawn(false);
    pods.set('shop/web-1', pod(1, 'node-1', { deleting: 40, grace: 30 }));
    board.podsChanged(['shop/web-1']);
    board.update({ ...scene, now: 20 });
    expect([...board.motions.all()]).toMatchObject([{ look: 'terminating', begins: 10, ends: 40 }]);
    expect([board.motions.countsUntil, [...board.touched]]).toEqual([40, ['node-1']]);
    board.update({ ...scene, now: 41 });
    expect([[...board.motions.all()], board.placeOfPod('shop/web-1') !== null]).toEqual([[], true]);
    pods.delete('shop/web-1');
    board.podsChanged(['shop/web-1']);
    board.update({ ...scene, now: 42 });
    expect([...board.motions.all()]).toMatchObject([{ look: 'gone', begins: 42 }]);
    board.update({ ...scene, now: 43 });
    expect([[...board.motions.all()], board.behind]).toEqual([[], false]);
  });

  it('is none where the person wants none', () => {
    const { board, scene, pods } = world(3, 3);
    board.update(scene);
    pods.set('shop/web-9', pod(9, 'node-0'));
    pods.delete('shop/web-1');
    board.podsChanged(['shop/web-9', 'shop/web-1']);
    board.update({ ...scene, now: 2, still: true });
    expect([[...board.motions.all()], board.pods]).toEqual([[], 3]);
  });

  it('is none of whoever is told of before they were put down', () => {
    const { board, scene, pods } = world(3, 0);
    board.update(scene);
    board.update({ ...scene, pods: new Map([['shop/web-0', pod(0, 'node-0')]]), now: 2 });
    pods.set('shop/web-1', pod(1, 'node-1'));
    const moved = flights(board, 3);
    board.podsChanged(null);
    board.update({ ...scene, now: 3 }, performance.now() - 1);
    board.podsChanged(['shop/web-1']);
    board.update({ ...scene, now: 3 });
    expect([board.pods, moved()]).toEqual([1, 0]);
  });
});

describe('what is to be drawn anew', () => {
  const fresh = () => {
    const made = world(10, 100);
    made.board.update(made.scene);
    made.board.drawn(false);
    made.board.drawn(true);
    made.board.worded = false;
    return made;
  };
  it('is a cell only when it looks otherwise', () => {
    const { board, scene, pods } = fresh();
    // Full it was, and full it is: its tile changes, its cell does not.
    pods.set('shop/web-7', pod(7, 'node-7', { restarts: 3 }));
    board.podsChanged(['shop/web-7']);
    board.update({ ...scene, now: 2 });
    expect([[...board.touched], [...board.repainted], board.worded]).toEqual([['node-7'], [], false]);
  });
  it('is everything when a cell with a fence around it looks otherwise, for a fence reaches over its cell', () => {
    const { board, scene, nodes } = fresh();
    expect(board.whole).toBe(false);
    for (const more of [{ unschedulable: true }, { unschedulable: true, ready: 'Unknown' }, { ready: 'Unknown' }]) {
      nodes.set('node-3', node(3, more));
      board.nodesChanged(['node-3'], nodes);
      board.update({ ...scene, now: 2 });
      expect([board.whole, board.worded]).toEqual([true, true]);
      board.drawn(true);
    }
    nodes.set('node-3', node(3));
    board.nodesChanged(['node-3'], nodes);
    board.update({ ...scene, now: 2 });
    expect([board.whole, [...board.repainted]]).toEqual([false, ['node-3']]);
  });
  it('is both districts when somebody goes from one to another, and nothing is written anew for it near by', () => {
    const { board, scene, pods } = fresh();
    pods.set('shop/web-7', pod(7, 'node-2'));
    board.podsChanged(['shop/web-7']);
    board.update({ ...scene, now: 2, still: true });
    expect([...board.touched].sort()).toEqual(['node-2', 'node-7']);
    expect(board.worded).toBe(false);
    pods.set('shop/web-7', pod(7, ''));
    board.podsChanged(['shop/web-7']);
    board.update({ ...scene, now: 3, still: true });
    expect(board.touched.has('')).toBe(true);
    expect([board.waiting, board.worded, board.summed]).toEqual([1, false, true]);
  });
  it('has no box twice, and none of who left', () => {
    const { board, scene, pods } = fresh();
    for (let round = 0; round < 50; round++) {
      const name = `web-${(round * 7) % 100}`;
      if (round % 3 === 0) pods.delete(`shop/${name}`);
      else pods.set(`shop/${name}`, pod((round * 7) % 100, `node-${round % 10}`, { deleting: round % 5 === 0 ? round + 3 : null }));
      board.podsChanged([`shop/${name}`]);
      board.update({ ...scene, now: 2 + round });
    }
    board.update({ ...scene, now: 1000 });
    const picks = picked(board, ['', ...nodesOf(10)]);
    expect(new Set(picks).size).toBe(picks.length);
    expect(picks.length).toBe(pods.size);
    expect([...board.motions.all()]).toEqual([]);
  });
});

/** The boxes of pods that are drawn of these districts. */
const picked = (board: Board, names: string[]) => board.passes(names, false).flatMap((pass) => (pass.boxes === board.tiles ? [...pass.picks!] : []));

const nodesOf = (count: number) => Array.from({ length: count }, (_, index) => `node-${index}`);

describe('from afar', () => {
  const none = { pods: 0, cpu: 0, memory: 0, unready: 0, failed: 0 };
  it('says how full a node is by what is nearest its end, or by what is asked for', () => {
    const load = { ...none, cpu: 1, memory: 2 ** 33 * 0.9, pods: 5 };
    expect(fullness(node(1), load, 'phase')).toBeCloseTo(0.9);
    expect(fullness(node(1), load, 'cpu')).toBe(0.25);
  });

  it('marks what is not well, and shows a dead node as nothing else', () => {
    expect(heatOf(node(1), { ...none, failed: 1, unready: 2 }, 'phase', palette).mark).toEqual(COLOURS['--red']);
    expect(heatOf(node(1), { ...none, unready: 2 }, 'phase', palette).mark).toEqual(COLOURS['--amber']);
    expect(heatOf(node(1), none, 'phase', palette).mark).toBeNull();
    expect(heatOf(node(1, { ready: 'Unknown' }), { ...none, failed: 1 }, 'phase', palette)).toEqual({ fill: COLOURS['--red'], mark: null });
  });
});

describe('finding', () => {
  const { nodes, pods } = world(30, 60);
  it('has the node of that very name first, then what begins so', () => {
    expect(search('node-2', nodes, pods).map((hit) => (hit.kind === 'node' ? hit.node.name : ''))[0]).toBe('node-2');
    expect(search(' NODE-29 ', nodes, pods)).toHaveLength(1);
  });
  it('finds pods with and without their namespace, and nothing for nothing', () => {
    expect(search('web-59', nodes, pods)[0]).toMatchObject({ kind: 'pod', pod: { name: 'web-59' } });
    expect(search('shop/web-59', nodes, pods)).toHaveLength(1);
    expect(search('  ', nodes, pods)).toEqual([]);
    expect(search('nobody', nodes, pods)).toEqual([]);
  });
});
