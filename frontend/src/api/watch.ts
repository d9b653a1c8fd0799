/**
 * List and watch as any Kubernetes client does: first what is there, then every change, resumed where it stopped; when the
 * revision is too old, listed again. For what the page's own stream does not carry.
 */
import { acting } from './acting.svelte';
import { exactly, request, type Status } from './http';

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
  /** Why nothing can be told (forbidden, no such resource); empty when all is well. */
  problem: string;
  revision: string;
  /** How many there were beyond those that are told. */
  more: number;
}

const query = (params: Record<string, string>): string => new URLSearchParams(params).toString();

/** All objects at once, or about the first `most` of them, and how many `more` there are; `at` gives them exactly as they were at a revision. */
export async function list<T extends KubeObject>(path: string, params: Record<string, string> = {}, at: number | null = null, most = Infinity): Promise<List<T> & { more: number }> {
  const items: T[] = [];
  let page: List<T> | undefined;
  let next = '';
  do {
    // A continue token carries the revision itself.
    const response = await request('GET', `${path}?${query({ limit: '500', ...params, ...(next ? { continue: next } : exactly(at)) })}`);
    const answer = (await response.json()) as List<T> & Partial<Status>;
    if (!response.ok) throw Object.assign(new Error(answer.message ?? String(response.status)), { code: response.status });
    page = answer;
    items.push(...answer.items);
    next = answer.metadata.continue ?? '';
  } while (next && items.length < most);
  const kind = (page.kind ?? '').replace(/List$/, '');
  for (const one of items) {
    one.kind ??= kind;
    one.apiVersion ??= page.apiVersion;
  }
  return { ...page, items, more: next ? (page.metadata.remainingItemCount ?? 1) : 0 };
}

/** Keep telling what is there until the returned function is called: at most about `most`, the newest. Changes that come together are told together. */
export function watch<T extends KubeObject>(path: string, params: Record<string, string>, tell: (told: Told<T>) => void, most = Infinity): () => void {
  const ending = new AbortController();
  const objects = new Map<string, T>();
  let telling: ReturnType<typeof setTimeout> | undefined;
  let revision = '';
  let more = 0;

  const say = () => {
    telling ??= setTimeout(() => {
      telling = undefined;
      if (!ending.signal.aborted) tell({ items: [...objects.values()], problem: '', revision, more });
    }, objects.size > 1000 ? 500 : 60);
  };

  async function follow(kind: string, apiVersion: string): Promise<void> {
    const response = await fetch(`${path}?${query({ ...params, watch: '1', allowWatchBookmarks: 'true', resourceVersion: revision, timeoutSeconds: '1800' })}`, {
      signal: ending.signal,
      credentials: 'same-origin',
      headers: { Accept: 'application/json', ...acting.headers(path) },
    });
    if (!response.ok || !response.body) throw new Error(`watch: ${response.status}`);
    for await (const event of lines<{ type: string; object: T & Partial<Status> }>(response.body)) {
      if (event.type === 'ERROR') throw Object.assign(new Error(event.object.message ?? 'watch'), { code: event.object.code });
      revision = event.object.metadata.resourceVersion;
      if (event.type === 'BOOKMARK') continue;
      const key = event.object.metadata.uid || `${event.object.metadata.namespace ?? ''}/${event.object.metadata.name}`;
      if (event.type === 'DELETED') objects.delete(key);
      else objects.set(key, { ...event.object, kind: event.object.kind ?? kind, apiVersion: event.object.apiVersion ?? apiVersion });
      while (objects.size > most) {
        objects.delete(objects.keys().next().value!);
        more++;
      }
      say();
    }
  }

  async function run(): Promise<void> {
    let wait = 500;
    while (!ending.signal.aborted) {
      try {
        const found = await list<T>(path, params, null, most);
        more = found.more;
        objects.clear();
        for (const one of found.items) objects.set(one.metadata.uid || `${one.metadata.namespace ?? ''}/${one.metadata.name}`, one);
        revision = found.metadata.resourceVersion;
        say();
        wait = 500;
        const [kind, apiVersion] = [(found.kind ?? '').replace(/List$/, ''), found.apiVersion ?? ''];
        // A watch that ends in order goes on where it stopped; one that fails is listed anew.
        while (!ending.signal.aborted) await follow(kind, apiVersion);
      } catch (error) {
        if (ending.signal.aborted) return;
        const code = (error as { code?: number }).code ?? 0;
        if (code === 403 || code === 404) tell({ items: [], problem: (error as Error).message, revision: '', more: 0 });
        await new Promise((resolve) => setTimeout(resolve, code === 403 || code === 404 ? 15_000 : wait));
        wait = Math.min(wait * 2, 8000);
      }
    }
  }

  void run();
  return () => {
    clearTimeout(telling);
    ending.abort();
  };
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
