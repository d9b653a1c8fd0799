/** Reading the cluster for an archive or a reset, as the signed-in person, page by page, without holding up the screen. */
import { request, type Status } from '../../api/http';
import { ACCEPT, flatten, type Discovered } from '../../terminal/kube/discovery';
import type { Resource } from '../../terminal/kube/types';
import type { Thing } from './objects';

const PAGE = 250;

export type { Resource };
export const keyOf = (one: Resource): string => `${one.group}/${one.name}`;
const apiVersionOf = (one: Resource): string => (one.group ? `${one.group}/${one.version}` : one.version);

/** Every kind that can be listed and made, in its group's preferred version. Events are left out: they are told, not made. */
export async function kinds(): Promise<Resource[]> {
  const found = new Map<string, Resource>();
  for (const path of ['/api', '/apis']) {
    const response = await request('GET', path, undefined, undefined, undefined, ACCEPT);
    for (const one of flatten((await response.json()) as Discovered)) {
      if (one.name === 'events' || !['list', 'create', 'delete'].every((verb) => one.verbs.includes(verb))) continue;
      if (!found.has(keyOf(one))) found.set(keyOf(one), one);
    }
  }
  return [...found.values()].sort((a, b) => a.kind.localeCompare(b.kind));
}

export function pathOf(resource: Resource, namespace = '', name = ''): string {
  const version = apiVersionOf(resource);
  const base = resource.group ? `/apis/${version}` : `/api/${version}`;
  return `${base}${namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''}/${resource.name}${name ? `/${encodeURIComponent(name)}` : ''}`;
}

export class Refused extends Error {
  constructor(readonly code: number, message: string) {
    super(message);
  }
}

/** All objects of a collection in pages of a bounded size, each with its apiVersion and kind. */
export async function* list(resource: Resource, namespace: string, signal: AbortSignal): AsyncGenerator<Thing[]> {
  let next = '';
  do {
    const query = `?limit=${PAGE}${next ? `&continue=${encodeURIComponent(next)}` : ''}`;
    const response = await request('GET', pathOf(resource, namespace) + query, undefined, undefined, signal);
    const body = (await response.json()) as Partial<Status> & { metadata?: { continue?: string }; items?: Thing[] };
    if (!response.ok) throw new Refused(response.status, body.message ?? `${response.status}`);
    yield (body.items ?? []).map((one) => ({ ...one, apiVersion: apiVersionOf(resource), kind: resource.kind }));
    next = body.metadata?.continue ?? '';
  } while (next);
}

/** Let the page draw and answer before going on. */
export const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

export interface Wanted {
  resources: Resource[];
  /** Which namespaces; null for all, and what has none. */
  namespaces: string[] | null;
  /** The namespaces to try one by one where the person may not list all of them at once. */
  known: string[];
}

/** Everything wanted, page by page; `refuse` hears what the person may not read. */
export async function* collect(wanted: Wanted, signal: AbortSignal, refuse: (resource: Resource, message: string) => void): AsyncGenerator<{ resource: Resource; objects: Thing[] }> {
  for (const resource of wanted.resources) {
    if (!resource.namespaced && wanted.namespaces) continue;
    const places = wanted.namespaces && resource.namespaced ? [...wanted.namespaces] : [''];
    let message = '';
    let allowed = false;
    for (const place of places) {
      try {
        for await (const objects of list(resource, place, signal)) {
          allowed = true;
          yield { resource, objects };
          await breathe();
        }
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        // A kind that is going away just now has nothing to tell.
        if (error.code !== 403) continue;
        message = error.message;
        if (place === '' && resource.namespaced) places.push(...wanted.known);
      }
    }
    if (message && !allowed) refuse(resource, message);
  }
}
