/** Events as one reads them: the same thing said again is one line with a count. */
import type { KubeObject } from '../../api/watch';

export interface KubeEvent extends KubeObject {
  type: string;
  reason: string;
  message: string;
  count?: number;
  firstTimestamp?: string;
  lastTimestamp?: string;
  eventTime?: string;
  series?: { count: number; lastObservedTime: string };
  source?: { component?: string; host?: string };
  reportingComponent?: string;
  involvedObject: { apiVersion?: string; kind: string; namespace?: string; name: string; uid?: string; fieldPath?: string };
}

export interface Line {
  key: string;
  type: string;
  reason: string;
  message: string;
  component: string;
  count: number;
  last: string;
  first: string;
  objects: KubeEvent['involvedObject'][];
}

const lastOf = (one: KubeEvent): string => one.series?.lastObservedTime ?? one.lastTimestamp ?? one.eventTime ?? one.metadata.creationTimestamp;
const firstOf = (one: KubeEvent): string => one.firstTimestamp ?? one.eventTime ?? one.metadata.creationTimestamp;

/** What varies from pod to pod in a message: names with random ends, durations, numbers. */
export function pattern(message: string): string {
  return message
    .replace(/[a-z0-9.-]+-[a-z0-9]{5}\b/g, '*')
    .replace(/\d+(\.\d+)?(ms|s|m)?\b/g, '#');
}

/** Lines, the latest first. Alike are events of one reason whose messages differ in names and numbers only, about one kind and owner. */
export function lines(events: KubeEvent[], together = true): Line[] {
  const found = new Map<string, Line>();
  const sorted = [...events].sort((a, b) => lastOf(b).localeCompare(lastOf(a)) || Number(b.metadata.resourceVersion) - Number(a.metadata.resourceVersion));
  for (const one of sorted) {
    const about = one.involvedObject;
    const family = together ? about.name.replace(/-[a-z0-9]{5}$/, '') : (about.uid ?? about.name);
    const key = [one.type, one.reason, about.kind, about.namespace ?? '', family, together ? pattern(one.message) : one.message].join('|');
    const count = one.series?.count ?? one.count ?? 1;
    const line = found.get(key);
    if (!line) {
      found.set(key, { key, type: one.type, reason: one.reason, message: one.message, component: one.source?.component || one.reportingComponent || '', count, last: lastOf(one), first: firstOf(one), objects: [about] });
    } else {
      line.count += count;
      if (firstOf(one) < line.first) line.first = firstOf(one);
      if (!line.objects.some((each) => each.name === about.name)) line.objects.push(about);
    }
  }
  return [...found.values()];
}

export interface Wanted {
  text: string;
  type: string;
  reason: string;
  kind: string;
}

/** All words must occur somewhere: in reason, message, object or component. */
export function wanted(line: Line, filter: Wanted): boolean {
  if (filter.type && line.type !== filter.type) return false;
  if (filter.reason && line.reason !== filter.reason) return false;
  if (filter.kind && line.objects[0]!.kind !== filter.kind) return false;
  const hay = [line.reason, line.message, line.component, ...line.objects.map((one) => `${one.kind}/${one.name}`)].join(' ').toLowerCase();
  return filter.text.toLowerCase().split(/\s+/).filter(Boolean).every((word) => hay.includes(word));
}
