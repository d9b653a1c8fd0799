/** The rows of a table that has room for few of many: the worst first, without sorting all. Pure. */
import { lookOf, type Look } from './reduce';
import type { Pod } from '../types';

const ORDER: Look[] = ['failed', 'unready', 'pending', 'creating', 'terminating', 'running', 'done'];
const PLACE = Object.fromEntries(ORDER.map((look, index) => [look, index])) as Record<Look, number>;

/** Rows up to which it is quicker to keep the first few than to sort all. */
const FEW = 500;

/** Up to `most` pods that `keep` keeps, by severity, then by name; and how many there are altogether. */
export function worst(pods: Iterable<Pod>, most: number, keep: (pod: Pod) => boolean): { rows: Pod[]; total: number } {
  const byLook: Pod[][] = ORDER.map(() => []);
  let total = 0;
  for (const pod of pods) {
    if (!keep(pod)) continue;
    total++;
    byLook[PLACE[lookOf(pod)]]!.push(pod);
  }
  const rows: Pod[] = [];
  for (const group of byLook) {
    if (rows.length >= most) break;
    const room = most - rows.length;
    if (room >= FEW) {
      rows.push(...group.sort((a, b) => (before(a, b) ? -1 : 1)).slice(0, room));
      continue;
    }
    // A heap of the smallest would be the textbook's way; one pass that keeps a sorted few is enough for a page.
    const few: Pod[] = [];
    for (const pod of group) {
      if (few.length >= room && !before(pod, few[few.length - 1]!)) continue;
      let low = 0;
      let high = few.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (before(pod, few[middle]!)) high = middle;
        else low = middle + 1;
      }
      few.splice(low, 0, pod);
      if (few.length > room) few.pop();
    }
    rows.push(...few);
  }
  return { rows, total };
}

function before(a: Pod, b: Pod): boolean {
  return a.namespace === b.namespace ? a.name < b.name : a.namespace < b.namespace;
}
