/** kubectl delete: by name, selector, file or all; waits until what was deleted is gone. */
import { dryRun, manifests, namespaceOf, selectors, suffix, targets } from '../builder';
import type { Call, Command } from '../command';
import { ALL, ALL_NAMESPACES, DRY_RUN, FIELD_SELECTOR, FILENAME, SELECTOR } from '../globals';
import { pathOf, pause, query } from '../kube/client';
import { qualified } from '../kube/discovery';
import { CommandError, isNotFound, said } from '../kube/errors';
import type { Resource, Thing } from '../kube/types';
import { parse as duration } from '../text/duration';
import { bool, int, text } from '../text/flags';

const NOTHING = `You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'`;

interface One {
  resource: Resource;
  namespace: string;
  name: string;
}

async function wanted(call: Call): Promise<One[]> {
  const { flags, kube } = call;
  if (flags.has('filename')) {
    return (await manifests(call)).map(({ resource, namespace, object }) => ({ resource, namespace, name: object.metadata.name }));
  }
  if (!call.args.length) throw new CommandError(NOTHING);
  const selected = flags.text('selector') || flags.text('field-selector');
  const found: One[] = [];
  for (const { resource, names } of await targets(call)) {
    const namespace = namespaceOf(call, resource);
    if (names.length && (selected || flags.on('all'))) throw new CommandError(selected ? 'name cannot be provided when a selector is specified' : 'name cannot be provided when --all is specified');
    if (!names.length && !selected && !flags.on('all')) throw new CommandError('resource(s) were provided, but no name was specified');
    if (names.length && resource.namespaced && !namespace) throw new CommandError('a resource cannot be retrieved by name across all namespaces');
    if (names.length) found.push(...names.map((name) => ({ resource, namespace, name })));
    else {
      const list = await kube.list(resource, namespace, selectors(call));
      found.push(...list.items.map((one) => ({ resource, namespace: one.metadata.namespace ?? '', name: one.metadata.name })));
    }
  }
  return found;
}

async function remove(call: Call): Promise<number> {
  const { flags, io, kube } = call;
  const mode = dryRun(call);
  const now = flags.on('now');
  const force = flags.on('force');
  let grace = flags.int('grace-period');
  if (now) {
    if (grace !== -1) throw new CommandError('--now and --grace-period cannot be specified together');
    grace = 1;
  }
  if (force && grace < 0) grace = 0;
  if (grace === 0 && !force) {
    // To force a deletion needs --force: without it, zero means "soon".
    grace = 1;
  }
  const cascade = { true: 'background', false: 'orphan' }[flags.text('cascade')] ?? flags.text('cascade');
  if (!['background', 'orphan', 'foreground'].includes(cascade)) throw new CommandError(`Invalid cascade value (${cascade}). Must be "background", "foreground", or "orphan".`);
  if (force && grace === 0) io.err('Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n');
  const propagationPolicy = cascade[0]!.toUpperCase() + cascade.slice(1);
  const all = await wanted(call);
  let code = 0;
  const gone: (One & { uid: string })[] = [];
  for (const one of all) {
    try {
      let answer: Thing | null = null;
      if (mode !== 'client') {
        const body = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy, ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}), ...(mode === 'server' ? { dryRun: ['All'] } : {}) };
        answer = await kube.json('DELETE', query(pathOf(one.resource, one.namespace, one.name), { dryRun: mode === 'server' ? 'All' : undefined }), body);
      } else await kube.get(one.resource, one.namespace, one.name);
      if (flags.text('output') === 'name') io.out(`${qualified(one.resource)}/${one.name}\n`);
      else io.out(`${qualified(one.resource)} "${one.name}" ${force && grace === 0 ? 'force deleted' : 'deleted'}${suffix(mode)}${one.namespace ? ` from ${one.namespace} namespace` : ''}\n`);
      const details = answer as { metadata?: { uid?: string }; details?: { uid?: string } } | null;
      gone.push({ ...one, uid: details?.metadata?.uid ?? details?.details?.uid ?? '' });
    } catch (error) {
      if (isNotFound(error) && (flags.on('ignore-not-found') || flags.on('all'))) continue;
      io.err(`${said(error, flags.has('filename') ? `error when deleting "${flags.split('filename')[0] === '-' ? 'STDIN' : flags.split('filename')[0]}"` : '')}\n`);
      code = 1;
    }
  }
  if (!all.length) io.out('No resources found\n');
  if (flags.on('wait') && mode === 'none' && !force) await waited(call, gone);
  return code;
}

/** Until each is gone, or is another one of the same name. */
async function waited(call: Call, all: (One & { uid: string })[]): Promise<void> {
  const limit = duration(call.flags.text('timeout'));
  if (limit === null) throw new CommandError(`invalid argument "${call.flags.text('timeout')}" for "--timeout" flag`);
  const until = limit > 0 ? Date.now() + limit : Infinity;
  for (const one of all) {
    for (;;) {
      try {
        const found = await call.kube.get(one.resource, one.namespace, one.name);
        if (one.uid && found.metadata.uid !== one.uid) break;
      } catch (error) {
        if (isNotFound(error)) break;
        throw error;
      }
      if (Date.now() > until) throw new CommandError(`timed out waiting for the condition on ${one.resource.name}/${one.name}`);
      await pause(250, call.io.signal);
    }
  }
}

export const DELETE: Command = {
  name: 'delete',
  group: 'Basic',
  short: 'Delete resources by file names, stdin, resources and names, or by resources and label selector',
  usage: 'kubectl delete ([-f FILENAME] | TYPE [(NAME | -l label | --all)]) [options]',
  examples: `  # Delete a pod
  kubectl delete pod web-0

  # Delete what the YAML editor holds
  kubectl delete -f editor

  # Delete pods with label name=myLabel
  kubectl delete pods -l name=myLabel`,
  completes: 'resources',
  flags: [
    FILENAME,
    SELECTOR,
    FIELD_SELECTOR,
    ALL,
    ALL_NAMESPACES,
    DRY_RUN,
    text('cascade', '', 'Must be "background", "orphan", or "foreground".', { default: 'background', alone: 'background', values: ['background', 'foreground', 'orphan'] }),
    int('grace-period', '', 'Period of time in seconds given to the resource to terminate gracefully.', '-1'),
    bool('now', '', 'If true, resources are signaled for immediate shutdown (same as --grace-period=1).'),
    bool('force', '', 'If true, immediately remove resources from API and bypass graceful deletion.'),
    bool('ignore-not-found', '', 'Treat "resource not found" as a successful delete.'),
    bool('wait', '', 'If true, wait for resources to be gone before returning.', 'true'),
    text('timeout', '', 'The length of time to wait before giving up on a delete, zero means determine a timeout from the size of the object', { default: '0s' }),
    text('output', 'o', 'Output mode. Use "-o name" for shorter output (resource/name).', { values: ['name'] }),
  ],
  run: remove,
};
