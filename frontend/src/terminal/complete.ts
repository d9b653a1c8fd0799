/** What Tab offers: commands, types, names, flags and their values, namespaces, containers, files. */
import { GLOBAL } from './globals';
import type { Command, Session } from './command';
import { BUILTINS } from './builtins';
import { COMMANDS } from './commands';
import { KUBECTL, lookup } from './interpreter';
import { Kube, pathOf, query } from './kube/client';
import { find } from './kube/discovery';
import type { Resource, ThingList } from './kube/types';
import { FILTERS } from './text/filters';
import type { Flag } from './text/flags';
import { tokens } from './text/words';

export interface Completion {
  /** Where the word begins that the options complete. */
  from: number;
  options: string[];
}

const NAMES = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
const WORKLOADS = ['daemonsets', 'deployments', 'replicasets', 'statefulsets'];

/** The words of the last command before the cursor; the last one is being written. */
export function context(text: string): { words: string[]; word: string; first: boolean } {
  let found: ReturnType<typeof tokens>;
  try {
    found = tokens(text);
  } catch {
    return { words: [], word: '', first: false };
  }
  const cut = found.map((one) => one.kind === 'operator' && one.text !== '>' && one.text !== '>>' && one.text !== '<').lastIndexOf(true);
  const words = found.slice(cut + 1).map((one) => one.text);
  const open = text === '' || /[\s|;&]$/.test(text);
  const word = open ? '' : (words.pop() ?? '');
  return { words, word, first: words.length === 0 };
}

export async function completions(text: string, session: Session, signal: AbortSignal): Promise<Completion> {
  const { words, word, first } = context(text);
  const start = text.length - word.length;
  const matching = (options: readonly string[], from = start, prefix = word): Completion => ({ from, options: [...new Set(options)].filter((one) => one.startsWith(prefix)).sort() });
  if (first) {
    const piped = /\|\s*\S*$/.test(text) && !/\|\|\s*\S*$/.test(text);
    return matching([...KUBECTL, ...Object.keys(FILTERS), ...(piped ? ['less'] : BUILTINS.map((one) => one.name))]);
  }
  if (!KUBECTL.includes(words[0]!)) return matching(await session.files.list());
  const kube = new Kube(session.transport, signal);
  const found = lookup(words.slice(1));
  if (!found) {
    if (words.length === 1) return matching([...COMMANDS.map((one) => one.name), 'help']);
    return matching(words[1] === 'help' ? COMMANDS.map((one) => one.name) : []);
  }
  const { command, rest } = found;
  const flags = [...(command.flags ?? []), ...GLOBAL];
  const value = await flagValue(words, word, flags, session, kube);
  if (value) return matching(value.options, start + value.skip, word.slice(value.skip));
  if (word.startsWith('-')) return matching(flags.map((one) => `--${one.name}${one.alone === undefined ? '=' : ''}`));
  if (command.subcommands && rest.length === 0) return matching(command.subcommands.flatMap((one) => [one.name]));
  return matching(...(await argument(command, positional(rest, flags), word, start, session, kube, namespaceIn(rest, session))));
}

/** The value of a flag that is being written: after `--flag=`, `--flag `, `-n `. */
async function flagValue(words: string[], word: string, flags: Flag[], session: Session, kube: Kube): Promise<{ options: string[]; skip: number } | null> {
  const joined = /^(--[\w-]+|-\w)=/.exec(word);
  const previous = words.at(-1)!;
  const name = joined ? joined[1]! : /^-/.test(previous) && !previous.includes('=') ? previous : '';
  const flag = name ? flags.find((one) => `--${one.name}` === name || (one.short && `-${one.short}` === name)) : undefined;
  if (!flag || (!joined && flag.alone !== undefined)) return null;
  const skip = joined ? joined[0].length : 0;
  if (flag.values === 'namespace') return { skip, options: await names(kube, session, 'namespaces', '') };
  if (flag.values === 'file') return { skip, options: ['editor', '-', ...(await session.files.list())] };
  if (flag.values === 'container') return { skip, options: await containers(words, session, kube, flags) };
  if (Array.isArray(flag.values)) return { skip, options: [...flag.values] };
  return { skip, options: [] };
}

function positional(words: string[], flags: Flag[]): string[] {
  const found: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === '--') break;
    if (!word.startsWith('-')) found.push(word);
    else if (!word.includes('=')) {
      const flag = flags.find((one) => `--${one.name}` === word || (one.short && `-${one.short}` === word));
      if (flag && flag.alone === undefined) at++;
    }
  }
  return found;
}

function namespaceIn(words: string[], session: Session): string {
  for (const [at, word] of words.entries()) {
    const joined = /^(?:--namespace=|-n=?)(.+)$/.exec(word);
    if (joined) return joined[1]!;
    if (word === '-n' || word === '--namespace') return words[at + 1] ?? session.namespace;
  }
  return session.namespace;
}

async function argument(command: Command, args: string[], word: string, start: number, session: Session, kube: Kube, namespace: string): Promise<[string[], number, string]> {
  const plain = (options: string[]): [string[], number, string] => [options, start, word];
  const slashed = async (): Promise<[string[], number, string]> => {
    const [type = '', rest = ''] = word.split('/');
    return [await names(kube, session, type, namespace), start + type.length + 1, rest];
  };
  switch (command.completes) {
    case undefined:
      return plain([]);
    case 'pods':
      if (args.length) return plain([]);
      if (word.includes('/')) return slashed();
      return plain([...(await names(kube, session, 'pods', namespace)), ...WORKLOADS.map((one) => `${one}/`)]);
    case 'nodes':
      return plain((await names(kube, session, 'nodes', '')).filter((one) => !args.includes(one)));
    case 'namespaces':
      return plain(await names(kube, session, 'namespaces', ''));
    case 'kinds':
      return args.length ? plain([]) : plain(await types(kube, session, []));
    default: {
      const verbs = command.name === 'can-i';
      if (verbs && args.length === 0) return plain([...(command.completes as readonly string[])]);
      if (word.includes('/')) return slashed();
      const only = command.completes === 'resources' || verbs ? [] : command.completes === 'workloads' ? WORKLOADS : (command.completes as readonly string[]);
      const first = verbs ? 1 : 0;
      if (args.length === first) {
        const comma = word.lastIndexOf(',') + 1;
        return [await types(kube, session, only), start + comma, word.slice(comma)];
      }
      const taken = args.slice(first + 1);
      return plain((await names(kube, session, args[first]!.split(',').at(-1)!, namespace)).filter((one) => !taken.includes(one)));
    }
  }
}

async function types(kube: Kube, session: Session, only: readonly string[]): Promise<string[]> {
  if (only.length) return [...only];
  const all = await session.discovery.all(kube).catch(() => [] as Resource[]);
  const listed = all.filter((one) => one.verbs.includes('list'));
  const plurals = new Set<string>();
  return listed.map((one) => {
    // A name that another group has already needs its own group.
    const name = plurals.has(one.name) ? `${one.name}.${one.group}` : one.name;
    plurals.add(one.name);
    return name;
  });
}

async function names(kube: Kube, session: Session, type: string, namespace: string): Promise<string[]> {
  try {
    const resource = find(await session.discovery.all(kube), type);
    if (!resource) return [];
    const response = await kube.send('GET', query(pathOf(resource, namespace), { limit: 500 }), { accept: NAMES });
    return ((await response.json()) as ThingList).items.map((one) => one.metadata.name);
  } catch {
    // No right to list: nothing to offer.
    return [];
  }
}

async function containers(words: string[], session: Session, kube: Kube, flags: Flag[]): Promise<string[]> {
  const found = lookup(words.slice(1));
  const target = positional(found?.rest ?? [], flags).find((one) => one !== 'pod');
  if (!target) return [];
  const [type, name] = target.includes('/') ? (target.split('/') as [string, string]) : ['pods', target];
  try {
    const resource = find(await session.discovery.all(kube), type);
    if (!resource) return [];
    const object = await kube.get(resource, namespaceIn(words, session), name);
    const spec = (object.spec?.template?.spec ?? object.spec) as { containers?: { name: string }[]; initContainers?: { name: string }[] };
    return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((one) => one.name);
  } catch {
    return [];
  }
}

/** The longest beginning that all options share. */
export function common(options: string[]): string {
  let prefix = options[0] ?? '';
  for (const one of options) while (!one.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix;
}

/** Options in columns, as a shell lists them. */
export function listing(options: string[], columns: number): string {
  const width = Math.max(...options.map((one) => one.length)) + 2;
  const perRow = Math.max(1, Math.floor(columns / width));
  const rows = Math.ceil(options.length / perRow);
  return Array.from({ length: rows }, (_, row) => Array.from({ length: perRow }, (_, column) => options[column * rows + row] ?? '').map((one) => one.padEnd(width)).join('').trimEnd()).join('\n');
}
