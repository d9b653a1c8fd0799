/** What an apply would change: the live object, and the one that a server-side dry run makes of it. */
import { fieldsOf, type Manifest } from '../api/manifests';
import { request, resourceOf, type Status } from '../api/http';
import { toYaml } from '../terminal/output/yaml';

export interface Difference {
  title: string;
  /** create, configure or unchanged; refused when the server would not have it. */
  verb: 'create' | 'configure' | 'unchanged' | 'refused';
  before: string;
  after: string;
  message: string;
  fields: { field: string; message: string }[];
}

interface Live {
  kind?: string;
  apiVersion?: string;
  data?: Record<string, string>;
  metadata?: Record<string, unknown>;
  [field: string]: unknown;
}

/** Bookkeeping, which nobody writes. */
const HIDDEN = ['managedFields', 'resourceVersion', 'uid', 'generation', 'creationTimestamp', 'selfLink'];

function plain(object: Live): Live {
  const { status: _, ...rest } = object;
  return { ...rest, metadata: Object.fromEntries(Object.entries(object.metadata ?? {}).filter(([name]) => !HIDDEN.includes(name))) };
}

/** A Secret's values are not shown, only that they change. */
function masked(before: Live | null, after: Live): [Live | null, Live] {
  if (after.kind !== 'Secret' || after.apiVersion !== 'v1') return [before, after];
  const hide = (one: Live, other: Live | null, word: string): Live => ({
    ...one,
    data: Object.fromEntries(Object.entries(one.data ?? {}).map(([key, value]) => [key, other?.data?.[key] === value ? '***' : `*** (${word})`])),
  });
  return [before && hide(before, after, 'before'), hide(after, before, 'after')];
}

/** Asks the server, changing nothing. */
export async function difference(document: { manifest: Manifest | null; source: string; problem: string }, namespace: string): Promise<Difference> {
  const { manifest, source, problem } = document;
  const refused = (title: string, message: string, fields: Difference['fields'] = []): Difference => ({ title, verb: 'refused', before: '', after: '', message, fields });
  if (!manifest || typeof manifest !== 'object' || typeof manifest.apiVersion !== 'string' || typeof manifest.kind !== 'string') return refused('YAML', problem || 'apiVersion and kind must be set');
  const { apiVersion, kind, metadata } = manifest;
  const title = `${kind} ${metadata?.name ?? metadata?.generateName ?? ''}`;
  try {
    const { base, resource } = await resourceOf(apiVersion, kind);
    const space = resource.namespaced ? `/namespaces/${encodeURIComponent(metadata?.namespace ?? namespace)}` : '';
    const collection = `${base}${space}/${resource.name}`;
    const query = 'fieldManager=kubeweb&force=true&fieldValidation=Strict&dryRun=All';
    if (!metadata?.name && !metadata?.generateName) return refused(title, 'metadata.name must be set', [{ field: 'metadata', message: 'metadata.name must be set' }]);
    const path = `${collection}/${encodeURIComponent(metadata.name ?? '')}`;
    const live = metadata.name ? await request('GET', path) : null;
    const before = live?.ok ? ((await live.json()) as Live) : null;
    const answer = metadata.name
      ? await request('PATCH', `${path}?${query}`, source, 'application/apply-patch+yaml')
      : await request('POST', `${collection}?${query.replace('&force=true', '')}`, source, 'application/yaml');
    const body = (await answer.json()) as Live & Partial<Status>;
    if (!answer.ok) return refused(title, body.message ?? `${answer.status}`, fieldsOf(body));
    const [from, to] = masked(before && plain(before), plain(body));
    const [a, b] = [from ? toYaml(from) : '', toYaml(to)];
    return { title, verb: !from ? 'create' : a === b ? 'unchanged' : 'configure', before: a, after: b, message: '', fields: [] };
  } catch (error) {
    return refused(title, error instanceof Error ? error.message : String(error));
  }
}
