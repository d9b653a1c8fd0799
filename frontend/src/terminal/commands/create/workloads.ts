/** kubectl create deployment, job, cronjob. */
import type { Call } from '../../command';
import { CommandError } from '../../kube/errors';
import { int, list, text } from '../../text/flags';
import { after, needed, type Generator, type Made } from './generator';

export function containerName(image: string): string {
  return (image.split('/').at(-1) ?? image).split(/[:@]/)[0]!.toLowerCase().replace(/[^a-z0-9-]/g, '-') || 'container';
}

function podTemplate(name: string, image: string, command: string[]): Record<string, unknown> {
  return { containers: [{ ...(command.length ? { command } : {}), image, name, resources: {} }], restartPolicy: 'Never' };
}

async function jobFrom(call: Call, name: string): Promise<Made> {
  const [kind, source] = call.flags.text('from').split('/');
  if (!source || !['cronjob', 'cronjobs', 'cj', 'cronjob.batch'].includes(kind!)) throw new CommandError('from must be an existing cronjob');
  const resource = await call.session.discovery.named(call.kube, 'cronjobs');
  const cron = await call.kube.get(resource, call.namespace, source);
  const template = cron.spec.jobTemplate as { metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }; spec: unknown };
  return {
    metadata: {
      annotations: { 'cronjob.kubernetes.io/instantiate': 'manual', ...template.metadata?.annotations },
      ...(template.metadata?.labels ? { labels: template.metadata.labels } : {}),
      name,
      ownerReferences: [{ apiVersion: 'batch/v1', controller: true, kind: 'CronJob', name: cron.metadata.name, uid: cron.metadata.uid! }],
    },
    spec: template.spec,
    status: {},
  };
}

export const WORKLOADS: Generator[] = [
  {
    name: 'deployment',
    aliases: ['deploy'],
    short: 'Create a deployment with the specified name',
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    failed: 'failed to create deployment',
    usage: 'NAME --image=image -- [COMMAND] [args...]',
    flags: [list('image', '', 'Image names to run.'), int('port', '', 'The containerPort that this deployment exposes.', '-1'), int('replicas', 'r', 'Number of replicas to create. Default is 1.', '1')],
    build: (call, name) => {
      needed(call, 'image');
      const images = call.flags.split('image');
      const command = after(call);
      if (images.length > 1 && command.length) throw new CommandError('cannot specify multiple --image options and command');
      const port = call.flags.int('port');
      return {
        metadata: { labels: { app: name }, name },
        spec: {
          replicas: call.flags.int('replicas'),
          selector: { matchLabels: { app: name } },
          strategy: {},
          template: {
            metadata: { labels: { app: name } },
            spec: {
              containers: images.map((image) => ({ ...(command.length ? { command } : {}), image, name: containerName(image), ...(port > 0 ? { ports: [{ containerPort: port }] } : {}), resources: {} })),
            },
          },
        },
        status: {},
      };
    },
  },
  {
    name: 'job',
    short: 'Create a job with the specified name',
    apiVersion: 'batch/v1',
    kind: 'Job',
    failed: 'failed to create job',
    usage: 'NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]',
    flags: [text('image', '', 'Image name to run.'), text('from', '', 'The name of the resource to create a Job from (only cronjob is supported).')],
    build: (call, name) => {
      if (call.flags.text('from')) return jobFrom(call, name);
      if (!call.flags.text('image')) throw new CommandError('either --image or --from must be specified');
      return { metadata: { name }, spec: { template: { metadata: {}, spec: podTemplate(name, call.flags.text('image'), after(call)) } }, status: {} };
    },
  },
  {
    name: 'cronjob',
    aliases: ['cj'],
    short: 'Create a cron job with the specified name',
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    failed: 'failed to create cronjob',
    usage: "NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...]",
    flags: [text('image', '', 'Image name to run.'), text('schedule', '', 'A schedule in the Cron format the job should be run with.'), text('restart', '', "job's restart policy. supported values: OnFailure, Never", { default: 'OnFailure', values: ['OnFailure', 'Never'] })],
    build: (call, name) => {
      needed(call, 'image', 'schedule');
      return {
        metadata: { name },
        spec: {
          jobTemplate: { metadata: { name }, spec: { template: { metadata: {}, spec: { ...podTemplate(name, call.flags.text('image'), after(call)), restartPolicy: call.flags.text('restart') } } } },
          schedule: call.flags.text('schedule'),
        },
        status: {},
      };
    },
  },
];
