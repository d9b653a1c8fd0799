/** kubectl apply, create -f, replace and diff: manifests to the server. */
import { dryRun, label, manifests, suffix, type Manifest } from '../builder';
import type { Call, Command } from '../command';
import { DRY_RUN, FIELD_MANAGER, FILENAME, OUTPUT, RECURSIVE, SELECTOR } from '../globals';
import { APPLY, pathOf, query } from '../kube/client';
import { CommandError, isNotFound, said } from '../kube/errors';
import type { Thing } from '../kube/types';
import { printer, type Printed } from '../output/format';
import { toYaml, withoutManaged } from '../output/serialize';
import { unified } from '../text/diff';
import { bool, text } from '../text/flags';

export const VALIDATE = text('validate', '', 'Must be one of: strict (or true), warn, ignore (or false).', { default: 'strict', alone: 'strict', values: ['strict', 'warn', 'ignore'] });

export function validation(call: Call): string {
  const value = call.flags.text('validate');
  const known: Record<string, string> = { strict: 'Strict', true: 'Strict', warn: 'Warn', ignore: 'Ignore', false: 'Ignore', '': 'Strict' };
  const found = known[value];
  if (!found) throw new CommandError(`invalid - validate option "${value}"; must be one of: strict (or true), warn, ignore (or false)`);
  return found;
}

export function printed(call: Call, found: Printed[], words: string[]): void {
  const print = printer(call.flags.text('output'));
  if (print) call.io.out(print(found, { managed: call.flags.on('show-managed-fields'), single: found.length === 1, headers: true }));
  else found.forEach(({ resource, object }, at) => call.io.out(`${label(resource, object.metadata.name)} ${words[at]}\n`));
}

async function applied(call: Call, one: Manifest): Promise<{ object: Thing; word: string }> {
  const { flags, kube } = call;
  const { resource, namespace, object } = one;
  const mode = dryRun(call);
  const server = flags.on('server-side');
  const name = object.metadata.name;
  if (!name && object.metadata.generateName) throw new CommandError(`from ${object.metadata.generateName}: cannot use generate name with apply`);
  if (!name) throw new CommandError(`error when retrieving current configuration of:\nResource: "${resource.group ? `${resource.group}/` : ''}${resource.version}, Resource=${resource.name}", GroupVersionKind: "${object.apiVersion}, Kind=${resource.kind}"\nName: "", Namespace: "${namespace}"\nfrom server for: "${one.title}": resource name may not be empty`);
  let before: Thing | null = null;
  if (!server) before = await kube.get(resource, namespace, name).catch((error: unknown) => (isNotFound(error) ? null : Promise.reject(error)));
  if (mode === 'client') return { object: before ?? object, word: `${before ? 'configured' : 'created'} (dry run)` };
  const path = query(pathOf(resource, namespace, name), {
    fieldManager: flags.text('field-manager') || 'kubectl',
    force: !server || flags.on('force-conflicts'),
    fieldValidation: validation(call),
    dryRun: mode === 'server' ? 'All' : undefined,
  });
  const after = await kube.json('PATCH', path, JSON.stringify({ ...object, metadata: { ...object.metadata, ...(namespace ? { namespace } : {}) } }), APPLY);
  if (server) return { object: after, word: `serverside-applied${suffix(mode)}` };
  const same = before && (before.metadata.resourceVersion === after.metadata.resourceVersion || alike(before, after));
  return { object: after, word: `${!before ? 'created' : same ? 'unchanged' : 'configured'}${suffix(mode)}` };
}

/** A server dry run gives back the object as it would be: the same, when nothing but bookkeeping differs. */
function alike(before: Thing, after: Thing): boolean {
  const plain = (one: Thing) => toYaml({ ...one, metadata: { ...one.metadata, managedFields: undefined, resourceVersion: undefined, generation: undefined } });
  return plain(before) === plain(after);
}

async function apply(call: Call): Promise<number> {
  if (!call.flags.has('filename')) throw new CommandError('must specify one of -f and -k');
  return each(call, (one) => applied(call, one));
}

/** Does `act` for every manifest, prints what came of it, goes on after a refusal. */
export async function each(call: Call, act: (one: Manifest) => Promise<{ object: Thing; word: string }>): Promise<number> {
  const found: Printed[] = [];
  const plain = !call.flags.text('output');
  let code = 0;
  for (const one of await manifests(call)) {
    try {
      const { object, word } = await act(one);
      const printing = { resource: one.resource, object: { ...object, apiVersion: object.apiVersion ?? one.object.apiVersion, kind: object.kind ?? one.object.kind } };
      if (plain) printed(call, [printing], [word]);
      else found.push(printing);
    } catch (error) {
      code = 1;
      const verb = { apply: 'creating', create: 'creating', replace: 'replacing' }[call.path.split(' ')[0]!] ?? call.path;
      call.io.err(`${said(error, `error when ${verb} "${one.title}"`)}\n`);
    }
  }
  if (!plain && found.length) printed(call, found, []);
  return code;
}

export async function createFiles(call: Call): Promise<number> {
  const mode = dryRun(call);
  return each(call, async ({ object, resource, namespace }) => {
    if (mode === 'client') return { object, word: 'created (dry run)' };
    const path = query(pathOf(resource, namespace), {
      fieldManager: call.flags.text('field-manager') || 'kubectl-create',
      fieldValidation: validation(call),
      dryRun: mode === 'server' ? 'All' : undefined,
    });
    return { object: await call.kube.json('POST', path, { ...object, metadata: { ...object.metadata, ...(namespace ? { namespace } : {}) } }), word: `created${suffix(mode)}` };
  });
}

async function replace(call: Call): Promise<number> {
  if (!call.flags.has('filename')) throw new CommandError('must specify one of -f and -k');
  const mode = dryRun(call);
  return each(call, async ({ object, resource, namespace }) => {
    if (mode === 'client') return { object, word: 'replaced (dry run)' };
    const path = query(pathOf(resource, namespace, object.metadata.name), {
      fieldManager: call.flags.text('field-manager') || 'kubectl-replace',
      fieldValidation: validation(call),
      dryRun: mode === 'server' ? 'All' : undefined,
    });
    return { object: await call.kube.json('PUT', path, { ...object, metadata: { ...object.metadata, ...(namespace ? { namespace } : {}) } }), word: `replaced${suffix(mode)}` };
  });
}

/** Live against what an apply would make of it; exit code 1 when they differ. */
async function diff(call: Call): Promise<number> {
  const { kube, io, flags } = call;
  if (!flags.has('filename')) throw new CommandError('must specify one of -f and -k');
  let different = 0;
  for (const { object, resource, namespace } of await manifests(call)) {
    const name = object.metadata.name;
    const before = await kube.get(resource, namespace, name).catch((error: unknown) => (isNotFound(error) ? null : Promise.reject(error)));
    const path = query(pathOf(resource, namespace, name), { fieldManager: flags.text('field-manager') || 'kubectl', force: true, dryRun: 'All' });
    const after = await kube.json('PATCH', path, JSON.stringify(object), APPLY);
    const hide = (one: Thing) => (resource.kind === 'Secret' && !resource.group ? masked(one) : one);
    const plain = (one: Thing | null) => (one ? toYaml(hide(flags.on('show-managed-fields') ? one : withoutManaged(one))) : '');
    const file = [resource.group, resource.version, resource.kind, namespace, name].filter(Boolean).join('.');
    const found = unified(plain(before), plain(after), `LIVE/${file}`, `MERGED/${file}`);
    if (!found) continue;
    different = 1;
    const title = `diff -u -N LIVE/${file} MERGED/${file}\n`;
    io.out(title + (io.tty ? found.replace(/^(-.*)$/gm, '\u001b[31m$1\u001b[0m').replace(/^(\+.*)$/gm, '\u001b[32m$1\u001b[0m') : found));
  }
  return different;
}

function masked(secret: Thing): Thing {
  const data = secret.data as Record<string, string> | undefined;
  return data ? { ...secret, data: Object.fromEntries(Object.keys(data).map((key) => [key, '***'])) } : secret;
}

const MANY = [FILENAME, RECURSIVE, DRY_RUN, FIELD_MANAGER, VALIDATE, OUTPUT];

export const APPLYING: readonly Command[] = [
  {
    name: 'apply',
    group: 'Advanced',
    short: 'Apply a configuration to a resource by file name or stdin',
    usage: 'kubectl apply -f FILENAME [options]',
    examples: `  # Apply what the YAML editor holds
  kubectl apply -f editor

  # Apply what you type
  kubectl apply -f - <<EOF
  ...
  EOF`,
    flags: [
      ...MANY,
      SELECTOR,
      bool('server-side', '', 'If true, apply runs in the server instead of the client.'),
      bool('force-conflicts', '', 'If true, server-side apply will force the changes against conflicts.'),
    ],
    run: apply,
  },
  { name: 'replace', group: 'Advanced', short: 'Replace a resource by file name or stdin', usage: 'kubectl replace -f FILENAME [options]', flags: MANY, run: replace },
  {
    name: 'diff',
    group: 'Advanced',
    short: 'Diff the live version against a would-be applied version',
    usage: 'kubectl diff -f FILENAME [options]',
    flags: [FILENAME, RECURSIVE, FIELD_MANAGER, SELECTOR, bool('server-side', '', 'If true, apply runs in the server instead of the client.'), bool('show-managed-fields', '', 'If true, include managed fields in the diff.')],
    run: diff,
  },
];
