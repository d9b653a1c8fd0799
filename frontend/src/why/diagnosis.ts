/** A Diagnosis (sim.kubeweb.dev): what is desired, what is, the four steps with their evidence. Worked out by the server when it is read. */
import { exactly, get } from '../api/http';
import { collection, hrefOf } from '../api/kinds';

/** One stage of a recorded journey: `id` is what an address carries (`root.journey:3`). */
export interface SpanReference {
  journey: string;
  id: string;
  component: string;
  stage: string;
  outcome: string;
  time: string;
  detail?: string;
}

export interface Gap {
  what: string;
  desired: string;
  actual: string;
  gap?: string;
  closedBy?: string;
  lastAction?: string;
  lastActionTime?: string;
  lastSpan?: SpanReference;
}

export interface Evidence {
  object: string;
  field: string;
  value: string;
  time?: string;
  /** Of a Span: which one, where the person may see it. */
  span?: SpanReference;
}

export interface Finding {
  reason: string;
  message: string;
  evidence?: Evidence[];
  fix?: string;
  command?: string;
  mend?: { sentence: string; manifest: string; command?: string };
}

export interface CheckStep {
  step: number;
  name: string;
  result: 'Passed' | 'Failed';
  findings?: Finding[];
}

export interface DaemonNode {
  node: string;
  eligible: boolean;
  ready: boolean;
  pod?: string;
  reason?: string;
}

export interface Diagnosis {
  metadata: { name: string; namespace?: string; uid: string; creationTimestamp?: string };
  target: { apiVersion: string; kind: string; namespace?: string; name: string; uid: string };
  verdict: 'Healthy' | 'Progressing' | 'Unhealthy';
  message: string;
  desired: Gap[];
  checklist: CheckStep[];
  nodes?: DaemonNode[];
}

const GROUP = 'sim.kubeweb.dev/v1alpha1';
const DIAGNOSED = new Set(['Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet', 'Job', 'ReplicationController', 'Service', 'PersistentVolumeClaim', 'Pod', 'Node']);

export function isDiagnosed(kind: string): boolean {
  return DIAGNOSED.has(kind);
}

/** Where the diagnosis of an object is read, as it is now. */
function diagnosisPath(kind: string, namespace: string, name: string): string {
  if (kind === 'Node') return `${collection(GROUP, 'nodediagnoses')}/${encodeURIComponent(name)}`;
  return `${collection(GROUP, 'diagnoses', namespace)}/${encodeURIComponent(`${kind.toLowerCase()}.${name}`)}`;
}

const PLURALS: Record<string, [string, string]> = {
  pod: ['', 'pods'], node: ['', 'nodes'], service: ['', 'services'], persistentvolumeclaim: ['', 'persistentvolumeclaims'], job: ['batch', 'jobs'],
  deployment: ['apps', 'deployments'], replicaset: ['apps', 'replicasets'], daemonset: ['apps', 'daemonsets'], statefulset: ['apps', 'statefulsets'],
};

/** The page of the object that a piece of evidence is about: `pod/web-1`. */
export function evidenceHref(evidence: Evidence, namespace: string): string {
  const [kind, name] = evidence.object.split('/') as [string, string | undefined];
  const place = PLURALS[kind];
  return place && name ? hrefOf(place[0], place[1], namespace, name) : '';
}

const list = async (path: string, params: Record<string, string>): Promise<Diagnosis[]> => (await get<{ items: Diagnosis[] }>(`${path}?${new URLSearchParams(params).toString()}`)).items;

/** The diagnoses of a namespace (none: of all), as of a revision (null: now). */
export const diagnoses = (namespace: string, at: number | null): Promise<Diagnosis[]> => list(collection(GROUP, 'diagnoses', namespace), exactly(at));
export const nodeDiagnoses = (at: number | null): Promise<Diagnosis[]> => list(collection(GROUP, 'nodediagnoses'), exactly(at));

/** The diagnosis of one object, as of a revision (null: now). An Error that says why there is none. */
export async function diagnosisOf(kind: string, namespace: string, name: string, at: number | null): Promise<Diagnosis> {
  if (at === null) return get<Diagnosis>(diagnosisPath(kind, namespace, name));
  const path = collection(GROUP, kind === 'Node' ? 'nodediagnoses' : 'diagnoses', kind === 'Node' ? '' : namespace);
  const [found] = await list(path, { fieldSelector: `metadata.name=${kind === 'Node' ? name : `${kind.toLowerCase()}.${name}`}`, ...exactly(at) });
  if (!found) throw new Error(`There was no ${kind} ${name} at revision ${at.toLocaleString('en')}.`);
  return found;
}

const RANK = { Unhealthy: 0, Progressing: 1, Healthy: 2 } as const;

/** The worst first; of equals those that miss most. */
export function worstFirst(diagnoses: Diagnosis[]): Diagnosis[] {
  const missing = (one: Diagnosis): number => one.desired.filter((gap) => gap.gap).length;
  return [...diagnoses].sort((a, b) => RANK[a.verdict] - RANK[b.verdict] || missing(b) - missing(a) || a.target.name.localeCompare(b.target.name, 'en', { numeric: true }));
}

/** The colour of a verdict. Nothing is green while anything is missing, whatever it calls itself. */
export function toneOf(one: Pick<Diagnosis, 'verdict' | 'desired' | 'checklist'>): 'green' | 'amber' | 'red' {
  if (one.verdict === 'Unhealthy' || one.checklist.some((step) => step.result === 'Failed')) return 'red';
  if (one.verdict !== 'Healthy' || one.desired.some((gap) => gap.gap)) return 'amber';
  return 'green';
}

/** Done and total of the to-do list. */
export function progress(one: Pick<Diagnosis, 'desired'>): { done: number; all: number } {
  return { done: one.desired.filter((gap) => !gap.gap).length, all: one.desired.length };
}
