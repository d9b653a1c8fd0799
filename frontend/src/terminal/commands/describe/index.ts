/** kubectl describe: everything about an object, with its events. */
import { objects } from '../../builder';
import type { Call, Command } from '../../command';
import { ALL_NAMESPACES, FILENAME, SELECTOR } from '../../globals';
import { CommandError, isNotFound, said } from '../../kube/errors';
import { bool } from '../../text/flags';
import { align, DESCRIBE as TABS } from '../../text/tabwriter';
import type { Describer } from './lines';
import { node, pod } from './pods';
import { generic, REST } from './rest';
import { cronJob, daemonSet, deployment, job, replicaSet, statefulSet } from './workloads';

const DESCRIBERS: Record<string, Describer> = {
  pods: pod,
  nodes: node,
  'deployments.apps': deployment,
  'replicasets.apps': replicaSet,
  'statefulsets.apps': statefulSet,
  'daemonsets.apps': daemonSet,
  'jobs.batch': job,
  'cronjobs.batch': cronJob,
  ...REST,
};

async function describe(call: Call): Promise<number> {
  const { io, flags } = call;
  if (!call.args.length && !flags.has('filename')) {
    throw new CommandError("You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of supported resources.", 1, true);
  }
  const { found, errors } = await objects(call, { all: true });
  // A name that is no object may be the beginning of some.
  if (!found.length && errors.length === 1 && isNotFound(errors[0]) && call.args.length === 2) {
    const prefix = call.args[1]!;
    const all = await objects(call, { all: true, args: [call.args[0]!] });
    const begun = all.found.filter((one) => one.name.startsWith(prefix));
    if (begun.length) {
      errors.length = 0;
      found.push(...begun);
    }
  }
  // Of several objects kubectl leaves the events out.
  const withEvents = flags.on('show-events') && found.length === 1;
  for (const [at, one] of found.entries()) {
    const key = one.resource.group ? `${one.resource.name}.${one.resource.group}` : one.resource.name;
    const lines = await (DESCRIBERS[key] ?? generic)({ call, one, object: one.object, withEvents });
    io.out(`${at ? '\n\n' : ''}${align(lines.join('\n'), TABS)}\n`);
  }
  errors.forEach((error) => io.err(`${said(error)}\n`));
  if (!found.length && !errors.length) io.err(flags.on('all-namespaces') ? 'No resources found\n' : `No resources found in ${call.namespace} namespace.\n`);
  return errors.length ? 1 : 0;
}

export const DESCRIBE: Command = {
  name: 'describe',
  group: 'Troubleshooting',
  short: 'Show details of a specific resource or group of resources',
  usage: 'kubectl describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME) [options]',
  completes: 'resources',
  flags: [SELECTOR, ALL_NAMESPACES, FILENAME, { ...bool('show-events', '', 'If true, display events related to the described object.', 'true') }],
  run: describe,
};
