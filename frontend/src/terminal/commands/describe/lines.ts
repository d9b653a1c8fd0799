/** Building blocks of describe: lines with tabs, aligned at the end. */
import type { Call } from '../../command';
import type { Found } from '../../builder';
import type { Thing } from '../../kube/types';
import { query, pathOf } from '../../kube/client';
import { interval, lastSeen } from '../wait';
import { human, stamp } from '../../text/duration';

export const HIDDEN = ['kubectl.kubernetes.io/last-applied-configuration'];
const LONG = 140;

export interface Describing {
  call: Call;
  one: Found;
  object: Thing;
  withEvents: boolean;
}

export type Describer = (about: Describing) => Promise<string[]>;

/** "Labels:\ta=b", further ones on lines of their own. */
export function multiline(title: string, values: Record<string, string> | undefined, indent = ''): string[] {
  const keys = Object.keys(values ?? {}).sort();
  if (!keys.length) return [`${indent}${title}:\t<none>`];
  return keys.map((key, at) => `${at ? '' : `${indent}${title}:`}\t${key}=${values![key]}`);
}

export function annotations(values: Record<string, string> | undefined, indent = ''): string[] {
  const keys = Object.keys(values ?? {}).filter((key) => !HIDDEN.includes(key)).sort();
  if (!keys.length) return [`${indent}Annotations:\t<none>`];
  return keys.flatMap((key, at) => {
    const head = at ? '\t' : `${indent}Annotations:\t`;
    const value = (values![key] ?? '').replace(/\n$/, '');
    if (value.includes('\n') || key.length + value.length + 2 > LONG) {
      return [`${head}${key}:`, ...value.split('\n').map((line) => `${indent}\t  ${line.length > LONG - 2 ? `${line.slice(0, LONG - 2)}...` : line}`)];
    }
    return [`${head}${key}: ${value}`];
  });
}

interface Head {
  namespace?: boolean;
  /** With the moment at which it was created. */
  created?: boolean;
  /** Lines between the namespace and the labels. */
  first?: string[];
}

/** Name, Namespace, Labels, Annotations: how descriptions begin. */
export function header(object: Thing, { namespace = true, created = false, first = [] }: Head = {}): string[] {
  const { metadata } = object;
  return [
    `Name:\t${metadata.name}`,
    ...(namespace && metadata.namespace ? [`Namespace:\t${metadata.namespace}`] : []),
    ...(created ? [`CreationTimestamp:\t${stamp(metadata.creationTimestamp)}`] : []),
    ...first,
    ...multiline('Labels', metadata.labels),
    ...annotations(metadata.annotations),
  ];
}

/** A line for what is set; nothing otherwise. */
export function given(title: string, value: unknown, unit = ''): string[] {
  return value === undefined || value === null || value === '' ? [] : [`${title}:\t${String(value)}${unit}`];
}

/** A table with a line of dashes under its head. */
export function table(head: string[], rows: string[][], indent = '  ', dashes = head.map((one) => '-'.repeat(one.length))): string[] {
  return [head, dashes, ...rows].map((row) => `${indent}${row.join('\t')}`);
}

export async function events({ call, one, object, withEvents }: Describing): Promise<string[]> {
  if (!withEvents) return [];
  const resource = await call.session.discovery.named(call.kube, 'events');
  const fields = [`involvedObject.kind=${object.kind}`, `involvedObject.name=${object.metadata.name}`, ...(one.namespace ? [`involvedObject.namespace=${one.namespace}`] : []), ...(object.metadata.uid && object.kind !== 'Node' ? [`involvedObject.uid=${object.metadata.uid}`] : [])];
  const list = await call.kube.json<{ items: Parameters<typeof interval>[0][] }>('GET', query(pathOf(resource, one.namespace), { fieldSelector: fields.join(','), limit: 500 }));
  if (!list.items.length) return ['Events:\t<none>'];
  const rows = [...list.items].sort((a, b) => Date.parse(lastSeen(a)) - Date.parse(lastSeen(b))).map((event) => {
    const source = event.source as { component?: string } | undefined;
    return [event.type, event.reason, interval(event, call.session.now()), source?.component || (event.reportingComponent as string) || '', `${event.involvedObject.fieldPath ? `${event.involvedObject.fieldPath}: ` : ''}${event.message.trim()}`];
  });
  return ['Events:', ...table(['Type', 'Reason', 'Age', 'From', 'Message'], rows, '  ', ['----', '------', '----', '----', '-------'])];
}

export function since(call: Call, time: string | undefined): string {
  return time ? human(call.session.now() - Date.parse(time)) : '<unknown>';
}

export interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export function selector(value: Selector | undefined): string {
  if (!value) return '<none>';
  const parts = [
    ...Object.keys(value.matchLabels ?? {}).sort().map((key) => `${key}=${value.matchLabels![key]}`),
    ...(value.matchExpressions ?? []).map(({ key, operator, values }) => (operator === 'Exists' ? key : operator === 'DoesNotExist' ? `!${key}` : `${key} ${operator === 'In' ? 'in' : 'notin'} (${values?.join(',')})`)),
  ];
  return parts.join(',') || '<none>';
}

export function labels(values: Record<string, string> | undefined): string {
  return Object.keys(values ?? {}).sort().map((key) => `${key}=${values![key]}`).join(',') || '<none>';
}

/** Whether that object is the controller of this one. */
export function isOf(one: Thing, owner: Thing): boolean {
  return one.metadata.ownerReferences?.some((reference) => reference.controller && reference.uid === owner.metadata.uid) ?? false;
}

export function controlledBy(object: Thing): string[] {
  const owner = object.metadata.ownerReferences?.find((one) => one.controller);
  return owner ? [`Controlled By:\t${owner.kind}/${owner.name}`] : [];
}
