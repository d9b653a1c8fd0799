/** Manifests: a text's documents, and sending one to the API server. Loaded with the editor, for the sake of the YAML parser. */
import { parseAllDocuments } from 'yaml';
import { request, resourceOf, type Status } from './http';

export interface Answer {
  title: string;
  verb: string;
  ok: boolean;
  code: number;
  message: string;
  causes: string[];
  /** The fields that the server names, with what it says of each. */
  fields: { field: string; message: string }[];
  warnings: string[];
  journey: string;
}

export interface Manifest {
  apiVersion?: unknown;
  kind?: unknown;
  metadata?: { name?: string; generateName?: string; namespace?: string };
}

/** The documents of a text; a problem is told with its line. */
export function documents(text: string): { manifest: Manifest | null; source: string; problem: string }[] {
  return parseAllDocuments(text, { version: '1.1' })
    .map((document) => {
      const problem = document.errors[0]?.message.split('\n')[0] ?? '';
      const range = document.range;
      const source = text.slice(range[0], range[2]);
      return { manifest: problem ? null : (document.toJS() as Manifest | null), source, problem };
    })
    .filter((one) => one.problem || one.manifest);
}

/** What a Status says of single fields: its causes, and what strict decoding found. */
export function fieldsOf(status: Partial<Status>): { field: string; message: string }[] {
  const causes = (status.details?.causes ?? []).flatMap((one) => (one.field ? [{ field: one.field, message: `${one.field}: ${one.message ?? ''}` }] : []));
  const strict = [...(status.message ?? '').matchAll(/(?:unknown|duplicate) field "([^"]+)"/g)].map((match) => ({ field: match[1]!, message: match[0] }));
  return causes.length ? causes : strict;
}

async function told(response: Response, title: string, verb: string): Promise<Answer> {
  const journey = response.headers.get('X-KubeWeb-Journey') ?? '';
  const warnings = (response.headers.get('Warning') ?? '').split(/,\s*(?=299)/).filter(Boolean).map((one) => one.replace(/^299 - "|"$/g, ''));
  const body = (await response.json().catch(() => ({}))) as Partial<Status>;
  const base = { title, ok: response.ok, code: response.status, causes: [] as string[], fields: [], warnings, journey };
  if (!response.ok) {
    const causes = (body.details?.causes ?? []).map((one) => [one.field, one.message].filter(Boolean).join(': '));
    return { ...base, fields: fieldsOf(body), verb: 'refused', message: body.message ?? `${response.status}`, causes };
  }
  return { ...base, verb, message: '' };
}

/** Apply, dry-run or delete one document; `namespace` is used where the document names none. */
export async function send(
  action: 'apply' | 'dry-run' | 'delete',
  document: { manifest: Manifest | null; source: string; problem: string },
  namespace: string,
): Promise<Answer> {
  const failed = (title: string, message: string): Answer => ({ title, verb: 'refused', ok: false, code: 0, message, causes: [], fields: [], warnings: [], journey: '' });
  const { manifest } = document;
  if (!manifest || typeof manifest !== 'object') return failed('YAML', document.problem || 'not an object');
  const { apiVersion, kind, metadata } = manifest;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return failed('YAML', 'apiVersion and kind must be set');
  const name = metadata?.name ?? '';
  try {
    const { base, resource } = await resourceOf(apiVersion, kind);
    const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
    const title = `${kind.toLowerCase()}${group}/${name || (metadata?.generateName ?? '')}`;
    const space = resource.namespaced ? `/namespaces/${encodeURIComponent(metadata?.namespace ?? namespace)}` : '';
    const collection = `${base}${space}/${resource.name}`;
    if (action === 'delete') {
      return told(await request('DELETE', `${collection}/${encodeURIComponent(name)}`), title, 'deleted');
    }
    const dry = action === 'dry-run' ? '&dryRun=All' : '';
    if (!name && metadata?.generateName) {
      const response = await request('POST', `${collection}?fieldManager=kubeweb&fieldValidation=Strict${dry}`, document.source, 'application/yaml');
      return told(response, title, dry ? 'created (dry run)' : 'created');
    }
    if (!name) return failed(title, 'resource name may not be empty');
    const path = `${collection}/${encodeURIComponent(name)}`;
    const before = await request('GET', path);
    const had = before.ok ? ((await before.json()) as { metadata: { resourceVersion: string } }).metadata.resourceVersion : '';
    const response = await request('PATCH', `${path}?fieldManager=kubeweb&force=true&fieldValidation=Strict${dry}`, document.source, 'application/apply-patch+yaml');
    const copy = (await response.clone().json().catch(() => null)) as { metadata?: { resourceVersion?: string } } | null;
    const verb = response.status === 201 ? 'created' : copy?.metadata?.resourceVersion === had ? 'unchanged' : 'configured';
    return told(response, title, dry ? `${verb} (dry run)` : verb);
  } catch (error) {
    return failed(`${kind}/${name}`, error instanceof Error ? error.message : String(error));
  }
}
