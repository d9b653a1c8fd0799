/** kubectl wait, and events. */
import { label, namespaceOf, objects, targets } from '../builder';
import type { Call, Command } from '../command';
import { ALL, ALL_NAMESPACES, FIELD_SELECTOR, FILENAME, OUTPUT, SELECTOR } from '../globals';
import { pathOf, pause, query } from '../kube/client';
import { CommandError, isNotFound } from '../kube/errors';
import type { Thing } from '../kube/types';
import { evaluate, relaxed, shown } from '../output/jsonpath';
import { age, parse as duration } from '../text/duration';
import { bool, list, text } from '../text/flags';
import { columnWidths, padRow } from '../text/tabwriter';

type Condition = { kind: 'delete' } | { kind: 'create' } | { kind: 'met'; test: (object: Thing) => boolean };

export function parseFor(text: string): Condition {
  if (text === 'delete') return { kind: 'delete' };
  if (text === 'create') return { kind: 'create' };
  if (text.startsWith('condition=')) {
    const [type = '', value = 'true'] = text.slice('condition='.length).split('=');
    return {
      kind: 'met',
      test: (object) => {
        const conditions = (object.status?.conditions ?? []) as { type: string; status: string; observedGeneration?: number }[];
        const found = conditions.find((one) => one.type.toLowerCase() === type.toLowerCase());
        if (found?.observedGeneration !== undefined && found.observedGeneration < (object.metadata.generation ?? 0)) return false;
        return found?.status.toLowerCase() === value.toLowerCase();
      },
    };
  }
  if (text.startsWith('jsonpath=')) {
    const match = /^jsonpath=['"]?(\{.*?\})['"]?(?:=(.*))?$/.exec(text);
    if (!match) throw new CommandError(`jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'`);
    const steps = relaxed(match[1]!);
    const wanted = match[2]?.replace(/^['"]|['"]$/g, '');
    return {
      kind: 'met',
      test: (object) => {
        const found = evaluate(steps, object);
        return wanted === undefined ? found.length > 0 : found.length > 0 && found.every((one) => shown(one) === wanted);
      },
    };
  }
  throw new CommandError(`unrecognized condition: "${text}"`);
}

async function wait(call: Call): Promise<number> {
  const { flags, io, kube } = call;
  const given = flags.all('for');
  if (!given.length) throw new CommandError('required flag(s) "for" not set');
  const condition = parseFor(given[0]!);
  const limit = duration(flags.text('timeout'));
  if (limit === null) throw new CommandError(`invalid argument "${flags.text('timeout')}" for "--timeout" flag: time: invalid duration "${flags.text('timeout')}"`);
  const until = limit < 0 ? Infinity : Date.now() + limit;
  const { found, errors } = await objects(call, { all: flags.on('all') });
  if (condition.kind !== 'delete' && condition.kind !== 'create' && errors.length) throw errors[0];
  const real = errors.filter((error) => !isNotFound(error));
  if (real.length) throw real[0];
  if (condition.kind === 'create') return created(call, until);
  if (!found.length && condition.kind !== 'delete') throw new CommandError('no matching resources found');
  let code = 0;
  await Promise.all(
    found.map(async ({ resource, namespace, name, object }) => {
      let latest: Thing | null = object;
      for (;;) {
        if (condition.kind === 'delete' ? !latest || latest.metadata.uid !== object.metadata.uid : latest && condition.test(latest)) break;
        if (!latest && condition.kind === 'met') {
          io.err(`Error from server (NotFound): ${resource.group ? `${resource.name}.${resource.group}` : resource.name} "${name}" not found\n`);
          code = 1;
          return;
        }
        if (Date.now() >= until) {
          io.err(`error: timed out waiting for the condition on ${resource.group ? `${resource.name}` : resource.name}/${name}\n`);
          code = 1;
          return;
        }
        await pause(200, io.signal);
        latest = await kube.get(resource, namespace, name).catch((error: unknown) => (isNotFound(error) ? null : Promise.reject(error)));
      }
      io.out(`${label(resource, name)} ${condition.kind === 'delete' ? 'deleted' : 'condition met'}\n`);
    }),
  );
  return code;
}

async function created(call: Call, until: number): Promise<number> {
  for (const { resource, names } of await targets(call)) {
    for (const name of names) {
      for (;;) {
        const found = await call.kube.get(resource, namespaceOf(call, resource), name).catch((error: unknown) => (isNotFound(error) ? null : Promise.reject(error)));
        if (found) break;
        if (Date.now() >= until) throw new CommandError(`timed out waiting for the condition on ${resource.name}/${name}`);
        await pause(200, call.io.signal);
      }
      call.io.out(`${label(resource, name)} condition met\n`);
    }
  }
  return 0;
}

interface Event extends Thing {
  lastTimestamp?: string;
  firstTimestamp?: string;
  eventTime?: string;
  count?: number;
  series?: { count: number; lastObservedTime: string };
  type: string;
  reason: string;
  message: string;
  involvedObject: { kind: string; name: string; fieldPath?: string };
}

export function lastSeen(event: Event): string {
  return event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '';
}

/** "4m4s", or "12s (x4 over 2m)" for one that came again. */
export function interval(event: Event, now: number): string {
  const first = event.firstTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;
  if (event.series) return `${age(event.series.lastObservedTime, now)} (x${event.series.count} over ${age(first, now)})`;
  if ((event.count ?? 0) > 1) return `${age(event.lastTimestamp, now)} (x${event.count} over ${age(event.firstTimestamp, now)})`;
  return age(first, now);
}

async function events(call: Call): Promise<number> {
  const { flags, io, kube, session } = call;
  const resource = await session.discovery.named(kube, 'events');
  const everywhere = flags.on('all-namespaces');
  const namespace = everywhere ? '' : call.namespace;
  const fields: string[] = [];
  if (flags.text('for')) {
    const [type = '', name = ''] = flags.text('for').split('/');
    if (!name) throw new CommandError('--for must be in resource/name form');
    const about = await session.discovery.named(kube, type);
    fields.push(`involvedObject.kind=${about.kind}`, `involvedObject.name=${name}`);
  }
  const types = flags.split('types').map((one) => one.toLowerCase());
  const wanted = (event: Event) => !types.length || types.includes(event.type.toLowerCase());
  const parameters = { fieldSelector: fields.join(',') || undefined };
  const listed = await kube.list(resource, namespace, parameters);
  const all = (listed.items as Event[]).filter(wanted).sort((a, b) => Date.parse(lastSeen(a)) - Date.parse(lastSeen(b)));
  const head = flags.on('no-headers') ? [] : [[...(everywhere ? ['NAMESPACE'] : []), 'LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE']];
  const row = (event: Event) => [
    ...(everywhere ? [event.metadata.namespace ?? ''] : []),
    interval(event, session.now()),
    event.type,
    event.reason,
    `${event.involvedObject.kind}/${event.involvedObject.name}`,
    event.message.trim(),
  ];
  if (!all.length && !flags.on('watch')) {
    io.err(everywhere ? 'No events found.\n' : `No events found in ${call.namespace} namespace.\n`);
    return 0;
  }
  const rows = [...head, ...all.map(row)];
  let widths = columnWidths(rows);
  io.out(rows.map((one) => `${padRow(one, widths)}\n`).join(''));
  if (!flags.on('watch')) return 0;
  const path = query(pathOf(resource, namespace), { ...parameters, watch: true, resourceVersion: listed.metadata.resourceVersion });
  for await (const event of kube.watch<Event>(path)) {
    if ((event.type !== 'ADDED' && event.type !== 'MODIFIED') || !wanted(event.object)) continue;
    const one = row(event.object);
    widths = columnWidths([one], widths);
    io.out(`${padRow(one, widths)}\n`);
  }
  return 0;
}


export const WAIT: readonly Command[] = [
  {
    name: 'wait',
    group: 'Advanced',
    short: 'Wait for a specific condition on one or many resources',
    usage: "kubectl wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]] [options]",
    completes: 'resources',
    flags: [FILENAME, SELECTOR, FIELD_SELECTOR, ALL, ALL_NAMESPACES, OUTPUT, list('for', '', 'The condition to wait on.', { values: ['condition=Available', 'condition=Ready', 'delete', 'create'] }), text('timeout', '', 'The length of time to wait before giving up.', { default: '30s' })],
    run: wait,
  },
  {
    name: 'events',
    group: 'Troubleshooting',
    short: 'List events',
    flags: [ALL_NAMESPACES, OUTPUT, text('for', '', 'Filter events to only those pertaining to the specified resource.'), list('types', '', 'Output only events of given types.'), bool('watch', 'w', 'After listing the requested events, watch for more events.'), bool('no-headers', '', "When using the default output format, don't print headers.")],
    run: events,
  },
];
