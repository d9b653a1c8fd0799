/** Requests of the terminal: to the API of our own origin, as the signed-in person (or whom they impersonate). */
import { CommandError, Interrupted, StatusError } from './errors';
import type { Resource, Status, Table, Thing, ThingList } from './types';

export interface Sent {
  body?: string;
  type?: string;
  accept?: string;
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

/** How bytes get to the server and back; the browser's is api() below, tests bring their own. */
export type Transport = (method: string, path: string, sent: Sent) => Promise<Response>;

export type Query = Record<string, string | number | boolean | undefined>;

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

export const MERGE = 'application/merge-patch+json';
export const STRATEGIC = 'application/strategic-merge-patch+json';
export const JSON_PATCH = 'application/json-patch+json';
export const APPLY = 'application/apply-patch+yaml';

export function query(path: string, parameters: Query = {}): string {
  const found = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '' && value !== false);
  if (!found.length) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${found.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join('&')}`;
}

/** Where a resource lives; without a name the collection, without a namespace all of them. */
export function pathOf(resource: Resource, namespace: string, name = '', subresource = ''): string {
  const base = resource.group ? `/apis/${resource.group}/${resource.version}` : `/api/${resource.version}`;
  const space = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${base}${space}/${resource.name}${name ? `/${encodeURIComponent(name)}` : ''}${subresource ? `/${subresource}` : ''}`;
}

export class Kube {
  /** Warnings that the server sent, said on the error stream by whoever runs the command. */
  warned: (text: string) => void = () => undefined;

  constructor(
    private readonly transport: Transport,
    readonly signal: AbortSignal,
    private readonly impersonation: Record<string, string> = {},
  ) {}

  /** The answer, whatever its content; a refusal is thrown as StatusError, Ctrl-C as Interrupted. */
  async send(method: string, path: string, sent: Sent = {}): Promise<Response> {
    let response: Response;
    try {
      response = await this.transport(method, path, { signal: this.signal, ...sent, headers: { ...this.impersonation, ...sent.headers } });
    } catch (error) {
      if (this.signal.aborted) throw new Interrupted();
      throw error;
    }
    for (const one of (response.headers.get('Warning') ?? '').split(/,\s*(?=299)/).filter(Boolean)) {
      this.warned(one.replace(/^299 \S+ "|"$/g, '').replace(/\\"/g, '"'));
    }
    if (!response.ok) throw new StatusError(await refusal(response));
    return response;
  }

  async json<T = Thing>(method: string, path: string, body?: unknown, type = 'application/json'): Promise<T> {
    const response = await this.send(method, path, body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body), type });
    return (await response.json()) as T;
  }

  get(resource: Resource, namespace: string, name: string): Promise<Thing> {
    return this.json('GET', pathOf(resource, namespace, name));
  }

  /** A list, page by page. */
  async list(resource: Resource, namespace: string, parameters: Query = {}): Promise<ThingList> {
    const path = pathOf(resource, namespace);
    const first = await this.json<ThingList>('GET', query(path, { ...parameters, limit: 500 }));
    let more = (first.metadata as { continue?: string }).continue;
    while (more) {
      const next = await this.json<ThingList>('GET', query(path, { ...parameters, limit: 500, continue: more }));
      first.items.push(...next.items);
      more = (next.metadata as { continue?: string }).continue;
    }
    return first;
  }

  /** What the server prints for a list or one object: columns and rows. */
  async table(resource: Resource, namespace: string, name: string, parameters: Query = {}): Promise<Table> {
    const ask = async (more?: string) => {
      const path = query(pathOf(resource, namespace, name), name ? { includeObject: parameters.includeObject } : { ...parameters, limit: 500, continue: more });
      return (await (await this.send('GET', path, { accept: TABLE })).json()) as Table;
    };
    const first = await ask();
    let more = first.metadata.continue;
    while (more) {
      const next = await ask(more);
      first.rows.push(...next.rows);
      more = next.metadata.continue;
    }
    return first;
  }

  /** Watch events until the server ends the stream or the person does. */
  async *watch<T>(path: string, accept?: string): AsyncGenerator<{ type: string; object: T }> {
    const response = await this.send('GET', path, { accept });
    for await (const line of textLines(response, this.signal)) {
      const event = JSON.parse(line) as { type: string; object: T };
      if (event.type === 'ERROR') throw new StatusError(event.object as Status);
      yield event;
    }
  }

  watchTable(resource: Resource, namespace: string, parameters: Query): AsyncGenerator<{ type: string; object: Table }> {
    return this.watch<Table>(query(pathOf(resource, namespace), { ...parameters, watch: true }), TABLE);
  }
}

async function refusal(response: Response): Promise<Status> {
  const text = await response.text();
  try {
    const found = JSON.parse(text) as Partial<Status> & { detail?: string };
    if (found.kind === 'Status') return found as Status;
    return { kind: 'Status', status: 'Failure', code: response.status, message: found.detail ?? (text || response.statusText) };
  } catch {
    const message = text && text.length < 500 && !text.startsWith('<') ? text.trim() : `the server answered ${response.status} ${response.statusText}`.trim();
    return { kind: 'Status', status: 'Failure', code: response.status, message };
  }
}

/** The chunks of a streaming answer. Ctrl-C ends it quietly. */
export async function* textChunks(response: Response, signal: AbortSignal): AsyncGenerator<string> {
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield decoder.decode(value, { stream: true });
    }
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    throw error;
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

export async function* textLines(response: Response, signal: AbortSignal): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of textChunks(response, signal)) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter(Boolean);
  }
  if (rest) yield rest;
}

/** Waits, unless the person gives up first. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done, failed) => {
    if (signal.aborted) return failed(new Interrupted());
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      done();
    }, milliseconds);
    const stop = () => {
      clearTimeout(timer);
      failed(new Interrupted());
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}

export function need<T>(value: T | null | undefined | '', message: string): T {
  if (value === null || value === undefined || value === '') throw new CommandError(message);
  return value;
}
