/** -o of commands that print whole objects: yaml, json, name, jsonpath, custom-columns. */
import { CommandError } from '../kube/errors';
import { qualified } from '../kube/discovery';
import type { Resource, Thing } from '../kube/types';
import { align, LIST } from '../text/tabwriter';
import { evaluate, parseTemplate, relaxed, render, shown } from './jsonpath';
import { toJson, toYaml, withoutManaged } from './serialize';

export interface Printed {
  resource: Resource;
  object: Thing;
}

const ALLOWED = 'custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml';

export interface Options {
  managed: boolean;
  /** One object was asked for by name: it is printed as itself, not in a list. */
  single: boolean;
  headers: boolean;
}

/** A printer for the format, or null when it is a table ('' or wide). Throws for a format that there is not. */
export function printer(format: string): ((found: Printed[], options: Options) => string) | null {
  const [kind = '', ...rest] = format.split('=');
  const argument = rest.join('=');
  switch (kind) {
    case '':
    case 'wide':
      return null;
    case 'yaml':
      return (found, options) => toYaml(whole(found, options));
    case 'json':
      return (found, options) => toJson(whole(found, options));
    case 'name':
      return (found) => found.map(({ resource, object }) => `${qualified(resource)}/${object.metadata.name}\n`).join('');
    case 'jsonpath':
    case 'jsonpath-as-json': {
      if (!argument) throw new CommandError('template format specified but no template given');
      const template = parseTemplate(argument);
      return (found, options) => {
        const object = whole(found, options);
        if (kind === 'jsonpath') return render(template, object);
        return toJson(template.flatMap((node) => (node.kind === 'path' ? evaluate(node.steps, object) : [])));
      };
    }
    case 'custom-columns':
      return (found, options) => columns(argument, found, options.headers);
    case 'go-template':
    case 'template':
    case 'kyaml':
    case 'go-template-file':
    case 'jsonpath-file':
    case 'custom-columns-file':
    case 'templatefile':
      throw new CommandError(`${kind} is not available in this terminal: use jsonpath, custom-columns, yaml or json, or download the kubeconfig`);
    default:
      throw new CommandError(`unable to match a printer suitable for the output format "${kind}", allowed formats are: ${ALLOWED}`);
  }
}

function whole(found: Printed[], { managed, single }: Options): unknown {
  const objects = found.map(({ object }) => (managed ? object : withoutManaged(object)));
  if (single && objects.length === 1) return objects[0];
  return { apiVersion: 'v1', items: objects, kind: 'List', metadata: { resourceVersion: '' } };
}

function columns(spec: string, found: Printed[], headers: boolean): string {
  if (!spec) throw new CommandError('custom-columns format specified but no custom columns given');
  const parts = spec.split(',').map((part) => {
    const at = part.indexOf(':');
    if (at < 0) throw new CommandError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    return { header: part.slice(0, at), steps: relaxed(part.slice(at + 1)) };
  });
  const rows = found.map(({ object }) =>
    parts.map(({ steps }) => {
      const values = evaluate(steps, object);
      return values.length ? values.map((one) => (one === null ? '<nil>' : go(one))).join(',') : '<none>';
    }),
  );
  const lines = [...(headers ? [parts.map((one) => one.header)] : []), ...rows];
  return lines.length ? `${align(lines.map((row) => row.join('\t')).join('\n'), LIST)}\n` : '';
}

/** A value as Go's %v prints it. */
export function go(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(go).join(' ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `map[${Object.keys(value).sort().map((key) => `${key}:${go((value as Record<string, unknown>)[key])}`).join(' ')}]`;
  }
  return shown(value);
}
