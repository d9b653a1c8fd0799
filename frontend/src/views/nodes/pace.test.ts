import { describe, expect, it } from 'vitest';
import { Pace, REPAINT, RESUM, type Signs } from './pace';

const quiet: Signs = { moved: false, detail: 'heat', whole: false, changed: 0, nodes: 5000, stirred: false, moving: 0, worded: false, summed: false, named: false };
const nothing = { board: null, over: false, words: false };
const everything = { board: 'all', over: true, words: true };

/** One that has drawn its first frame. */
function begun(detail: Signs['detail']) {
  const pace = new Pace();
  expect(pace.next({ ...quiet, detail }, 10, 10)).toEqual(everything);
  return pace;
}

describe('a frame', () => {
  it('draws nothing when nothing changed', () => {
    for (const detail of ['heat', 'tiles', 'labels'] as const) expect(begun(detail).next({ ...quiet, detail }, 11, 11)).toEqual(nothing);
  });
  it('draws everything when the camera moves, and when another level of detail begins', () => {
    expect(begun('heat').next({ ...quiet, moved: true }, 11, 11)).toEqual(everything);
    expect(begun('heat').next({ ...quiet, detail: 'tiles' }, 11, 11)).toEqual(everything);
    expect(begun('tiles').next({ ...quiet, detail: 'tiles', whole: true }, 11, 11)).toEqual(everything);
  });
  it('near by draws at once the districts that changed, and writes nothing anew for them', () => {
    expect(begun('tiles').next({ ...quiet, detail: 'tiles', changed: 3 }, 10.01, 10.01)).toEqual({ ...nothing, board: 'changed' });
    expect(begun('labels').next({ ...quiet, detail: 'labels', changed: 3, named: true }, 10.01, 10.01)).toEqual({ ...nothing, board: 'changed', words: true });
  });
  it('from afar draws thousands of cells now and then, and few at once', () => {
    const pace = begun('heat');
    const changed = { ...quiet, changed: 9 };
    expect(pace.next(changed, 10, 10 + REPAINT / 2)).toEqual(nothing);
    expect(pace.next(changed, 10, 10 + REPAINT)).toEqual({ ...nothing, board: 'changed' });
    expect(pace.next(changed, 10, 10 + REPAINT * 1.5)).toEqual(nothing);
    expect(begun('heat').next({ ...changed, nodes: 20 }, 10, 10.01)).toEqual({ ...nothing, board: 'changed' });
  });
  it('writes sums from afar once a second, and names at once', () => {
    const pace = begun('heat');
    expect(pace.next({ ...quiet, summed: true }, 10, 10.5)).toEqual(nothing);
    expect(pace.next({ ...quiet, summed: true }, 10, 10 + RESUM)).toEqual({ ...nothing, words: true });
    expect(pace.next({ ...quiet, worded: true }, 10, 10.6)).toEqual({ ...nothing, words: true });
    expect(begun('tiles').next({ ...quiet, detail: 'tiles', summed: true }, 20, 20)).toEqual(nothing);
  });
  it('draws what moves as long as it does, and once more when it is over', () => {
    const pace = begun('tiles');
    const moving = { ...quiet, detail: 'tiles' as const, moving: 11 };
    expect(pace.next(moving, 10.9, 10.9)).toEqual({ ...nothing, over: true });
    expect(pace.next(moving, 11.1, 11.1)).toEqual({ ...nothing, over: true });
    expect(pace.next(moving, 11.2, 11.2)).toEqual(nothing);
    // Too small for its ring, one that begins to count down still goes from below to above.
    expect(pace.next({ ...moving, stirred: true }, 11.3, 11.3)).toEqual({ ...nothing, over: true });
  });
});
