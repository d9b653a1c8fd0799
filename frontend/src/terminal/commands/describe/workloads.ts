/** describe deployment, replicaset, statefulset, daemonset, job, cronjob. */
import { podTemplate } from './template';
import type { Call } from '../../command';
import type { Thing } from '../../kube/types';
import { human, stamp } from '../../text/duration';
import { selectorText } from '../pods';
import { annotations, controlledBy, events, given, header, isOf, multiline, selector, table, type Describer } from './lines';

async function podsOf(call: Call, object: Thing): Promise<Thing[]> {
  const resource = await call.session.discovery.named(call.kube, 'pods');
  const list = await call.kube.list(resource, object.metadata.namespace ?? '', { labelSelector: selectorText(object.spec.selector) });
  return list.items.filter((one) => isOf(one, object));
}

async function podsStatus(call: Call, object: Thing): Promise<string> {
  const pods = await podsOf(call, object);
  const count = (phase: string) => pods.filter((one) => one.status?.phase === phase).length;
  return `${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`;
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

function conditions(list: Condition[] | undefined): string[] {
  if (!list?.length) return [];
  return ['Conditions:', ...table(['Type', 'Status', 'Reason'], list.map((one) => [one.type, one.status, one.reason ?? '']))];
}

export const deployment: Describer = async (about) => {
  const { object, call } = about;
  const { spec, status = {}, metadata } = object;
  const sets = await call.kube.list(await call.session.discovery.named(call.kube, 'replicasets.apps'), metadata.namespace ?? '', { labelSelector: selectorText(spec.selector) });
  const own = sets.items.filter((one) => isOf(one, object));
  const revision = metadata.annotations?.['deployment.kubernetes.io/revision'];
  const current = own.find((one) => one.metadata.annotations?.['deployment.kubernetes.io/revision'] === revision);
  const said = (list: Thing[]) => list.map((one) => `${one.metadata.name} (${one.status?.replicas ?? 0}/${one.spec?.replicas ?? 0} replicas created)`).join(', ') || '<none>';
  const rolling = spec.strategy?.rollingUpdate as { maxUnavailable: unknown; maxSurge: unknown } | undefined;
  return [
    ...header(object, { created: true }),
    `Selector:\t${selector(spec.selector)}`,
    `Replicas:\t${spec.replicas ?? 0} desired | ${status.updatedReplicas ?? 0} updated | ${status.replicas ?? 0} total | ${status.availableReplicas ?? 0} available | ${status.unavailableReplicas ?? 0} unavailable`,
    `StrategyType:\t${spec.strategy?.type ?? ''}`,
    `MinReadySeconds:\t${spec.minReadySeconds ?? 0}`,
    ...(rolling ? [`RollingUpdateStrategy:\t${rolling.maxUnavailable} max unavailable, ${rolling.maxSurge} max surge`] : []),
    ...podTemplate(spec.template),
    ...conditions(status.conditions),
    `OldReplicaSets:\t${said(own.filter((one) => one !== current))}`,
    `NewReplicaSet:\t${current ? said([current]) : '<none>'}`,
    ...(await events(about)),
  ];
};

export const replicaSet: Describer = async (about) => {
  const { object, call } = about;
  const { spec, status = {} } = object;
  return [
    ...header(object, { first: [`Selector:\t${selector(spec.selector)}`] }),
    ...controlledBy(object),
    `Replicas:\t${status.replicas ?? 0} current / ${spec.replicas ?? 0} desired`,
    `Pods Status:\t${await podsStatus(call, object)}`,
    ...podTemplate(spec.template),
    ...conditions(status.conditions),
    ...(await events(about)),
  ];
};

export const statefulSet: Describer = async (about) => {
  const { object, call } = about;
  const { spec, status = {} } = object;
  const rolling = spec.updateStrategy?.rollingUpdate as { partition?: number; maxUnavailable?: unknown } | undefined;
  const retention = spec.persistentVolumeClaimRetentionPolicy as { whenDeleted: string; whenScaled: string } | undefined;
  const claims = (spec.volumeClaimTemplates ?? []) as Thing[];
  return [
    ...header(object, { created: true, first: [`Selector:\t${selector(spec.selector)}`] }),
    `Service Name:\t${spec.serviceName ?? ''}`,
    `Pod Management Policy:\t${spec.podManagementPolicy ?? ''}`,
    `Replicas:\t${spec.replicas ?? 0} desired | ${status.replicas ?? 0} total`,
    `Update Strategy:\t${spec.updateStrategy?.type ?? ''}`,
    ...(rolling ? [`  Partition:\t${rolling.partition ?? 0}`, ...(rolling.maxUnavailable !== undefined ? [`  MaxUnavailable:\t${rolling.maxUnavailable}`] : [])] : []),
    ...(retention ? ['Persistent Volume Claim Retention Policy:', `  WhenDeleted:\t${retention.whenDeleted}`, `  WhenScaled:\t${retention.whenScaled}`] : []),
    `Pods Status:\t${await podsStatus(call, object)}`,
    ...podTemplate(spec.template),
    ...(claims.length
      ? [
          'Volume Claims:',
          ...claims.flatMap((one) => [
            `  Name:\t${one.metadata.name}`,
            `  StorageClass:\t${one.spec.storageClassName ?? ''}`,
            ...multiline('Labels', one.metadata.labels, '  '),
            ...annotations(one.metadata.annotations, '  '),
            `  Capacity:\t${one.spec.resources?.requests?.storage ?? '<default>'}`,
            `  Access Modes:\t[${((one.spec.accessModes ?? []) as string[]).join(' ')}]`,
          ]),
        ]
      : ['Volume Claims:\t<none>']),
    ...(await events(about)),
  ];
};

export const daemonSet: Describer = async (about) => {
  const { object, call } = about;
  const { spec, status = {} } = object;
  return [
    ...header(object, { first: [`Selector:\t${selector(spec.selector)}`, `Node-Selector:\t${selector({ matchLabels: spec.template?.spec?.nodeSelector })}`] }),
    `Desired Number of Nodes Scheduled: ${status.desiredNumberScheduled ?? 0}`,
    `Current Number of Nodes Scheduled: ${status.currentNumberScheduled ?? 0}`,
    `Number of Nodes Scheduled with Up-to-date Pods: ${status.updatedNumberScheduled ?? 0}`,
    `Number of Nodes Scheduled with Available Pods: ${status.numberAvailable ?? 0}`,
    `Number of Nodes Misscheduled: ${status.numberMisscheduled ?? 0}`,
    `Pods Status:\t${await podsStatus(call, object)}`,
    ...podTemplate(spec.template),
    ...(await events(about)),
  ];
};

export const job: Describer = async (about) => {
  const { object } = about;
  const { spec, status = {} } = object;
  const began = status.startTime ? Date.parse(status.startTime as string) : 0;
  const ended = status.completionTime ? Date.parse(status.completionTime as string) : 0;
  return [
    ...header(object, { first: spec.selector ? [`Selector:\t${selector(spec.selector)}`] : [] }),
    ...controlledBy(object),
    ...given('Parallelism', spec.parallelism),
    `Completions:\t${spec.completions ?? '<unset>'}`,
    ...given('Completion Mode', spec.completionMode),
    ...given('Suspend', spec.suspend),
    ...given('Backoff Limit', spec.backoffLimit),
    ...given('TTL Seconds After Finished', spec.ttlSecondsAfterFinished),
    ...(began ? [`Start Time:\t${stamp(status.startTime)}`] : []),
    ...(ended ? [`Completed At:\t${stamp(status.completionTime)}`] : []),
    ...(began && ended ? [`Duration:\t${human(ended - began)}`] : []),
    ...given('Active Deadline Seconds', spec.activeDeadlineSeconds, 's'),
    `Pods Statuses:\t${status.active ?? 0} Active (${status.ready ?? 0} Ready) / ${status.succeeded ?? 0} Succeeded / ${status.failed ?? 0} Failed`,
    ...given('Completed Indexes', status.completedIndexes),
    ...podTemplate(spec.template),
    ...(await events(about)),
  ];
};

export const cronJob: Describer = async (about) => {
  const { object } = about;
  const { spec, status = {} } = object;
  const inner = spec.jobTemplate.spec as Record<string, unknown>;
  const active = (status.active ?? []) as { name: string }[];
  const unset = (value: unknown) => (value === undefined || value === null ? '<unset>' : String(value));
  return [
    ...header(object),
    `Schedule:\t${spec.schedule}`,
    `Concurrency Policy:\t${spec.concurrencyPolicy ?? ''}`,
    `Suspend:\t${spec.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False'}`,
    `Time Zone:\t${unset(spec.timeZone)}`,
    `Successful Job History Limit:\t${unset(spec.successfulJobsHistoryLimit)}`,
    `Failed Job History Limit:\t${unset(spec.failedJobsHistoryLimit)}`,
    `Starting Deadline Seconds:\t${spec.startingDeadlineSeconds === undefined ? '<unset>' : `${spec.startingDeadlineSeconds}s`}`,
    `Selector:\t${inner.selector ? selector(inner.selector as never) : '<unset>'}`,
    `Parallelism:\t${unset(inner.parallelism)}`,
    `Completions:\t${unset(inner.completions)}`,
    ...podTemplate(inner.template as Thing),
    status.lastScheduleTime ? `Last Schedule Time:\t${stamp(status.lastScheduleTime)}` : 'Last Schedule Time:\t<unset>',
    `Active Jobs:\t${active.map((one) => one.name).join(', ') || '<none>'}`,
    ...(await events(about)),
  ];
};
