import { describe, expect, it } from 'vitest';
import type { NodeInfo, Pod } from '../../types';
import { Board } from './board';
import { toScreen, type Camera } from './camera';
import { drawLabels } from './labels';
import type { Palette } from './looks';

const palette = { get: () => [9, 9, 9, 255] } as unknown as Palette;

/** A canvas that remembers around what it was asked to draw a line. */
function paper() {
  const around: { x: number; y: number; width: number; height: number }[] = [];
  const context = new Proxy<Record<string, unknown>>(
    { measureText: (text: string) => ({ width: text.length * 6 }), roundRect: (x: number, y: number, width: number, height: number) => around.push({ x, y, width, height }) },
    { get: (known, name: string) => known[name] ?? (() => undefined), set: () => true },
  );
  return { canvas: { width: 1000, height: 800, getContext: () => context } as unknown as HTMLCanvasElement, around };
}

function outlined(selected: string, camera: Camera, detail: 'heat' | 'tiles') {
  const node = { uid: 'n', name: 'node-1', namespace: '', zone: 'a', ready: 'True', capacity: { cpu: 4, memory: 1, pods: 9 } } as NodeInfo;
  const pod = (name: string, on: string) => ({ uid: name, name, namespace: 'shop', node: on, phase: 'Pending', status: 'Pending', isReady: false, deleting: null }) as Pod;
  const board = new Board(palette);
  board.update({ pods: new Map([['shop/here', pod('here', 'node-1')], ['shop/waits', pod('waits', '')]]), nodes: new Map([['node-1', node]]), by: 'phase', filter: () => true, aspect: 1, now: 1, offset: 0 });
  const { canvas, around } = paper();
  drawLabels(canvas, board, camera, detail, 1, { palette, services: [], selected });
  const place = board.placeOfPod(selected);
  return { around, at: place && toScreen(camera, place.x, place.y) };
}

describe('what is selected', () => {
  const near: Camera = { x: -100, y: -100, scale: 0.5 };
  it.each(['shop/here', 'shop/waits'])('has a line around it, on a node or waiting for one: %s', (key) => {
    const { around, at } = outlined(key, near, 'tiles');
    // The first line is the zone's own.
    expect(around).toHaveLength(2);
    expect(around[1]!.x + around[1]!.width / 2).toBeCloseTo(at!.x);
    expect(around[1]!.y + around[1]!.height / 2).toBeCloseTo(at!.y);
  });
  it('is marked by its node from afar, where no pod is drawn', () => {
    const far: Camera = { x: -100, y: -100, scale: 0.05 };
    expect(outlined('shop/here', far, 'heat').around).toHaveLength(2);
    expect(outlined('shop/waits', far, 'heat').around).toHaveLength(1);
  });
});
