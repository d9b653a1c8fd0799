/** kubectl create serviceaccount, role, clusterrole, their bindings, token: who may do what. */
import type { Call, Command } from '../../command';
import { OUTPUT } from '../../globals';
import { pathOf } from '../../kube/client';
import { CommandError, StatusError } from '../../kube/errors';
import { parse as duration } from '../../text/duration';
import { list, text } from '../../text/flags';
import type { Generator, Made } from './generator';

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

export const ACCESS: Generator[] = [
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
    name: 'role',
    short: 'Create a role with single rule',
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    failed: '',
    usage: 'NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename]',
    flags: RULE_FLAGS,
    build: async (call, name) => ({ metadata: { name }, rules: await rules(call) }),
  },
  {
    name: 'clusterrole',
    short: 'Create a cluster role',
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    failed: '',
    usage: 'NAME --verb=verb --resource=resource.group [--resource-name=resourcename]',
    flags: [...RULE_FLAGS, list('non-resource-url', '', 'A partial url that user should have access to.')],
    build: async (call, name) => ({ metadata: { name }, rules: await rules(call) }),
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
];

export const TOKEN: Command = {
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
