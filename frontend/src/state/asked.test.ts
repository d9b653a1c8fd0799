import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Unanswered } from '../api/problem';
import { Asked } from './asked.svelte';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A server that is slow about some things, and a person who looks at one after the other. */
function asking(slow: Record<string, number> = {}) {
  const looked = { about: 'shop', at: null as number | null };
  const questions: string[] = [];
  const one = new Asked<string>({
    about: () => looked.about,
    at: () => looked.at,
    every: 100,
    ask: () => {
      const { about, at } = looked;
      questions.push(`${about}@${at ?? 'now'}`);
      return new Promise((answer, fail) => setTimeout(() => (about === 'closed' ? fail(new Unanswered('no', 403)) : answer(`${about}@${at ?? 'now'}`)), slow[about] ?? 10));
    },
  });
  const look = (about: string) => ((looked.about = about), one.anew());
  return { one, looked, look, questions };
}

describe('an answer', () => {
  it('is never that of another namespace: not while the next is awaited, and not when it comes late', async () => {
    const { one, look } = asking({ shop: 5000 });
    one.anew();
    await vi.advanceTimersByTimeAsync(10);
    look('dev');
    await vi.advanceTimersByTimeAsync(50);
    expect(one.answer).toBe('dev@now');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(one.answer).toBe('dev@now');
    look('shop');
    expect(one.answer).toBeNull();
  });

  it('is asked for at once where it is about something else, however long the last one took', async () => {
    const { one, look, questions } = asking({ shop: 3000 });
    one.anew();
    await vi.advanceTimersByTimeAsync(3001);
    expect(one.answer).toBe('shop@now');
    one.soon();
    look('dev');
    await vi.advanceTimersByTimeAsync(20);
    expect(questions).toEqual(['shop@now', 'dev@now']);
    expect(one.answer).toBe('dev@now');
  });

  it('stays for another moment until there is that one\'s, and what is late is dropped', async () => {
    const { one, looked } = asking();
    one.anew();
    await vi.advanceTimersByTimeAsync(20);
    looked.at = 7;
    one.soon();
    expect(one.answer).toBe('shop@now');
    await vi.advanceTimersByTimeAsync(85);
    looked.at = 8;
    await vi.advanceTimersByTimeAsync(20);
    expect(one.answer).toBe('shop@now');
    one.soon();
    await vi.advanceTimersByTimeAsync(200);
    expect(one.answer).toBe('shop@8');
  });

  it('is none with a reason where it was refused, and the reason goes with what it was about', async () => {
    const { one, look } = asking();
    look('closed');
    await vi.advanceTimersByTimeAsync(20);
    expect([one.answer, one.problem]).toEqual([null, { code: 403, message: 'no' }]);
    look('shop');
    expect(one.problem).toBeNull();
  });

  it('is not asked for when nothing is asked about, nor after the end', async () => {
    const { one, look, questions } = asking();
    look('');
    await vi.advanceTimersByTimeAsync(500);
    look('shop');
    one.stop();
    await vi.advanceTimersByTimeAsync(500);
    expect(questions).toEqual([]);
  });
});
