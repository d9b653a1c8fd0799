/** Requests to the same origin as the signed-in person: the Kubernetes API and the explorer's own resources. */
import { acting } from './acting.svelte';
import { Unanswered } from './problem';

export interface Status {
  kind: 'Status';
  status: string;
  message: string;
  reason?: string;
  code: number;
  details?: { causes?: { field?: string; message?: string; reason?: string }[] };
}

/** To the login page, and back here afterwards. */
export function signIn(): void {
  location.assign(`/login/?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Django's token, which every request that changes something carries. */
export function csrf(): string {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? '';
}

/** A kiosk only shows: nothing that changes anything leaves this page. Reviews only ask. */
function refuseInKiosk(method: string, path: string): void {
  if (method === 'GET' || path.startsWith('/apis/authorization.k8s.io/')) return;
  if (new URLSearchParams(location.search).get('kiosk')) throw new Error('This page only shows (kiosk): leave it to change something.');
}

export async function request(method: string, path: string, body?: string, type = 'application/json', signal?: AbortSignal, accept = 'application/json'): Promise<Response> {
  refuseInKiosk(method, path);
  const headers: Record<string, string> = { Accept: accept, ...acting.headers(path) };
  if (method !== 'GET') headers['X-CSRFToken'] = csrf();
  if (body !== undefined) headers['Content-Type'] = type;
  const response = await fetch(path, { method, headers, body, credentials: 'same-origin', signal });
  if (response.status === 401) signIn();
  return response;
}

/** What an answer says; Unanswered when it is none of what was asked for. */
export async function read<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  // Between here and the server somebody else may answer, in a language of their own.
  const { message, detail } = (await response.json().catch(() => ({}))) as Partial<Status> & { detail?: unknown };
  throw new Unanswered(message || (typeof detail === 'string' && detail) || `The server answered ${response.status}.`, response.status);
}

export async function get<T>(path: string, accept?: string): Promise<T> {
  return read<T>(await request('GET', path, undefined, undefined, undefined, accept));
}

/** What makes a list one of exactly that revision; nothing for now. */
export function exactly(at: number | null): Record<string, string> {
  return at === null ? {} : { resourceVersion: String(at), resourceVersionMatch: 'Exact' };
}

/** What makes the explorer tell of that revision; nothing for now. */
export function moment(at: number | null): Record<string, string> {
  return at === null ? {} : { at: String(at) };
}

interface APIResource {
  name: string;
  kind: string;
  namespaced: boolean;
}

const known = new Map<string, Promise<{ resources: APIResource[] }>>();

/** Where a kind lives, from discovery. */
export async function resourceOf(apiVersion: string, kind: string): Promise<{ base: string; resource: APIResource }> {
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  let list = known.get(base);
  if (!list) {
    list = get<{ resources: APIResource[] }>(base);
    known.set(base, list);
    list.catch(() => known.delete(base));
  }
  const wanted = (one: APIResource) => one.kind === kind && !one.name.includes('/');
  let resource = (await list).resources.find(wanted);
  if (!resource) {
    // A CustomResourceDefinition may have brought it since.
    list = get<{ resources: APIResource[] }>(base);
    known.set(base, list);
    resource = (await list).resources.find(wanted);
  }
  if (!resource) throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`);
  return { base, resource };
}
