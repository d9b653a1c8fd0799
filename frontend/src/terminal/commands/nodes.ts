/** cordon, uncordon, drain, taint. */
import { dryRun, label, objects, patch, suffix, type Found } from '../builder';
import type { Call, Command } from '../command';
import { ALL, DRY_RUN, OVERWRITE, SELECTOR } from '../globals';
import { MERGE, pathOf, pause, STRATEGIC } from '../kube/client';
import { CommandError, isNotFound, said, StatusError } from '../kube/errors';
import type { Thing } from '../kube/types';
import { parse as duration } from '../text/duration';
import { bool, int, text } from '../text/flags';

interface Taint {
  key: string;
  value?: string;
  effect: string;
}

async function nodes(call: Call, names: string[], verb: string): Promise<Found[]> {
  if (!names.length && !call.flags.text('selector') && !call.flags.on('all')) throw new CommandError(`USAGE: ${verb} NODE [flags]\nSee 'kubectl ${verb} -h' for help and examples`);
  const { found, errors } = await objects({ ...call }, { args: ['nodes', ...names.map((one) => one.replace(/^nodes?\//, ''))], all: call.flags.on('all') });
  errors.forEach((error) => call.io.err(`${said(error)}\n`));
  if (errors.length) throw new CommandError('', 1, true);
  return found;
}

async function schedulable(call: Call, node: Found, cordoned: boolean): Promise<void> {
  const word = cordoned ? 'cordoned' : 'uncordoned';
  const mode = dryRun(call);
  if (Boolean(node.object.spec?.unschedulable) === cordoned) {
    call.io.out(`node/${node.name} already ${word}${suffix(mode)}\n`);
    return;
  }
  if (mode !== 'client') await patch(call, node, { spec: { unschedulable: cordoned || null } }, STRATEGIC, `kubectl-${cordoned ? 'cordon' : 'uncordon'}`);
  call.io.out(`node/${node.name} ${word}${suffix(mode)}\n`);
}

function cordoning(cordoned: boolean) {
  return async (call: Call): Promise<void> => {
    for (const node of await nodes(call, call.args, cordoned ? 'cordon' : 'uncordon')) await schedulable(call, node, cordoned);
  };
}

export interface Evictable {
  evict: Thing[];
  warnings: string[];
  errors: string[];
}

const id = (pod: Thing) => `${pod.metadata.namespace}/${pod.metadata.name}`;

/** Which pods a drain evicts, which it warns about, and which stop it. */
export function filterPods(pods: Thing[], options: { force: boolean; ignoreDaemonSets: boolean; deleteEmptyDir: boolean }): Evictable {
  const evict: Thing[] = [];
  const groups: Record<string, string[]> = {};
  const note = (message: string, pod: Thing) => (groups[message] ??= []).push(id(pod));
  const [IGNORED, DAEMON, BARE, LOCAL] = [
    'ignoring DaemonSet-managed Pods',
    'cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)',
    'cannot delete Pods that declare no controller (use --force to override)',
    'cannot delete Pods with local storage (use --delete-emptydir-data to override)',
  ] as const;
  const FORCED = 'deleting Pods that declare no controller';
  for (const pod of pods) {
    if (pod.metadata.annotations?.['kubernetes.io/config.mirror']) continue;
    const owner = pod.metadata.ownerReferences?.find((one) => one.controller);
    const finished = ['Succeeded', 'Failed'].includes(pod.status?.phase as string);
    if (owner?.kind === 'DaemonSet' && !finished) {
      note(options.ignoreDaemonSets ? IGNORED : DAEMON, pod);
      continue;
    }
    const local = ((pod.spec?.volumes ?? []) as { emptyDir?: unknown }[]).some((one) => one.emptyDir !== undefined);
    if (local && !finished && !options.deleteEmptyDir) {
      note(LOCAL, pod);
      continue;
    }
    if (!owner && !finished) {
      note(options.force ? FORCED : BARE, pod);
      if (!options.force) continue;
    }
    evict.push(pod);
  }
  const told = (messages: readonly string[]) => messages.filter((one) => groups[one]).map((one) => `${one}: ${groups[one]!.join(', ')}`);
  return { evict, warnings: told([IGNORED, FORCED]), errors: told([BARE, DAEMON, LOCAL]) };
}

async function drain(call: Call): Promise<number> {
  const { flags, io, kube, session } = call;
  const found = await nodes(call, call.args, 'drain');
  const mode = dryRun(call);
  const pods = await session.discovery.named(kube, 'pods');
  for (const node of found) await schedulable(call, node, true);
  for (const node of found) {
    const all = await kube.list(pods, '', { fieldSelector: `spec.nodeName=${node.name}`, labelSelector: flags.text('pod-selector') || undefined });
    const { evict, warnings, errors } = filterPods(all.items, { force: flags.on('force'), ignoreDaemonSets: flags.on('ignore-daemonsets'), deleteEmptyDir: flags.on('delete-emptydir-data') });
    if (errors.length) {
      const list = errors.length > 1 ? `[${errors.join(', ')}]` : errors[0]!;
      io.err(`error: unable to drain node "${node.name}" due to error: ${list}, continuing command...\nThere are pending nodes to be drained:\n ${node.name}\n${errors.join('\n')}\n`);
      return 1;
    }
    if (warnings.length) io.err(`Warning: ${warnings.join('; ')}\n`);
    const limit = duration(flags.text('timeout')) ?? 0;
    const until = limit > 0 ? Date.now() + limit : Infinity;
    await Promise.all(evict.map((pod) => evictOne(call, pod, until, mode !== 'none')));
    io.out(`node/${node.name} drained${suffix(mode)}\n`);
  }
  return 0;
}

/** An eviction that a disruption budget refuses is tried again every 5 s, as kubectl does. */
async function evictOne(call: Call, pod: Thing, until: number, dry: boolean): Promise<void> {
  const { flags, io, kube, session } = call;
  const pods = await session.discovery.named(kube, 'pods');
  const namespace = pod.metadata.namespace!;
  const grace = flags.int('grace-period');
  if (dry) {
    io.out(`evicting pod ${id(pod)}${suffix(dryRun(call))}\n`);
    return;
  }
  const deleteOptions = grace >= 0 ? { gracePeriodSeconds: grace } : {};
  for (;;) {
    io.err(`evicting pod ${id(pod)}\n`);
    try {
      if (flags.on('disable-eviction')) await kube.json('DELETE', pathOf(pods, namespace, pod.metadata.name), { kind: 'DeleteOptions', apiVersion: 'v1', ...deleteOptions });
      else await kube.json('POST', pathOf(pods, namespace, pod.metadata.name, 'eviction'), { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod.metadata.name, namespace }, deleteOptions });
      break;
    } catch (error) {
      if (isNotFound(error)) break;
      if (!(error instanceof StatusError) || error.status.code !== 429) throw error;
      if (Date.now() > until) throw new CommandError(`unable to drain node "${pod.spec.nodeName}" due to error: error when evicting pods/"${pod.metadata.name}" -n "${namespace}": global timeout reached, continuing command...`);
      io.err(`error when evicting pods/"${pod.metadata.name}" -n "${namespace}" (will retry after 5s): ${error.status.message}\n`);
      await pause(5000, io.signal);
    }
  }
  for (;;) {
    const still = await kube.get(pods, namespace, pod.metadata.name).catch((error: unknown) => (isNotFound(error) ? null : Promise.reject(error)));
    if (!still || still.metadata.uid !== pod.metadata.uid) break;
    if (Date.now() > until) throw new CommandError(`unable to drain node "${pod.spec.nodeName}" due to error: error when waiting for pod "${pod.metadata.name}" in namespace "${namespace}" to terminate: global timeout reached, continuing command...`);
    await pause(300, io.signal);
  }
  io.out(`pod/${pod.metadata.name} evicted\n`);
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** KEY=VALUE:EFFECT, KEY:EFFECT sets; KEY-, KEY:EFFECT- removes. */
export function parseTaints(words: string[]): { add: Taint[]; remove: { key: string; effect: string }[] } {
  const add: Taint[] = [];
  const remove: { key: string; effect: string }[] = [];
  for (const word of words) {
    if (word.endsWith('-')) {
      const [key = '', effect = ''] = word.slice(0, -1).split(':');
      remove.push({ key: key.split('=')[0]!, effect });
      continue;
    }
    const match = /^([^=:]+)(?:=([^:]*))?:(.+)$/.exec(word);
    if (!match) throw new CommandError(`invalid taint spec: ${word}`);
    const [, key = '', value, effect = ''] = match;
    if (!EFFECTS.includes(effect)) throw new CommandError(`invalid taint effect: ${effect}, unsupported taint effect`);
    add.push({ key, ...(value ? { value } : {}), effect });
  }
  return { add, remove };
}

async function taint(call: Call): Promise<number> {
  const { flags, io } = call;
  const args = call.args.map((one) => one.replace(/^nodes?\//, ''));
  const words = ['node', 'nodes', 'no'].includes(args[0] ?? '') ? args.slice(1) : args;
  const first = words.findIndex((one) => one.includes(':') || one.includes('=') || one.endsWith('-'));
  if (first < 0) throw new CommandError('at least one taint update is required');
  const { add, remove } = parseTaints(words.slice(first));
  const mode = dryRun(call);
  let code = 0;
  for (const node of await nodes(call, words.slice(0, first), 'taint')) {
    const before = (node.object.spec?.taints ?? []) as Taint[];
    const clash = before.filter((one) => add.some((other) => other.key === one.key && other.effect === one.effect));
    if (clash.length && !flags.on('overwrite')) {
      io.err(`error: node ${node.name} already has ${clash.map((one) => `${one.key} taint(s) with same effect(s)`).join(', ')} and --overwrite is false\n`);
      code = 1;
      continue;
    }
    const missing = remove.filter((one) => !before.some((had) => had.key === one.key && (!one.effect || had.effect === one.effect)));
    if (missing.length) {
      io.err(`error: ${missing.map((one) => `taint "${one.key}${one.effect ? `:${one.effect}` : ''}" not found`).join(', ')}\n`);
      code = 1;
      continue;
    }
    const kept = before.filter(
      (one) => !remove.some((gone) => gone.key === one.key && (!gone.effect || gone.effect === one.effect)) && !add.some((other) => other.key === one.key && other.effect === one.effect),
    );
    const taints = [...add, ...kept];
    if (mode !== 'client') await patch(call, node, { spec: { taints: taints.length ? taints : null }, metadata: { resourceVersion: node.object.metadata.resourceVersion } }, MERGE, 'kubectl-taint');
    const word = add.length && remove.length ? 'modified' : remove.length ? 'untainted' : clash.length ? 'modified' : 'tainted';
    io.out(`${label(node.resource, node.name)} ${word}${suffix(mode)}\n`);
  }
  return code;
}

export const NODES: readonly Command[] = [
  { name: 'cordon', group: 'Cluster', short: 'Mark node as unschedulable', usage: 'kubectl cordon NODE [options]', completes: 'nodes', flags: [SELECTOR, DRY_RUN, ALL], run: cordoning(true) },
  { name: 'uncordon', group: 'Cluster', short: 'Mark node as schedulable', usage: 'kubectl uncordon NODE [options]', completes: 'nodes', flags: [SELECTOR, DRY_RUN, ALL], run: cordoning(false) },
  {
    name: 'drain',
    group: 'Cluster',
    short: 'Drain node in preparation for maintenance',
    usage: 'kubectl drain NODE [options]',
    completes: 'nodes',
    flags: [
      SELECTOR,
      DRY_RUN,
      bool('force', '', 'Continue even if there are pods that do not declare a controller.'),
      bool('ignore-daemonsets', '', 'Ignore DaemonSet-managed pods.'),
      bool('delete-emptydir-data', '', 'Continue even if there are pods using emptyDir (local data that will be deleted when the node is drained).'),
      bool('disable-eviction', '', 'Force drain to use delete, even if eviction is supported.'),
      int('grace-period', '', 'Period of time in seconds given to each pod to terminate gracefully.', '-1'),
      text('pod-selector', '', 'Label selector to filter pods on the node'),
      text('timeout', '', 'The length of time to wait before giving up, zero means infinite', { default: '0s' }),
    ],
    run: drain,
  },
  { name: 'taint', group: 'Cluster', short: 'Update the taints on one or more nodes', usage: 'kubectl taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... [options]', completes: 'nodes', flags: [SELECTOR, DRY_RUN, ALL, OVERWRITE], run: taint },
];
