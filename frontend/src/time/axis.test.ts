import { describe, expect, it } from 'vitest';
import { clusterOf, lasting, realOf, realOfCluster, revisionAt, type Note } from './axis';

describe('the axis of time', () => {
  const notes: Note[] = [
    [10, 1000, 50],
    [20, 1100, 60],
    [40, 1100, 80],
  ];

  it('goes from revisions to time and back', () => {
    expect(realOf(notes, 15)).toBe(55);
    expect(clusterOf(notes, 15)).toBe(1050);
    expect(revisionAt(notes, 55)).toBe(15);
    expect(revisionAt(notes, 60.04)).toBe(20);
    expect(realOfCluster(notes, 1050)).toBe(55);
  });

  it('ends where the notes end, and bears a paused clock', () => {
    expect(realOf(notes, 1)).toBe(50);
    expect(revisionAt(notes, 999)).toBe(40);
    expect(clusterOf(notes, 30)).toBe(1100);
    expect(revisionAt([], 5)).toBe(5);
  });

  it('says how long in round words', () => {
    expect([5, 120, 7200, 200_000].map(lasting)).toEqual(['5 s', '2 min', '2 h', '2 days']);
  });
});
