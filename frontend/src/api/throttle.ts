/** Do something soon, but never more often than every `milliseconds`, however often it is asked for. */
export function throttled(milliseconds: number, work: () => void): { soon: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -Infinity;
  return {
    soon: () => {
      timer ??= setTimeout(
        () => {
          timer = undefined;
          last = performance.now();
          work();
        },
        Math.max(0, last + milliseconds - performance.now()),
      );
    },
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
