/** auth can-i, auth whoami. */
import type { Call, Command } from '../command';
import { ALL_NAMESPACES, OUTPUT } from '../globals';
import { CommandError } from '../kube/errors';
import { cells, compact, type Rule } from '../kube/rules';
import { printer } from '../output/format';
import { bool, text } from '../text/flags';
import { align, LIST } from '../text/tabwriter';

async function canI(call: Call): Promise<number | void> {
  const { args, flags, io } = call;
  if (flags.on('list')) return listRules(call);
  if (flags.on('quiet') && flags.has('output')) throw new CommandError('--quiet and --output cannot be used together');
  const [verb, what, name] = args;
  if (!verb || !what) throw new CommandError('you must specify two arguments: verb resource or verb resource/resourceName.\nSee \'kubectl auth can-i -h\' for help and examples.');
  const namespace = flags.on('all-namespaces') ? '' : call.namespace;
  let spec: Record<string, unknown>;
  if (what.startsWith('/')) spec = { nonResourceAttributes: { path: what, verb } };
  else {
    const [type = '', slashed = ''] = what.split('/');
    const resource = type === '*' ? { group: '*', name: '*', version: '*', namespaced: true } : await call.session.discovery.named(call.kube, type).catch(() => null);
    if (!resource) io.err(`Warning: the server doesn't have a resource type '${type}'\n\n`);
    else if (!resource.namespaced && namespace) io.err(`Warning: resource '${resource.name}' is not namespace scoped${resource.group ? ` in group '${resource.group}'` : ''}\n\n`);
    spec = {
      resourceAttributes: { namespace, verb, group: resource?.group ?? '', resource: resource?.name ?? type, subresource: flags.text('subresource'), name: slashed || name || '' },
    };
  }
  const review = await call.kube.json('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec });
  const status = review.status as { allowed: boolean; reason?: string; evaluationError?: string };
  if (!flags.on('quiet')) {
    const why = status.reason ? ` - ${status.reason}` : '';
    io.out(status.allowed ? 'yes\n' : `no${why}${status.evaluationError ? ` - ${status.evaluationError}` : ''}\n`);
  }
  return status.allowed ? 0 : 1;
}

async function listRules(call: Call): Promise<void> {
  const review = await call.kube.json('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace: call.namespace } });
  const { resourceRules = [], nonResourceRules = [] } = review.status as { resourceRules?: Rule[]; nonResourceRules?: Rule[] };
  const rows = compact([...resourceRules, ...nonResourceRules]).map(cells);
  const head = call.flags.on('no-headers') ? [] : [['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs']];
  call.io.out(`${align([...head, ...rows].map((row) => row.join('\t')).join('\n'), LIST)}\n`);
}

async function whoami(call: Call): Promise<void> {
  const review = await call.kube.json('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
  const print = printer(call.flags.text('output'));
  if (print) {
    const resource = await call.session.discovery.named(call.kube, 'selfsubjectreviews');
    return call.io.out(print([{ resource, object: review }], { managed: false, single: true, headers: true }));
  }
  const info = review.status.userInfo as { username: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };
  const rows = [
    ['ATTRIBUTE', 'VALUE'],
    ['Username', info.username],
    ...(info.uid ? [['UID', info.uid]] : []),
    ...(info.groups?.length ? [['Groups', `[${info.groups.join(' ')}]`]] : []),
    ...Object.entries(info.extra ?? {}).map(([key, values]) => [`Extra: ${key}`, `[${values.join(' ')}]`]),
  ];
  call.io.out(`${align(rows.map((row) => row.join('\t')).join('\n'), LIST)}\n`);
}

export const AUTH: Command = {
  name: 'auth',
  group: 'Cluster',
  short: 'Inspect authorization',
  subcommands: [
    {
      name: 'can-i',
      group: 'Cluster',
      short: 'Check whether an action is allowed',
      usage: 'kubectl auth can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL] [options]',
      examples: `  # May I create deployments here?
  kubectl auth can-i create deployments

  # What may alice do?
  kubectl auth can-i --list --as=alice`,
      completes: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection', '*'],
      flags: [
        ALL_NAMESPACES,
        bool('list', '', 'If true, prints all allowed actions.'),
        bool('quiet', 'q', 'If true, suppress output and just return the exit code.'),
        bool('no-headers', '', 'If true, prints allowed actions without headers'),
        text('subresource', '', 'SubResource such as pod/log or deployment/scale'),
      ],
      run: canI,
    },
    { name: 'whoami', group: 'Cluster', short: 'Check self subject attributes', flags: [OUTPUT], run: whoami },
  ],
};
