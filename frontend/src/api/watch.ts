/**
 * List and watch as any Kubernetes client does: first what is there, then every change, resumed where it stopped; when the
 * revision is too old, listed again. For what the page's own stream does not carry.
 */
import { acting } from './acting.svelte';
import { exactly, read, request, type Status } from './http';
import { problemOf, Unanswered, type Problem } from './problem';

export interface Meta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  deletionTimestamp?: string;
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
  finalizers?: string[];
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: Meta;
  [field: string]: unknown;
}

interface List<T> {
  kind?: string;
  apiVersion?: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

export interface Told<T> {
  items: T[];
  /** Why nothing is told (forbidden, no such resource), or why nothing newer than `items`; null when all is well. */
  problem: Problem | null;
  revision: string;
  /** How many there are beyond those that are told; where the server does not count, at least one. */
  more: number;
}

const FIRST_RETRY = 500;
const LONGEST_RETRY = 8000;
/** A right may be given any time; until then it is not asked often. */
const REFUSED_RETRY = 15_000;

const query = (params: Record<string, string>): string => new URLSearchParams(params).toString();

const keyOf = ({ metadata }: KubeObject): string => metadata.uid || `${metadata.namespace ?? ''}/${metadata.name}`;

/**
 * All objects at once, or about the first `most` of them in the server's order (namespace and name), and how many `more` there are; `at`
 * gives them exactly as they were at a revision. Throws Unanswered.
 */
export async function list<T extends KubeObject>(path: string, params: Record<string, string> = {}, at: number | null = null, most = Infinity, signal?: AbortSignal): Promise<List<T> & { more: number }> {
  const items: T[] = [];
  let page: List<T> | undefined;
  let next = '';
  do {
    // A continue token carries the revision itself.
    const response = await request('GET', `${path}?${query({ limit: '500', ...params, ...(next ? { continue: next } : exactly(at)) })}`, undefined, undefined, signal);
    page = await read<List<T>>(response);
    items.push(...page.items);
    next = page.metadata.continue ?? '';
  } while (next && items.length < most);
  const kind = (page.kind ?? '').replace(/List$/, '');
  for (const one of items) {
    one.kind ??= kind;
    one.apiVersion ??= page.apiVersion;
  }
  return { ...page, items, more: next ? (page.metadata.remainingItemCount ?? 1) : 0 };
}

/** What is known of a collection: at most about `most`, those that changed last; the others are counted. */
export class Collected<T extends KubeObject> {
  more = 0;
  #objects = new Map<string, T>();

  constructor(private readonly most = Infinity) {}

  get items(): T[] {
    return [...this.#objects.values()];
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Everything anew; `more` there are that were not read. */
  listed(items: T[], more: number): void {
    this.#objects.clear();
    this.more = more;
    // Whatever changes is put at the end: in front stands what has been as it is for longest.
    const age = (one: T) => Number(one.metadata.resourceVersion) || 0;
    for (const one of [...items].sort((a, b) => age(a) - age(b))) this.#objects.set(keyOf(one), one);
    this.#trim();
  }

  changed(type: string, object: T): void {
    const had = this.#objects.delete(keyOf(object));
    // It was one of those that were not read, or had to give way.
    if (!had && type !== 'ADDED' && this.more > 0) this.more--;
    if (type !== 'DELETED') this.#objects.set(keyOf(object), object);
    this.#trim();
  }

  #trim(): void {
    for (const key of this.#objects.keys()) {
      if (this.#objects.size <= this.most) return;
      this.#objects.delete(key);
      this.more++;
    }
  }
}

/** Keep telling what is there until the returned function is called. Changes that come together are told together. `most`: as Collected. */
export function watch<T extends KubeObject>(path: string, params: Record<string, string>, tell: (told: Told<T>) => void, most = Infinity): () => void {
  const ending = new AbortController();
  const known = new Collected<T>(most);
  let telling: ReturnType<typeof setTimeout> | undefined;
  let revision = '';
  /** Milliseconds until it is tried again, the longer the more often in vain. */
  let wait = FIRST_RETRY;

  const say = () => {
    telling ??= setTimeout(() => {
      telling = undefined;
      if (!ending.signal.aborted) tell({ items: known.items, problem: null, revision, more: known.more });
    }, known.size > 1000 ? 500 : 60);
  };

  async function follow(kind: string, apiVersion: string): Promise<void> {
    const response = await fetch(`${path}?${query({ ...params, watch: '1', allowWatchBookmarks: 'true', resourceVersion: revision, timeoutSeconds: '1800' })}`, {
      signal: ending.signal,
      credentials: 'same-origin',
      headers: { Accept: 'application/json', ...acting.headers(path) },
    });
    if (!response.ok || !response.body) throw new Unanswered(`watch: ${response.status}`, response.status);
    wait = FIRST_RETRY;
    for await (const event of lines<{ type: string; object: T & Partial<Status> }>(response.body)) {
      if (event.type === 'ERROR') throw new Unanswered(event.object.message ?? 'watch', event.object.code ?? 0);
      revision = event.object.metadata.resourceVersion;
      if (event.type === 'BOOKMARK') continue;
      known.changed(event.type, { ...event.object, kind: event.object.kind ?? kind, apiVersion: event.object.apiVersion ?? apiVersion });
      say();
    }
  }

  /** The collection as it is; null when there is no answer, which is told. */
  async function begin(): Promise<List<T> | null> {
    try {
      const found = await list<T>(path, params, null, most, ending.signal);
      known.listed(found.items, found.more);
      revision = found.metadata.resourceVersion;
      return found;
    } catch (error) {
      if (ending.signal.aborted) return null;
      const problem = problemOf(error);
      // What may not be seen (any more), or is not served, is not there; whatever else is wrong, the rest was there a moment ago.
      if (problem.code === 403 || problem.code === 404) {
        known.listed([], 0);
        wait = REFUSED_RETRY;
      }
      clearTimeout(telling);
      telling = undefined;
      tell({ items: known.items, problem, revision, more: known.more });
      return null;
    }
  }

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      const found = await begin();
      if (found) {
        say();
        const [kind, apiVersion] = [(found.kind ?? '').replace(/List$/, ''), found.apiVersion ?? ''];
        try {
          // A watch that ends in order goes on where it stopped; one that fails is listed anew.
          while (!ending.signal.aborted) await follow(kind, apiVersion);
        } catch {
          if (ending.signal.aborted) return;
        }
      }
      const now = wait;
      wait = Math.min(wait * 2, LONGEST_RETRY);
      await new Promise((resolve) => setTimeout(resolve, now));
    }
  }

  void run();
  return () => {
    clearTimeout(telling);
    ending.abort();
  };
}

/** What is there: as it was at a revision, told once; or (null) as it is now, told again and again as `watch` does. */
export function observe<T extends KubeObject>(path: string, params: Record<string, string>, at: number | null, tell: (told: Told<T>) => void, most = Infinity): () => void {
  if (at === null) return watch(path, params, tell, most);
  const ending = new AbortController();
  const once = (told: Told<T>) => ending.signal.aborted || tell(told);
  list<T>(path, params, at, most, ending.signal).then(
    (found) => once({ items: found.items, problem: null, revision: found.metadata.resourceVersion, more: found.more }),
    (error: unknown) => once({ items: [], problem: problemOf(error), revision: '', more: 0 }),
  );
  return () => ending.abort();
}

/** One JSON document per line. */
async function* lines<T>(body: ReadableStream<Uint8Array>): AsyncGenerator<T> {
  const reader = body.pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.trim()) yield JSON.parse(part) as T;
  }
}
