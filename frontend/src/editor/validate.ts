/** What is wrong in a text: YAML's own errors, and what the schemas do not know. Pure but for the schemas that it is given. */
import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type Node, type Pair, type YAMLMap } from 'yaml';
import { intOrString, resolved, typeOf, type Rooted, type Schema, type Schemas } from './schema';

export interface Problem {
  from: number;
  to: number;
  /** Counted from 1. */
  line: number;
  severity: 'error' | 'warning' | 'info';
  message: string;
  /** Said by the server about this text. */
  server?: boolean;
}

export type Lookup = (apiVersion: string, kind: string) => Promise<Rooted | null>;

const MOST_PROBLEMS = 100;

interface Read {
  document: Document.Parsed;
  apiVersion: string;
  kind: string;
}

export function read(text: string): { all: Read[]; lines: LineCounter } {
  const lines = new LineCounter();
  const all = parseAllDocuments(text, { version: '1.1', lineCounter: lines, uniqueKeys: true });
  if (!Array.isArray(all)) return { all: [], lines };
  return {
    lines,
    all: (all as Document.Parsed[]).map((document) => {
      const top = isMap(document.contents) ? (document.contents as YAMLMap) : null;
      const word = (name: string) => {
        const value: unknown = top?.get(name);
        return typeof value === 'string' ? value : '';
      };
      return { document, apiVersion: word('apiVersion'), kind: word('kind') };
    }),
  };
}

function span(node: Node | null | undefined): [number, number] {
  return node?.range ? [node.range[0], Math.max(node.range[1], node.range[0])] : [0, 0];
}

const typeName = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value === 'object' ? 'map' : typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'number') : typeof value);

/** Whether a plain value may stand where the schema wants its type. */
function fits(value: unknown, schema: Schema): boolean {
  if (value === null) return true;
  if (intOrString(schema)) return typeof value === 'string' || Number.isInteger(value);
  const options = schema.oneOf ?? schema.anyOf;
  if (options) return options.some((one) => fits(value, one));
  switch (schema.type) {
    case 'string':
      return typeof value === 'string';
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    default:
      return true;
  }
}

type Say = (node: Node | null | undefined, message: string, severity?: Problem['severity']) => void;

function check(node: Node | null, given: Schema, all: Schemas, path: string, say: Say, key: Node | null): void {
  const schema = resolved(given, all);
  if (!node || (isScalar(node) && node.value === null)) return;
  if (isMap(node)) {
    if (schema.type && schema.type !== 'object') return say(key ?? node, `${path || 'this'} must be ${article(typeOf(schema, all))}, not a map`);
    const open = schema['x-kubernetes-preserve-unknown-fields'] || (!schema.properties && schema.additionalProperties === undefined);
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const name = isScalar(pair.key) ? String(pair.key.value) : '';
      const here = path ? `${path}.${name}` : name;
      const field = schema.properties?.[name];
      if (field) check(pair.value, field, all, here, say, pair.key);
      else if (typeof schema.additionalProperties === 'object') check(pair.value, schema.additionalProperties, all, here, say, pair.key);
      else if (!open && schema.additionalProperties !== true) {
        const near = closest(name, Object.keys(schema.properties ?? {}));
        say(pair.key, `unknown field "${here}"${near ? `: did you mean ${near}?` : ''}`);
      }
    }
    for (const name of schema.required ?? []) {
      if (!node.has(name)) say(key ?? (node.items[0]?.key as Node | undefined) ?? node, `${path ? `${path}.` : ''}${name} is required`);
    }
    return;
  }
  if (isSeq(node)) {
    if (schema.type && schema.type !== 'array') return say(key ?? node, `${path || 'this'} must be ${article(typeOf(schema, all))}, not a list`);
    if (schema.items) node.items.forEach((item, at) => check(item as Node, schema.items!, all, `${path}[${at}]`, say, null));
    return;
  }
  if (!isScalar(node)) return;
  const value = node.value;
  if (schema.type === 'array' || (schema.type === 'object' && (schema.properties ?? schema.additionalProperties))) {
    return say(node, `${path} must be ${schema.type === 'array' ? 'a list' : 'a map'}, not ${article(typeName(value))}`);
  }
  if (!fits(value, schema)) {
    const hint = schema.type === 'string' && typeof value !== 'string' ? `: write "${String(node.source ?? value)}" in quotes` : '';
    return say(node, `${path} must be ${article(typeOf(schema, all))}, not ${article(typeName(value))}${hint}`);
  }
  if (schema.enum && !schema.enum.includes(value)) say(node, `${path} must be one of ${schema.enum.map(String).join(', ')}`);
}

const article = (word: string) => (/^(\[\]|map|null)/.test(word) ? (word === 'null' ? word : `a ${word}`) : `${/^[aeiouAEIOU]/.test(word) ? 'an' : 'a'} ${word}`);

function closest(name: string, options: string[]): string {
  const lower = name.toLowerCase();
  return options.find((one) => one.toLowerCase() === lower) ?? options.find((one) => one.toLowerCase() === `${lower}s` || `${one.toLowerCase()}s` === lower) ?? options.find((one) => Math.abs(one.length - name.length) < 2 && shared(one.toLowerCase(), lower) >= Math.max(3, one.length - 2)) ?? '';
}

/** How many letters two words have in common, in order. */
function shared(a: string, b: string): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const letter of a) {
    const next = [0];
    for (let at = 1; at <= b.length; at++) next[at] = letter === b[at - 1] ? row[at - 1]! + 1 : Math.max(row[at]!, next[at - 1]!);
    row = next;
  }
  return row[b.length]!;
}

export async function problems(text: string, lookup: Lookup): Promise<Problem[]> {
  const { all, lines } = read(text);
  const found: Problem[] = [];
  const add = (from: number, to: number, message: string, severity: Problem['severity']) => {
    if (found.length < MOST_PROBLEMS) found.push({ from, to: Math.min(text.length, Math.max(to, from)), line: lines.linePos(from).line, severity, message });
  };
  for (const { document, apiVersion, kind } of all) {
    for (const error of document.errors) add(error.pos[0], error.pos[1], (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, ''), 'error');
    if (document.errors.length || document.contents === null) continue;
    const say: Say = (node, message, severity = 'error') => add(...span(node), message, severity);
    const top = document.contents as Node;
    if (isScalar(top) && top.value === null) continue;
    if (!isMap(top)) {
      say(top, 'A manifest is a map of fields: apiVersion, kind, metadata …');
      continue;
    }
    const first = (top.items[0]?.key as Node | undefined) ?? top;
    if (!apiVersion) say(first, 'apiVersion is missing');
    if (!kind) say(first, 'kind is missing');
    if (!apiVersion || !kind) continue;
    if (kind === 'Secret' && apiVersion === 'v1') say(top.get('data', true) ?? top.get('stringData', true) ?? first, 'A Secret is readable to everyone who sees this text: do not use real passwords here.', 'info');
    if (kind === 'List') continue;
    const schema = await lookup(apiVersion, kind);
    if (!schema) {
      say(top.get('kind', true), `the cluster knows no kind ${kind} in ${apiVersion}`, 'warning');
      continue;
    }
    check(top, schema.root, schema.all, '', say, null);
  }
  return found;
}

/** "spec.containers[0].image", 'metadata.labels["a/b"]', "data[key]" → the steps of a path. */
export function steps(field: string): (string | number)[] {
  const found: (string | number)[] = [];
  for (const match of field.matchAll(/\[(\d+)\]|\[["']?([^\]"']+)["']?\]|([^.[\]]+)/g)) {
    if (match[1] !== undefined) found.push(Number(match[1]));
    else found.push((match[2] ?? match[3])!);
  }
  return found;
}

/** Where a field stands in a document: the nearest thing to it that is written. `index` counts the documents that hold something. */
export function locate(text: string, index: number, field: string): { from: number; to: number; line: number } {
  const { all, lines } = read(text);
  const document = all.filter((one) => one.document.errors.length || one.document.contents !== null)[index]?.document;
  let node: Node | null = document?.contents ?? null;
  let best: Node | null = isMap(node) ? ((node.items[0]?.key as Node | undefined) ?? node) : node;
  for (const step of steps(field)) {
    if (isMap(node)) {
      const pair = (node.items as Pair<Node, Node | null>[]).find((one) => isScalar(one.key) && String(one.key.value) === String(step));
      if (!pair) break;
      best = pair.key;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      const item = node.items[step] as Node | undefined;
      if (!item) break;
      node = item;
      best = isMap(item) ? ((item.items[0]?.key as Node | undefined) ?? item) : item;
    } else break;
  }
  const [from, to] = span(best);
  return { from, to, line: lines.linePos(from).line };
}
