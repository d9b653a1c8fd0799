/** kubectl get: what the server prints (Tables), or whole objects in a format. */
import { namespaceOf, objects, selectors, targets, versionOf, type Target } from '../builder';
import type { Call, Command } from '../command';
import { ALL_NAMESPACES, FIELD_SELECTOR, FILENAME, MANAGED, OUTPUT, SELECTOR } from '../globals';
import { pathOf, query } from '../kube/client';
import { qualified } from '../kube/discovery';
import { CommandError, isNotFound, said } from '../kube/errors';
import type { Resource, Table, TableColumn, Thing } from '../kube/types';
import { printer, type Printed } from '../output/format';
import { evaluate, relaxed } from '../output/jsonpath';
import { bool, list, text } from '../text/flags';
import { columnWidths, padRow } from '../text/tabwriter';

const NO_TYPE = `You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.

error: Required resource not specified.
Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).
See 'kubectl get -h' for help and examples`;

export interface Look {
  wide: boolean;
  headers: boolean;
  namespaces: boolean;
  /** "pod/" before names, when several types are shown. */
  prefix: string;
  labels: boolean;
  columns: string[];
}

export function cell(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  const line = text.search(/[\n\r\f]/);
  return (line < 0 ? text : `${text.slice(0, line)}...`).replace(/\t/g, ' ');
}

/** The rows that a table shows, its header first. */
export function rows(table: Table, columns: TableColumn[], look: Look): string[][] {
  const shown = columns.map((column, at) => ({ column, at })).filter(({ column }) => look.wide || column.priority === 0);
  const found: string[][] = [];
  if (look.headers) {
    found.push([
      ...(look.namespaces ? ['NAMESPACE'] : []),
      ...shown.map(({ column }) => column.name.toUpperCase()),
      ...look.columns.map((one) => (one.split('/').at(-1) ?? one).toUpperCase()),
      ...(look.labels ? ['LABELS'] : []),
    ]);
  }
  for (const row of table.rows) {
    const labels = row.object?.metadata?.labels ?? {};
    const all = Object.keys(labels).sort().map((key) => `${key}=${labels[key]}`).join(',');
    found.push([
      ...(look.namespaces ? [row.object?.metadata?.namespace ?? ''] : []),
      ...shown.map(({ column, at }) => (look.prefix && column.name.toUpperCase() === 'NAME' ? `${look.prefix}/${cell(row.cells[at])}` : cell(row.cells[at]))),
      ...look.columns.map((one) => labels[one] ?? ''),
      ...(look.labels ? [all || '<none>'] : []),
    ]);
  }
  return found;
}

/** Rows in the order of a path into their objects, numbers and quantities as such. */
function sortBy<T>(items: T[], path: string, object: (item: T) => Thing): T[] {
  const steps = relaxed(path);
  const keys = items.map((item) => evaluate(steps, object(item))[0]);
  if (items.length && keys.every((one) => one === undefined)) throw new CommandError(`couldn't find any field with path "{${path.replace(/^\{|\}$/g, '').replace(/^([^.])/, '.$1')}}" in the list of objects`);
  const number = (value: unknown) => (typeof value === 'number' ? value : typeof value === 'string' && /^\d+(\.\d+)?(m|[KMGTPE]i?|k)?$/.test(value) ? quantity(value) : null);
  return items
    .map((item, at) => ({ item, key: keys[at] }))
    .sort((a, b) => {
      if (a.key === undefined || b.key === undefined) return Number(a.key !== undefined) - Number(b.key !== undefined);
      const [x, y] = [number(a.key), number(b.key)];
      if (x !== null && y !== null) return x - y;
      return String(a.key) < String(b.key) ? -1 : String(a.key) > String(b.key) ? 1 : 0;
    })
    .map(({ item }) => item);
}

const FACTORS: Record<string, number> = { m: 1e-3, '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 };

export function quantity(text: string): number {
  const match = /^([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)(m|[KMGTPE]i?|k)?$/.exec(text);
  return match ? Number(match[1]) * (FACTORS[match[2] ?? ''] ?? 1) : NaN;
}

async function get(call: Call): Promise<number | void> {
  const { flags, io, args } = call;
  if (call.path === 'get' && flags.text('raw')) {
    const response = await call.kube.send('GET', flags.text('raw'));
    io.out(await response.text());
    return;
  }
  const print = printer(flags.text('output'));
  if (!args.length && !flags.has('filename')) throw new CommandError(NO_TYPE, 1, true);
  if (flags.on('watch') || flags.on('watch-only')) return watch(call);
  return print ? formatted(call, print) : tables(call);
}

async function formatted(call: Call, print: NonNullable<ReturnType<typeof printer>>): Promise<number> {
  const { flags, io } = call;
  const { found, errors } = await objects(call, { all: true });
  const kept = flags.on('ignore-not-found') ? errors.filter((one) => !isNotFound(one)) : errors;
  let printed: Printed[] = found;
  if (flags.text('sort-by')) printed = sortBy(printed, flags.text('sort-by'), (one) => one.object);
  const named = call.flags.has('filename') ? found.length === 1 : call.args.some((one) => one.includes('/')) || call.args.length > 1;
  // Nothing but errors: kubectl prints no empty list.
  if (printed.length || !kept.length) {
    const single = named && printed.length === 1 && call.args.length <= 2;
    if (!(flags.on('ignore-not-found') && !printed.length)) io.out(print(printed, { managed: flags.on('show-managed-fields'), single, headers: !flags.on('no-headers') }));
  }
  kept.forEach((error) => io.err(`${said(error)}\n`));
  return kept.length ? 1 : 0;
}

async function tables(call: Call): Promise<number> {
  const { flags, io, kube } = call;
  let asked: Target[];
  if (flags.has('filename')) {
    const { found, errors } = await objects(call);
    errors.forEach((error) => io.err(`${said(error)}\n`));
    asked = found.map(({ resource, name }) => ({ resource, names: [name] }));
  } else asked = await targets(call);
  const selected = flags.text('selector') || flags.text('field-selector');
  if (selected && asked.some((one) => one.names.length)) throw new CommandError('name cannot be provided when a selector is specified');
  const several = new Set(asked.map((one) => qualified(one.resource))).size > 1;
  const sort = flags.text('sort-by');
  const errors: unknown[] = [];
  let printed = 0;
  let last: Resource | null = null;
  // Names of one type share one table.
  for (const { resource, names } of merged(asked)) {
    const namespace = namespaceOf(call, resource);
    if (names.length && resource.namespaced && !namespace) throw new CommandError('a resource cannot be retrieved by name across all namespaces');
    const parameters = { ...selectors(call), includeObject: sort ? 'Object' : undefined };
    let table: Table | null = null;
    for (const name of names.length ? names : ['']) {
      try {
        const found = await kube.table(resource, namespace, name, parameters);
        if (table) table.rows.push(...found.rows);
        else table = found;
      } catch (error) {
        if (!(flags.on('ignore-not-found') && isNotFound(error))) errors.push(error);
      }
    }
    if (!table || !table.rows.length) continue;
    if (sort) table.rows = sortBy(table.rows, sort, (row) => row.object);
    const look: Look = {
      wide: flags.text('output') === 'wide',
      headers: !flags.on('no-headers'),
      namespaces: flags.on('all-namespaces') && resource.namespaced,
      prefix: several || flags.on('show-kind') ? qualified(resource) : '',
      labels: flags.on('show-labels'),
      columns: flags.split('label-columns'),
    };
    if (last && look.headers) io.out('\n');
    const lines = rows(table, table.columnDefinitions ?? [], look);
    const widths = columnWidths(lines);
    io.out(lines.map((line) => `${padRow(line, widths)}\n`).join(''));
    printed += table.rows.length;
    last = resource;
  }
  errors.forEach((error) => io.err(`${said(error)}\n`));
  if (!printed && !errors.length && !flags.on('ignore-not-found')) {
    const wide = flags.on('all-namespaces') || asked.every((one) => !one.resource.namespaced);
    io.err(wide ? 'No resources found\n' : `No resources found in ${call.namespace} namespace.\n`);
  }
  return errors.length ? 1 : 0;
}

function merged(asked: Target[]): Target[] {
  const found: Target[] = [];
  for (const one of asked) {
    const last = found.at(-1);
    if (last && last.resource === one.resource && last.names.length && one.names.length) last.names.push(...one.names);
    else found.push({ resource: one.resource, names: [...one.names] });
  }
  return found;
}

async function watch(call: Call): Promise<number> {
  const { flags, io, kube } = call;
  const asked = await targets(call);
  if (asked.length !== 1 || asked[0]!.names.length > 1) throw new CommandError('you may only specify a single resource type');
  const { resource, names } = asked[0]!;
  const print = printer(flags.text('output'));
  const namespace = namespaceOf(call, resource);
  const parameters = { ...selectors(call), ...(names.length ? { fieldSelector: `metadata.name=${names[0]}` } : {}) };
  if (names.length) await kube.get(resource, namespace, names[0]!);
  const look: Look = {
    wide: flags.text('output') === 'wide',
    headers: !flags.on('no-headers'),
    namespaces: flags.on('all-namespaces') && resource.namespaced,
    prefix: flags.on('show-kind') ? qualified(resource) : '',
    labels: flags.on('show-labels'),
    columns: flags.split('label-columns'),
  };
  let widths: number[] = [];
  const show = (table: Table, columns: TableColumn[], types: string | null) => {
    const lines = rows(table, columns, look);
    if (types !== null && flags.on('output-watch-events')) lines.forEach((line, at) => line.unshift(look.headers && at === 0 ? 'EVENT' : types));
    widths = columnWidths(lines, widths);
    io.out(lines.map((line) => `${padRow(line, widths)}\n`).join(''));
    look.headers = false;
  };
  if (print) {
    const path = query(pathOf(resource, namespace), { ...parameters, watch: true });
    for await (const event of kube.watch<Thing>(path)) {
      if (event.type !== 'BOOKMARK') io.out(print([{ resource, object: event.object }], { managed: flags.on('show-managed-fields'), single: true, headers: look.headers }));
      look.headers = false;
    }
    return 0;
  }
  const first = await kube.table(resource, namespace, '', parameters);
  let columns = first.columnDefinitions ?? [];
  if (!flags.on('watch-only') && first.rows.length) show(first, columns, 'ADDED');
  for await (const event of kube.watchTable(resource, namespace, { ...parameters, resourceVersion: first.metadata.resourceVersion })) {
    if (event.type === 'BOOKMARK') continue;
    columns = event.object.columnDefinitions?.length ? event.object.columnDefinitions : columns;
    show(event.object, columns, event.type);
  }
  return 0;
}

export { versionOf };

export const GET: Command = {
  name: 'get',
  group: 'Basic',
  short: 'Display one or many resources',
  usage: 'kubectl get [-o FORMAT] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]',
  examples: `  # List all pods in ps output format
  kubectl get pods

  # List all pods with more information (such as node name)
  kubectl get pods -o wide

  # List a single pod in YAML output format
  kubectl get -o yaml pod web-pod-13je7

  # Watch pods as they change
  kubectl get pods -w

  # List all deployments and services together
  kubectl get deployments,services`,
  completes: 'resources',
  flags: [
    OUTPUT,
    SELECTOR,
    FIELD_SELECTOR,
    ALL_NAMESPACES,
    FILENAME,
    MANAGED,
    bool('watch', 'w', 'After listing/getting the requested object, watch for changes.'),
    bool('watch-only', '', 'Watch for changes to the requested object(s), without listing/getting first.'),
    bool('output-watch-events', '', 'Output watch event objects when --watch or --watch-only is used.'),
    bool('no-headers', '', "When using the default or custom-column output format, don't print headers."),
    bool('show-labels', '', 'When printing, show all labels as the last column.'),
    bool('show-kind', '', 'If present, list the resource type for the requested object(s).'),
    bool('ignore-not-found', '', 'If set to true, suppresses NotFound error for specific objects that do not exist.'),
    list('label-columns', 'L', 'Accepts a comma separated list of labels that are going to be presented as columns.'),
    text('sort-by', '', 'If non-empty, sort list types using this field specification.'),
    text('raw', '', 'Raw URI to request from the server.'),
  ],
  run: get,
};
