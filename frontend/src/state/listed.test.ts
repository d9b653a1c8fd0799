import { describe, expect, it } from 'vitest';
import type { Journey } from '../types';
import { merged, MOST_LISTED } from './listed';

const head = (id: string, end: number, more: Partial<Journey> = {}) => ({ id, root: id, kind: 'request', agent: 'kubectl', verb: 'create', resource: 'pods', start: end - 1, end, ...more }) as Journey;
const roots = (heads: Journey[], listed = [] as ReturnType<typeof merged>) => merged(listed, heads, () => 1).map((one) => one.root);

describe('the list of journeys', () => {
  it('keeps what the stream told while the others were read', () => {
    const told = merged([], [head('new', 30), head('known', 20)], () => 1);
    expect(roots([head('known', 20), head('old', 10)], told)).toEqual(['new', 'known', 'old']);
  });
  it('leaves out what this page looks up, and what is said all the time', () => {
    expect(roots([head('a', 1, { agent: 'Mozilla/5.0', verb: 'list' }), head('b', 2, { resource: 'leases' }), head('c', 3)])).toEqual(['c']);
  });
  it('holds so many, the latest', () => {
    const many = Array.from({ length: MOST_LISTED + 20 }, (_, index) => head(`j${index}`, index));
    expect(roots(many)).toHaveLength(MOST_LISTED);
    expect(roots(many)[0]).toBe(`j${MOST_LISTED + 19}`);
  });
});
