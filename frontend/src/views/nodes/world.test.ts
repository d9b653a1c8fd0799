import { describe, expect, it } from 'vitest';
import { between, detailAt, fit, toScreen, toWorld, zoomAt } from './camera';
import { legOfFlow, legsOf, nearest, told, whereIs, type Places, type Signal } from './traffic';
import type { Pod } from '../../types';
import { worst } from '../../state/worst';
import { gridFor, layOut, NODE_WIDTH, slotAt, Slots, SLOTS_ACROSS, slotUnder } from './world';

describe('slots', () => {
  it('are kept, and what became free is filled first', () => {
    const slots = new Slots();
    expect(['a', 'b', 'c'].map((key) => slots.take(key))).toEqual([0, 1, 2]);
    slots.release('b');
    slots.release('a');
    expect(slots.take('c')).toBe(2);
    expect(slots.take('d')).toBe(0);
    expect(slots.take('e')).toBe(1);
    expect(slots.take('f')).toBe(3);
    expect(slots.height).toBe(4);
  });
  it('are found again under the pointer', () => {
    for (const slot of [0, 5, SLOTS_ACROSS, 37]) {
      const { x, y } = slotAt(slot);
      expect(slotUnder(x, y)).toBe(slot);
    }
    expect(slotUnder(20, 10)).toBeNull();
    expect(slotUnder(NODE_WIDTH - 2, 80)).toBeNull();
  });
});

describe('the layout', () => {
  const nodes = (count: number, zones: number) => Array.from({ length: count }, (_, index) => ({ name: `node-${index + 1}`, zone: `zone-${index % zones}` }));
  it('gives every node a place of its own in its zone', () => {
    const layout = layOut(nodes(60, 3), new Map(), 5, 1.6);
    expect(layout.zones.map((zone) => zone.nodes)).toEqual([20, 20, 20]);
    expect(new Set([...layout.nodes.values()].map((one) => `${one.x},${one.y}`)).size).toBe(60);
    for (const place of layout.nodes.values()) {
      const zone = layout.zones.find((one) => one.name === place.zone)!;
      expect(place.x).toBeGreaterThanOrEqual(zone.x);
      expect(place.x + NODE_WIDTH).toBeLessThanOrEqual(zone.x + zone.width);
    }
  });
  it('keeps a node in its place when another goes, and gives the place to the next', () => {
    const cells = new Map<string, Slots>();
    const before = layOut(nodes(9, 1), cells, 3, 1.6);
    const fewer = layOut(nodes(9, 1).filter((one) => one.name !== 'node-2'), cells, 3, 1.6);
    expect(fewer.nodes.get('node-9')).toEqual(before.nodes.get('node-9'));
    const later = layOut([...nodes(9, 1).filter((one) => one.name !== 'node-2'), { name: 'node-77', zone: 'zone-0' }], cells, 3, 1.6);
    expect(later.nodes.get('node-77')).toMatchObject({ x: before.nodes.get('node-2')!.x, y: before.nodes.get('node-2')!.y });
  });
  it('is as wide as the window is', () => {
    expect(gridFor(1, 1, 3, 2)).toEqual({ columns: 1, across: 1 });
    expect(gridFor(1, 3, 3, 2).across).toBe(3);
    const wide = layOut(nodes(5000, 3), new Map(), 10, 1.8);
    expect(wide.width / wide.height).toBeGreaterThan(1.2);
    expect(wide.width / wide.height).toBeLessThan(2.6);
  });
  it('stands zones below one another in a narrow window, and none on another', () => {
    const narrow = layOut(nodes(3, 3), new Map(), 3, 0.6);
    expect(new Set(narrow.zones.map((zone) => zone.x))).toEqual(new Set([0]));
    expect(narrow.width / narrow.height).toBeLessThan(0.8);
    for (const aspect of [0.4, 1, 3]) {
      const { zones, nodes: places, width, height } = layOut(nodes(40, 7), new Map(), 3, aspect);
      for (const [number, zone] of zones.entries()) {
        expect(zone.x + zone.width).toBeLessThanOrEqual(width);
        expect(zone.y + zone.height).toBeLessThanOrEqual(height);
        for (const other of zones.slice(number + 1)) expect(zone.x + zone.width <= other.x || other.x + other.width <= zone.x || zone.y + zone.height <= other.y || other.y + other.height <= zone.y).toBe(true);
        for (const place of [...places.values()].filter((one) => one.zone === zone.name)) {
          expect(place.x > zone.x && place.x + NODE_WIDTH < zone.x + zone.width && place.y > zone.y && place.y < zone.y + zone.height).toBe(true);
        }
      }
    }
  });
});

describe('the camera', () => {
  it('shows the whole box', () => {
    const camera = fit({ x: 100, y: 50, width: 4000, height: 1000 }, 800, 400);
    const corner = toScreen(camera, 100, 50);
    const other = toScreen(camera, 4100, 1050);
    for (const point of [corner, other]) {
      expect(point.x).toBeGreaterThanOrEqual(0);
      expect(point.x).toBeLessThanOrEqual(800);
      expect(point.y).toBeGreaterThanOrEqual(0);
      expect(point.y).toBeLessThanOrEqual(400);
    }
  });
  it('leaves room for what stands over the upper edge', () => {
    const box = { x: 0, y: 0, width: 1000, height: 1000 };
    const camera = fit(box, 800, 400, 24, 1.35, 16);
    expect(toScreen(camera, 0, 0).y).toBeCloseTo(40);
    expect(toScreen(camera, 0, 1000).y).toBeCloseTo(376);
  });
  it('zooms around the pointer and finds the way back', () => {
    const camera = { x: 10, y: 20, scale: 0.5 };
    const before = toWorld(camera, 300, 200);
    const after = toWorld(zoomAt(camera, 300, 200, 1.7), 300, 200);
    expect(after.x).toBeCloseTo(before.x);
    expect(after.y).toBeCloseTo(before.y);
    expect(between(camera, { x: 0, y: 0, scale: 2 }, 1)).toEqual({ x: 0, y: 0, scale: 2 });
    expect([0.02, 0.2, 1].map(detailAt)).toEqual(['heat', 'tiles', 'labels']);
  });
});

describe('signals', () => {
  const places: Places = { pod: (key) => (key === 'shop/web-1' ? { x: 100, y: 100 } : null), kubelet: () => ({ x: 50, y: 0 }), service: () => ({ x: 20, y: 10 }), clients: () => ({ x: 0, y: 10 }) };
  const palette = { get: (token: string) => (token === '--red' ? [255, 0, 0, 255] : [0, 0, 255, 255]) } as never;
  const signal: Signal = { kind: 'request', at: 0, node: 'node-1', namespace: 'shop', pod: 'web-1', ok: true, said: 'HTTP 200', service: 'web', client: '' };
  it('go from the client through the Service to the pod', () => {
    const legs = legsOf(signal, places, palette, 5);
    expect(legs.map((leg) => [leg.fromX, leg.toX])).toEqual([[0, 20], [20, 100]]);
    expect(legs[1]!.begins).toBeCloseTo(legs[0]!.ends);
    expect(told(signal)).toBe('a client asks web, answered by web-1: HTTP 200');
  });
  it('end at the Service, in red, when nobody is behind it', () => {
    const legs = legsOf({ ...signal, pod: '', ok: false, said: 'connection refused' }, places, palette, 0);
    expect(legs).toHaveLength(1);
    expect(legs[0]).toMatchObject({ toX: 20, failed: true, colour: [255, 0, 0, 255] });
  });
  it('of probes come from the kubelet', () => {
    expect(legsOf({ ...signal, kind: 'readiness', service: '' }, places, palette, 0).map((leg) => [leg.fromX, leg.toX])).toEqual([[50, 100]]);
    expect(told({ ...signal, kind: 'liveness', ok: false, said: 'refused' })).toBe('liveness probe of web-1 failed: refused');
  });
  it('that are many become one larger dot', () => {
    const leg = legOfFlow({ kind: 'request', node: 'node-1', namespace: 'shop', service: 'web', ok: true, n: 200 }, places, palette, 0)!;
    expect(leg.radius).toBeGreaterThan(9);
    expect(told(leg.signal)).toBe('200 requests to web through node-1');
  });
  it('are found under the pointer while they travel', () => {
    const [leg] = legsOf(signal, places, palette, 0);
    const at = whereIs(leg!, 0.2)!;
    expect(nearest([leg!], 0.2, at.x + 1, at.y, 4)).toBe(leg);
    expect(nearest([leg!], 0.2, at.x + 30, at.y, 4)).toBeNull();
    expect(whereIs(leg!, 9)).toBeNull();
  });
});

describe('the table', () => {
  const pod = (name: string, phase: string, isReady = true) => ({ name, namespace: 'default', phase, status: phase, isReady, deleting: null }) as unknown as Pod;
  it('has the worst first, then by name, and counts the rest', () => {
    const pods = [pod('c', 'Running'), pod('b', 'Failed'), pod('a', 'Running'), pod('d', 'Running', false), pod('e', 'Running')];
    const found = worst(pods, 4, () => true);
    expect(found.rows.map((one) => one.name)).toEqual(['b', 'd', 'a', 'c']);
    expect(found.total).toBe(5);
    expect(worst(pods, 9, (one) => one.name < 'c')).toMatchObject({ total: 2 });
  });
});
