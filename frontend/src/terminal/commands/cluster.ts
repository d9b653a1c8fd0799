/** What the cluster is: api-resources, api-versions, version, cluster-info, top, config. */
import { type Call, type Command } from '../command';
import { ALL_NAMESPACES, OUTPUT, SELECTOR } from '../globals';
import { apiVersion } from '../kube/discovery';
import { CommandError, StatusError } from '../kube/errors';
import type { Thing } from '../kube/types';
import { bool, text } from '../text/flags';
import { align, LIST } from '../text/tabwriter';
import { quantity } from './get';
import { toJson, toYaml } from '../output/serialize';

const list = (rows: string[][]) => `${align(rows.map((row) => row.join('\t')).join('\n'), LIST)}\n`;

async function apiResources(call: Call): Promise<void> {
  const { flags, io, session, kube } = call;
  session.discovery.forget();
  const verbs = flags.text('verbs').split(',').filter(Boolean);
  // One line for each resource, in its preferred version.
  const seen = new Set<string>();
  const all = (await session.discovery.all(kube))
    .filter((one) => !seen.has(`${one.group}/${one.name}`) && seen.add(`${one.group}/${one.name}`))
    .filter((one) => !flags.has('api-group') || one.group === flags.text('api-group'))
    .filter((one) => !flags.has('namespaced') || one.namespaced === flags.on('namespaced'))
    .filter((one) => verbs.every((verb) => one.verbs.includes(verb)))
    .filter((one) => !flags.text('categories') || flags.text('categories').split(',').every((category) => one.categories.includes(category)));
  const by = flags.text('sort-by');
  all.sort((a, b) => (by ? 0 : a.group < b.group ? -1 : a.group > b.group ? 1 : 0) || (by === 'kind' ? a.kind.localeCompare(b.kind) : a.name < b.name ? -1 : 1));
  if (flags.text('output') === 'name') return io.out(all.map((one) => `${one.group ? `${one.name}.${one.group}` : one.name}\n`).join(''));
  const wide = flags.text('output') === 'wide';
  const rows = all.map((one) => [one.name, one.shortNames.join(','), apiVersion(one), String(one.namespaced), one.kind, ...(wide ? [[...one.verbs].sort().join(','), one.categories.join(',')] : [])]);
  const head = ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND', ...(wide ? ['VERBS', 'CATEGORIES'] : [])];
  io.out(list([...(flags.on('no-headers') ? [] : [head]), ...rows]));
}

async function apiVersions(call: Call): Promise<void> {
  const all = await call.session.discovery.all(call.kube);
  call.io.out([...new Set(all.map(apiVersion))].sort().map((one) => `${one}\n`).join(''));
}

async function version(call: Call): Promise<void> {
  const found = (await (await call.kube.send('GET', '/version')).json()) as Record<string, string>;
  const client = { gitVersion: 'browser' };
  const format = call.flags.text('output');
  if (format === 'json') return call.io.out(toJson({ clientVersion: client, serverVersion: found }));
  if (format === 'yaml') return call.io.out(toYaml({ clientVersion: client, serverVersion: found }));
  call.io.out(`Client Version: this page\nServer Version: ${found.gitVersion}\n`);
}

async function clusterInfo(call: Call): Promise<void> {
  await call.kube.send('GET', '/version');
  call.io.out(`\u001b[0;32mKubernetes control plane\u001b[0m is running at \u001b[0;33m${call.session.origin}\u001b[0m\n\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n`);
}

interface Metrics extends Thing {
  containers?: { name: string; usage: Record<string, string> }[];
  usage?: Record<string, string>;
}

const milli = (cpu: string | undefined) => Math.ceil(cpuOf(cpu) * 1000 - 1e-9);
const mebi = (memory: string | undefined) => Math.trunc(quantity(memory ?? '0') / 2 ** 20);

function cpuOf(text: string | undefined): number {
  if (!text) return 0;
  const match = /^(\d+)([nu])$/.exec(text);
  return match ? Number(match[1]) * (match[2] === 'n' ? 1e-9 : 1e-6) : quantity(text);
}

async function metrics(call: Call, type: string, namespace: string, name = ''): Promise<Metrics[]> {
  try {
    const resource = await call.session.discovery.named(call.kube, `${type}.metrics.k8s.io`);
    if (name) return [await call.kube.get(resource, namespace, name)];
    return (await call.kube.list(resource, namespace, { labelSelector: call.flags.text('selector') || undefined })).items;
  } catch (error) {
    if (error instanceof CommandError) throw new CommandError('Metrics API not available');
    throw error;
  }
}

const row = (cells: string[]) => `${cells.join('\t')}\t`;

async function topNodes(call: Call): Promise<void> {
  const { io, kube, session, flags } = call;
  const found = await metrics(call, 'nodes', '', call.args[0]);
  const nodes = await kube.list(await session.discovery.named(kube, 'nodes'), '');
  const rows = found.map((one) => {
    const allocatable = (nodes.items.find((node) => node.metadata.name === one.metadata.name)?.status?.allocatable ?? {}) as Record<string, string>;
    const [cpu, memory] = [milli(one.usage?.cpu), mebi(one.usage?.memory)];
    const percent = (used: number, all: number) => `${Math.trunc((used / all) * 100)}%`;
    return { cpu, memory, cells: [one.metadata.name, `${cpu}m`, percent(cpu, cpuOf(allocatable.cpu) * 1000), `${memory}Mi`, percent(quantity(one.usage?.memory ?? '0'), quantity(allocatable.memory ?? '1'))] };
  });
  order(rows, flags.text('sort-by'));
  io.out(`${align([...(flags.on('no-headers') ? [] : [['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)']]), ...rows.map((one) => one.cells)].map(row).join('\n'), LIST)}\n`);
}

function order(rows: { cpu: number; memory: number; cells: string[] }[], by: string): void {
  if (by && by !== 'cpu' && by !== 'memory') throw new CommandError('--sort-by accepts only cpu or memory');
  if (by) rows.sort((a, b) => b[by as 'cpu'] - a[by as 'cpu']);
  else rows.sort((a, b) => (a.cells.join('/') < b.cells.join('/') ? -1 : 1));
}

async function topPods(call: Call): Promise<void> {
  const { io, flags } = call;
  const everywhere = flags.on('all-namespaces');
  const found = await metrics(call, 'pods', everywhere ? '' : call.namespace, call.args[0]);
  if (!found.length) {
    io.err(everywhere ? 'No resources found\n' : `No resources found in ${call.namespace} namespace.\n`);
    return;
  }
  const each = flags.on('containers');
  const rows = found.flatMap((one) => {
    const usage = (containers: NonNullable<Metrics['containers']>, extra: string[]) => {
      const cpu = containers.reduce((sum, container) => sum + milli(container.usage.cpu), 0);
      const bytes = containers.reduce((sum, container) => sum + quantity(container.usage.memory ?? '0'), 0);
      const memory = Math.trunc(bytes / 2 ** 20);
      return { cpu, memory, cells: [...(everywhere ? [one.metadata.namespace ?? ''] : []), one.metadata.name, ...extra, `${cpu}m`, `${memory}Mi`] };
    };
    return each ? (one.containers ?? []).map((container) => usage([container], [container.name])) : [usage(one.containers ?? [], [])];
  });
  order(rows, flags.text('sort-by'));
  const head = [...(everywhere ? ['NAMESPACE'] : []), ...(each ? ['POD', 'NAME'] : ['NAME']), 'CPU(cores)', 'MEMORY(bytes)'];
  io.out(`${align([...(flags.on('no-headers') ? [] : [head]), ...rows.map((one) => one.cells)].map(row).join('\n'), LIST)}\n`);
}

function contexts(call: Call): void {
  const user = call.session.user();
  const space = call.session.namespace === 'default' ? '' : call.session.namespace;
  if (call.flags.text('output') === 'name') return call.io.out(`${user}@kubeweb\n`);
  call.io.out(list([['CURRENT', 'NAME', 'CLUSTER', 'AUTHINFO', 'NAMESPACE'], ['*', `${user}@kubeweb`, 'kubeweb', user, space]]));
}

async function setContext(call: Call): Promise<void> {
  const { flags, session, io, kube } = call;
  if (!flags.on('current') && call.args[0] !== `${session.user()}@kubeweb`) throw new CommandError('this terminal has one context: use --current');
  if (!call.namespaced) throw new CommandError('only the namespace of the context can be set here: --namespace=NAME');
  try {
    await kube.get(await session.discovery.named(kube, 'namespaces'), '', call.namespace);
  } catch (error) {
    // kubectl asks nobody; we warn, as a mistyped namespace shows nothing at all.
    if (error instanceof StatusError && error.status.code === 404) io.err(`Warning: there is no namespace "${call.namespace}" yet\n`);
    else if (!(error instanceof StatusError)) throw error;
  }
  session.setNamespace(call.namespace);
  io.out(`Context "${session.user()}@kubeweb" modified.\n`);
}

const sub = (name: string, short: string, run: Command['run'], flags: Command['flags'] = []): Command => ({ name, group: 'Settings', short, flags, run });

export const CLUSTER: readonly Command[] = [
  {
    name: 'api-resources',
    group: 'Other',
    short: 'Print the supported API resources on the server',
    flags: [
      OUTPUT,
      text('api-group', '', 'Limit to resources in the specified API group.'),
      bool('namespaced', '', 'If false, non-namespaced resources will be returned, otherwise returning namespaced resources by default.', 'true'),
      text('verbs', '', 'Limit to resources that support the specified verbs.'),
      text('categories', '', 'Limit to resources that belong to the specified categories.'),
      text('sort-by', '', 'If non-empty, sort list of resources using specified field.', { values: ['name', 'kind'] }),
      bool('no-headers', '', "When using the default or custom-column output format, don't print headers."),
    ],
    run: apiResources,
  },
  { name: 'api-versions', group: 'Other', short: 'Print the supported API versions on the server, in the form of "group/version"', run: apiVersions },
  { name: 'version', group: 'Other', short: 'Print the client and server version information', flags: [OUTPUT], run: version },
  { name: 'cluster-info', group: 'Cluster', short: 'Display cluster information', run: clusterInfo },
  {
    name: 'top',
    group: 'Cluster',
    short: 'Display resource (CPU/memory) usage',
    subcommands: [
      { name: 'node', aliases: ['nodes', 'no'], group: 'Cluster', short: 'Display resource (CPU/memory) usage of nodes', completes: 'nodes', flags: [SELECTOR, text('sort-by', '', "If non-empty, sort nodes list using specified field: 'cpu' or 'memory'.", { values: ['cpu', 'memory'] }), bool('no-headers', '', 'If present, print output without headers')], run: topNodes },
      {
        name: 'pod',
        aliases: ['pods', 'po'],
        group: 'Cluster',
        short: 'Display resource (CPU/memory) usage of pods',
        completes: 'pods',
        flags: [SELECTOR, ALL_NAMESPACES, bool('containers', '', 'If present, print usage of containers within a pod.'), text('sort-by', '', "If non-empty, sort pods list using specified field: 'cpu' or 'memory'.", { values: ['cpu', 'memory'] }), bool('no-headers', '', 'If present, print output without headers.')],
        run: topPods,
      },
    ],
  },
  {
    name: 'config',
    group: 'Settings',
    short: 'Modify the context of this terminal',
    subcommands: [
      sub('current-context', 'Display the current-context', async (call) => call.io.out(`${call.session.user()}@kubeweb\n`)),
      sub('get-contexts', 'Describe one or many contexts', async (call) => contexts(call), [OUTPUT]),
      sub('set-context', 'Set the namespace of the context: --current --namespace=NAME', setContext, [bool('current', '', 'Modify the current context')]),
      sub('view', 'Display merged kubeconfig settings', async (call) =>
        call.io.out(
          toYaml({
            apiVersion: 'v1',
            clusters: [{ cluster: { server: call.session.origin }, name: 'kubeweb' }],
            contexts: [{ context: { cluster: 'kubeweb', namespace: call.session.namespace, user: call.session.user() }, name: `${call.session.user()}@kubeweb` }],
            'current-context': `${call.session.user()}@kubeweb`,
            kind: 'Config',
            preferences: {},
            users: [{ name: call.session.user(), user: {} }],
          }),
        ),
      ),
    ],
  },
];

