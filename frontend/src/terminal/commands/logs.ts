/** kubectl logs: of one container or several, followed as they are written. */
import type { Call, Command } from '../command';
import { CONTAINER, SELECTOR } from '../globals';
import { pathOf, query, textChunks, textLines } from '../kube/client';
import { CommandError, isNotFound } from '../kube/errors';
import type { Thing } from '../kube/types';
import { parse as duration } from '../text/duration';
import { bool, int, text } from '../text/flags';
import { containerOf } from './exec';
import { podsOf } from './pods';

interface One {
  pod: Thing;
  container: string;
}

function containers(pod: Thing): string[] {
  return [...((pod.spec.initContainers ?? []) as { name: string }[]), ...((pod.spec.containers ?? []) as { name: string }[])].map((one) => one.name);
}

async function logs(call: Call): Promise<number> {
  const { flags, io, kube, session } = call;
  const resource = await session.discovery.named(kube, 'pods');
  const selector = flags.text('selector');
  const [target, second] = call.args;
  if (!target && !selector) throw new CommandError("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command\nSee 'kubectl logs -h' for help and examples");
  if (target && selector) throw new CommandError('only a selector (-l) or a POD name is allowed');
  let pods: Thing[];
  if (selector) {
    pods = (await kube.list(resource, call.namespace, { labelSelector: selector })).items;
    if (!pods.length) {
      io.err(`No resources found in ${call.namespace} namespace.\n`);
      return 0;
    }
  } else {
    const found = await podsOf(call, target!).catch((error: unknown) => {
      if (!isNotFound(error) || target!.includes('/')) throw error;
      throw new CommandError(`error from server (NotFound): pods "${target}" not found in namespace "${call.namespace}"`);
    });
    if (!found.length) throw new CommandError('timed out waiting for the condition');
    if (found.length > 1 && !flags.on('all-pods')) io.err(`Found ${found.length} pods, using pod/${found[0]!.metadata.name}\n`);
    pods = flags.on('all-pods') ? found : [found[0]!];
  }
  if (second) flags.set('container', second);
  const every = flags.on('all-containers');
  const wanted: One[] = pods.flatMap((pod) => (every ? containers(pod).map((container) => ({ pod, container })) : [{ pod, container: containerOf(call, pod) }]));
  const follow = flags.on('follow');
  const limit = flags.int('max-log-requests');
  if (follow && wanted.length > limit) throw new CommandError(`you are attempting to follow ${wanted.length} log streams, but maximum allowed concurrency is ${limit}, use --max-log-requests to increase the limit`);
  const prefix = flags.on('prefix') || flags.on('all-pods');
  const tail = flags.has('tail') ? flags.int('tail') : selector ? 10 : -1;
  const since = flags.text('since') ? duration(flags.text('since')) : 0;
  if (since === null) throw new CommandError(`invalid argument "${flags.text('since')}" for "--since" flag: time: invalid duration "${flags.text('since')}"`);
  const read = async ({ pod, container }: One) => {
    const path = query(pathOf(resource, pod.metadata.namespace ?? call.namespace, pod.metadata.name, 'log'), {
      container,
      follow: follow || undefined,
      previous: flags.on('previous') || undefined,
      timestamps: flags.on('timestamps') || undefined,
      tailLines: tail >= 0 ? tail : undefined,
      sinceSeconds: since ? Math.max(1, Math.round(since / 1000)) : undefined,
      sinceTime: flags.text('since-time') || undefined,
      limitBytes: flags.int('limit-bytes') || undefined,
    });
    const response = await kube.send('GET', path, { accept: '*/*' });
    if (!prefix) {
      for await (const chunk of textChunks(response, io.signal)) io.out(chunk);
      return;
    }
    for await (const line of textLines(response, io.signal)) io.out(`[pod/${pod.metadata.name}/${container}] ${line}\n`);
  };
  if (follow) await Promise.all(wanted.map(read));
  else for (const one of wanted) await read(one);
  return 0;
}

export const LOGS: Command = {
  name: 'logs',
  group: 'Troubleshooting',
  short: 'Print the logs for a container in a pod',
  usage: 'kubectl logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER] [options]',
  examples: `  # Follow the log of a pod of a deployment
  kubectl logs -f deploy/web

  # The last 20 lines of what crashed
  kubectl logs web-0 --previous --tail=20`,
  completes: 'pods',
  flags: [
    CONTAINER,
    SELECTOR,
    bool('follow', 'f', 'Specify if the logs should be streamed.'),
    bool('previous', 'p', 'If true, print the logs for the previous instance of the container in a pod if it exists.'),
    bool('timestamps', '', 'Include timestamps on each line in the log output.'),
    bool('all-containers', '', "Get all containers' logs in the pod(s)."),
    bool('all-pods', '', 'Get logs from all pod(s). Sets prefix to true.'),
    bool('prefix', '', 'Prefix each log line with the log source (pod name and container name).'),
    bool('ignore-errors', '', 'If watching / following pod logs, allow for any errors that occur to be non-fatal.'),
    int('tail', '', 'Lines of recent log file to display. Defaults to -1 with no selector, showing all log lines otherwise 10, if a selector is provided.', '-1'),
    text('since', '', 'Only return logs newer than a relative duration like 5s, 2m, or 3h.'),
    text('since-time', '', 'Only return logs after a specific date (RFC3339).'),
    int('limit-bytes', '', 'Maximum bytes of logs to return. Defaults to no limit.', '0'),
    int('max-log-requests', '', 'Specify maximum number of concurrent logs to follow when using by a selector.', '5'),
  ],
  run: logs,
};
