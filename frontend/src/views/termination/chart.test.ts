import { describe, expect, it } from 'vitest';
import { chart, ticks, words, type Bar, type Termination } from './chart';

const bar = (lane: string, what: string, start: number, end: number, detail = {}): Bar => ({ lane, what, start, end, outcome: 'ok', journey: 'r', actor: 'alice', revision: 1, detail });
const told = (bars: Bar[], more = {}): Termination => ({ namespace: 'shop', name: 'web', node: 'n', containers: ['c'], gone: true, deleting: true, grace: 30, wanted: 30, kept: true, until: null, root: 'r', actor: 'alice', bars, ...more });

describe('the chart of an ending', () => {
  it('places bars by time, and draws moments as stops', () => {
    const drawn = chart(told([bar('api', 'delete', 100, 100.002), bar('container/c', 'sigterm', 100, 110)]), 200);
    expect(drawn.lanes.map((lane) => lane.title)).toEqual(['API', 'kubelet', 'c']);
    expect(drawn.lanes[0]!.bars[0]).toMatchObject({ from: 0, stop: true });
    const sigterm = drawn.lanes[2]!.bars[0]!;
    expect(sigterm.stop).toBe(false);
    expect(sigterm.to).toBeCloseTo(10 / 10.6);
  });

  it('grows while the end is not there yet', () => {
    const drawn = chart(told([bar('api', 'delete', 100, 100.002), bar('container/c', 'prestop', 100, 0)], { gone: false }), 104);
    expect(drawn.lanes.at(-1)!.bars[0]).toMatchObject({ open: true, stop: false });
    expect(drawn.length).toBeCloseTo(4 * 1.06);
  });

  it('shows the grace period where it lies within', () => {
    expect(chart(told([bar('api', 'delete', 0, 20)], { grace: 10 }), 30).deadline).toBeCloseTo(10 / 21.2);
    expect(chart(told([bar('api', 'delete', 0, 1)]), 30).deadline).toBeNull();
  });

  it('counts the requests that still came', () => {
    const requests = bar('requests', 'requests', 1, 3, { step: 0.25, answered: 5, failed: 2, series: [[0, 5, 0], [0.25, 0, 2]] });
    const drawn = chart(told([bar('api', 'delete', 1, 3), requests]), 9);
    expect([drawn.answered, drawn.failed]).toEqual([5, 2]);
    expect(drawn.requests.map((one) => [one.answered, one.failed])).toEqual([[5, 0], [0, 2]]);
  });

  it('has round marks and plain words', () => {
    expect(ticks(10).map((one) => one.text)).toEqual(['0 s', '2 s', '4 s', '6 s', '8 s', '10 s']);
    expect(words(bar('container/c', 'sigterm', 0, 1, { exit_code: 137 }))).toBe('SIGTERM, exit code 137');
    expect(words(bar('kubelet', 'remove', 0, 1))).toBe('asks for removal');
  });
});
