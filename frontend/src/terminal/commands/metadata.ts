/** label, annotate, patch: small changes to objects that are there. */
import { parse as parseYaml } from 'yaml';
import { dryRun, label as named, objects, patch, suffix } from '../builder';
import type { Call, Command } from '../command';
import { ALL, ALL_NAMESPACES, DRY_RUN, FIELD_MANAGER, FIELD_SELECTOR, FILENAME, OUTPUT, OVERWRITE, SELECTOR } from '../globals';
import { JSON_PATCH, MERGE, STRATEGIC } from '../kube/client';
import { CommandError, said } from '../kube/errors';
import { text, bool } from '../text/flags';
import { printed } from './apply';

/** Arguments before the first KEY=VALUE or KEY- name resources; the rest are changes. */
export function split(args: string[]): { resources: string[]; set: Record<string, string>; removed: string[] } {
  const first = args.findIndex((one) => one.includes('=') || one.endsWith('-'));
  const changes = first < 0 ? [] : args.slice(first);
  const set: Record<string, string> = {};
  const removed: string[] = [];
  for (const one of changes) {
    const at = one.indexOf('=');
    if (at > 0) set[one.slice(0, at)] = one.slice(at + 1);
    else if (one.endsWith('-') && one.length > 1) removed.push(one.slice(0, -1));
    else throw new CommandError(`all resources must be specified before label changes: ${one}`);
  }
  const both = removed.find((one) => one in set);
  if (both) throw new CommandError(`can not both modify and remove a label in the same command`);
  return { resources: first < 0 ? args : args.slice(0, first), set, removed };
}

function changes(kind: 'labels' | 'annotations') {
  return async (call: Call): Promise<number> => {
    const { flags, io } = call;
    const { resources, set, removed } = split(call.args);
    if (flags.on('list')) {
      const { found } = await objects(call, { args: resources, all: true });
      for (const { object } of found) {
        const all = object.metadata[kind] ?? {};
        Object.keys(all).sort().forEach((key) => io.out(`${key}=${all[key]}\n`));
      }
      return 0;
    }
    if (!resources.length && !flags.has('filename')) throw new CommandError('one or more resources must be specified as <resource> <name> or <resource>/<name>');
    if (!Object.keys(set).length && !removed.length) throw new CommandError(`at least one ${kind === 'labels' ? 'label' : 'annotation'} update is required`);
    const { found, errors } = await objects(call, { args: resources, all: flags.on('all') });
    errors.forEach((error) => io.err(`${said(error)}\n`));
    let code = errors.length ? 1 : 0;
    const mode = dryRun(call);
    for (const one of found) {
      const before = one.object.metadata[kind] ?? {};
      const taken = Object.keys(set).filter((key) => key in before && before[key] !== set[key]);
      if (taken.length && !flags.on('overwrite')) {
        const those = taken.map((key) => `'${key}' already has a value (${before[key]})`);
        const message = kind === 'labels' ? `${those.join(', ')}, and --overwrite is false` : `--overwrite is false but found the following declared annotation(s): ${those.join('; ')}`;
        io.err(`error: ${message}\n`);
        code = 1;
        continue;
      }
      removed.filter((key) => !(key in before)).forEach((key) => io.out(`${kind === 'labels' ? 'label' : 'annotation'} "${key}" not found.\n`));
      const gone = removed.filter((key) => key in before);
      const added = Object.keys(set).filter((key) => before[key] !== set[key]);
      try {
        let object = one.object;
        if (mode !== 'client' && (gone.length || added.length)) {
          const body = { metadata: { [kind]: { ...set, ...Object.fromEntries(gone.map((key) => [key, null])) } } };
          object = await patch(call, one, body, MERGE, kind === 'labels' ? 'kubectl-label' : 'kubectl-annotate');
        }
        const word = kind === 'annotations' ? 'annotated' : !gone.length && !added.length ? 'not labeled' : gone.length && !added.length ? 'unlabeled' : 'labeled';
        printed(call, [{ resource: one.resource, object }], [`${word}${suffix(mode)}`]);
      } catch (error) {
        code = 1;
        io.err(`${said(error)}\n`);
      }
    }
    return code;
  };
}

const TYPES: Record<string, string> = { json: JSON_PATCH, merge: MERGE, strategic: STRATEGIC };

async function patchAny(call: Call): Promise<number> {
  const { flags, io } = call;
  const type = TYPES[flags.text('type')];
  if (!type) throw new CommandError(`--type must be one of [json merge strategic], not "${flags.text('type')}"`);
  if (!flags.text('patch')) throw new CommandError("must specify --patch or --patch-file containing the contents of the patch");
  let body: unknown;
  try {
    body = parseYaml(flags.text('patch'));
  } catch (error) {
    throw new CommandError(`unable to parse "${flags.text('patch')}": ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
  }
  const { found, errors } = await objects(call);
  errors.forEach((error) => io.err(`${said(error)}\n`));
  const mode = dryRun(call);
  const subresource = flags.text('subresource');
  for (const one of found) {
    // What is no built-in type knows no strategic merge.
    const object = mode === 'client' ? one.object : await patch(call, one, body, type, 'kubectl-patch', subresource);
    const same = object.metadata.resourceVersion === one.object.metadata.resourceVersion && mode === 'none';
    if (flags.text('output')) printed(call, [{ resource: one.resource, object }], []);
    else io.out(`${named(one.resource, one.name)} patched${same ? ' (no change)' : ''}${suffix(mode)}\n`);
  }
  return errors.length ? 1 : 0;
}

const COMMON = [SELECTOR, FIELD_SELECTOR, ALL, ALL_NAMESPACES, FILENAME, OUTPUT, DRY_RUN, FIELD_MANAGER, OVERWRITE];

export const METADATA: readonly Command[] = [
  {
    name: 'label',
    group: 'Settings',
    short: 'Update the labels on a resource',
    usage: 'kubectl label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [options]',
    completes: 'resources',
    flags: [...COMMON, bool('list', '', 'If true, display the labels for a given resource.')],
    run: changes('labels'),
  },
  {
    name: 'annotate',
    group: 'Settings',
    short: 'Update the annotations on a resource',
    usage: 'kubectl annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [options]',
    completes: 'resources',
    flags: [...COMMON, bool('list', '', 'If true, display the annotations for a given resource.')],
    run: changes('annotations'),
  },
  {
    name: 'patch',
    group: 'Advanced',
    short: 'Update fields of a resource',
    usage: 'kubectl patch (-f FILENAME | TYPE NAME) [-p PATCH] [options]',
    completes: 'resources',
    flags: [
      text('patch', 'p', 'The patch to be applied to the resource JSON file.'),
      text('type', '', 'The type of patch being provided; one of [json merge strategic]', { default: 'strategic', values: ['strategic', 'merge', 'json'] }),
      text('subresource', '', 'If specified, patch will operate on the subresource of the requested object.', { values: ['status', 'scale'] }),
      FILENAME,
      OUTPUT,
      DRY_RUN,
      FIELD_MANAGER,
    ],
    run: patchAny,
  },
];
