/** Objects as kubectl writes them: YAML with sorted keys and Go's line folding, JSON with four spaces. */
import type { Thing } from '../kube/types';

export { toYaml } from './yaml';

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sortKeys((value as Record<string, unknown>)[key])]));
}

export function toJson(value: unknown): string {
  // Go escapes what could end a script element.
  return `${JSON.stringify(sortKeys(value), null, 4).replace(/[<>&]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

/** Without what kubectl leaves out unless asked. */
export function withoutManaged<T extends Thing>(object: T): T {
  if (!object.metadata?.managedFields) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
