/** An object's address in the page: `/explore/object/<apiVersion with ~>/<plural>/<namespace or _>/<name>`. */
import { collection } from '../../api/kinds';

export interface Address {
  apiVersion: string;
  plural: string;
  namespace: string;
  name: string;
}

/** The address in a route's rest; null when it is not whole. */
export function addressOf(rest: string[]): Address | null {
  const [version, plural, namespace, ...name] = rest;
  if (!version || !plural || !namespace || !name.length || !name[0]) return null;
  return { apiVersion: version.replaceAll('~', '/'), plural, namespace: namespace === '_' ? '' : namespace, name: name.join('/') };
}

/** As the explorer's own endpoints name resources: `apps/v1/deployments`. */
export function resourceOf(address: Address): string {
  return `${address.apiVersion}/${address.plural}`;
}

export function pathOf(address: Address): string {
  return `${collection(address.apiVersion, address.plural, address.namespace)}/${encodeURIComponent(address.name)}`;
}
