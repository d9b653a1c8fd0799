import { describe, expect, it } from 'vitest';
import { busiest, column, joined, sparkline, type Sample } from './series';

const sample = (t: number, more: Partial<Sample> = {}): Sample => ({ t, requests: 1, revisions: 0, queues: {}, reconciles: {}, watchers: 0, pods: 0, latency: { refused: 0, read: { n: 0, p50: null, p99: null }, write: { n: 1, p50: 2, p99: 3 } }, ...more });

describe('samples', () => {
  it('are joined without doubles, and the oldest go', () => {
    const had = [sample(1), sample(2)];
    expect(joined(had, [sample(2), sample(3)], 600).map((one) => one.t)).toEqual([1, 2, 3]);
    expect(joined(had, [sample(3)], 2).map((one) => one.t)).toEqual([2, 3]);
    // After a while in which nobody was asked.
    expect(joined(had, [sample(700), sample(701)], 600).map((one) => one.t)).toEqual([700, 701]);
    expect(joined([], [], 600)).toEqual([]);
  });
  it('become columns with gaps where nothing was measured', () => {
    expect(column([sample(1), sample(2)], (one) => one.latency.read.p50)).toEqual([null, null]);
    expect(column([sample(1)], (one) => one.latency.write.p99)).toEqual([3]);
  });
  it('name the busiest loops first', () => {
    const samples = [sample(1, { reconciles: { job: 1, deployment: 5 } }), sample(2, { reconciles: { job: 3, node: 1 } })];
    expect(busiest(samples, (one) => one.reconciles, 2)).toEqual(['deployment', 'job']);
  });
});

it('a sparkline fills its box', () => {
  expect(sparkline([0, 1], 10, 12)).toBe('0.0,11.0 10.0,1.0');
  expect(sparkline([1], 10, 12)).toBe('');
});
