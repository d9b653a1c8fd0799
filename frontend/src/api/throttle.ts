/** How many times as long as an answer took the next question waits: a large cluster is not asked about without a pause. */
const SHARE = 4;

export interface Throttled {
  /** The same again, when it is time. */
  soon: () => void;
  /** Something else is wanted: at once, whatever was asked before, or is still being answered. */
  anew: () => void;
  stop: () => void;
}

/**
 * Do something soon, but never more often than every `milliseconds`, however often it is asked for; and where the work says when it is
 * done, not before a while that is longer the longer it took, nor twice at once.
 */
export function throttled(milliseconds: number, work: () => void | Promise<unknown>): Throttled {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -Infinity;
  let pause = milliseconds;
  /** The work under way; what was begun before it does not count any more. */
  let turn = 0;
  let working = false;
  let wanted = false;
  let stopped = false;
  async function run(): Promise<void> {
    const mine = ++turn;
    timer = undefined;
    last = performance.now();
    working = true;
    try {
      await work();
    } finally {
      if (mine === turn) {
        working = false;
        pause = Math.max(milliseconds, (performance.now() - last) * SHARE);
        if (wanted) soon();
        wanted = false;
      }
    }
  }

  function soon(): void {
    if (working) wanted = true;
    else if (!stopped) timer ??= setTimeout(() => void run(), Math.max(0, last + pause - performance.now()));
  }

  function stop(): void {
    stopped = true;
    wanted = false;
    clearTimeout(timer);
    timer = undefined;
  }

  return {
    soon: () => {
      stopped = false;
      soon();
    },
    anew: () => {
      stop();
      [stopped, working, last, pause] = [false, false, -Infinity, milliseconds];
      turn++;
      soon();
    },
    stop,
  };
}
