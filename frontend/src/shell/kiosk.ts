/**
 * A page that only shows: `?kiosk=1` keeps to its view, `?kiosk=pipeline,nodes,metrics&every=20` goes from one to the next. What keeps the
 * cluster safe is RBAC, here as everywhere; the page itself sends nothing that changes anything (api/http.ts).
 */
import { href, route, turn } from '../route.svelte';
import { VIEWS } from '../views/registry';

/** Seconds for each view: when nothing is said, and the bounds. */
const USUAL = 20;
const LEAST = 5;
const MOST = 600;
/** Views that are for doing, or for one person. */
const DOING = new Set(['terminal', 'share', 'lessons', 'object', 'termination', 'scheduler']);

export const SHOWN = (id: string): boolean => VIEWS.some((one) => one.id === id && !one.hidden) && !DOING.has(id);

/** Views in which one does things: on the wall the map stands in their place. */
export const DOES = (id: string): boolean => id === 'terminal' || id === 'share' || id === 'lessons';

export function inKiosk(): boolean {
  return Boolean(route.params['kiosk']);
}

/** The views that are gone through, in order; none: the page stays where it is. */
export function roundOf(kiosk: string): string[] {
  const views = kiosk.split(',').map((one) => one.trim()).filter(SHOWN);
  return views.length > 1 ? views : [];
}

export function secondsOf(every: string | undefined): number {
  const seconds = Number(every ?? USUAL);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(Math.max(seconds, LEAST), MOST) : USUAL;
}

/** Go from view to view until the answer is called. */
export function cycle(kiosk: string, every: string | undefined): () => void {
  const views = roundOf(kiosk);
  if (!views.length) return () => {};
  const timer = setInterval(() => {
    const here = views.indexOf(route.view);
    turn(href(views[(here + 1) % views.length]!));
  }, secondsOf(every) * 1000);
  return () => clearInterval(timer);
}
