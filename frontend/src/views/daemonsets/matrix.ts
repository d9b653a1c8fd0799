/** DaemonSets by node: what each disc of the matrix stands for. */
import type { DaemonNode, Diagnosis } from '../../why/diagnosis';

export type State = 'ready' | 'unready' | 'missing' | 'surplus' | 'none';

export interface Cell {
  state: State;
  pod: string;
  reason: string;
}

export interface Row {
  uid: string;
  namespace: string;
  name: string;
  cells: Cell[];
  eligible: number;
  ready: number;
}

const BY_NAME = new Intl.Collator('en', { numeric: true });
const MANY = 60;

export function stateOf(node: DaemonNode): State {
  if (node.pod && !node.eligible && /not run here/.test(node.reason ?? '')) return 'surplus';
  if (node.ready) return 'ready';
  if (node.pod) return 'unready';
  return node.eligible ? 'missing' : 'none';
}

export function matrix(diagnoses: Diagnosis[]): { nodes: string[]; rows: Row[] } {
  const names = new Set<string>();
  const lacking = new Set<string>();
  for (const one of diagnoses)
    for (const node of one.nodes ?? []) {
      names.add(node.node);
      if (!['ready', 'none'].includes(stateOf(node))) lacking.add(node.node);
    }
  const nodes = [...names].sort(BY_NAME.compare);
  // What fits is in the order of names; of more, those come first where something is not as it should be.
  if (nodes.length > MANY) nodes.sort((a, b) => Number(lacking.has(b)) - Number(lacking.has(a)));
  const rows = diagnoses.map((one) => {
    const by = new Map((one.nodes ?? []).map((node) => [node.node, node]));
    const all = [...by.values()];
    return {
      uid: one.target.uid,
      namespace: one.target.namespace ?? '',
      name: one.target.name,
      cells: nodes.map((name) => {
        const node = by.get(name);
        return node ? { state: stateOf(node), pod: node.pod ?? '', reason: node.reason ?? '' } : { state: 'none' as const, pod: '', reason: '' };
      }),
      eligible: all.filter((node) => node.eligible).length,
      ready: all.filter((node) => node.eligible && node.ready).length,
    };
  });
  return { nodes, rows: rows.sort((a, b) => a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name)) };
}
