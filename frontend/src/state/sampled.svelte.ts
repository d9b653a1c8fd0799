/** What is costly to work out anew, worked out now and then: a number that follows another, but moves at most once in so many milliseconds. */
export function sampled(of: () => number, every: () => number): { readonly value: number } {
  let value = $state(0);
  let last = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  $effect(() => {
    const now = of();
    const wait = last + every() - performance.now();
    clearTimeout(timer);
    if (wait <= 0) {
      last = performance.now();
      value = now;
    } else
      timer = setTimeout(() => {
        last = performance.now();
        value = now;
      }, wait);
  });
  $effect(() => () => clearTimeout(timer));
  return {
    get value() {
      return value;
    },
  };
}
