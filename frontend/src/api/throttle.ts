/** How many times as long as an answer took the next question waits: a large cluster is not asked about without a pause. */
const SHARE = 4;

/**
 * Do something soon, but never more often than every `milliseconds`, however often it is asked for; and where the work says when it is
 * done, not before a while that is longer the longer it took, nor twice at once.
 */
export function throttled(milliseconds: number, work: () => void | Promise<unknown>): { soon: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -Infinity;
  let pause = milliseconds;
  let working = false;
  let wanted = false;
  let stopped = false;
  async function run(): Promise<void> {
    timer = undefined;
    last = performance.now();
    working = true;
    try {
      await work();
    } finally {
      working = false;
      pause = Math.max(milliseconds, (performance.now() - last) * SHARE);
      if (wanted) soon();
      wanted = false;
    }
  }

  function soon(): void {
    if (working) wanted = true;
    else if (!stopped) timer ??= setTimeout(() => void run(), Math.max(0, last + pause - performance.now()));
  }

  return {
    soon: () => {
      stopped = false;
      soon();
    },
    stop: () => {
      stopped = true;
      wanted = false;
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
