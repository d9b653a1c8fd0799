/** Schemas of what is written: the server's OpenAPI, fetched for a group and version when one of its kinds stands in the text. */
import { get } from '../api/http';

export interface Schema {
  $ref?: string;
  allOf?: Schema[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  type?: string;
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  required?: string[];
  enum?: unknown[];
  default?: unknown;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-group-version-kind'?: Kind[];
}

export interface Kind {
  group: string;
  version: string;
  kind: string;
}

export type Schemas = Record<string, Schema>;

/** A kind's own schema, and those that it refers to. */
export interface Rooted {
  root: Schema;
  all: Schemas;
}

const documents = new Map<string, Promise<Schemas>>();

function document(apiVersion: string): Promise<Schemas> {
  const path = apiVersion.includes('/') ? `/openapi/v3/apis/${apiVersion}` : `/openapi/v3/api/${apiVersion}`;
  let found = documents.get(path);
  if (!found) {
    found = get<{ components?: { schemas?: Schemas } }>(path).then((one) => one.components?.schemas ?? {});
    documents.set(path, found);
    // A group that is not there may come with a CustomResourceDefinition.
    found.catch(() => documents.delete(path));
  }
  return found;
}

function ofKind(all: Schemas, apiVersion: string, kind: string): Schema | undefined {
  const at = apiVersion.indexOf('/');
  const [group, version] = at < 0 ? ['', apiVersion] : [apiVersion.slice(0, at), apiVersion.slice(at + 1)];
  return Object.values(all).find((one) => one['x-kubernetes-group-version-kind']?.some((gvk) => gvk.group === group && gvk.version === version && gvk.kind === kind));
}

/** The schema of a kind; null when the server knows none. Asked anew when it is missing: CRDs come and go. */
export async function schemaOf(apiVersion: string, kind: string): Promise<Rooted | null> {
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(apiVersion)) return null;
  for (const again of [false, true]) {
    try {
      const all = await document(apiVersion);
      const root = ofKind(all, apiVersion, kind);
      if (root) return { root, all };
    } catch {
      return null;
    }
    if (!again) documents.delete(apiVersion.includes('/') ? `/openapi/v3/apis/${apiVersion}` : `/openapi/v3/api/${apiVersion}`);
  }
  return null;
}

/** What a schema is once references and allOf of one are followed; its own description goes first. */
export function resolved(schema: Schema, all: Schemas): Schema {
  const ref = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0]!.$ref : undefined);
  if (!ref) return schema;
  const target = all[ref.replace('#/components/schemas/', '')];
  if (!target) return schema;
  return { ...resolved(target, all), description: schema.description ?? target.description };
}

/** The schema at a path from the root: names of fields, numbers for items. */
export function at(path: (string | number)[], { root, all }: Rooted): Schema | null {
  let schema: Schema = resolved(root, all);
  for (const step of path) {
    let next: Schema | boolean | undefined;
    if (typeof step === 'number') next = schema.items;
    else next = schema.properties?.[step] ?? schema.additionalProperties;
    if (!next || next === true) return null;
    schema = resolved(next, all);
  }
  return schema;
}

export function intOrString(schema: Schema): boolean {
  return schema.format === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true;
}

/** A type in words: "string", "[]Container", "map[string]string". */
export function typeOf(schema: Schema, all: Schemas): string {
  const ref = (schema.$ref ?? schema.allOf?.find((one) => one.$ref)?.$ref)?.split(/[./]/).at(-1);
  if (ref) return ref;
  if (schema.type === 'array') return `[]${schema.items ? typeOf(schema.items, all) : 'object'}`;
  if (typeof schema.additionalProperties === 'object') return `map[string]${typeOf(schema.additionalProperties, all)}`;
  if (intOrString(schema)) return 'integer or string';
  if (schema.oneOf) return schema.oneOf.map((one) => one.type).join(' or ');
  return schema.type ?? 'object';
}

const WORD = String.raw`["'\u0060]?[A-Z][A-Za-z0-9]*["'\u0060]?`;
const LISTED = new RegExp(String.raw`(?:[Oo]ne of|[Mm]ust be(?: one of)?|[Vv]alid (?:options|values|operators|effects|policies)(?: are|:)|[Cc]an be(?: one of)?|[Ss]upports|[Aa]llowed values(?: are|:)|[Ss]upported values:?)[:\s]+((?:${WORD})(?:(?:,\s*(?:and |or )?|\s+(?:and|or)\s+)(?:${WORD}))+)`);

/** Values that a field may have: its enum, or those that its description lists (the server's schemas have few enums). */
export function valuesOf(schema: Schema): string[] {
  if (schema.enum) return schema.enum.map(String);
  if (schema.type === 'boolean') return ['true', 'false'];
  if (schema.type !== 'string' || !schema.description) return [];
  const possible = [...schema.description.matchAll(/^\s*-\s*`"([^"]+)"`/gm)].map((one) => one[1]!);
  if (possible.length) return possible;
  const match = LISTED.exec(schema.description);
  if (!match) return [];
  const quoted = /["'`]/.test(match[1]!);
  const found = match[1]!.split(/,\s*(?:and |or )?|\s+(?:and|or)\s+/).map((one) => one.trim());
  return [...new Set(found.filter((one) => !quoted || /["'`]/.test(one)).map((one) => one.replace(/["'`]/g, '')))];
}
