/** kubectl create KIND NAME: objects made from flags. */
import { dryRun, suffix } from '../builder';
import type { Call, Command } from '../command';
import { DRY_RUN, FIELD_MANAGER, FILENAME, OUTPUT } from '../globals';
import { pathOf, query } from '../kube/client';
import { CommandError, StatusError } from '../kube/errors';
import type { Thing } from '../kube/types';
import { parse as duration } from '../text/duration';
import { bool, int, list, text, type Flag } from '../text/flags';
import { createFiles, printed, VALIDATE } from './apply';

type Made = Omit<Thing, 'apiVersion' | 'kind'>;

interface Generator {
  name: string;
  aliases?: string[];
  short: string;
  apiVersion: string;
  kind: string;
  /** What stands before the server's words when it refuses; '' for the plain error. */
  failed: string;
  flags?: Flag[];
  usage: string;
  build(call: Call, name: string): Made;
}

const DEFAULTS = [DRY_RUN, FIELD_MANAGER, OUTPUT, VALIDATE];
const FROM_LITERAL = list('from-literal', '', 'Specify a key and literal value to insert (i.e. mykey=somevalue)');

export function containerName(image: string): string {
  return (image.split('/').at(-1) ?? image).split(/[:@]/)[0]!.toLowerCase().replace(/[^a-z0-9-]/g, '-') || 'container';
}

export function pairs(words: string[], flag: string): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=');
      if (at < 1) throw new CommandError(`invalid ${flag} ${word}, expected key=value`);
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

function needed(call: Call, ...names: string[]): void {
  const missing = names.filter((one) => !call.flags.has(one));
  if (missing.length) throw new CommandError(`required flag(s) ${missing.map((one) => `"${one}"`).join(', ')} not set`);
}

function after(call: Call): string[] {
  return call.dash < 0 ? [] : call.args.slice(call.dash);
}

function podTemplate(name: string, image: string, command: string[]): Record<string, unknown> {
  return { containers: [{ ...(command.length ? { command } : {}), image, name, resources: {} }], restartPolicy: 'Never' };
}

function ports(call: Call): { name: string; port: number; protocol: string; targetPort: number | string }[] {
  return call.flags.split('tcp').map((word) => {
    const [port = '', target = port] = word.split(':');
    if (!/^\d+$/.test(port)) throw new CommandError(`invalid port: ${word}`);
    return { name: word.includes(':') ? `${port}-${target}` : port, port: Number(port), protocol: 'TCP', targetPort: /^\d+$/.test(target) ? Number(target) : target };
  });
}

function service(type: string): Pick<Generator, 'apiVersion' | 'kind' | 'failed' | 'flags' | 'build'> {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    failed: `failed to create ${type} service`,
    flags: [list('tcp', '', "Port pairs can be specified as '<port>:<targetPort>'."), text('clusterip', '', 'Assign your own ClusterIP or set to "None" for a headless service.'), int('node-port', '', 'Port used to expose the service on each node in a cluster.', '0')],
    build: (call, name) => {
      const found = ports(call);
      const headless = call.flags.text('clusterip') === 'None';
      if (!found.length && !headless) throw new CommandError('at least one tcp port specifier must be provided');
      const nodePort = call.flags.int('node-port');
      return {
        metadata: { labels: { app: name }, name },
        spec: {
          ...(call.flags.text('clusterip') ? { clusterIP: call.flags.text('clusterip') } : {}),
          ...(found.length ? { ports: nodePort ? found.map((one) => ({ ...one, nodePort })) : found } : {}),
          selector: { app: name },
          type,
        },
        status: { loadBalancer: {} },
      };
    },
  };
}

const RULE_FLAGS = [
  list('verb', '', 'Verb that applies to the resources contained in the rule'),
  list('resource', '', 'Resource that the rule applies to'),
  list('resource-name', '', 'Resource in the white list that the rule applies to, repeat this flag for multiple items'),
];

async function rules(call: Call): Promise<unknown[]> {
  const { flags } = call;
  const verbs = [...new Set(flags.split('verb'))];
  if (!verbs.length) throw new CommandError('at least one verb must be specified');
  const paths = flags.split('non-resource-url');
  if (!flags.split('resource').length && !paths.length) throw new CommandError('one of resource or nonResourceURL must be specified');
  const groups = new Map<string, string[]>();
  for (const word of flags.split('resource')) {
    const [type = '', sub] = word.split('/');
    const found = type === '*' ? { group: '', name: '*' } : await call.session.discovery.named(call.kube, type);
    const names = groups.get(found.group) ?? [];
    groups.set(found.group, [...names, sub ? `${found.name}/${sub}` : found.name]);
  }
  const resourceNames = flags.split('resource-name');
  return [
    ...[...groups].map(([group, resources]) => ({ apiGroups: [group], ...(resourceNames.length ? { resourceNames } : {}), resources, verbs })),
    ...(paths.length ? [{ nonResourceURLs: paths, verbs }] : []),
  ];
}

const BINDING_FLAGS = [
  text('clusterrole', '', 'ClusterRole this binding should reference'),
  text('role', '', 'Role this RoleBinding should reference'),
  list('user', '', 'Usernames to bind to the role.'),
  list('group', '', 'Groups to bind to the role.'),
  list('serviceaccount', '', 'Service accounts to bind to the role, in the format <namespace>:<name>.'),
];

function binding(call: Call, name: string): Made {
  const { flags } = call;
  const role = flags.text('role');
  const cluster = flags.text('clusterrole');
  if (call.path.endsWith('clusterrolebinding') ? !cluster : !role === !cluster) {
    throw new CommandError(call.path.endsWith('clusterrolebinding') ? 'clusterrole must be specified' : 'exactly one of clusterrole or role must be specified');
  }
  const api = { apiGroup: 'rbac.authorization.k8s.io' };
  const subjects = [
    ...flags.split('user').map((one) => ({ ...api, kind: 'User', name: one })),
    ...flags.split('group').map((one) => ({ ...api, kind: 'Group', name: one })),
    ...flags.split('serviceaccount').map((one) => {
      const [space, account] = one.split(':');
      if (!space || !account) throw new CommandError('serviceaccount must be <namespace>:<name>');
      return { kind: 'ServiceAccount', name: account, namespace: space };
    }),
  ];
  return { metadata: { name }, roleRef: { ...api, kind: role ? 'Role' : 'ClusterRole', name: role || cluster }, subjects };
}

/** UTF-8 as base64, as a Secret's data is. */
export function base64(value: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(value)));
}

const GENERATORS: Generator[] = [
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
    name: 'configmap',
    aliases: ['cm'],
    short: 'Create a config map from a literal value',
    apiVersion: 'v1',
    kind: 'ConfigMap',
    failed: 'failed to create configmap',
    usage: 'NAME [--from-literal=key1=value1]',
    flags: [FROM_LITERAL],
    build: (call, name) => {
      const data = pairs(call.flags.all('from-literal'), 'literal source');
      return { ...(Object.keys(data).length ? { data } : {}), metadata: { name } };
    },
  },
  {
    name: 'serviceaccount',
    aliases: ['sa'],
    short: 'Create a service account with the specified name',
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    failed: 'failed to create serviceaccount',
    usage: 'NAME',
    build: (_, name) => ({ metadata: { name } }),
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
  {
    name: 'role',
    short: 'Create a role with single rule',
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    failed: '',
    usage: 'NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename]',
    flags: RULE_FLAGS,
    build: (_, name) => ({ metadata: { name } }),
  },
  {
    name: 'clusterrole',
    short: 'Create a cluster role',
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    failed: '',
    usage: 'NAME --verb=verb --resource=resource.group [--resource-name=resourcename]',
    flags: [...RULE_FLAGS, list('non-resource-url', '', 'A partial url that user should have access to.')],
    build: (_, name) => ({ metadata: { name } }),
  },
  {
    name: 'rolebinding',
    short: 'Create a role binding for a particular role or cluster role',
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    failed: 'failed to create rolebinding',
    usage: 'NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname]',
    flags: BINDING_FLAGS,
    build: binding,
  },
  {
    name: 'clusterrolebinding',
    short: 'Create a cluster role binding for a particular cluster role',
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    failed: 'failed to create clusterrolebinding',
    usage: 'NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname]',
    flags: BINDING_FLAGS,
    build: binding,
  },
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

const SECRETS: Generator[] = [
  {
    name: 'generic',
    short: 'Create a secret from a literal value',
    apiVersion: 'v1',
    kind: 'Secret',
    failed: 'failed to create secret',
    usage: 'NAME [--type=string] [--from-literal=key1=value1]',
    flags: [FROM_LITERAL, text('type', '', 'The type of secret to create')],
    build: (call, name) => {
      const data = Object.fromEntries(Object.entries(pairs(call.flags.all('from-literal'), 'literal source')).map(([key, value]) => [key, base64(value)]));
      return { ...(Object.keys(data).length ? { data } : {}), metadata: { name }, ...(call.flags.text('type') ? { type: call.flags.text('type') } : {}) };
    },
  },
  {
    name: 'docker-registry',
    short: 'Create a secret for use with a Docker registry',
    apiVersion: 'v1',
    kind: 'Secret',
    failed: 'failed to create secret',
    usage: 'NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string]',
    flags: [text('docker-username', '', 'Username for Docker registry authentication'), text('docker-password', '', 'Password for Docker registry authentication'), text('docker-email', '', 'Email for Docker registry'), text('docker-server', '', 'Server location for Docker registry', { default: 'https://index.docker.io/v1/' })],
    build: (call, name) => {
      needed(call, 'docker-username', 'docker-password');
      const [username, password, email] = ['docker-username', 'docker-password', 'docker-email'].map((one) => call.flags.text(one));
      const auth = { username, password, ...(email ? { email } : {}), auth: base64(`${username}:${password}`) };
      return { data: { '.dockerconfigjson': base64(JSON.stringify({ auths: { [call.flags.text('docker-server')]: auth } })) }, metadata: { name }, type: 'kubernetes.io/dockerconfigjson' };
    },
  },
];

const SERVICES: Generator[] = [
  { name: 'clusterip', short: 'Create a ClusterIP service', usage: 'NAME [--tcp=<port>:<targetPort>]', ...service('ClusterIP') },
  { name: 'nodeport', short: 'Create a NodePort service', usage: 'NAME [--tcp=port:targetPort]', ...service('NodePort') },
  { name: 'loadbalancer', short: 'Create a LoadBalancer service', usage: 'NAME [--tcp=port:targetPort]', ...service('LoadBalancer') },
  {
    name: 'externalname',
    short: 'Create an ExternalName service',
    usage: 'NAME --external-name external.name',
    ...service('ExternalName'),
    flags: [text('external-name', '', 'External name of service')],
    build: (call, name) => {
      needed(call, 'external-name');
      return { metadata: { labels: { app: name }, name }, spec: { externalName: call.flags.text('external-name'), selector: { app: name }, type: 'ExternalName' }, status: { loadBalancer: {} } };
    },
  },
];

/** Sends what was made (or only prints it), as every generator does. */
export async function send(call: Call, object: Thing, failed: string, manager = 'kubectl-create'): Promise<void> {
  const mode = dryRun(call);
  const resource = await call.session.discovery.ofKind(call.kube, object.apiVersion, object.kind);
  if (resource.namespaced && (call.namespaced || mode !== 'client')) object.metadata.namespace = call.namespace;
  let made = object;
  if (mode !== 'client') {
    const path = query(pathOf(resource, call.namespace), { fieldManager: call.flags.text('field-manager') || manager, dryRun: mode === 'server' ? 'All' : undefined });
    try {
      made = await call.kube.json('POST', path, object);
    } catch (error) {
      if (failed && error instanceof StatusError) throw new CommandError(`${failed}: ${error.status.message}`);
      throw error;
    }
  }
  printed(call, [{ resource, object: made }], [`created${suffix(mode)}`]);
}

function command(generator: Generator, parent: string): Command {
  return {
    name: generator.name,
    aliases: generator.aliases,
    group: 'Basic',
    short: generator.short,
    usage: `kubectl ${parent} ${generator.name} ${generator.usage} [--dry-run=server|client|none] [options]`,
    flags: [...DEFAULTS, ...(generator.flags ?? [])],
    run: async (call) => {
      const names = call.dash < 0 ? call.args : call.args.slice(0, call.dash);
      if (names.length !== 1) throw new CommandError(`exactly one NAME is required, got ${names.length}\nSee 'kubectl ${parent} ${generator.name} -h' for help and examples`);
      const name = names[0]!;
      let made: Made;
      if (generator.name === 'job' && call.flags.text('from')) made = await jobFrom(call, name);
      else made = generator.build(call, name);
      if (generator.kind === 'Role' || generator.kind === 'ClusterRole') made.rules = await rules(call);
      await send(call, { apiVersion: generator.apiVersion, kind: generator.kind, ...made } as Thing, generator.failed);
    },
  };
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

const TOKEN: Command = {
  name: 'token',
  group: 'Basic',
  short: 'Request a service account token',
  usage: 'kubectl create token SERVICE_ACCOUNT_NAME [options]',
  flags: [OUTPUT, list('audience', '', 'Audience of the requested token.'), text('duration', '', 'Requested lifetime of the issued token.')],
  run: async (call) => {
    const name = call.args[0];
    if (!name) throw new CommandError("service account name is required\nSee 'kubectl create token -h' for help and examples");
    const seconds = call.flags.text('duration') ? duration(call.flags.text('duration')) : 0;
    if (seconds === null) throw new CommandError(`invalid argument "${call.flags.text('duration')}" for "--duration" flag`);
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: { ...(call.flags.split('audience').length ? { audiences: call.flags.split('audience') } : {}), ...(seconds ? { expirationSeconds: Math.trunc(seconds / 1000) } : {}) },
    };
    const resource = await call.session.discovery.named(call.kube, 'serviceaccounts');
    try {
      const made = await call.kube.json('POST', pathOf(resource, call.namespace, name, 'token'), body);
      call.io.out(`${made.status.token}\n`);
    } catch (error) {
      if (error instanceof StatusError) throw new CommandError(`failed to create token: ${error.status.message}`);
      throw error;
    }
  },
};

export const CREATE: Command = {
  name: 'create',
  group: 'Basic',
  short: 'Create a resource from a file or from stdin',
  usage: 'kubectl create -f FILENAME [options]',
  examples: `  # Create a deployment of three
  kubectl create deployment web --image=nginx:1.27 --replicas=3

  # Create what the YAML editor holds
  kubectl create -f editor`,
  flags: [FILENAME, ...DEFAULTS],
  subcommands: [
    ...GENERATORS.map((one) => command(one, 'create')),
    { name: 'secret', group: 'Basic', short: 'Create a secret using a specified subcommand', subcommands: SECRETS.map((one) => command(one, 'create secret')) },
    { name: 'service', aliases: ['svc'], group: 'Basic', short: 'Create a service using a specified subcommand', subcommands: SERVICES.map((one) => command(one, 'create service')) },
    TOKEN,
  ],
  run: (call) => {
    if (!call.flags.has('filename')) throw new CommandError(call.args.length ? `unknown command "${call.args[0]}" for "kubectl create"` : 'must specify one of -f and -k');
    return createFiles(call);
  },
};
