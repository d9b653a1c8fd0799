/** What right it takes to see what is not seen: out of the API server's refusal, or of where a resource is seen at all. Pure. */

export interface Missing {
  verb: string;
  /** As kubectl and the access view write it: `deployments.apps`. */
  resource: string;
  /** Empty: for the whole cluster. */
  namespace: string;
  /** What the server said; empty when it was not asked. */
  message: string;
}

const REFUSAL = /cannot (\S+) resource "([^"]+)" in API group "([^"]*)" (?:at the cluster scope|in the namespace "([^"]+)")/;

/** The right that a refusal names; of a message that names none, nothing but the message. */
export function missingOf(message: string): Missing {
  const [, verb = '', resource = '', group = '', namespace = ''] = REFUSAL.exec(message) ?? [];
  return { verb, resource: group ? `${resource}.${group}` : resource, namespace, message };
}

/** The right to list a resource (`apps/v1/deployments`) in a namespace in which it is not seen. */
export function outside(resource: string, namespace: string): Missing {
  const [plural = '', , group = ''] = resource.split('/').reverse();
  return { verb: 'list', resource: group ? `${plural}.${group}` : plural, namespace, message: '' };
}

/** "to list deployments.apps in the namespace shop" */
export function inWords({ verb, resource, namespace }: Missing): string {
  return `${verb} ${resource} ${namespace ? `in the namespace ${namespace}` : 'in the whole cluster'}`;
}
