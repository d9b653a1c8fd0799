/** kubectl create: an object from a file, or of one kind from flags; a file for each subject. */
import type { Command } from '../../command';
import { FILENAME } from '../../globals';
import { CommandError } from '../../kube/errors';
import { createFiles } from '../apply';
import { ACCESS, TOKEN } from './access';
import { CONFIGMAP, SECRETS } from './configuration';
import { command, DEFAULTS } from './generator';
import { LIMITS, NAMESPACE } from './limits';
import { SERVICES } from './services';
import { WORKLOADS } from './workloads';

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
    ...[...NAMESPACE, ...WORKLOADS, ...CONFIGMAP, ...ACCESS, ...LIMITS].map((one) => command(one, 'create')),
    { name: 'secret', group: 'Basic', short: 'Create a secret using a specified subcommand', subcommands: SECRETS.map((one) => command(one, 'create secret')) },
    { name: 'service', aliases: ['svc'], group: 'Basic', short: 'Create a service using a specified subcommand', subcommands: SERVICES.map((one) => command(one, 'create service')) },
    TOKEN,
  ],
  run: (call) => {
    if (!call.flags.has('filename')) throw new CommandError(call.args.length ? `unknown command "${call.args[0]}" for "kubectl create"` : 'must specify one of -f and -k');
    return createFiles(call);
  },
};
