/** What `/explorer/why/` says, and how it is put into words: the stations of the line from a person's request to an object. */
import { hrefOf, titleOf } from '../api/kinds';

export interface Step {
  id: string;
  root: string;
  kind: 'request' | 'reconcile' | 'schedule' | 'sync';
  component: string;
  actor: string;
  impersonator?: string;
  agent: string;
  verb: string;
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  outcome: string;
  reason: string;
  revision: number;
  start: number;
  end: number;
  code: number;
  said: Record<string, unknown>;
  hidden?: boolean;
}

export interface Owner {
  apiVersion: string;
  kind: string;
  resource: string;
  namespace: string;
  name: string;
  exists: boolean;
  made: Step | null;
}

export interface Change {
  revision: number;
  verb: string;
  journey: string;
  status: boolean;
  fields: { field: string; from?: unknown; to?: unknown }[];
  more: number;
  step: Step | null;
}

export interface Branch {
  step: Step;
  n: number;
  distinct: number;
  names: { namespace: string; name: string }[];
  branches: Branch[];
}

export interface Why {
  object: { apiVersion: string; kind: string; resource: string; namespace: string; name: string; uid: string; created: string; exists: boolean };
  owners: Owner[];
  chain: Step[];
  since: Step[];
  changes: Change[];
  statusChanges: number;
  caused: { step: Step; branches: Branch[] }[];
}

/** One stop of the line. */
export interface Station {
  id: string;
  root: string;
  who: string;
  what: string;
  /** The object that was written, as a link; empty when the stop wrote none. */
  href: string;
  object: string;
  /** With which tool, of what a person did. */
  how: string;
  tone: 'person' | 'loop' | 'scheduler' | 'kubelet';
  outcome: 'ok' | 'refused' | 'error' | 'wait' | 'open';
  revision: number;
  start: number;
}

const PAST: Record<string, string> = { create: 'created', update: 'updated', patch: 'changed', delete: 'deleted', deletecollection: 'deleted all', get: 'read', list: 'listed' };

/** Whoever asked, and who that really was: `boss as alice`. */
export function actorOf({ actor, impersonator }: { actor: string; impersonator?: string }): string {
  return impersonator ? `${impersonator} as ${actor}` : actor;
}

/** A user in words: a person by name, a component by what it is. */
export function who(step: Pick<Step, 'actor' | 'impersonator' | 'component' | 'kind' | 'hidden'>): string {
  if (step.hidden) return 'somebody else';
  if (step.impersonator) return actorOf({ actor: who({ ...step, impersonator: '' }), impersonator: step.impersonator });
  const { actor } = step;
  const loop = actor.match(/^system:serviceaccount:kube-system:(.+?)(-controller)?$/);
  if (loop) return `${loop[1]!.replaceAll('-', ' ')} controller`;
  if (actor.startsWith('system:serviceaccount:')) return actor.replace('system:serviceaccount:', 'ServiceAccount ').replace(':', '/');
  if (actor.startsWith('system:node:')) return `kubelet of ${actor.slice(12)}`;
  if (actor === 'system:kube-scheduler') return 'scheduler';
  if (actor.startsWith('system:')) return actor.slice(7).replaceAll('-', ' ');
  return actor || step.component;
}

export function isPerson(step: Pick<Step, 'actor' | 'hidden'>): boolean {
  return Boolean(step.hidden) || (step.actor !== '' && !step.actor.startsWith('system:'));
}

function toneOf(step: Step): Station['tone'] {
  if (step.kind === 'schedule' || step.actor === 'system:kube-scheduler') return 'scheduler';
  if (step.kind === 'sync' || step.actor.startsWith('system:node:')) return 'kubelet';
  return isPerson(step) ? 'person' : 'loop';
}

function tool(agent: string): string {
  if (agent.startsWith('Mozilla/')) return 'in the browser';
  const name = agent.split(/[/ ]/)[0] ?? '';
  return name && !name.startsWith('kubeweb') ? `with ${name}` : '';
}

/** What a request did, without who. */
export function did(step: Pick<Step, 'verb' | 'group' | 'resource' | 'subresource' | 'code'>): string {
  const what = step.subresource && step.subresource !== 'status' ? `${step.subresource} of ${titleOf(step.group, step.resource)}` : titleOf(step.group, step.resource);
  // Server-side apply makes what is not there yet.
  const made = step.verb === 'patch' && step.code === 201;
  const verb = step.subresource === 'binding' ? 'bound' : made ? 'created' : (PAST[step.verb] ?? step.verb);
  return `${verb} ${step.subresource === 'binding' ? titleOf(step.group, step.resource) : what}`;
}

/** What a loop found and decided: `wanted 3, had 0`. */
export function found(said: Record<string, unknown>): string {
  const compare = (said['compare'] ?? {}) as Record<string, unknown>;
  if ('desired' in compare && 'actual' in compare) return `wanted ${String(compare['desired'])}, had ${String(compare['actual'])}`;
  if ('desired' in compare && 'newReplicaSet' in compare) return `wanted ${String(compare['desired'])}, its newest ReplicaSet had ${String(compare['newReplicaSet'])}`;
  return plain(compare) || plain((said['observe'] ?? {}) as Record<string, unknown>);
}

export function plain(detail: Record<string, unknown>): string {
  return Object.entries(detail)
    .filter(([, value]) => value !== null && typeof value !== 'object')
    .map(([key, value]) => `${key.replace(/([A-Z])/g, ' $1').toLowerCase()} ${String(value)}`)
    .join(', ');
}

function scheduled(step: Step): string {
  const said = step.said as { node?: string; score?: number; considered?: number; passed?: number };
  if (said.node) return `chose ${said.node}: ${said.passed ?? '?'} of ${said.considered ?? '?'} nodes would do, it scored ${said.score ?? '?'}`;
  return step.reason || 'no node would do';
}

const DONE: Record<string, string> = { sandbox: 'made the sandbox', pull: 'pulled the image', create: 'created', start: 'started', probe: 'probed', prestop: 'ran preStop', sigterm: 'sent SIGTERM', sigkill: 'sent SIGKILL', remove: 'let it go', requests: 'counted the last requests' };

function synced(step: Step): string {
  const stages = ((step.said as { stages?: [string, string][] }).stages ?? []).map(([name, outcome]) => (outcome === 'ok' ? (DONE[name] ?? name) : `${name}: ${outcome}`));
  const words = [...new Set(stages)].join(', ');
  return words || (step.outcome === 'open' ? 'is at it' : 'looked after it');
}

function outcomeOf(step: Step): Station['outcome'] {
  return (['refused', 'error', 'wait', 'open'] as const).find((one) => one === step.outcome) ?? 'ok';
}

/**
 * The stations of a line. A reconcile and the write it made are one stop: who found what, and therefore did what.
 * What follows a write of the same loop on the same object is folded into its last.
 */
export function stations(steps: Step[]): Station[] {
  const line: Station[] = [];
  let before: Step | null = null;
  for (const step of steps) {
    if (step.kind === 'reconcile') {
      before = step;
      continue;
    }
    const because = before && step.kind === 'request' ? found(before.said) : '';
    before = null;
    line.push({
      id: step.id,
      root: step.root,
      who: who(step),
      what: wordsOf(step, because),
      href: step.kind === 'request' ? hrefOf(step.group, step.resource, step.namespace, step.name) : '',
      object: step.kind === 'request' ? step.name : '',
      how: isPerson(step) && step.kind === 'request' ? tool(step.agent) : '',
      tone: toneOf(step),
      outcome: outcomeOf(step),
      revision: step.revision,
      start: step.start,
    });
  }
  if (before) {
    line.push({ id: before.id, root: before.root, who: who(before), what: found(before.said), href: '', object: '', how: '', tone: 'loop', outcome: outcomeOf(before), revision: 0, start: before.start });
  }
  return line;
}

function wordsOf(step: Step, because: string): string {
  if (step.kind === 'schedule') return scheduled(step);
  if (step.kind === 'sync') return synced(step);
  return because ? `${because}: ${did(step)}` : did(step);
}

/** A change in words: `spec.replicas 3 → 5`. */
export function changed(change: Change): string {
  const words = change.fields.map(({ field, from, to }) => {
    if (from === undefined && to === undefined) return field;
    return `${field} ${from === null || from === undefined ? '' : `${String(from)} `}→ ${to === null || to === undefined ? 'gone' : String(to)}`;
  });
  return [...words, ...(change.more ? [`and ${change.more} more`] : [])].join(', ');
}

/** A branch in words: `created 3 Pods`. */
export function branched(branch: Branch): string {
  const { step, n } = branch;
  const times = n > 1 && n !== branch.distinct ? `, ${n} times` : '';
  if (step.kind === 'schedule') return n === 1 ? scheduled(step) : `placed ${branch.distinct} pods${times}`;
  if (step.kind === 'sync') return n === 1 ? synced(step) : `${synced(step)}: ${branch.distinct} pods${times}`;
  const [verb, ...what] = did(step).split(' ');
  const title = what.join(' ');
  if (step.outcome === 'refused' || step.outcome === 'error') return `was refused: ${step.reason || `${verb} ${title}`}`;
  return branch.distinct > 1 ? `${verb} ${branch.distinct} ${title}s${times}` : `${verb} ${title}${times}`;
}
