import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { throttled } from './throttle';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('throttled', () => {
  it('does once what is asked for many times', async () => {
    const work = vi.fn();
    const again = throttled(100, work);
    for (let n = 0; n < 20; n++) again.soon();
    await vi.advanceTimersByTimeAsync(1);
    for (let n = 0; n < 20; n++) again.soon();
    await vi.advanceTimersByTimeAsync(98);
    expect(work).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(work).toHaveBeenCalledTimes(2);
  });

  it('waits longer the longer the work took, and never does it twice at once', async () => {
    const work = vi.fn(() => new Promise((done) => setTimeout(done, 500)));
    const again = throttled(100, work);
    again.soon();
    await vi.advanceTimersByTimeAsync(200);
    again.soon();
    await vi.advanceTimersByTimeAsync(1700);
    expect(work).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(work).toHaveBeenCalledTimes(2);
  });

  it('does something else at once, though the last took long or goes on, and keeps to its pace after that', async () => {
    let lasts = 500;
    const work = vi.fn(() => new Promise((done) => setTimeout(done, lasts)));
    const again = throttled(100, work);
    again.soon();
    await vi.advanceTimersByTimeAsync(10);
    again.anew();
    lasts = 20;
    await vi.advanceTimersByTimeAsync(1);
    expect(work).toHaveBeenCalledTimes(2);
    // What was begun before ends now; it neither ends the pause of the other, nor begins one of its own.
    again.soon();
    await vi.advanceTimersByTimeAsync(95);
    expect(work).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(10);
    expect(work).toHaveBeenCalledTimes(3);
  });

  it('does nothing any more once it is stopped, even if asked while it worked', async () => {
    const work = vi.fn(() => new Promise((done) => setTimeout(done, 500)));
    const again = throttled(100, work);
    again.soon();
    await vi.advanceTimersByTimeAsync(10);
    again.soon();
    again.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(work).toHaveBeenCalledTimes(1);
  });
});
