import { describe, expect, it } from 'vitest';
import type { View } from './cull';
import { drawOver, placeOf, progressOf, type Mover } from './over';
import type { Dot } from './traffic';

const at = { x: 50, y: 50 };
const mover = (more: Partial<Mover> = {}): Mover => ({ look: 'running', colour: [0, 0, 200, 255], from: at, to: at, begins: 10, ends: 12, ...more });
const view: View = { camera: { x: 0, y: 0, scale: 1 }, width: 200, height: 100, ratio: 2, wide: 400, high: 200 };

/** A canvas that remembers what it was asked for, and how strong its colour was. */
function paper() {
  const asked: { what: string; with: unknown[]; alpha: number }[] = [];
  const set: Record<string, unknown> = { globalAlpha: 1 };
  const context = new Proxy(set, {
    get: (known, name: string) => (name in known ? known[name] : (...given: unknown[]) => asked.push({ what: name, with: given, alpha: known['globalAlpha'] as number })),
    set: (known, name: string, value) => ((known[name] = value), true),
  });
  return { canvas: { getContext: () => context } as unknown as HTMLCanvasElement, of: (what: string) => asked.filter((one) => one.what === what) };
}

describe('who moves', () => {
  it('is on the way between two places, ever slower', () => {
    const flight = mover({ from: { x: 0, y: 0 }, to: { x: 100, y: 50 } });
    expect(placeOf(flight, 9)).toEqual({ x: 0, y: 0 });
    expect(placeOf(flight, 11).x).toBeGreaterThan(60);
    expect(placeOf(flight, 13)).toEqual({ x: 100, y: 50 });
    expect([9, 11, 20].map((now) => progressOf(flight, now))).toEqual([0, 0.5, 1]);
  });
  it('is drawn where it is seen, and nowhere else', () => {
    const { canvas, of } = paper();
    const far = { x: 500, y: 50 };
    drawOver(canvas, [mover(), mover({ from: far, to: far })], [], view, 11);
    expect(of('clearRect')[0]!.with).toEqual([0, 0, 200, 100]);
    expect(of('roundRect')).toHaveLength(1);
  });
  it('fades when it is gone', () => {
    const { canvas, of } = paper();
    drawOver(canvas, [mover({ look: 'gone' })], [], view, 11.5);
    expect(of('fill')[0]!.alpha).toBeCloseTo(0.25);
  });
  it('has a ring that runs out when it counts down, where there is room for one', () => {
    const { canvas, of } = paper();
    drawOver(canvas, [mover({ look: 'terminating' })], [], view, 11.5);
    const [left, around] = of('setLineDash')[0]!.with[0] as [number, number];
    expect(left / around).toBeCloseTo(0.25);
    const small = paper();
    drawOver(small.canvas, [mover({ look: 'terminating' })], [], { ...view, camera: { x: 0, y: 0, scale: 0.2 } }, 11.5);
    expect(small.of('setLineDash')).toHaveLength(0);
    expect(small.of('fillRect')).toHaveLength(1);
  });
  it('is a disc when it is a request, and a cross when that failed; none before and after its way', () => {
    const dot: Dot = { fromX: 0, fromY: 0, toX: 90, toY: 0, begins: 10, ends: 11, radius: 3, failed: false, colour: [1, 2, 3, 255] };
    const { canvas, of } = paper();
    drawOver(canvas, [], [dot, { ...dot, failed: true }, { ...dot, ends: 10.2 }], view, 10.5);
    expect([of('arc').length, of('stroke').length]).toEqual([1, 1]);
  });
});
