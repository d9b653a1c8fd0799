/** From samples to what a chart draws: columns of numbers over time. Pure. */

export interface Latency {
  n: number;
  p50: number | null;
  p99: number | null;
}

export interface Sample {
  t: number;
  requests: number;
  revisions: number;
  queues: Record<string, number>;
  reconciles: Record<string, number>;
  watchers: number;
  pods: number;
  latency: { refused: number; read: Latency; write: Latency };
}

export type Column = (number | null)[];

/** New samples at the end, without those that were there, and none that is older than so many seconds before the newest. */
export function joined(had: readonly Sample[], fresh: readonly Sample[], seconds: number): Sample[] {
  const last = had.at(-1)?.t ?? 0;
  const all = [...had, ...fresh.filter((one) => one.t > last)];
  const since = (all.at(-1)?.t ?? 0) - seconds;
  return all.filter((one) => one.t > since);
}

export function column(samples: readonly Sample[], of: (sample: Sample) => number | null | undefined): Column {
  return samples.map((one) => of(one) ?? null);
}

/** The names with the largest sums over all samples, largest first. */
export function busiest(samples: readonly Sample[], of: (sample: Sample) => Record<string, number>, most = 5): string[] {
  const sums = new Map<string, number>();
  for (const sample of samples) for (const [name, value] of Object.entries(of(sample))) sums.set(name, (sums.get(name) ?? 0) + value);
  return [...sums].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, most).map(([name]) => name);
}

/** The points of a sparkline in a box, newest at the right; empty for fewer than two values. */
export function sparkline(values: readonly number[], width: number, height: number, most = Math.max(...values, 0.001)): string {
  if (values.length < 2) return '';
  const step = width / (values.length - 1);
  return values.map((value, index) => `${(index * step).toFixed(1)},${(height - (Math.min(value / most, 1) * (height - 2) + 1)).toFixed(1)}`).join(' ');
}
