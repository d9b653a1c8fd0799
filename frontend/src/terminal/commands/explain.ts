/** kubectl explain: fields and their documentation, from the server's OpenAPI. */
import type { Call, Command } from '../command';
import { apiVersion } from '../kube/discovery';
import { CommandError } from '../kube/errors';
import { bool, text } from '../text/flags';

export interface Schema {
  $ref?: string;
  allOf?: Schema[];
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  required?: string[];
  enum?: unknown[];
  format?: string;
  oneOf?: Schema[];
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
}

export type Schemas = Record<string, Schema>;

const NAME = /^#\/components\/schemas\//;

function refOf(schema: Schema): string {
  return (schema.$ref ?? schema.allOf?.find((one) => one.$ref)?.$ref ?? '').replace(NAME, '');
}

/** The schema itself, references followed. */
export function resolved(schema: Schema, all: Schemas): Schema {
  const name = refOf(schema);
  return name ? (all[name] ?? schema) : schema;
}

/** "<[]Container>", "<string>", "<map[string]Quantity>" as kubectl names types. */
export function typeName(schema: Schema, all: Schemas): string {
  const name = refOf(schema);
  if (name) {
    const target = all[name];
    // What is a string or number in itself keeps its own name.
    return name.split('.').at(-1) ?? target?.type ?? 'Object';
  }
  if (schema.type === 'array') return `[]${schema.items ? typeName(schema.items, all) : 'Object'}`;
  if (schema.additionalProperties && typeof schema.additionalProperties === 'object') return `map[string]${typeName(schema.additionalProperties, all)}`;
  if (schema.oneOf && !schema.type) return schema.oneOf.map((one) => one.type).join(' or ');
  return schema.type === 'object' || !schema.type ? 'Object' : schema.type;
}

/** What a field leads on to: through arrays and maps to the fields inside. */
function inside(schema: Schema, all: Schemas): Schema {
  const found = resolved(schema, all);
  if (found.type === 'array' && found.items) return inside(found.items, all);
  if (!found.properties && found.additionalProperties && typeof found.additionalProperties === 'object') return inside(found.additionalProperties, all);
  return found;
}

export function wrap(textToWrap: string, indent: string, width = 80): string[] {
  const lines: string[] = [];
  for (const paragraph of textToWrap.split('\n')) {
    let line = '';
    for (const word of paragraph.trim().split(/\s+/)) {
      if (line && indent.length + line.length + 1 + word.length > width) {
        lines.push(indent + line);
        line = word;
      } else line = line ? `${line} ${word}` : word;
    }
    lines.push(indent + line);
  }
  return lines;
}

function fieldLines(schema: Schema, all: Schemas, indent: string, recursive: boolean, seen: string[]): string[] {
  const target = inside(schema, all);
  const lines: string[] = [];
  for (const name of Object.keys(target.properties ?? {}).sort()) {
    const field = target.properties![name]!;
    const required = target.required?.includes(name) ? ' -required-' : '';
    lines.push(`${indent}${name}\t<${typeName(field, all)}>${required}`);
    const values = resolved(field, all).enum ?? field.enum;
    if (values?.length) lines.push(`${indent}${recursive ? '' : '  '}enum: ${values.slice(0, 4).join(', ')}${values.length > 4 ? ', ....' : ''}`);
    if (recursive) {
      const ref = refOf(field) || refOf(field.items ?? {});
      if (!seen.includes(ref) || !ref) lines.push(...fieldLines(field, all, `${indent}  `, true, ref ? [...seen, ref] : seen));
    } else {
      lines.push(...wrap(field.description ?? resolved(field, all).description ?? '<no description>', `${indent}  `), '');
    }
  }
  return lines;
}

function heading(kind: { group: string; version: string; kind: string }): string[] {
  return [...(kind.group ? [`GROUP:      ${kind.group}`] : []), `KIND:       ${kind.kind}`, `VERSION:    ${kind.version}`, ''];
}

/** The whole answer for a path of fields. Throws when there is no such field. */
function explained(all: Schemas, kind: { group: string; version: string; kind: string }, path: string[], recursive: boolean): string {
  const root = Object.values(all).find((one) => one['x-kubernetes-group-version-kind']?.some((gvk) => gvk.group === kind.group && gvk.version === kind.version && gvk.kind === kind.kind));
  if (!root) throw new CommandError(`couldn't find resource for "${kind.group}/${kind.version}, Kind=${kind.kind}"`);
  let field: Schema = root;
  for (const name of path) {
    const next = inside(field, all).properties?.[name];
    if (!next) throw new CommandError(`field "${name}" does not exist`);
    field = next;
  }
  const head = heading(kind);
  if (path.length) head.push(`FIELD: ${path.at(-1)} <${typeName(field, all)}>`, '');
  const target = inside(field, all);
  const described = path.length ? [...new Set([field.description, target.description].filter((one): one is string => Boolean(one)))].join('\n') : (root.description ?? '');
  const values = resolved(field, all).enum ?? field.enum;
  if (values?.length) head.push('ENUM:', ...values.map((one) => `    ${String(one)}`), '');
  else if (path.length) head.push('');
  const lines = [...head, 'DESCRIPTION:', ...wrap(described || '<empty>', '    '), '    '];
  const fields = fieldLines(field, all, '  ', recursive, [refOf(field)]);
  if (fields.length) lines.push('FIELDS:', ...fields);
  return `${lines.join('\n')}\n\n`;
}

async function explain(call: Call): Promise<void> {
  const [asked] = call.args;
  if (!asked) throw new CommandError("You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources.", 1);
  const wanted = call.flags.text('api-version');
  const [type = '', ...path] = asked.replace(/\.$/, '').split('.');
  let resource = await call.session.discovery.named(call.kube, type);
  if (wanted) {
    const other = (await call.session.discovery.all(call.kube)).find((one) => one.kind === resource.kind && apiVersion(one) === wanted);
    if (!other) throw new CommandError(`couldn't find resource for "${wanted}, Kind=${resource.kind}"`);
    resource = other;
  }
  const address = resource.group ? `/openapi/v3/apis/${resource.group}/${resource.version}` : `/openapi/v3/api/${resource.version}`;
  const document = await call.kube.json<{ components: { schemas: Schemas } }>('GET', address);
  try {
    call.io.out(explained(document.components.schemas, resource, path, call.flags.on('recursive')));
  } catch (error) {
    // kubectl has said what it is about before it looks for the field.
    call.io.out(`${heading(resource).join('\n')}\n`);
    throw error;
  }
}

export const EXPLAIN: Command = {
  name: 'explain',
  group: 'Basic',
  short: 'Get documentation for a resource',
  usage: 'kubectl explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [options]',
  examples: `  # The fields of a pod's container
  kubectl explain pods.spec.containers`,
  completes: 'kinds',
  flags: [bool('recursive', '', 'When true, print the name of all the fields recursively.'), text('api-version', '', 'Use given api-version (group/version) of the resource.')],
  run: explain,
};
