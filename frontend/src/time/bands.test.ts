import { describe, expect, it } from 'vitest';
import { bandsOf } from './bands';

const fault = (name: string, from: number, to: number, type = 'NodeDown') => ({ name, type, from, to });

describe('bands of the time bar', () => {
  it('tells apart what does not overlap', () => {
    expect(bandsOf([fault('b', 0.5, 0.6), fault('a', 0.1, 0.2)])).toEqual([
      { key: 'a', title: 'fault: NodeDown a', from: 0.1, width: 0.1 },
      { key: 'b', title: 'fault: NodeDown b', from: 0.5, width: expect.closeTo(0.1) },
    ]);
  });

  it('counts those that overlap, however they do', () => {
    const many = Array.from({ length: 12 }, (_, index) => fault(`dark-${index}`, -1 + index / 20, 5));
    expect(bandsOf(many)).toEqual([{ key: 'dark-0', title: '12 faults: NodeDown', from: 0, width: 1 }]);
    expect(bandsOf([fault('a', 0.1, 0.9), fault('b', 0.2, 0.3, 'Crash'), fault('c', 0.8, 0.95, 'Hang')])).toEqual([
      { key: 'a', title: '3 faults: NodeDown, Crash, …', from: 0.1, width: expect.closeTo(0.85) },
    ]);
  });

  it('leaves out what is out of sight, and shows what took no time', () => {
    expect(bandsOf([fault('past', -2, -1), fault('future', 1.5, 2)])).toEqual([]);
    expect(bandsOf([fault('short', 0.5, 0.5)])[0]!.width).toBeCloseTo(0.002);
  });
});
