/** The end of a pod as a chart over time: lanes, bars with places from 0 to 1, and the time axis. Position is a function of time. */

export interface Bar {
  lane: string;
  what: string;
  start: number;
  end: number;
  outcome: string;
  journey: string;
  actor: string;
  revision: number;
  detail: Record<string, unknown>;
}

export interface Termination {
  namespace: string;
  name: string;
  node: string;
  containers: string[];
  gone: boolean;
  deleting: boolean;
  grace: number | null;
  wanted: number | null;
  bars: Bar[];
  /** Whether the journeys of the end are still kept. */
  kept: boolean;
  /** Up to when it is told (real seconds), when that is a past moment. */
  until: number | null;
  root: string;
  actor: string;
}

export interface Placed extends Bar {
  from: number;
  to: number;
  /** A moment rather than a stretch: drawn as a stop. */
  stop: boolean;
  open: boolean;
}

export interface Lane {
  id: string;
  title: string;
  bars: Placed[];
}

export interface Chart {
  lanes: Lane[];
  start: number;
  length: number;
  ticks: { at: number; text: string }[];
  /** Where the grace period ends, 0 to 1; null when that lies beyond the chart. */
  deadline: number | null;
  requests: { at: number; width: number; answered: number; failed: number }[];
  answered: number;
  failed: number;
}

const TITLES: Record<string, string> = { api: 'API', endpointslice: 'EndpointSlice', kubelet: 'kubelet', requests: 'requests' };
/** Shorter than this share of the chart, a bar is a stop. */
const STOP = 0.012;

const WORDS: Record<string, string> = {
  delete: 'deletion asked for', remove: 'removed', evict: 'eviction asked for', terminating: 'terminating: no new requests', 'not serving': 'not serving any more', removed: 'taken out',
  'not ready': 'not ready', ready: 'ready', prestop: 'preStop', sigterm: 'SIGTERM', sigkill: 'SIGKILL', terminate: 'ends the pod', requests: 'requests',
};

export function words(bar: Pick<Bar, 'lane' | 'what' | 'detail'>): string {
  if (bar.lane === 'kubelet' && bar.what === 'remove') return 'asks for removal';
  if (bar.what === 'sigterm' && 'exit_code' in bar.detail) return `SIGTERM, exit code ${String(bar.detail['exit_code'])}`;
  if (bar.what === 'prestop' && bar.detail['handler']) return `preStop: ${String(bar.detail['handler'])}`;
  return WORDS[bar.what] ?? bar.what;
}

/** `now`: real seconds, for what is still running. */
export function chart(told: Termination, now: number): Chart {
  const bars = told.bars.filter((bar) => bar.lane !== 'requests');
  const start = Math.min(...bars.map((bar) => bar.start), ...(bars.length ? [] : [now]));
  const running = bars.some((bar) => !bar.end) || (told.deleting && !told.gone);
  const end = Math.max(running ? now : 0, ...bars.map((bar) => bar.end || now));
  const length = Math.max((end - start) * 1.06, 0.5);
  const place = (seconds: number) => (seconds - start) / length;
  const order = ['api', 'endpointslice', 'kubelet', ...told.containers.map((name) => `container/${name}`)];
  const lanes = order
    .map((id) => ({
      id,
      title: TITLES[id] ?? id.replace('container/', ''),
      bars: bars
        .filter((bar) => bar.lane === id)
        .map((bar) => ({ ...bar, from: place(bar.start), to: place(bar.end || now), open: !bar.end, stop: Boolean(bar.end) && (bar.end - bar.start) / length < STOP })),
    }))
    .filter((lane) => lane.bars.length > 0 || lane.id !== 'endpointslice');
  const seen = told.bars.find((bar) => bar.lane === 'requests');
  const series = ((seen?.detail['series'] ?? []) as [number, number, number][]).map(([at, answered, failed]) => ({ at: place(seen!.start + at), width: Number(seen!.detail['step'] ?? 0.25) / length, answered, failed }));
  const deadline = told.grace === null ? null : place(start + told.grace);
  return {
    lanes,
    start,
    length,
    ticks: ticks(length),
    deadline: deadline !== null && deadline <= 1 ? deadline : null,
    requests: series,
    answered: Number(seen?.detail['answered'] ?? 0),
    failed: Number(seen?.detail['failed'] ?? 0),
  };
}

/** At most eight marks, at round seconds. */
export function ticks(length: number): { at: number; text: string }[] {
  const step = [0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300].find((one) => length / one <= 8) ?? 600;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => ({ at: (index * step) / length, text: `${Number((index * step).toFixed(2))} s` }));
}
