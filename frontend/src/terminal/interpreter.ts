/** Runs what was typed: pipelines of commands and filters, with kubectl's command table behind `kubectl` and `k`. */
import { HEADER, impersonating } from '../api/acting.svelte';
import type { Call, Command, Io, Session } from './command';
import { COMMANDS } from './commands';
import { BUILTINS } from './builtins';
import { GLOBAL } from './globals';
import { helpFor, overview } from './help';
import { Kube } from './kube/client';
import { CommandError, Interrupted, said } from './kube/errors';
import { FilterError, FILTERS, type Filter } from './text/filters';
import { parse as parseFlags, UsageError } from './text/flags';
import { parse, ShellError, type Pipeline } from './text/words';

export interface Screen {
  out(text: string): void;
  err(text: string): void;
  tty: Io['tty'];
}

export const KUBECTL = ['kubectl', 'k'];
const CTRL_C = 130;

export interface Named {
  command: Command;
  path: string[];
  rest: string[];
}

/** The command that words name, how deep it is, and what is left of the words. */
export function lookup(words: string[]): Named | null {
  let table: readonly Command[] = COMMANDS;
  let found: Named | null = null;
  for (let at = 0; at < words.length; at++) {
    const command = table.find((one) => one.name === words[at] || one.aliases?.includes(words[at]!));
    if (!command) break;
    const path: string[] = found ? found.path : [];
    found = { command, path: [...path, command.name], rest: words.slice(at + 1) };
    if (!command.subcommands) break;
    table = command.subcommands;
  }
  return found;
}

/** Global flags may stand before the command: kubectl -n shop get pods. */
function globalsLast(words: string[]): string[] {
  const first: string[] = [];
  let at = 0;
  while (at < words.length && words[at]!.startsWith('-')) {
    const word = words[at]!;
    const flag = GLOBAL.find((one) => word.split('=')[0] === `--${one.name}` || (one.short && word.startsWith(`-${one.short}`)));
    first.push(word);
    at++;
    const takes = flag && flag.alone === undefined && (word === `--${flag.name}` || word === `-${flag.short}`);
    if (takes && at < words.length) first.push(words[at++]!);
  }
  const rest = words.slice(at);
  const dash = rest.indexOf('--');
  return dash < 0 ? [...rest, ...first] : [...rest.slice(0, dash), ...first, ...rest.slice(dash)];
}

/** Runs one line; returns the exit code of its last command. Never throws. */
export async function run(line: string, session: Session, screen: Screen, signal: AbortSignal): Promise<number> {
  let pipelines: Pipeline[];
  try {
    pipelines = parse(line);
  } catch (error) {
    screen.err(`${error instanceof ShellError ? `-kubeweb: ${error.message}` : said(error)}\n`);
    return 2;
  }
  let code = 0;
  for (const pipeline of pipelines) {
    if (pipeline.when === 'success' && code !== 0) continue;
    if (pipeline.when === 'failure' && code === 0) continue;
    code = await runPipeline(pipeline, session, screen, signal);
    if (code === CTRL_C) break;
  }
  return code;
}

async function runPipeline(pipeline: Pipeline, session: Session, screen: Screen, signal: AbortSignal): Promise<number> {
  let input: string | null = null;
  try {
    if (pipeline.input?.kind === 'text') input = pipeline.input.text;
    if (pipeline.input?.kind === 'file') {
      input = await session.files.read(pipeline.input.name);
      if (input === null) throw new ShellError(`${pipeline.input.name}: No such file`);
    }
    let written = '';
    const sink = pipeline.into ? (text: string) => void (written += text) : screen.out;
    let code = 0;
    for (let at = 0; at < pipeline.stages.length; ) {
      // A segment is one command and the filters that its output streams through.
      const stages = [pipeline.stages[at]!.words];
      at++;
      while (at < pipeline.stages.length && isFilter(pipeline.stages[at]!.words)) stages.push(pipeline.stages[at++]!.words);
      let collected = '';
      const final = at >= pipeline.stages.length;
      const out = final ? sink : (text: string) => void (collected += text);
      const alone = final && !pipeline.into && stages.length === 1;
      code = await segment(stages, { session, out, err: screen.err, input, signal, tty: alone ? screen.tty : null });
      if (code === CTRL_C) return code;
      input = collected;
    }
    if (pipeline.into) {
      const before = pipeline.append ? ((await session.files.read(pipeline.into)) ?? '') : '';
      await session.files.write(pipeline.into, before + written);
    }
    return code;
  } catch (error) {
    if (error instanceof Interrupted) return CTRL_C;
    screen.err(`${error instanceof ShellError ? `-kubeweb: ${error.message}` : error instanceof FilterError ? error.message : said(error)}\n`);
    return error instanceof CommandError ? error.code : 1;
  }
}

function isFilter(words: string[]): boolean {
  return words[0] !== undefined && words[0] in FILTERS;
}

interface Segment {
  session: Session;
  out: (text: string) => void;
  err: (text: string) => void;
  input: string | null;
  signal: AbortSignal;
  tty: Io['tty'];
}

async function segment(stages: string[][], { session, out, err, input, signal, tty }: Segment): Promise<number> {
  // A filter that has enough (head) stops the command, as a closed pipe does.
  const enough = new AbortController();
  const both = AbortSignal.any([signal, enough.signal]);
  const [first = [], ...rest] = stages;
  const heads = isFilter(first) ? stages : rest;
  const filters: Filter[] = [];
  let next = out;
  for (const words of [...heads].reverse()) {
    const filter = FILTERS[words[0]!]!(words.slice(1), next, () => enough.abort());
    filters.unshift(filter);
    next = (text) => filter.write(text);
  }
  let code: number;
  if (isFilter(first)) {
    if (first[0] === 'cat' && first.length > 1) {
      for (const name of first.slice(1)) {
        const text = name === 'editor' ? session.editor.text() : await session.files.read(name);
        if (text === null) throw new FilterError(`cat: ${name}: No such file`);
        next(text);
      }
    } else if (input !== null) next(input);
    else throw new FilterError(`${first[0]}: nothing is piped in`);
    code = 0;
  } else {
    try {
      code = await single(first, session, { out: next, err, input, signal: both, tty });
    } catch (error) {
      // Stopped by head, not by the person.
      if (!(error instanceof Interrupted) || signal.aborted) throw error;
      code = 0;
    }
  }
  for (const filter of filters) code = filter.end();
  return code;
}

async function single(words: string[], session: Session, io: Io): Promise<number> {
  const [name = '', ...rest] = words;
  const builtin = BUILTINS.find((one) => one.name === name);
  if (builtin) return (await builtin.run(rest, session, io)) ?? 0;
  if (!KUBECTL.includes(name)) {
    const known = lookup([name]);
    io.err(`-kubeweb: ${name}: command not found${known ? ` (did you mean "kubectl ${name}"?)` : '; try help'}\n`);
    return 127;
  }
  return kubectl(rest, session, io);
}

export async function kubectl(words: string[], session: Session, io: Io): Promise<number> {
  const all = globalsLast(words);
  if (!all.length || all[0] === 'help' || all[0] === '--help' || all[0] === '-h') {
    const found = lookup(all.slice(1));
    io.out(found ? helpFor(found.command, found.path) : overview());
    return 0;
  }
  const found = lookup(all);
  if (!found) {
    const near = COMMANDS.filter((one) => distance(one.name, all[0]!) <= 2).map((one) => one.name);
    io.err(`error: unknown command "${all[0]}" for "kubectl"${near.length ? `\n\nDid you mean this?\n${near.map((one) => `\t${one}`).join('\n')}` : ''}\n`);
    return 1;
  }
  const { command, path, rest } = found;
  const table = [...(command.flags ?? []), ...GLOBAL.filter((one) => !command.flags?.some((own) => own.name === one.name || (own.short && own.short === one.short)))];
  try {
    const { args, flags, dash } = parseFlags(rest, table);
    if (flags.on('help') || !command.run) {
      if (!command.run && args.length && !flags.on('help')) throw new UsageError(`unknown command "${args[0]}" for "kubectl ${path.join(' ')}"`);
      io.out(helpFor(command, path));
      return 0;
    }
    const impersonation = impersonating(flags.text('as'), flags.all('as-group'), flags.text('as-uid'));
    if ((flags.has('as-uid') || flags.all('as-group').length) && !flags.has('as')) throw new CommandError('requesting groups or user-extra for  without impersonating a user');
    if (flags.has('context') && flags.text('context') !== `${session.user()}@kubeweb`) throw new CommandError(`context "${flags.text('context')}" does not exist`);
    const kube = new Kube(session.transport, io.signal, impersonation[0] ? { [HEADER]: impersonation[0] } : {});
    kube.warned = (text) => io.err(`Warning: ${text}\n`);
    const call: Call = {
      session,
      io,
      kube,
      args,
      flags,
      dash,
      namespace: flags.text('namespace') || session.namespace,
      namespaced: flags.has('namespace'),
      path: path.join(' '),
      impersonation,
    };
    return (await command.run(call)) ?? 0;
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    if (error instanceof UsageError) {
      io.err(`error: ${error.message}\nSee 'kubectl ${path.join(' ')} --help' for usage.\n`);
      return 1;
    }
    io.err(`${said(error)}\n`);
    return error instanceof CommandError ? error.code : 1;
  }
}

/** Edit distance, for "did you mean". */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
