/** From arguments and files to objects: what kubectl's resource builder does. */
import { parseAllDocuments } from 'yaml';
import type { Call } from './command';
import { pathOf, query, type Query } from './kube/client';
import { qualified } from './kube/discovery';
import { CommandError } from './kube/errors';
import type { Resource, Thing } from './kube/types';

const MAX_MANIFEST = 4 * 1024 * 1024;

/** One resource type, and the names that are wanted of it; none means all. */
export interface Target {
  resource: Resource;
  names: string[];
}

/** An object that a command works on, and where it lives. */
export interface Found {
  resource: Resource;
  namespace: string;
  name: string;
  object: Thing;
}

/** pods | pods,svc | pods a b | pod/a svc/b | all. Throws in kubectl's words. */
export async function targets(call: Call, args: string[] = call.args): Promise<Target[]> {
  const { session, kube } = call;
  if (args.some((one) => one.includes('/'))) {
    const found: Target[] = [];
    for (const arg of args) {
      const [type = '', name = '', ...rest] = arg.split('/');
      if (!arg.includes('/')) {
        throw new CommandError(
          "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
        );
      }
      if (rest.length || !type || !name) throw new CommandError(`arguments in resource/name form must have a single resource and name`);
      for (const one of type.split(',')) found.push({ resource: await session.discovery.named(kube, one), names: [name] });
    }
    return found;
  }
  const [types = '', ...names] = args;
  const found: Target[] = [];
  for (const type of types.split(',').filter(Boolean)) {
    const category = await session.discovery.category(kube, type);
    if (category.length) found.push(...category.map((resource) => ({ resource, names })));
    else found.push({ resource: await session.discovery.named(kube, type), names });
  }
  if (found.length > 1 && names.length) {
    // kubectl get deploy,svc web: every type with that name.
    return found.map(({ resource }) => ({ resource, names }));
  }
  return found;
}

export function namespaceOf(call: Call, resource: Resource): string {
  if (!resource.namespaced) return '';
  return call.flags.on('all-namespaces') ? '' : call.namespace;
}

export function selectors(call: Call): Query {
  return { labelSelector: call.flags.text('selector') || undefined, fieldSelector: call.flags.text('field-selector') || undefined };
}

/** The objects that arguments or -f name, as the server has them. Errors are collected, so that the others are still found. */
export async function objects(call: Call, options: { all?: boolean; args?: string[] } = {}): Promise<{ found: Found[]; errors: unknown[] }> {
  const { kube, flags } = call;
  const found: Found[] = [];
  const errors: unknown[] = [];
  const files = flags.all('filename');
  if (files.length) {
    for (const { object, resource, namespace } of await manifests(call)) {
      try {
        found.push({ resource, namespace, name: object.metadata.name, object: await kube.get(resource, namespace, object.metadata.name) });
      } catch (error) {
        errors.push(error);
      }
    }
    return { found, errors };
  }
  const asked = await targets(call, options.args ?? call.args);
  const selected = flags.text('selector') || flags.text('field-selector');
  if (selected && asked.some((one) => one.names.length)) throw new CommandError('name cannot be provided when a selector is specified');
  for (const { resource, names } of asked) {
    const namespace = namespaceOf(call, resource);
    if (names.length && resource.namespaced && !namespace) throw new CommandError('a resource cannot be retrieved by name across all namespaces');
    if (!names.length && !selected && !options.all) throw new CommandError('resource(s) were provided, but no name was specified');
    try {
      if (!names.length) {
        const list = await kube.list(resource, namespace, selectors(call));
        for (const object of list.items) {
          // Items of a list carry neither kind nor apiVersion.
          const whole = { ...object, apiVersion: object.apiVersion ?? versionOf(resource), kind: object.kind ?? resource.kind };
          found.push({ resource, namespace: object.metadata.namespace ?? '', name: object.metadata.name, object: whole });
        }
      }
    } catch (error) {
      errors.push(error);
    }
    for (const name of names) {
      try {
        found.push({ resource, namespace, name, object: await kube.get(resource, namespace, name) });
      } catch (error) {
        errors.push(error);
      }
    }
  }
  return { found, errors };
}

export function versionOf(resource: Resource): string {
  return resource.group ? `${resource.group}/${resource.version}` : resource.version;
}

/** The text behind -f NAME: "-", "editor", a file of the terminal, the library. */
async function source(call: Call, name: string): Promise<{ title: string; text: string }> {
  const { io, session } = call;
  if (name === '-') {
    if (io.input === null) throw new CommandError('nothing is piped in: use <<EOF … EOF, or -f editor for the text in the YAML editor');
    return { title: 'STDIN', text: io.input };
  }
  if (/^https?:\/\//.test(name)) throw new CommandError(`a browser may not fetch ${name}: paste it into the YAML editor and use -f editor`);
  const text = name === 'editor' ? session.editor.text() : await session.files.read(name);
  if (text === null) throw new CommandError(`the path "${name}" does not exist`);
  return { title: name, text };
}

export interface Manifest {
  object: Thing;
  resource: Resource;
  namespace: string;
  /** "STDIN", or the file's name. */
  title: string;
}

/** The documents of one text as objects; Lists are taken apart. */
export function decode(text: string, title: string): Thing[] {
  if (text.length > MAX_MANIFEST) throw new CommandError(`${title} is larger than ${MAX_MANIFEST / 1024 / 1024} MiB`);
  const found: Thing[] = [];
  for (const document of parseAllDocuments(text, { version: '1.1' })) {
    const problem = document.errors[0];
    if (problem) {
      const line = problem.linePos?.[0].line ?? 0;
      throw new CommandError(`error parsing ${title}: error converting YAML to JSON: yaml: line ${line}: ${(problem.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '')}`);
    }
    let object: Thing | null;
    try {
      object = document.toJS({ maxAliasCount: 100 }) as Thing | null;
    } catch (error) {
      throw new CommandError(`error parsing ${title}: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (object === null) continue;
    if (typeof object !== 'object' || Array.isArray(object)) throw new CommandError(`error validating "${title}": error validating data: invalid object to validate`);
    const missing = ['apiVersion', 'kind'].filter((field) => typeof object[field] !== 'string' || !object[field]);
    if (missing.length) {
      const said = missing.map((field) => `${field} not set`).join(', ');
      throw new CommandError(`error validating "${title}": error validating data: ${missing.length > 1 ? `[${said}]` : said}; if you choose to ignore these errors, turn validation off with --validate=false`);
    }
    if (object.kind.endsWith('List') && Array.isArray(object.items)) found.push(...(object.items as Thing[]));
    else found.push(object);
  }
  return found;
}

/** The objects of -f, each with its resource and namespace. */
export async function manifests(call: Call): Promise<Manifest[]> {
  const { flags, kube, session } = call;
  const found: Manifest[] = [];
  for (const name of flags.split('filename')) {
    const { title, text } = await source(call, name);
    for (const object of decode(text, title)) {
      const resource = await session.discovery.ofKind(kube, object.apiVersion, object.kind);
      object.metadata ??= { name: '' };
      const own = object.metadata.namespace;
      if (resource.namespaced && own && call.namespaced && own !== call.namespace) {
        throw new CommandError(`the namespace from the provided object "${own}" does not match the namespace "${call.namespace}". You must pass '--namespace=${own}' to perform this operation.`);
      }
      found.push({ object, resource, namespace: resource.namespaced ? own ?? call.namespace : '', title });
    }
  }
  if (!found.length) throw new CommandError('no objects passed to ' + call.path.split(' ')[0]);
  return found;
}

/** "deployment.apps/web" */
export function label(resource: Resource, name: string): string {
  return `${qualified(resource)}/${name}`;
}

export type DryRun = 'none' | 'client' | 'server';

export function dryRun(call: Call): DryRun {
  const value = call.flags.text('dry-run') || 'none';
  if (value !== 'none' && value !== 'client' && value !== 'server') {
    throw new CommandError(`Invalid dry-run value (${value}). Must be "none", "server", or "client".`);
  }
  return value;
}

/** What follows a verb: " (dry run)", " (server dry run)". */
export function suffix(mode: DryRun): string {
  return mode === 'none' ? '' : mode === 'client' ? ' (dry run)' : ' (server dry run)';
}

/** A patch, or what the object would be (client dry run changes nothing). */
export async function patch(call: Call, one: Pick<Found, 'resource' | 'namespace' | 'name'>, body: unknown, type: string, manager: string, subresource = ''): Promise<Thing> {
  const path = query(pathOf(one.resource, one.namespace, one.name, subresource), {
    fieldManager: call.flags.text('field-manager') || manager,
    dryRun: dryRun(call) === 'server' ? 'All' : undefined,
  });
  return call.kube.json('PATCH', path, body, type);
}
