/** The cluster as the page knows it: a pure reducer over what the stream says. */
import type { Journey } from '../types';

export type Objects = Record<string, Map<string, { name: string; namespace?: string }>>;

/** What may be seen: why a resource may not be; in which namespaces one may be, where not in all. */
export interface Sight {
  refused: Record<string, string>;
  within: Record<string, string[]>;
}

/** What is new about one resource: all that is known of it before is void when it is `fresh`. */
export interface Part {
  resource: string;
  fresh: boolean;
  /** Of a fresh one: the namespaces that it is seen in; without it, all. */
  within?: string[];
  events: [string, { uid?: string; name: string; namespace?: string }][];
}

/** One message of a cut; the cut is whole when there is no `more`. */
export interface ChangesMessage {
  op: 'changes';
  revision: number;
  parts: Part[];
  more: boolean;
}

export function keyOf(object: { name: string; namespace?: string }): string {
  return object.namespace ? `${object.namespace}/${object.name}` : object.name;
}

/** Apply the parts of one whole cut, in order. Deletions take objects away; a fresh resource starts from nothing. */
export function applyParts(objects: Objects, parts: Part[]): void {
  for (const { resource, fresh, events } of parts) {
    const map = fresh ? new Map() : (objects[resource] ?? new Map());
    for (const [kind, object] of events) {
      if (kind === 'DELETED') map.delete(keyOf(object));
      else map.set(keyOf(object), object);
    }
    objects[resource] = map;
  }
}

export interface Tree {
  root: string;
  journeys: Map<string, Journey>;
  head: Journey | null;
  /** Milliseconds of wall time when the first of it arrived here. */
  seen: number;
  /** How many more there were of a kind than came one by one. */
  counted: Map<string, number>;
}

/** Sort journeys into their trees; returns the roots that changed. Trees beyond `limit` are dropped, oldest first, but none that is `inUse`. */
export function collect(trees: Map<string, Tree>, journeys: Journey[], now: number, inUse: ReadonlySet<string> = new Set(), limit = 60): string[] {
  const touched = new Set<string>();
  for (const journey of journeys) {
    let tree = trees.get(journey.root);
    if (!tree) {
      if (journey.id !== journey.root) {
        // What follows from something that was over before we looked.
        continue;
      }
      if (journey.origin !== 'outside') continue;
      tree = { root: journey.root, journeys: new Map(), head: null, seen: now, counted: new Map() };
      trees.set(journey.root, tree);
    }
    tree.journeys.set(journey.id, journey);
    if (journey.id === journey.root) tree.head = journey;
    touched.add(journey.root);
  }
  for (const root of trees.keys()) {
    if (trees.size <= limit) break;
    if (!inUse.has(root)) trees.delete(root);
  }
  return [...touched];
}

/** A pod's look: phase by colour and shape. */
export type Look = 'pending' | 'creating' | 'running' | 'unready' | 'terminating' | 'failed' | 'done';

export function lookOf(pod: { status: string; phase: string; isReady: boolean; deleting: number | null }): Look {
  if (pod.deleting !== null) return 'terminating';
  if (pod.phase === 'Succeeded' || pod.status === 'Completed') return 'done';
  if (pod.phase === 'Failed' || /Err|BackOff|Error|Invalid|OutOf|Evicted/.test(pod.status)) return 'failed';
  if (pod.phase === 'Running') return pod.isReady ? 'running' : 'unready';
  return /Creating|Init|Initializing/.test(pod.status) ? 'creating' : 'pending';
}

/** Slots: every pod keeps its place in its district as long as it lives. */
export function assignSlots(slots: Map<string, number>, uids: string[]): Map<string, number> {
  const here = new Set(uids);
  for (const uid of [...slots.keys()]) if (!here.has(uid)) slots.delete(uid);
  const taken = new Set(slots.values());
  let next = 0;
  for (const uid of uids) {
    if (slots.has(uid)) continue;
    while (taken.has(next)) next++;
    slots.set(uid, next);
    taken.add(next);
  }
  return slots;
}
