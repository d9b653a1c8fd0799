/** kubectl create namespace, quota, priorityclass, poddisruptionbudget: what bounds others. */
import { CommandError } from '../../kube/errors';
import { bool, int, text } from '../../text/flags';
import { pairs, type Generator } from './generator';

export const NAMESPACE: Generator[] = [
  {
    name: 'namespace',
    aliases: ['ns'],
    short: 'Create a namespace with the specified name',
    apiVersion: 'v1',
    kind: 'Namespace',
    failed: '',
    usage: 'NAME',
    build: (_, name) => ({ metadata: { name }, spec: {}, status: {} }),
  },
];

export const LIMITS: Generator[] = [
  {
    name: 'quota',
    aliases: ['resourcequota'],
    short: 'Create a quota with the specified name',
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    failed: 'failed to create quota',
    usage: 'NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2]',
    flags: [text('hard', '', 'A comma-delimited set of resource=quantity pairs that define a hard limit.'), text('scopes', '', 'A comma-delimited set of quota scopes that must all match each object tracked by the quota.')],
    build: (call, name) => ({
      metadata: { name },
      spec: {
        ...(call.flags.text('hard') ? { hard: pairs(call.flags.text('hard').split(','), 'argument') } : {}),
        ...(call.flags.text('scopes') ? { scopes: call.flags.text('scopes').split(',') } : {}),
      },
      status: {},
    }),
  },
  {
    name: 'priorityclass',
    aliases: ['pc'],
    short: 'Create a priority class with the specified name',
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    failed: 'failed to create priorityclass',
    usage: 'NAME --value=VALUE --global-default=BOOL',
    flags: [int('value', '', 'the value of this priority class.', '0'), bool('global-default', '', 'whether this PriorityClass should be considered as the default priority.'), text('description', '', 'an arbitrary string that usually provides guidelines')],
    build: (call, name) => ({
      ...(call.flags.text('description') ? { description: call.flags.text('description') } : {}),
      ...(call.flags.on('global-default') ? { globalDefault: true } : {}),
      metadata: { name },
      preemptionPolicy: 'PreemptLowerPriority',
      value: call.flags.int('value'),
    }),
  },
  {
    name: 'poddisruptionbudget',
    aliases: ['pdb'],
    short: 'Create a pod disruption budget with the specified name',
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    failed: 'failed to create poddisruptionbudgets',
    usage: 'NAME --selector=SELECTOR --min-available=N',
    flags: [text('min-available', '', 'The minimum number or percentage of available pods this budget requires.'), text('max-unavailable', '', 'The maximum number or percentage of unavailable pods this budget requires.'), text('selector', 'l', 'A label selector to use for this budget.')],
    build: (call, name) => {
      const number = (word: string) => (/^\d+$/.test(word) ? Number(word) : word);
      const [min, max] = [call.flags.text('min-available'), call.flags.text('max-unavailable')];
      if (!call.flags.text('selector')) throw new CommandError('a selector must be specified');
      if (!min === !max) throw new CommandError('one of min-available or max-unavailable must be specified');
      return {
        metadata: { name },
        spec: { ...(min ? { minAvailable: number(min) } : { maxUnavailable: number(max) }), selector: { matchLabels: pairs(call.flags.text('selector').split(','), 'selector') } },
        status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
      };
    },
  },
];
