/**
 * From recorded spans to what is shown: every stage gets a moment long enough to be seen, long waits are pressed together, and
 * nothing is shown before what caused it. Pure: the same journeys give the same schedule, and later ones never move earlier ones.
 */
import type { Journey } from '../types';

/** One stage on the screen: where, from when to when (milliseconds of display time since the root began). */
export interface Leg {
  stage: string;
  from: number;
  to: number;
  outcome: string;
}

export interface Run {
  journey: Journey;
  /** When it sets out, and when it is over. */
  from: number;
  to: number;
  legs: Leg[];
  /** How many journeys of the same kind travel as this one. */
  count: number;
  ids: string[];
}

/** What ten microseconds look like; each tenfold takes so much more. */
export const STAGE = 110;
const DECADE = 75;
export const TRAVEL = 340;
const LONGEST = 1400;

/** Milliseconds on the screen for so many seconds of work: logarithmic, so that 50 µs and 5 s can both be seen. */
export function shown(seconds: number): number {
  const decades = Math.log10(Math.max(seconds, 0) / 1e-5);
  return Math.round(Math.min(STAGE + DECADE * Math.max(decades, 0), LONGEST));
}

/** Housekeeping that would only hide what matters: events and heartbeats are counted, not shown as trains. */
export function isNoise(journey: Journey): boolean {
  return journey.resource === 'events' || journey.resource === 'leases' || journey.kind === 'heartbeat';
}

interface Placed {
  run: Run;
  journey: Journey;
}

function legsOf(journey: Journey, from: number): Leg[] {
  const legs: Leg[] = [];
  let at = from;
  for (const span of journey.spans) {
    const length = shown(span.end - span.start);
    legs.push({ stage: span.stage, from: at, to: at + length, outcome: span.outcome });
    at += length;
  }
  return legs;
}

/** The moment within a journey at which what it wrote or asked for could begin. */
function effectOf(placed: Placed, child: Journey): number {
  const { run, journey } = placed;
  if (journey.kind === 'request') {
    return run.to;
  }
  // A request sets out during the step that made it.
  const offset = child.start - journey.start;
  const leg = run.legs.find((_, index) => {
    const span = journey.spans[index];
    return span !== undefined && child.start <= span.end;
  });
  if (leg) return leg.from + (leg.to - leg.from) * 0.4;
  return offset <= 0 ? run.from : run.to;
}

/** What may travel together: the same work at about the same time for the same cause. */
function key(journey: Journey): string {
  return [journey.kind, journey.component, journey.verb, journey.resource, journey.subresource, journey.outcome].join(' ');
}

export function schedule(journeys: Journey[]): Run[] {
  const placed = new Map<string, Placed>();
  const runs: Run[] = [];
  const open = new Map<string, Run>();
  const sorted = [...journeys].sort((a, b) => a.start - b.start);
  for (const journey of sorted) {
    let from = 0;
    let known = journey.causes.length === 0;
    for (const cause of journey.causes) {
      const before = placed.get(cause);
      if (before) {
        known = true;
        from = Math.max(from, effectOf(before, journey));
      }
    }
    if (!known && runs.length > 0) from = Math.max(...runs.map((run) => run.from));
    if (journey.causes.length > 0) from += TRAVEL;
    const together = open.get(key(journey));
    if (together && isNoise(journey) === isNoise(together.journey) && Math.abs(together.from - from) < STAGE && together.count > 0) {
      together.count += 1;
      together.ids.push(journey.id);
      placed.set(journey.id, { run: together, journey: together.journey });
      continue;
    }
    const legs = legsOf(journey, from);
    const run: Run = { journey, from, to: legs.at(-1)?.to ?? from + STAGE, legs, count: 1, ids: [journey.id] };
    runs.push(run);
    open.set(key(journey), run);
    placed.set(journey.id, { run, journey });
  }
  return runs;
}

/** Add what was only counted to the last train of its kind. */
export function together(runs: Run[], counted: Map<string, number>): Run[] {
  const left = new Map(counted);
  for (let index = runs.length - 1; index >= 0 && left.size > 0; index--) {
    const { kind, component, verb, resource, outcome } = runs[index]!.journey;
    const key = [kind, component, verb, resource, outcome].join(' ');
    const more = left.get(key);
    if (more === undefined) continue;
    runs[index] = { ...runs[index]!, count: runs[index]!.count + more };
    left.delete(key);
  }
  return runs;
}

/** How long the whole tree takes on the screen. */
export function lengthOf(runs: Run[]): number {
  return runs.reduce((longest, run) => Math.max(longest, run.to), 0);
}

/** The moments at which something begins: where `step` stops. */
export function steps(runs: Run[]): number[] {
  const found = new Set<number>();
  for (const run of runs) {
    if (isNoise(run.journey)) continue;
    for (const leg of run.legs) found.add(Math.round(leg.from));
    found.add(Math.round(run.to));
  }
  return [...found].sort((a, b) => a - b);
}

/** The leg a run is in at a moment, and how far; null before and after. */
export function legAt(run: Run, moment: number): { leg: Leg; index: number; progress: number } | null {
  for (let index = 0; index < run.legs.length; index++) {
    const leg = run.legs[index]!;
    if (moment >= leg.from && moment < leg.to) {
      return { leg, index, progress: (moment - leg.from) / (leg.to - leg.from) };
    }
  }
  return null;
}
