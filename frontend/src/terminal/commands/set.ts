/** kubectl set image, env, resources, serviceaccount; and edit, which opens the object in the page's editor. */
import { dryRun, label, objects, patch, suffix, type Found } from '../builder';
import type { Call, Command } from '../command';
import { ALL, DRY_RUN, FIELD_MANAGER, FILENAME, OUTPUT, SELECTOR } from '../globals';
import { STRATEGIC } from '../kube/client';
import { CommandError, said } from '../kube/errors';
import type { Thing } from '../kube/types';
import { toYaml, withoutManaged } from '../output/serialize';
import { list, text } from '../text/flags';
import { printed } from './apply';
import { pairs } from './create/generator';

interface Container {
  name: string;
  image?: string;
  env?: { name: string; value?: string }[];
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> };
}

/** The pod spec inside an object, and how a patch of it is wrapped. */
function template(object: Thing): { spec: { containers: Container[]; initContainers?: Container[] }; wrap: (spec: unknown) => unknown } {
  if (object.kind === 'Pod') return { spec: object.spec, wrap: (spec) => ({ spec }) };
  if (object.kind === 'CronJob') {
    return { spec: object.spec.jobTemplate.spec.template.spec, wrap: (spec) => ({ spec: { jobTemplate: { spec: { template: { spec } } } } }) };
  }
  if (!object.spec?.template?.spec) throw new CommandError(`${object.kind.toLowerCase()} has no pod template`);
  return { spec: object.spec.template.spec, wrap: (spec) => ({ spec: { template: { spec } } }) };
}

/** Where the resources end and the changes begin. */
function parts(call: Call): { resources: string[]; changes: string[] } {
  const at = call.args.findIndex((one) => one.includes('=') || (call.path === 'set env' && /.-$/.test(one)));
  return at < 0 ? { resources: call.args, changes: [] } : { resources: call.args.slice(0, at), changes: call.args.slice(at) };
}

async function change(call: Call, resources: string[], word: string, edit: (found: Found) => unknown | null): Promise<number> {
  const { io } = call;
  if (!resources.length && !call.flags.has('filename')) throw new CommandError('one or more resources must be specified as <resource> <name> or <resource>/<name>');
  const { found, errors } = await objects(call, { args: resources, all: call.flags.on('all') });
  errors.forEach((error) => io.err(`${said(error)}\n`));
  let code = errors.length ? 1 : 0;
  const mode = dryRun(call);
  for (const one of found) {
    try {
      const body = edit(one);
      // Nothing to change: kubectl says nothing.
      if (body === null) continue;
      const object = mode === 'client' ? one.object : await patch(call, one, body, STRATEGIC, 'kubectl-set');
      printed(call, [{ resource: one.resource, object }], [`${word} updated${suffix(mode)}`]);
    } catch (error) {
      code = 1;
      io.err(`${said(error)}\n`);
    }
  }
  return code;
}

async function image(call: Call): Promise<number> {
  const { resources, changes } = parts(call);
  const images = pairs(changes, 'image');
  if (!Object.keys(images).length) throw new CommandError('at least one image update is required');
  return change(call, resources, 'image', ({ object, resource, name }) => {
    const { spec, wrap } = template(object);
    const every = images['*'];
    const lists: Record<string, Container[]> = {};
    let seen = 0;
    for (const kind of ['containers', 'initContainers'] as const) {
      const matched = (spec[kind] ?? []).filter((one) => every ?? images[one.name]);
      seen += matched.length;
      const changed = matched.filter((one) => one.image !== (images[one.name] ?? every));
      if (changed.length) lists[kind] = changed.map((one) => ({ name: one.name, image: images[one.name] ?? every! }));
    }
    const known = [...spec.containers, ...(spec.initContainers ?? [])].map((one) => one.name);
    const unknown = Object.keys(images).filter((one) => one !== '*' && !known.includes(one));
    if (unknown.length || !seen) throw new CommandError(`unable to find container named ${unknown.map((one) => `"${one}"`).join(', ') || label(resource, name)}`);
    return Object.keys(lists).length ? wrap(lists) : null;
  });
}

async function env(call: Call): Promise<number> {
  const { resources, changes } = parts(call);
  const all = [...changes, ...call.flags.all('env')];
  const removed = all.filter((one) => !one.includes('=') && one.endsWith('-')).map((one) => one.slice(0, -1));
  const set = pairs(all.filter((one) => one.includes('=')), 'environment variable');
  const only = call.flags.text('containers');
  if (call.flags.text('list') === 'true') {
    const { found } = await objects(call, { args: resources });
    for (const { object, resource, name } of found) {
      for (const container of template(object).spec.containers) {
        call.io.out(`# ${label(resource, name)}, container ${container.name}\n${(container.env ?? []).map((one) => `${one.name}=${one.value ?? ''}\n`).join('')}`);
      }
    }
    return 0;
  }
  if (!all.length) throw new CommandError('at least one environment variable must be provided');
  return change(call, resources, 'env', ({ object }) => {
    const { spec, wrap } = template(object);
    const containers = spec.containers.filter((one) => !only || only === '*' || one.name === only);
    if (!containers.length) throw new CommandError(`no containers matching "${only}"`);
    return wrap({
      containers: containers.map((one) => ({
        name: one.name,
        env: [...Object.entries(set).map(([key, value]) => ({ name: key, value })), ...removed.filter((key) => one.env?.some((had) => had.name === key)).map((key) => ({ $patch: 'delete', name: key }))],
      })),
    });
  });
}

async function resourcesOf(call: Call): Promise<number> {
  const { flags } = call;
  const wanted = Object.fromEntries(
    (['limits', 'requests'] as const).filter((one) => flags.text(one)).map((one) => [one, pairs(flags.text(one).split(','), one)]),
  );
  if (!Object.keys(wanted).length) throw new CommandError('you must specify an update to requests or limits (in the form of --requests/--limits)');
  const only = flags.text('containers') || '*';
  return change(call, call.args, 'resource requirements', ({ object }) => {
    const { spec, wrap } = template(object);
    const containers = spec.containers.filter((one) => only === '*' || one.name === only);
    if (!containers.length) throw new CommandError(`no containers matching "${only}"`);
    return wrap({ containers: containers.map((one) => ({ name: one.name, resources: wanted })) });
  });
}

async function account(call: Call): Promise<number> {
  const name = call.args.at(-1);
  if (!name || call.args.length < 2) throw new CommandError('serviceaccount is required');
  return change(call, call.args.slice(0, -1), 'serviceaccount', ({ object }) => template(object).wrap({ serviceAccountName: name }));
}

const FLAGS = [FILENAME, SELECTOR, ALL, OUTPUT, DRY_RUN, FIELD_MANAGER];
const CONTAINERS = text('containers', 'c', 'The names of containers in the selected pod templates to change.', { default: '*', values: 'container' });
const sub = (name: string, short: string, usage: string, run: Command['run'], flags: Command['flags'] = [], aliases: string[] = []): Command => ({
  name,
  aliases,
  group: 'Basic',
  short,
  usage: `kubectl set ${name} ${usage}`,
  completes: 'workloads',
  flags: [...FLAGS, ...flags],
  run,
});

export const SET: Command = {
  name: 'set',
  group: 'Basic',
  short: 'Set specific features on objects',
  subcommands: [
    sub('env', 'Update environment variables on a pod template', 'RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N [options]', env, [CONTAINERS, list('env', 'e', 'Specify a key-value pair for an environment variable to set into each container.'), { ...text('list', '', 'If true, display the environment and any changes in the standard format.'), alone: 'true' }]),
    sub('image', 'Update the image of a pod template', '(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... [options]', image),
    sub('resources', 'Update resource requests/limits on objects with pod templates', '(-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS] [options]', resourcesOf, [CONTAINERS, text('limits', '', "The resource requirement limits for this container.  For example, 'cpu=100m,memory=256Mi'."), text('requests', '', "The resource requirement requests for this container.  For example, 'cpu=100m,memory=256Mi'.")]),
    sub('serviceaccount', 'Update the service account of a resource', '(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT [options]', account, [], ['sa']),
  ],
};

export const EDIT: Command = {
  name: 'edit',
  group: 'Basic',
  short: 'Edit a resource on the server, in the YAML editor beside this terminal',
  usage: 'kubectl edit (RESOURCE/NAME | -f FILENAME) [options]',
  completes: 'resources',
  flags: [FILENAME, OUTPUT],
  run: async (call) => {
    const { found, errors } = await objects(call);
    if (errors.length) throw errors[0];
    const texts = found.map(({ object }) => {
      const { status: _, ...rest } = withoutManaged(object);
      return toYaml(rest);
    });
    call.session.editor.open(texts.join('---\n'), found.map(({ resource, name }) => label(resource, name)).join(', '));
    call.io.err('Opened in the YAML editor: change it there, look at the diff, and apply.\n');
  },
};
