/**
 * The cluster as it was: the state of any past revision, from the API server's own exact lists. Kept for a while, so that
 * going to and fro is quick; what is asked for last wins.
 */
import { request } from '../api/http';
import { applyParts, type Objects, type Sight } from './reduce';

/** Moments that are kept, and objects of all of them together (the newest moment is kept in any case). */
const KEPT = 40;
const KEPT_OBJECTS = 200_000;

interface Answer {
  revision: number;
  resources: Record<string, { uid?: string; name: string; namespace?: string }[]>;
  /** Why a resource may not be seen. */
  refused: Record<string, string>;
  /** The namespaces that a resource was seen in, where not in all. */
  within: Record<string, string[]>;
  message?: string;
}

interface Kept {
  objects: Objects;
  sight: Sight;
}

function sizeOf({ objects }: Kept): number {
  return Object.values(objects).reduce((sum, map) => sum + map.size, 0);
}

export type Standing = { kind: 'none' } | { kind: 'loading' } | { kind: 'ready' } | { kind: 'gone' | 'failed'; message: string };

export class Past {
  /** The revision shown, or asked for. */
  revision = $state<number | null>(null);
  standing = $state.raw<Standing>({ kind: 'none' });
  /** What is shown; while another moment is read, the one before it. */
  objects: Objects = {};
  /** What of it may be seen. */
  sight: Sight = { refused: {}, within: {} };
  #kept = new Map<number, Kept>();
  #controller: AbortController | null = null;

  constructor(private readonly changed: () => void) {}

  /** Show a revision with these resources; null: back to now. */
  async show(revision: number | null, resources: Iterable<string>): Promise<void> {
    this.#controller?.abort();
    this.revision = revision;
    if (revision === null) {
      this.standing = { kind: 'none' };
      this.#shown({ objects: {}, sight: { refused: {}, within: {} } });
      return;
    }
    const known = this.#kept.get(revision) ?? { objects: {}, sight: { refused: {}, within: {} } };
    const missing = [...resources].filter((one) => !(one in known.objects));
    if (missing.length > 0) {
      this.standing = { kind: 'loading' };
      const controller = new AbortController();
      this.#controller = controller;
      try {
        const response = await request('GET', `/explorer/past/?at=${revision}&resources=${missing.join(',')}`, undefined, undefined, controller.signal);
        const answer = (await response.json()) as Answer;
        if (controller.signal.aborted) return;
        if (!response.ok) {
          this.#end(response.status === 410 ? 'gone' : 'failed', answer.message ?? `The server answered ${response.status}.`);
          return;
        }
        for (const resource of missing) {
          const items = answer.resources[resource] ?? [];
          applyParts(known.objects, [{ resource, fresh: true, events: items.map((one) => ['SET', one]) }]);
        }
        known.sight = { refused: { ...known.sight.refused, ...answer.refused }, within: { ...known.sight.within, ...answer.within } };
      } catch (error) {
        if (controller.signal.aborted) return;
        this.#end('failed', error instanceof Error ? error.message : String(error));
        return;
      }
    }
    this.#kept.delete(revision);
    this.#kept.set(revision, known);
    let held = 0;
    for (const one of this.#kept.values()) held += sizeOf(one);
    for (const [oldest, one] of this.#kept) {
      if ((this.#kept.size <= KEPT && held <= KEPT_OBJECTS) || oldest === revision) break;
      this.#kept.delete(oldest);
      held -= sizeOf(one);
    }
    this.standing = { kind: 'ready' };
    this.#shown(known);
  }

  /** The log now begins here: what is older is not shown any more either, for nothing more can be asked about it. */
  compacted(oldest: number): void {
    for (const revision of this.#kept.keys()) if (revision < oldest) this.#kept.delete(revision);
    if (this.revision === null || this.revision >= oldest || this.standing.kind === 'gone') return;
    this.#end('gone', `Revision ${this.revision} has been compacted away: the log goes back to revision ${oldest}.`);
  }

  #end(kind: 'gone' | 'failed', message: string): void {
    this.#controller?.abort();
    this.standing = { kind, message };
    this.#shown({ objects: {}, sight: { refused: {}, within: {} } });
  }

  #shown({ objects, sight }: Kept): void {
    [this.objects, this.sight] = [objects, sight];
    this.changed();
  }
}
