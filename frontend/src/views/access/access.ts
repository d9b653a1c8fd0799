/** Questions about access (docs/decisions/0014): asked of the API like everything, answered and stored nowhere. */
import { request, type Status } from '../../api/http';

export interface Mended {
  sentence: string;
  manifest: string;
}

export interface Considered {
  verdict: string;
  sentence: string;
  binding: string;
  role: string;
  mend?: Mended;
}

export interface Explanation {
  user: string;
  /** The past revision by whose rules this is the answer. */
  revision?: number;
  groups?: string[];
  allowed: boolean;
  reason?: string;
  message?: string;
  grant?: { binding: string; role: string; rule?: Rule };
  considered?: Considered[];
  nearMisses?: Considered[];
  suggestions?: Mended[];
}

export interface Rule {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

export interface Matrix {
  user: string;
  groups?: string[];
  verbs?: string[];
  grants?: { binding: string; role: string; rule?: Rule }[];
  rows?: { group: string; resource: string; kind: string; namespaced: boolean; cells?: { verb: string; allowed: boolean; names?: string[]; grants?: number[] }[] }[];
  incomplete?: boolean;
  evaluationError?: string;
}

export interface Subject {
  kind: string;
  name: string;
  namespace?: string;
  members?: string[];
  binding: string;
  role: string;
}

export interface Report {
  subjects?: Subject[];
  incomplete?: boolean;
}

export async function ask<T>(kind: string, plural: string, spec: Record<string, unknown>): Promise<T> {
  const response = await request('POST', `/apis/sim.kubeweb.dev/v1alpha1/${plural}`, JSON.stringify({ apiVersion: 'sim.kubeweb.dev/v1alpha1', kind, spec }));
  const answer = (await response.json()) as { status: T } & Partial<Status>;
  if (!response.ok) throw new Error(answer.message ?? String(response.status));
  return answer.status;
}

/** `deployments.apps/scale` → its parts; the way people and kubectl write a resource. */
export function resourceOf(text: string): { group: string; resource: string; subresource: string } {
  const [qualified = '', subresource = ''] = text.trim().split('/');
  const [resource = '', ...group] = qualified.split('.');
  return { group: group.join('.'), resource, subresource };
}

export function nameOf(row: { group: string; resource: string }): string {
  const [plural, subresource] = row.resource.split('/') as [string, string | undefined];
  return `${plural}${row.group ? `.${row.group}` : ''}${subresource ? `/${subresource}` : ''}`;
}

/** The page of a binding or role: `RoleBinding/shop/devs-edit`, `ClusterRole/edit`. */
export function partsOf(title: string): { kind: string; namespace: string; name: string } {
  const [kind = '', ...rest] = title.split('/');
  const name = rest.pop() ?? '';
  return { kind, namespace: rest.join('/'), name };
}

export function ruleWords(rule: Rule | undefined): string {
  if (!rule) return '';
  const what = rule.nonResourceURLs ?? (rule.resources ?? []).map((one) => (rule.apiGroups?.some((group) => group) ? `${one} of ${rule.apiGroups.map((group) => group || 'core').join(', ')}` : one));
  return `${(rule.verbs ?? []).join(', ')} ${what.join(', ')}${rule.resourceNames?.length ? ` named ${rule.resourceNames.join(', ')}` : ''}`;
}

/** Rows whose name has the words; those with any right before those without. */
export function shownRows(matrix: Matrix, text: string, granted: boolean): NonNullable<Matrix['rows']> {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const any = (row: NonNullable<Matrix['rows']>[number]) => Boolean(row.cells?.some((cell) => cell.allowed || cell.names?.length));
  return (matrix.rows ?? [])
    .filter((row) => words.every((word) => `${nameOf(row)} ${row.kind}`.toLowerCase().includes(word)))
    .filter((row) => !granted || any(row));
}
