/** What differs between two objects, field by field, as a person would name it: `spec.template.spec.containers[web].image`. */

export interface FieldChange {
  field: string;
  from: unknown;
  to: unknown;
}

/** Fields that change with every write, or say who wrote. */
const BOOKKEEPING = new Set(['metadata.managedFields', 'metadata.resourceVersion', 'metadata.generation', 'metadata.creationTimestamp', 'metadata.uid']);

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function label(item: unknown, position: number): string {
  const named = isMap(item) ? (item['name'] ?? item['key'] ?? item['type'] ?? item['containerPort']) : undefined;
  return String(named ?? position);
}

export function differences(before: unknown, after: unknown, path = ''): FieldChange[] {
  if (BOOKKEEPING.has(path)) return [];
  if (isMap(before) && isMap(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => differences(before[key], after[key], path ? `${path}.${key}` : key));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const [old, fresh] = [before, after].map((list) => new Map(list.map((one, position) => [label(one, position), one] as const))) as [Map<string, unknown>, Map<string, unknown>];
    return [...new Set([...old.keys(), ...fresh.keys()])].flatMap((key) => differences(old.get(key), fresh.get(key), `${path}[${key}]`));
  }
  if (isMap(after) && before === undefined) return Object.entries(after).flatMap(([key, value]) => differences(undefined, value, path ? `${path}.${key}` : key));
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ field: path, from: before, to: after }];
}

export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  return typeof value === 'string' ? value || '""' : JSON.stringify(value);
}
