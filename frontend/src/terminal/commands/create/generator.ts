/** What every `kubectl create KIND NAME` has in common: an object is made from flags, and sent or printed. */
import { dryRun, suffix } from '../../builder';
import type { Call, Command } from '../../command';
import { DRY_RUN, FIELD_MANAGER, OUTPUT } from '../../globals';
import { pathOf, query } from '../../kube/client';
import { CommandError, StatusError } from '../../kube/errors';
import type { Thing } from '../../kube/types';
import { list, type Flag } from '../../text/flags';
import { printed, VALIDATE } from '../apply';

export type Made = Omit<Thing, 'apiVersion' | 'kind'>;

export interface Generator {
  name: string;
  aliases?: string[];
  short: string;
  apiVersion: string;
  kind: string;
  /** What stands before the server's words when it refuses; '' for the plain error. */
  failed: string;
  flags?: Flag[];
  usage: string;
  build(call: Call, name: string): Made | Promise<Made>;
}

export const DEFAULTS = [DRY_RUN, FIELD_MANAGER, OUTPUT, VALIDATE];
export const FROM_LITERAL = list('from-literal', '', 'Specify a key and literal value to insert (i.e. mykey=somevalue)');

export function pairs(words: string[], flag: string): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=');
      if (at < 1) throw new CommandError(`invalid ${flag} ${word}, expected key=value`);
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

export function needed(call: Call, ...names: string[]): void {
  const missing = names.filter((one) => !call.flags.has(one));
  if (missing.length) throw new CommandError(`required flag(s) ${missing.map((one) => `"${one}"`).join(', ')} not set`);
}

/** What stands after `--`: the command of a container. */
export function after(call: Call): string[] {
  return call.dash < 0 ? [] : call.args.slice(call.dash);
}

/** UTF-8 as base64, as a Secret's data is. */
export function base64(value: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(value)));
}

/** Sends what was made (or only prints it), as every generator does. */
export async function send(call: Call, object: Thing, failed: string, manager = 'kubectl-create'): Promise<void> {
  const mode = dryRun(call);
  const resource = await call.session.discovery.ofKind(call.kube, object.apiVersion, object.kind);
  if (resource.namespaced && (call.namespaced || mode !== 'client')) object.metadata.namespace = call.namespace;
  let made = object;
  if (mode !== 'client') {
    const path = query(pathOf(resource, call.namespace), { fieldManager: call.flags.text('field-manager') || manager, dryRun: mode === 'server' ? 'All' : undefined });
    try {
      made = await call.kube.json('POST', path, object);
    } catch (error) {
      if (failed && error instanceof StatusError) throw new CommandError(`${failed}: ${error.status.message}`);
      throw error;
    }
  }
  printed(call, [{ resource, object: made }], [`created${suffix(mode)}`]);
}

export function command(generator: Generator, parent: string): Command {
  return {
    name: generator.name,
    aliases: generator.aliases,
    group: 'Basic',
    short: generator.short,
    usage: `kubectl ${parent} ${generator.name} ${generator.usage} [--dry-run=server|client|none] [options]`,
    flags: [...DEFAULTS, ...(generator.flags ?? [])],
    run: async (call) => {
      const names = call.dash < 0 ? call.args : call.args.slice(0, call.dash);
      if (names.length !== 1) throw new CommandError(`exactly one NAME is required, got ${names.length}\nSee 'kubectl ${parent} ${generator.name} -h' for help and examples`);
      const name = names[0]!;
      const made = await generator.build(call, name);
      await send(call, { apiVersion: generator.apiVersion, kind: generator.kind, ...made } as Thing, generator.failed);
    },
  };
}
