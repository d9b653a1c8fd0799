/** run, expose, scale, autoscale: workloads made and resized. */
import { dryRun, label, objects, patch, suffix, type Found } from '../builder';
import type { Call, Command } from '../command';
import { ALL, ALL_NAMESPACES, DRY_RUN, FIELD_MANAGER, FILENAME, OUTPUT, SELECTOR } from '../globals';
import { MERGE, pathOf, pause } from '../kube/client';
import { CommandError, isNotFound, said } from '../kube/errors';
import type { Thing } from '../kube/types';
import { bool, int, list, text } from '../text/flags';
import { printed } from './apply';
import { pairs, send } from './create/generator';
import { attachTo, execFlags } from './exec';

async function runPod(call: Call): Promise<number | void> {
  const { flags, io, kube } = call;
  const [name, ...rest] = call.args;
  if (!name) throw new CommandError("NAME is required for run\nSee 'kubectl run -h' for help and examples");
  if (!flags.text('image')) throw new CommandError('required flag(s) "image" not set');
  const remove = flags.on('rm');
  const interactive = flags.on('stdin') || flags.on('tty') || flags.on('attach');
  if (remove && !interactive) throw new CommandError('--rm should only be used for attached containers');
  const args = flags.on('command') ? { command: rest } : rest.length ? { args: rest } : {};
  const env = flags.all('env').map((one) => {
    const [key, ...value] = one.split('=');
    return { name: key, value: value.join('=') };
  });
  const port = flags.text('port');
  const restart = flags.text('restart');
  if (!['Always', 'OnFailure', 'Never'].includes(restart)) throw new CommandError(`invalid restart policy: ${restart}`);
  const pod: Thing = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(flags.all('annotations').length ? { annotations: pairs(flags.split('annotations'), 'annotation') } : {}),
      labels: flags.text('labels') ? pairs(flags.text('labels').split(','), 'label') : { run: name },
      name,
    },
    spec: {
      containers: [
        {
          ...args,
          ...(env.length ? { env } : {}),
          image: flags.text('image'),
          ...(flags.text('image-pull-policy') ? { imagePullPolicy: flags.text('image-pull-policy') } : {}),
          name,
          ...(port ? { ports: [{ containerPort: Number(port) }] } : {}),
          resources: {},
          ...(flags.on('stdin') ? { stdin: true, stdinOnce: true } : {}),
          ...(flags.on('tty') ? { tty: true } : {}),
        },
      ],
      dnsPolicy: 'ClusterFirst',
      restartPolicy: restart,
    },
    status: {},
  };
  if (flags.text('overrides')) {
    try {
      Object.assign(pod, merge(pod, JSON.parse(flags.text('overrides'))));
    } catch {
      throw new CommandError(`Invalid JSON Patch: ${flags.text('overrides')}`);
    }
  }
  if (!interactive) {
    await send(call, pod, '', 'kubectl-run');
    if (flags.on('expose')) await exposePod(call, name, Number(port));
    return;
  }
  const resource = await call.session.discovery.named(kube, 'pods');
  const path = pathOf(resource, call.namespace);
  await kube.json('POST', path, { ...pod, metadata: { ...pod.metadata, namespace: call.namespace } });
  try {
    let found = await kube.get(resource, call.namespace, name);
    while (found.status?.phase === 'Pending') {
      await pause(200, io.signal);
      found = await kube.get(resource, call.namespace, name);
    }
    if (found.status?.phase === 'Running' && flags.on('stdin')) return await attachTo(call, found, name, flags.on('stdin'), flags.on('tty'));
    const log = await kube.send('GET', `${pathOf(resource, call.namespace, name, 'log')}?follow=true`);
    io.out(await log.text());
  } finally {
    if (remove) {
      await call.session.transport('DELETE', pathOf(resource, call.namespace, name), {});
      io.out(`pod "${name}" deleted from ${call.namespace} namespace\n`);
    }
  }
}

async function exposePod(call: Call, name: string, port: number): Promise<void> {
  if (!port) throw new CommandError('--port must be set when exposing a service');
  const service: Thing = { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port, protocol: 'TCP', targetPort: port }], selector: { run: name } }, status: { loadBalancer: {} } };
  await send(call, service, '', 'kubectl-run');
}

export function merge(into: unknown, from: unknown): unknown {
  if (typeof from !== 'object' || from === null || Array.isArray(from) || typeof into !== 'object' || into === null || Array.isArray(into)) return from;
  const found: Record<string, unknown> = { ...(into as Record<string, unknown>) };
  for (const [key, value] of Object.entries(from)) {
    if (value === null) delete found[key];
    else found[key] = merge(found[key], value);
  }
  return found;
}

async function expose(call: Call): Promise<number> {
  const { flags, io } = call;
  const { found, errors } = await objects(call);
  errors.forEach((error) => io.err(`${said(error)}\n`));
  for (const { resource, object, name } of found) {
    const labels = selectorOf(object);
    if (!labels) throw new CommandError(`cannot expose a ${resource.kind}`);
    const template = object.kind === 'Pod' ? object : (object.spec.template as Thing | undefined);
    const containers = (template?.spec?.containers ?? []) as { ports?: { containerPort: number; protocol?: string }[] }[];
    const declared = object.kind === 'Service' ? ((object.spec.ports ?? []) as { port: number; protocol?: string }[]).map((one) => ({ containerPort: one.port, protocol: one.protocol })) : containers.flatMap((one) => one.ports ?? []);
    const asked = flags.text('port') ? flags.text('port').split(',').map((one) => ({ containerPort: Number(one), protocol: flags.text('protocol') })) : declared;
    if (!asked.length) throw new CommandError("couldn't find port via --port flag or introspection\nSee 'kubectl expose -h' for help and examples");
    const target = flags.text('target-port');
    const ports = asked.map((one, at) => ({
      ...(asked.length > 1 ? { name: `port-${at + 1}` } : {}),
      port: one.containerPort,
      protocol: one.protocol || 'TCP',
      targetPort: target ? (/^\d+$/.test(target) ? Number(target) : target) : one.containerPort,
    }));
    const own = flags.text('labels') ? pairs(flags.text('labels').split(','), 'label') : object.metadata.labels;
    const service: Thing = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...(own ? { labels: own } : {}), name: flags.text('name') || name },
      spec: {
        ...(flags.text('cluster-ip') ? { clusterIP: flags.text('cluster-ip') } : {}),
        ports,
        selector: flags.text('selector') ? pairs(flags.text('selector').split(','), 'selector') : labels,
        ...(flags.text('type') ? { type: flags.text('type') } : {}),
      },
      status: { loadBalancer: {} },
    };
    const quiet: Call = { ...call, flags };
    const mode = dryRun(quiet);
    if (mode !== 'none' || flags.text('output')) {
      await send(quiet, service, '', 'kubectl-expose');
      continue;
    }
    const services = await call.session.discovery.named(call.kube, 'services');
    const made = await call.kube.json('POST', `${pathOf(services, call.namespace)}?fieldManager=kubectl-expose`, service);
    io.out(`${label(services, made.metadata.name)} exposed\n`);
  }
  return errors.length ? 1 : 0;
}

function selectorOf(object: Thing): Record<string, string> | null {
  if (object.kind === 'Pod') return object.metadata.labels ?? null;
  const selector = object.spec?.selector as { matchLabels?: Record<string, string> } | Record<string, string> | undefined;
  if (!selector) return null;
  if (object.kind === 'Service' || object.kind === 'ReplicationController') return selector as Record<string, string>;
  return (selector as { matchLabels?: Record<string, string> }).matchLabels ?? null;
}

async function scale(call: Call): Promise<number> {
  const { flags, io } = call;
  if (!flags.has('replicas')) throw new CommandError('required flag(s) "replicas" not set');
  const replicas = flags.int('replicas');
  if (replicas < 0) throw new CommandError('The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0');
  const { found, errors } = await objects(call, { all: flags.on('all') });
  errors.forEach((error) => io.err(`${said(error)}\n`));
  if (!found.length && !errors.length) throw new CommandError('no objects passed to scale');
  let code = errors.length ? 1 : 0;
  const mode = dryRun(call);
  for (const one of found) {
    try {
      const current = flags.int('current-replicas');
      if (current >= 0 && one.object.spec?.replicas !== current) throw new CommandError(`Expected replicas to be ${current}, was ${one.object.spec?.replicas}`);
      if (mode !== 'client') await patch(call, one, { spec: { replicas } }, MERGE, 'kubectl', 'scale');
      if (flags.text('output')) printed(call, [{ resource: one.resource, object: await call.kube.get(one.resource, one.namespace, one.name) }], []);
      else io.out(`${label(one.resource, one.name)} scaled${suffix(mode)}\n`);
    } catch (error) {
      code = 1;
      io.err(`${isNotFound(error) ? `Error from server (NotFound): the server could not find the requested resource` : said(error)}\n`);
    }
  }
  return code;
}

async function autoscale(call: Call): Promise<number> {
  const { flags, io } = call;
  const max = flags.int('max');
  if (max < 1) throw new CommandError(`--max=MAXPODS is required and must be at least 1, max: ${max}`);
  const min = flags.int('min');
  if (max < min) throw new CommandError(`--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${max}, min: ${min}`);
  const { found, errors } = await objects(call);
  errors.forEach((error) => io.err(`${said(error)}\n`));
  for (const { object, name } of found) {
    const percent = Number(flags.text('cpu').replace(/%$/, '') || flags.text('cpu-percent') || -1);
    const hpa: Thing = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: flags.text('name') || name },
      spec: {
        maxReplicas: max,
        ...(percent > 0 ? { metrics: [{ resource: { name: 'cpu', target: { averageUtilization: percent, type: 'Utilization' } }, type: 'Resource' }] } : {}),
        ...(min > 0 ? { minReplicas: min } : {}),
        scaleTargetRef: { apiVersion: object.apiVersion, kind: object.kind, name },
      },
    };
    const mode = dryRun(call);
    if (mode !== 'none' || flags.text('output')) {
      await send(call, hpa, '', 'kubectl-autoscale');
      continue;
    }
    const resource = await call.session.discovery.ofKind(call.kube, 'autoscaling/v2', 'HorizontalPodAutoscaler');
    await call.kube.json('POST', `${pathOf(resource, call.namespace)}?fieldManager=kubectl-autoscale`, hpa);
    io.out(`${label(resource, hpa.metadata.name)} autoscaled\n`);
  }
  return errors.length ? 1 : 0;
}

export type { Found };

export const WORKLOADS: readonly Command[] = [
  {
    name: 'expose',
    group: 'Basic',
    short: 'Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service',
    usage: 'kubectl expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--type=type]',
    completes: ['deployment', 'pod', 'service', 'replicaset'],
    flags: [
      text('port', '', 'The port that the service should serve on.'),
      text('target-port', '', 'Name or number for the port on the container that the service should direct traffic to.'),
      text('protocol', '', 'The network protocol for the service to be created.', { values: ['TCP', 'UDP', 'SCTP'] }),
      text('name', '', 'The name for the newly created object.'),
      text('type', '', 'Type for this service: ClusterIP, NodePort, LoadBalancer, or ExternalName.', { values: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] }),
      text('selector', '', 'A label selector to use for this service.'),
      text('labels', 'l', 'Labels to apply to the service created by this call.'),
      text('cluster-ip', '', "ClusterIP to be assigned to the service. Set to 'None' to create a headless service."),
      FILENAME,
      OUTPUT,
      DRY_RUN,
      FIELD_MANAGER,
    ],
    run: expose,
  },
  {
    name: 'run',
    group: 'Basic',
    short: 'Run a particular image on the cluster',
    usage: 'kubectl run NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] [--command] -- [COMMAND] [args...] [options]',
    flags: [
      ...execFlags,
      text('image', '', 'The image for the container to run.'),
      text('image-pull-policy', '', 'The image pull policy for the container.', { values: ['Always', 'IfNotPresent', 'Never'] }),
      list('env', '', 'Environment variables to set in the container.'),
      text('port', '', 'The port that this container exposes.'),
      text('labels', 'l', 'Comma separated labels to apply to the pod.'),
      list('annotations', '', 'Annotations to apply to the pod.'),
      text('restart', '', 'The restart policy for this Pod.', { default: 'Always', values: ['Always', 'OnFailure', 'Never'] }),
      text('overrides', '', 'An inline JSON override for the generated object.'),
      bool('command', '', "If true and extra arguments are present, use them as the 'command' field in the container."),
      bool('attach', '', 'If true, wait for the Pod to start running, and then attach to it.'),
      bool('rm', '', 'If true, delete the pod after it exits. Only valid when attaching to the container.'),
      bool('expose', '', 'If true, create a ClusterIP service associated with the pod. Requires `--port`.'),
      OUTPUT,
      DRY_RUN,
      FIELD_MANAGER,
    ],
    run: runPod,
  },
  {
    name: 'scale',
    group: 'Deploy',
    short: 'Set a new size for a deployment, replica set, or replication controller',
    usage: 'kubectl scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME) [options]',
    completes: ['deployment', 'replicaset', 'statefulset'],
    flags: [int('replicas', '', 'The new desired number of replicas. Required.', '0'), int('current-replicas', '', 'Precondition for current size.', '-1'), SELECTOR, ALL, ALL_NAMESPACES, FILENAME, OUTPUT, DRY_RUN],
    run: scale,
  },
  {
    name: 'autoscale',
    group: 'Deploy',
    short: 'Auto-scale a deployment, replica set, stateful set, or replication controller',
    usage: 'kubectl autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU] [options]',
    completes: ['deployment', 'replicaset', 'statefulset'],
    flags: [
      int('min', '', 'The lower limit for the number of pods that can be set by the autoscaler.', '-1'),
      int('max', '', 'The upper limit for the number of pods that can be set by the autoscaler. Required.', '-1'),
      text('cpu', '', 'Target CPU utilization over all the pods, as a percentage.'),
      text('cpu-percent', '', 'The target average CPU utilization (represented as a percent of requested CPU) over all the pods.'),
      text('name', '', 'The name for the newly created object.'),
      FILENAME,
      OUTPUT,
      DRY_RUN,
      FIELD_MANAGER,
    ],
    run: autoscale,
  },
];
