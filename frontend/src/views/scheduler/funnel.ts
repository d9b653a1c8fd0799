/** One scheduling decision as a funnel: from all nodes, filter by filter, to the scores and the winner. Of a recorded attempt, or of a simulation. */
import type { Journey } from '../../types';

export interface Fell {
  node: string;
  plugin: string;
  reason: string;
  /** How many nodes it stands for; without it: one. */
  n?: number;
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
  /** How many more came through than `scores` tells of. */
  unlisted?: number;
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
  const fell: Fell[] = Object.entries(nodes)
    .filter(([, verdict]) => verdict !== 'ok')
    .map(([node, reason]) => ({ node, reason, plugin: reasons[reason] ?? 'NodeResourcesFit' }));
  // In a large cluster most are only counted.
  for (const [plugin, reason, n] of (filter['more'] ?? []) as [string, string, number][]) fell.push({ node: `${n.toLocaleString('en')} ${Object.keys(nodes).length ? 'more ' : ''}nodes`, plugin, reason, n });
  const scores = scoresOf(score);
  return {
    considered: Number(filter['considered'] ?? 0),
    filters: known(filters, fell),
    fell,
    scores,
    unlisted: Math.max(Number(filter['passed'] ?? 0) - scores.length, 0),
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
  const ended: Track[] = funnel.fell.map((one) => ({ key: one.node, label: one.node, n: one.n ?? 1, end: funnel.filters.indexOf(one.plugin), reason: one.reason, total: 0, winner: false }));
  ended.sort((a, b) => b.end - a.end || a.label.localeCompare(b.label, 'en', { numeric: true }));
  const unlisted = funnel.unlisted ?? 0;
  if (through.length + ended.length <= most && unlisted === 0) return [...through, ...ended];
  const fates = new Map<string, Track>();
  for (const one of ended) {
    const key = `${one.end} ${one.reason}`;
    const fate = fates.get(key);
    if (fate) {
      fate.n += one.n;
      fate.label = `${fate.n} nodes`;
    } else fates.set(key, { ...one, key });
  }
  const shown = Math.max(3, most - fates.size - 1);
  const rest = through.slice(shown);
  const hidden = rest.length + unlisted;
  const others: Track[] = hidden ? [{ key: 'others', label: `${hidden} more nodes`, n: hidden, end: -1, reason: '', total: rest[0]?.total ?? through.at(-1)?.total ?? 0, winner: false }] : [];
  return [...through.slice(0, shown), ...others, ...fates.values()];
}

/** How many nodes were asked. */
export function asked(funnel: Funnel): number {
  return funnel.fell.reduce((sum, one) => sum + (one.n ?? 1), funnel.scores.length + (funnel.unlisted ?? 0));
}

/** How many are left after each filter. */
export function left(funnel: Funnel): number[] {
  const fallen = new Map<string, number>();
  for (const one of funnel.fell) fallen.set(one.plugin, (fallen.get(one.plugin) ?? 0) + (one.n ?? 1));
  let rest = asked(funnel);
  return funnel.filters.map((plugin) => (rest -= fallen.get(plugin) ?? 0));
}

/** A plugin's name in words: `NodeResourcesBalancedAllocation` → `Resources balanced`. */
export function shortName(plugin: string): string {
  const names: Record<string, string> = {
    NodeUnschedulable: 'cordoned?', NodeName: 'named node', TaintToleration: 'taints', NodeAffinity: 'labels', NodePorts: 'host ports', NodeResourcesFit: 'room',
    PodTopologySpread: 'spread', InterPodAffinity: 'neighbours', NodeResourcesBalancedAllocation: 'balance', ImageLocality: 'image there', VolumeBinding: 'volumes',
  };
  return names[plugin] ?? plugin;
}
