/**
 * The cluster as it was: the state of any past revision, from the API server's own exact lists. Kept for a while, so that
 * going to and fro is quick; what is asked for last wins.
 */
import { request } from '../api/http';
import { applyParts, type Objects } from './reduce';

/** Moments that are kept, and objects of all of them together (the newest moment is kept in any case). */
const KEPT = 40;
const KEPT_OBJECTS = 200_000;

interface Answer {
  revision: number;
  resources: Record<string, { uid?: string; name: string; namespace?: string }[]>;
  refused: Record<string, string>;
  message?: string;
}

function sizeOf(objects: Objects): number {
  return Object.values(objects).reduce((sum, map) => sum + map.size, 0);
}

export type Standing = { kind: 'none' } | { kind: 'loading' } | { kind: 'ready' } | { kind: 'gone' | 'failed'; message: string };

export class Past {
  /** The revision shown, or asked for. */
  revision = $state<number | null>(null);
  standing = $state.raw<Standing>({ kind: 'none' });
  /** What is shown; while another moment is read, the one before it. */
  objects: Objects = {};
  #kept = new Map<number, Objects>();
  #controller: AbortController | null = null;

  constructor(private readonly changed: () => void) {}

  /** Show a revision with these resources; null: back to now. */
  async show(revision: number | null, resources: Iterable<string>): Promise<void> {
    this.#controller?.abort();
    this.revision = revision;
    if (revision === null) {
      this.standing = { kind: 'none' };
      this.objects = {};
      this.changed();
      return;
    }
    const known = this.#kept.get(revision) ?? {};
    const missing = [...resources].filter((one) => !(one in known));
    if (missing.length > 0) {
      this.standing = { kind: 'loading' };
      const controller = new AbortController();
      this.#controller = controller;
      try {
        const response = await request('GET', `/explorer/past/?at=${revision}&resources=${missing.join(',')}`, undefined, undefined, controller.signal);
        const answer = (await response.json()) as Answer;
        if (controller.signal.aborted) return;
        if (!response.ok) {
          this.standing = { kind: response.status === 410 ? 'gone' : 'failed', message: answer.message ?? `The server answered ${response.status}.` };
          this.objects = {};
          this.changed();
          return;
        }
        for (const resource of missing) {
          const items = answer.resources[resource] ?? [];
          applyParts(known, [{ resource, fresh: true, events: items.map((one) => ['SET', one]) }]);
        }
      } catch (error) {
        if (controller.signal.aborted) return;
        this.standing = { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
        return;
      }
    }
    this.#kept.delete(revision);
    this.#kept.set(revision, known);
    let held = 0;
    for (const objects of this.#kept.values()) held += sizeOf(objects);
    for (const [oldest, objects] of this.#kept) {
      if ((this.#kept.size <= KEPT && held <= KEPT_OBJECTS) || oldest === revision) break;
      this.#kept.delete(oldest);
      held -= sizeOf(objects);
    }
    this.objects = known;
    this.standing = { kind: 'ready' };
    this.changed();
  }
}
