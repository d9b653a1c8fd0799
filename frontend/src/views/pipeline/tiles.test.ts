import { describe, expect, it } from 'vitest';
import type { Pod } from '../../types';
import { cellsOf, columnsOf, fitting } from './tiles';

const pod = (name: string) => ({ name }) as unknown as Pod;

describe('the machines below the map', () => {
  it('stand in one row while there is room, and in even rows beyond', () => {
    expect([1, 2, 3, 4, 5, 6, 8].map((n) => columnsOf(n, 760))).toEqual([1, 2, 3, 4, 5, 3, 4]);
    expect([5, 8, 12].map((n) => columnsOf(n, 1120))).toEqual([5, 4, 6]);
    expect([3, 40].map((n) => columnsOf(n, 120))).toEqual([1, 5]);
  });

  it('show whole rows of places', () => {
    expect([10, 112, 155].map(fitting)).toEqual([1, 4, 5]);
    expect(cellsOf([], 4, 3)).toHaveLength(12);
    expect(cellsOf([{ pod: pod('far'), slot: 12 }], 5, 2)).toHaveLength(15);
  });

  it('leave a place empty when its pod goes, and move nobody', () => {
    const cells = cellsOf([{ pod: pod('a'), slot: 0 }, { pod: pod('c'), slot: 2 }], 4, 1);
    expect(cells.map((one) => one?.name ?? null)).toEqual(['a', null, 'c', null]);
  });
});
