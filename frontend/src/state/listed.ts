/** The list of journeys: which of them stand in it, the latest first. Pure. */
import { isNoise } from '../time/schedule';
import type { Journey } from '../types';

export interface Listed {
  root: string;
  head: Journey;
  colour: number;
}

/** Journeys that the list holds. */
export const MOST_LISTED = 100;

/** Questions that are asked by creating something that is not kept. */
const ASKING = /reviews$|^access(explanations|matrices|reports)$|^schedulingsimulations$/;

/** What this page (or another browser) looks up to draw its panels: not what the person came to see. */
export function isOwnReading(head: Journey): boolean {
  if (!head.agent.startsWith('Mozilla/')) return false;
  return ['get', 'list', 'watch'].includes(head.verb) || ASKING.test(head.resource);
}

/** The list with what was read of before: what came meanwhile over the stream stays. */
export function merged(listed: Listed[], heads: Journey[], colourOf: (root: string) => number): Listed[] {
  const found = new Map(listed.map((one) => [one.root, one]));
  for (const head of heads) {
    if (isOwnReading(head) || isNoise(head)) continue;
    const root = head.root ?? head.id;
    found.set(root, { root, head, colour: colourOf(root) });
  }
  return [...found.values()].sort((a, b) => b.head.end - a.head.end).slice(0, MOST_LISTED);
}
