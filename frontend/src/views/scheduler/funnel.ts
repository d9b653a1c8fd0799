/** One scheduling decision as a funnel: from all nodes, filter by filter, to the scores and the winner. Of a recorded attempt, or of a simulation. */
import type { Journey } from '../../types';

export interface Fell {
  node: string;
  plugin: string;
  reason: string;
}

export interface Score {
  node: string;
  total: number;
  by: Record<string, number>;
}

export interface Funnel {
  considered: number;
  filters: string[];
  fell: Fell[];
  /** The best first. */
  scores: Score[];
  winner: string;
  message: string;
  preempted: string[];
}

type Detail = Record<string, unknown>;

/** Out of the spans of a scheduling attempt. `filters`: the server's declaration, in the order they are asked. */
export function fromJourney(journey: Journey, filters: string[]): Funnel {
  const detail = (stage: string): Detail => (journey.spans.find((one) => one.stage === stage)?.detail ?? {}) as Detail;
  const [filter, score, bind, preempt] = [detail('filter'), detail('score'), detail('bind'), detail('preempt')];
  const reasons = (filter['reasons'] ?? {}) as Record<string, string>;
  const nodes = (filter['nodes'] ?? {}) as Record<string, string>;
  const fell = Object.entries(nodes)
    .filter(([, verdict]) => verdict !== 'ok')
    .map(([node, reason]) => ({ node, reason, plugin: reasons[reason] ?? 'NodeResourcesFit' }));
  return {
    considered: Number(filter['considered'] ?? 0),
    filters: known(filters, fell),
    fell,
    scores: scoresOf(score),
    winner: String(bind['node'] ?? ''),
    message: journey.outcome === 'refused' ? journey.reason : '',
    preempted: (preempt['victims'] as string[] | undefined) ?? [],
  };
}

function scoresOf(detail: Detail): Score[] {
  let found: Score[];
  if (Array.isArray(detail['nodes'])) {
    const [names, columns, totals] = [detail['nodes'] as string[], detail['columns'] as Record<string, number[]>, detail['total'] as number[]];
    found = names.map((node, position) => ({ node, total: totals[position] ?? 0, by: Object.fromEntries(Object.entries(columns).map(([plugin, values]) => [plugin, values[position] ?? 0])) }));
  } else {
    found = Object.entries(detail as Record<string, Record<string, number>>).map(([node, { total = 0, ...by }]) => ({ node, total, by }));
  }
  return found.sort((a, b) => b.total - a.total);
}

export interface Simulation {
  node?: string;
  message?: string;
  considered?: number;
  filters?: { name: string; refused: number }[];
  nodes?: { name: string; refusedBy?: string; reasons?: string[]; scores?: Record<string, number>; total?: number }[];
  preemption?: { node: string; victims: string[] };
}

/** Out of the answer to a SchedulingSimulation. */
export function fromSimulation(status: Simulation): Funnel {
  const nodes = status.nodes ?? [];
  const fell = nodes.filter((one) => one.refusedBy).map((one) => ({ node: one.name, plugin: one.refusedBy!, reason: (one.reasons ?? []).join(', ') }));
  return {
    considered: status.considered ?? 0,
    filters: known((status.filters ?? []).map((one) => one.name), fell),
    fell,
    scores: nodes.filter((one) => !one.refusedBy).map((one) => ({ node: one.name, total: one.total ?? 0, by: one.scores ?? {} })),
    winner: status.node ?? '',
    message: status.message ?? '',
    preempted: status.preemption?.victims ?? [],
  };
}

/** A filter that nobody declared stands at the end, not nowhere. */
function known(filters: string[], fell: Fell[]): string[] {
  return [...filters, ...new Set(fell.map((one) => one.plugin).filter((plugin) => !filters.includes(plugin)))];
}

/** One track of the drawing: a node, or several that shared their fate. */
export interface Track {
  key: string;
  label: string;
  n: number;
  /** Position of the filter where it ended; -1 for those that came through. */
  end: number;
  reason: string;
  total: number;
  winner: boolean;
}

/** The tracks, the winner first, then by score, then by how far they came. More than `most` are drawn together by their fate. */
export function tracks(funnel: Funnel, most = 14): Track[] {
  const through: Track[] = funnel.scores.map((one) => ({ key: one.node, label: one.node, n: 1, end: -1, reason: '', total: one.total, winner: one.node === funnel.winner }));
  through.sort((a, b) => Number(b.winner) - Number(a.winner) || b.total - a.total);
  const ended: Track[] = funnel.fell.map((one) => ({ key: one.node, label: one.node, n: 1, end: funnel.filters.indexOf(one.plugin), reason: one.reason, total: 0, winner: false }));
  ended.sort((a, b) => b.end - a.end || a.label.localeCompare(b.label, 'en', { numeric: true }));
  if (through.length + ended.length <= most) return [...through, ...ended];
  const fates = new Map<string, Track>();
  for (const one of ended) {
    const key = `${one.end} ${one.reason}`;
    const fate = fates.get(key);
    if (fate) {
      fate.n += 1;
      fate.label = `${fate.n} nodes`;
    } else fates.set(key, { ...one, key });
  }
  const shown = Math.max(3, most - fates.size - 1);
  const rest = through.slice(shown);
  const others: Track[] = rest.length ? [{ key: 'others', label: `${rest.length} more nodes`, n: rest.length, end: -1, reason: '', total: rest[0]!.total, winner: false }] : [];
  return [...through.slice(0, shown), ...others, ...fates.values()];
}

/** How many are left after each filter. */
export function left(funnel: Funnel): number[] {
  let rest = funnel.fell.length + funnel.scores.length;
  return funnel.filters.map((plugin) => (rest -= funnel.fell.filter((one) => one.plugin === plugin).length));
}

/** A plugin's name in words: `NodeResourcesBalancedAllocation` → `Resources balanced`. */
export function shortName(plugin: string): string {
  const names: Record<string, string> = {
    NodeUnschedulable: 'cordoned?', NodeName: 'named node', TaintToleration: 'taints', NodeAffinity: 'labels', NodePorts: 'host ports', NodeResourcesFit: 'room',
    PodTopologySpread: 'spread', InterPodAffinity: 'neighbours', NodeResourcesBalancedAllocation: 'balance', ImageLocality: 'image there', VolumeBinding: 'volumes',
  };
  return names[plugin] ?? plugin;
}
