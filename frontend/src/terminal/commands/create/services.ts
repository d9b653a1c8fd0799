/** kubectl create service. */
import type { Call } from '../../command';
import { CommandError } from '../../kube/errors';
import { int, list, text } from '../../text/flags';
import { needed, type Generator } from './generator';

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

export const SERVICES: Generator[] = [
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
