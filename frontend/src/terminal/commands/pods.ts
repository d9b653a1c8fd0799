/** From POD, TYPE/NAME or a workload to the pods behind it: for logs, exec and attach. */
import { targets } from '../builder';
import type { Call } from '../command';
import { CommandError } from '../kube/errors';
import type { Thing } from '../kube/types';

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** A selector of an object as the text that the API takes. */
export function selectorText(selector: Selector | Record<string, string> | undefined): string {
  if (!selector) return '';
  const structured = 'matchLabels' in selector || 'matchExpressions' in selector;
  const { matchLabels = {}, matchExpressions = [] } = structured ? (selector as Selector) : { matchLabels: selector as Record<string, string> };
  const labels = Object.keys(matchLabels).sort().map((key) => `${key}=${matchLabels[key]}`);
  const rest = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
  });
  return [...labels, ...rest].join(',');
}

/** The pods that a target means, the ones that run first. */
export async function podsOf(call: Call, target: string): Promise<Thing[]> {
  const { kube, session } = call;
  const pods = await session.discovery.named(kube, 'pods');
  if (!target.includes('/')) return [await kube.get(pods, call.namespace, target)];
  const [{ resource, names }] = (await targets(call, [target])) as [Awaited<ReturnType<typeof targets>>[0]];
  const object = await kube.get(resource, call.namespace, names[0]!);
  if (resource.name === 'pods') return [object];
  const selector = selectorText(object.spec?.selector);
  if (!selector) throw new CommandError(`cannot attach to *${resource.version}.${resource.kind}: selector for it is not known`);
  const list = await kube.list(pods, call.namespace, { labelSelector: selector });
  const rank = (pod: Thing) => (pod.metadata.deletionTimestamp ? 2 : pod.status?.phase === 'Running' ? 0 : 1);
  return list.items.map((one) => ({ ...one, apiVersion: 'v1', kind: 'Pod' })).sort((a, b) => rank(a) - rank(b));
}

export async function podOf(call: Call, target: string): Promise<Thing> {
  const [first] = await podsOf(call, target);
  if (!first) throw new CommandError('timed out waiting for the condition');
  return first;
}
