/** The rounds of the control loops that look after an object, out of journeys. */
import type { Journey, Span } from '../../types';

export const STEPS = ['observe', 'compare', 'decide', 'act', 'verify'] as const;

/** The loops that look after what is no workload. */
const LOOPS: Record<string, string[]> = { Service: ['endpointslice', 'service'], PersistentVolumeClaim: ['persistentvolume', 'expand'] };

/** Reconciles of the object itself, and for a Deployment those of its ReplicaSets; the newest first. */
export function rounds(journeys: Iterable<Journey>, kind: string, namespace: string, name: string, most = 8): Journey[] {
  const found: Journey[] = [];
  for (const one of journeys) {
    if (one.kind !== 'reconcile' || one.namespace !== namespace) continue;
    const own = one.name === name && (one.component === kind.toLowerCase() || kind === 'Pod' || (LOOPS[kind]?.includes(one.component) ?? false));
    const below = kind === 'Deployment' && one.component === 'replicaset' && one.name.startsWith(`${name}-`);
    if (own || below) found.push(one);
  }
  return found.sort((a, b) => b.start - a.start).slice(0, most);
}

/** What each of the five steps said in a round; a step that was not needed is null. */
export function stepsOf(round: Journey): { step: string; span: Span | null; words: string }[] {
  return STEPS.map((step) => {
    const span = round.spans.find((one) => one.stage === step) ?? null;
    return { step, span, words: span?.detail ? words(span.detail) : '' };
  });
}

function words(detail: Record<string, unknown>): string {
  return Object.entries(detail)
    .filter(([, value]) => value !== null && typeof value !== 'object')
    .map(([key, value]) => `${key.replace(/([A-Z])/g, ' $1').toLowerCase()} ${String(value)}`)
    .join(', ');
}

/** The discs of a platform: how many are wanted, are there, are ready. More than `most` are counted instead of drawn. */
export function discs(desired: number, actual: number, ready: number, most = 16): { look: 'ready' | 'there' | 'missing' | 'surplus' }[] {
  const count = Math.min(Math.max(desired, actual), most);
  return Array.from({ length: count }, (_, index) => {
    if (index >= desired) return { look: 'surplus' as const };
    if (index < ready) return { look: 'ready' as const };
    return { look: index < actual ? ('there' as const) : ('missing' as const) };
  });
}
