/** Back to an empty cluster: what would go, in which order, and doing it object by object, as the signed-in person. */
import { request, type Status } from '../../api/http';
import { pathOf, type Resource } from './collect';
import { goesAlong, originOf, rankOf, titleOf, type Thing } from './objects';

export interface Doomed {
  resource: Resource;
  namespace: string;
  name: string;
  title: string;
  rank: number;
  state: 'waiting' | 'gone' | 'refused';
  told: string;
}

/** Whether a reset deletes it: not the cluster's own, and not what goes by itself with something else. */
export function doomed(object: Thing): boolean {
  return originOf(object) !== 'own' && !goesAlong(object);
}

/** What hinders deletions goes first, then workloads before what they stand on; namespaces and definitions last. */
export function order(kind: string): number {
  if (kind === 'CustomResourceDefinition') return 100;
  if (kind === 'Namespace') return 90;
  if (kind === 'Node') return 80;
  return 50 - rankOf(kind);
}

export function doom(resource: Resource, object: Thing): Doomed {
  const { namespace = '', name = '' } = object.metadata;
  return { resource, namespace, name, title: titleOf(object), rank: order(object.kind), state: 'waiting', told: '' };
}

const HANDS = 6;

export async function run(list: Doomed[], signal: AbortSignal, changed: () => void): Promise<void> {
  const ranks = [...new Set(list.map((one) => one.rank))].sort((a, b) => a - b);
  for (const rank of ranks) {
    const queue = list.filter((one) => one.rank === rank);
    const hands = Array.from({ length: HANDS }, async () => {
      for (let one = queue.shift(); one && !signal.aborted; one = queue.shift()) {
        await remove(one);
        changed();
      }
    });
    await Promise.all(hands);
  }
}

async function remove(one: Doomed): Promise<void> {
  try {
    const response = await request('DELETE', `${pathOf(one.resource, one.namespace, one.name)}?propagationPolicy=Background`);
    const body = (await response.json().catch(() => ({}))) as Partial<Status>;
    // Somebody else, or the garbage collector, was there first.
    const gone = response.ok || response.status === 404;
    Object.assign(one, { state: gone ? 'gone' : 'refused', told: gone ? '' : (body.message ?? `${response.status}`) });
  } catch (error) {
    Object.assign(one, { state: 'refused', told: error instanceof Error ? error.message : String(error) });
  }
}

/** Whether the person may delete everything everywhere, and the authorizer's words when not. */
export async function mayReset(): Promise<{ allowed: boolean; reason: string }> {
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: { verb: 'delete', group: '*', resource: '*' } } };
  const response = await request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', JSON.stringify(review));
  const body = (await response.json()) as { status?: { allowed?: boolean; reason?: string }; message?: string };
  return { allowed: body.status?.allowed === true, reason: body.status?.reason ?? body.message ?? '' };
}
