import { describe, expect, it } from 'vitest';
import { isRefusal, problemOf, told, Unanswered } from './problem';

describe('a problem', () => {
  it('is what the server said, with its code', () => {
    const problem = problemOf(new Unanswered('etcd is away', 500));
    expect(problem).toEqual({ code: 500, message: 'etcd is away' });
    expect(told(problem)).toMatch(/^etcd is away\. The server failed/);
  });
  it('is that nobody answered, when nothing came: in words of ours, not the browser\'s', () => {
    expect(told(problemOf(new TypeError('Failed to fetch')))).toBe('The server could not be reached.');
  });
  it('is a refusal when it was refused, and only then', () => {
    expect([403, 0, 404, 410, 429, 500].map((code) => isRefusal({ code, message: 'x cannot list resource "pods"' }))).toEqual([true, false, false, false, false, false]);
  });
});
