/** Names in order, numbers as numbers. The collator is made once: asked for at each comparison it takes twenty times as long as sorting. */
const collator = new Intl.Collator('en', { numeric: true });

export const byName = (a: string, b: string): number => collator.compare(a, b);
