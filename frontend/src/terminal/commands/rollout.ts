/** kubectl rollout: status, history, undo, restart, pause, resume. */
import { dryRun, label, objects, patch, suffix, type Found } from '../builder';
import type { Call, Command } from '../command';
import { ALL, DRY_RUN, FIELD_MANAGER, FILENAME, OUTPUT, SELECTOR } from '../globals';
import { JSON_PATCH, pathOf, query, STRATEGIC } from '../kube/client';
import { CommandError, said } from '../kube/errors';
import type { Thing } from '../kube/types';
import { align } from '../text/tabwriter';
import { parse as duration } from '../text/duration';
import { bool, int, text } from '../text/flags';
import { printed } from './apply';
import { podTemplate } from './describe/template';
import { selectorText } from './pods';

const REVISION = 'deployment.kubernetes.io/revision';
const CAUSE = 'kubernetes.io/change-cause';

/** What `rollout status` says about a workload, and whether it is done. Throws when it cannot be. */
export function progress(object: Thing, revision = 0): { message: string; done: boolean } {
  const { spec, status = {}, metadata } = object;
  const name = metadata.name;
  const observed = (metadata.generation ?? 0) <= (status.observedGeneration ?? 0);
  const waiting = (text: string) => ({ message: `Waiting for ${text}\n`, done: false });
  if (object.kind === 'Deployment') {
    if (revision && Number(metadata.annotations?.[REVISION]) !== revision) {
      throw new CommandError(`desired revision (${revision}) is different from the running revision (${metadata.annotations?.[REVISION]})`);
    }
    if (!observed) return waiting('deployment spec update to be observed...');
    const condition = ((status.conditions ?? []) as { type: string; reason: string }[]).find((one) => one.type === 'Progressing');
    if (condition?.reason === 'ProgressDeadlineExceeded') throw new CommandError(`deployment "${name}" exceeded its progress deadline`);
    const [updated, total, available] = [status.updatedReplicas ?? 0, status.replicas ?? 0, status.availableReplicas ?? 0] as number[];
    const wanted = (spec.replicas ?? 1) as number;
    const finish = (text: string) => waiting(`deployment "${name}" rollout to finish: ${text}`);
    if (updated! < wanted) return finish(`${updated} out of ${wanted} new replicas have been updated...`);
    if (total! > updated!) return finish(`${total! - updated!} old replicas are pending termination...`);
    if (available! < updated!) return finish(`${available} of ${updated} updated replicas are available...`);
    return { message: `deployment "${name}" successfully rolled out\n`, done: true };
  }
  if (object.kind === 'DaemonSet') {
    if (spec.updateStrategy?.type !== 'RollingUpdate') throw new CommandError('rollout status is only available for RollingUpdate strategy type');
    if (!observed) return waiting('daemon set spec update to be observed...');
    const [updated, wanted, available] = [status.updatedNumberScheduled ?? 0, status.desiredNumberScheduled ?? 0, status.numberAvailable ?? 0] as number[];
    const finish = (text: string) => waiting(`daemon set "${name}" rollout to finish: ${text}`);
    if (updated! < wanted!) return finish(`${updated} out of ${wanted} new pods have been updated...`);
    if (available! < wanted!) return finish(`${available} of ${wanted} updated pods are available...`);
    return { message: `daemon set "${name}" successfully rolled out\n`, done: true };
  }
  if (object.kind === 'StatefulSet') {
    if (spec.updateStrategy?.type !== 'RollingUpdate') throw new CommandError('rollout status is only available for RollingUpdate strategy type');
    if (!observed) return waiting('statefulset spec update to be observed...');
    const wanted = (spec.replicas ?? 1) as number;
    if ((status.readyReplicas ?? 0) < wanted) return waiting(`${wanted - (status.readyReplicas ?? 0)} pods to be ready...`);
    const partition = spec.updateStrategy?.rollingUpdate?.partition as number | undefined;
    if (partition) {
      if ((status.updatedReplicas ?? 0) < wanted - partition) return waiting(`partitioned roll out to finish: ${status.updatedReplicas ?? 0} out of ${wanted - partition} new pods have been updated...`);
      return { message: `partitioned roll out complete: ${status.updatedReplicas} new pods have been updated...\n`, done: true };
    }
    if (status.updateRevision !== status.currentRevision) return waiting(`statefulset rolling update to complete ${status.updatedReplicas ?? 0} pods at revision ${status.updateRevision}...`);
    return { message: `statefulset rolling update complete ${status.currentReplicas ?? 0} pods at revision ${status.currentRevision}...\n`, done: true };
  }
  throw new CommandError(`no status viewer has been implemented for ${object.kind}`);
}

async function single(call: Call, verb: string): Promise<Found[]> {
  if (!call.args.length && !call.flags.has('filename')) throw new CommandError(`required resource not specified\nSee 'kubectl rollout ${verb} -h' for help and examples`);
  const { found, errors } = await objects(call, { all: true });
  if (errors.length) throw errors[0];
  return found;
}

async function status(call: Call): Promise<number> {
  const { flags, io, kube } = call;
  const limit = duration(flags.text('timeout')) ?? 0;
  const signal = limit > 0 ? AbortSignal.timeout(limit) : null;
  for (const one of await single(call, 'status')) {
    let last = '';
    const say = (object: Thing): boolean => {
      const { message, done } = progress(object, flags.int('revision'));
      if (message !== last) io.out(message);
      last = message;
      return done;
    };
    if (say(one.object) || !flags.on('watch')) continue;
    const path = query(pathOf(one.resource, one.namespace), { watch: true, fieldSelector: `metadata.name=${one.name}`, resourceVersion: one.object.metadata.resourceVersion });
    try {
      for await (const event of kube.watch<Thing>(path)) {
        if (signal?.aborted) throw new CommandError('timed out waiting for the condition');
        if (event.type === 'DELETED') throw new CommandError('object has been deleted');
        if (event.type !== 'BOOKMARK' && say(event.object)) break;
      }
    } catch (error) {
      if (signal?.aborted) throw new CommandError('timed out waiting for the condition');
      throw error;
    }
  }
  return 0;
}

interface Revision {
  number: number;
  cause: string;
  template: Thing;
  object: Thing;
}

/** Old templates: ReplicaSets of a Deployment, ControllerRevisions of the others. Oldest first. */
export async function revisions(call: Call, one: Found): Promise<Revision[]> {
  const { kube, session } = call;
  const deployment = one.object.kind === 'Deployment';
  if (!deployment && !['DaemonSet', 'StatefulSet'].includes(one.object.kind)) throw new CommandError(`no history viewer has been implemented for ${one.object.kind}`);
  const resource = await session.discovery.named(kube, deployment ? 'replicasets.apps' : 'controllerrevisions');
  const list = await kube.list(resource, one.namespace, { labelSelector: selectorText(one.object.spec.selector) });
  return list.items
    .filter((item) => item.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === one.object.metadata.uid))
    .map((object) => ({
      object,
      number: deployment ? Number(object.metadata.annotations?.[REVISION] ?? 0) : (object.revision as number),
      cause: object.metadata.annotations?.[CAUSE] ?? '',
      template: (deployment ? object.spec.template : object.data?.spec?.template) as Thing,
    }))
    .filter((item) => item.number > 0)
    .sort((a, b) => a.number - b.number);
}

async function history(call: Call): Promise<void> {
  const { flags, io } = call;
  for (const one of await single(call, 'history')) {
    const all = await revisions(call, one);
    const asked = flags.int('revision');
    const title = label(one.resource, one.name);
    if (asked > 0) {
      const found = all.find((item) => item.number === asked);
      if (!found) throw new CommandError('unable to find the specified revision');
      // kubectl leaves the tabs in this one.
      io.out(`${title} with revision #${asked}\n${podTemplate(found.template).join('\n')}\n\n`);
      continue;
    }
    if (!all.length) {
      io.out(`${title} \nNo rollout history found.\n`);
      continue;
    }
    const table = ['REVISION\tCHANGE-CAUSE', ...all.map((item) => `${item.number}\t${item.cause || '<none>'}`)].join('\n');
    io.out(`${title} \n${align(table)}\n\n`);
  }
}

async function undo(call: Call): Promise<void> {
  const { flags, io, kube } = call;
  const mode = dryRun(call);
  for (const one of await single(call, 'undo')) {
    const all = await revisions(call, one);
    const to = flags.int('to-revision');
    if (one.object.spec.paused) throw new CommandError(`you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume deployment/${one.name}' and try again`);
    const wanted = to > 0 ? all.find((item) => item.number === to) : all.at(-2);
    if (!wanted) throw new CommandError(to > 0 ? `unable to find specified revision ${to} in history` : `no rollout history found for ${one.resource.singular} "${one.name}"`);
    const done = (word: string) => io.out(`${label(one.resource, one.name)} ${word}${suffix(mode)}\n`);
    if (mode === 'client') {
      io.out(`${label(one.resource, one.name)} ${podTemplate(wanted.template).join('\n')}\n${suffix(mode)}\n`);
      continue;
    }
    const same = all.at(-1)?.number === wanted.number;
    if (same) {
      done(`skipped rollback (current template already matches revision ${wanted.number})`);
      continue;
    }
    if (one.object.kind === 'Deployment') {
      const template = structuredClone(wanted.template);
      delete template.metadata?.labels?.['pod-template-hash'];
      const body = [{ op: 'replace', path: '/spec/template', value: template }];
      await patch(call, one, body, JSON_PATCH, 'kubectl-rollout');
    } else {
      await kube.json('PATCH', query(pathOf(one.resource, one.namespace, one.name), { dryRun: mode === 'server' ? 'All' : undefined }), wanted.object.data, STRATEGIC);
    }
    done('rolled back');
  }
}

async function restart(call: Call): Promise<void> {
  const mode = dryRun(call);
  for (const one of await single(call, 'restart')) {
    if (one.object.spec?.paused) throw new CommandError("can't restart paused deployment (run rollout resume first)");
    if (!one.object.spec?.template) throw new CommandError(`restarting is not supported`);
    const at = new Date(call.session.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const body = { spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': at } } } } };
    const object = mode === 'client' ? one.object : await patch(call, one, body, STRATEGIC, 'kubectl-rollout');
    printed(call, [{ resource: one.resource, object }], [`restarted${suffix(mode)}`]);
  }
}

function pausing(paused: boolean) {
  return async (call: Call): Promise<number> => {
    let code = 0;
    for (const one of await single(call, paused ? 'pause' : 'resume')) {
      try {
        if (one.object.kind !== 'Deployment') throw new CommandError(`${paused ? 'pausing' : 'resuming'} is not supported`);
        if (Boolean(one.object.spec.paused) === paused) throw new CommandError(`deployments.apps "${one.name}" ${paused ? 'is already paused' : 'is not paused'}`);
        const object = await patch(call, one, { spec: { paused: paused || null } }, STRATEGIC, 'kubectl-rollout');
        printed(call, [{ resource: one.resource, object }], [paused ? 'paused' : 'resumed']);
      } catch (error) {
        code = 1;
        call.io.err(`${said(error)}\n`);
      }
    }
    return code;
  };
}

const FLAGS = [FILENAME, SELECTOR, ALL, OUTPUT, DRY_RUN, FIELD_MANAGER];
const sub = (name: string, short: string, run: Command['run'], flags: Command['flags'] = []): Command => ({
  name,
  group: 'Deploy',
  short,
  usage: `kubectl rollout ${name} (TYPE NAME | TYPE/NAME) [flags] [options]`,
  completes: ['deployment', 'daemonset', 'statefulset'],
  flags: [...FLAGS, ...flags],
  run,
});

export const ROLLOUT: Command = {
  name: 'rollout',
  group: 'Deploy',
  short: 'Manage the rollout of a resource',
  subcommands: [
    sub('history', 'View rollout history', history, [int('revision', '', 'See the details, including podTemplate of the revision specified', '0')]),
    sub('pause', 'Mark the provided resource as paused', pausing(true)),
    sub('restart', 'Restart a resource', restart),
    sub('resume', 'Resume a paused resource', pausing(false)),
    sub('status', 'Show the status of the rollout', status, [
      bool('watch', 'w', "Watch the status of the rollout until it's done.", 'true'),
      int('revision', '', "Pin to a specific revision for showing its status.", '0'),
      text('timeout', '', 'The length of time to wait before ending watch, zero means never.', { default: '0s' }),
    ]),
    sub('undo', 'Undo a previous rollout', undo, [int('to-revision', '', 'The revision to rollback to. Default to 0 (last revision).', '0')]),
  ],
};
