/**
 * Where we are: `/explore/<view>/<rest…>?ns=<namespace>&at=<revision>`. The address is the only place that says so, so that
 * every view and every moment is a link. `/` is the pipeline.
 */

export type Params = Record<string, string>;

/** Parameters that go along from view to view: what one looks at, and when. */
const KEPT = ['ns', 'at', 'kiosk', 'every', 'lesson', 'step'];

class Route {
  view = $state('pipeline');
  rest = $state.raw<string[]>([]);
  params = $state.raw<Params>({});
}

export const route = new Route();

/** The parts of an address; unreadable escapes are taken as they stand. */
export function parse(path: string, search: string): { view: string; rest: string[]; params: Params } {
  const [first, ...parts] = path.split('/').filter(Boolean).map(decoded);
  const params = Object.fromEntries(new URLSearchParams(search));
  if (first !== 'explore' || parts.length === 0) return { view: 'pipeline', rest: [], params };
  const [view, ...rest] = parts;
  return { view: view!, rest, params };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a view; namespace and moment go along unless `params` says otherwise (an empty value takes one away). */
export function href(view: string, rest: string[] = [], params: Params = {}): string {
  const kept = Object.fromEntries(KEPT.flatMap((name) => (route.params[name] ? [[name, route.params[name]]] : [])));
  const all = Object.entries({ ...kept, ...params }).filter(([, value]) => value !== '');
  const query = all.length ? `?${new URLSearchParams(all as [string, string][]).toString()}` : '';
  const path = view === 'pipeline' && rest.length === 0 ? '/' : `/explore/${[view, ...rest].map(encodeURIComponent).join('/')}`;
  return path + query;
}

/** The address of any object's own page: `objectHref('apps/v1', 'deployments', 'shop', 'web')`. */
export function objectHref(apiVersion: string, plural: string, namespace: string, name: string): string {
  return href('object', [apiVersion.replaceAll('/', '~'), plural, namespace || '_', name]);
}

function take(): void {
  const { view, rest, params } = parse(location.pathname, location.search);
  route.view = view;
  if (rest.join('/') !== route.rest.join('/')) route.rest = rest;
  if (JSON.stringify(params) !== JSON.stringify(route.params)) route.params = params;
}

/** Go to a view, as a link would. */
export function go(view: string, rest: string[] = [], params: Params = {}): void {
  visit(href(view, rest, params));
}

/** Go to an address of this page. */
export function visit(address: string): void {
  if (address !== location.pathname + location.search) history.pushState(null, '', address);
  take();
}

/** Go to an address of this page in place of where we are: the way back does not remember where we were. */
export function turn(address: string): void {
  history.replaceState(null, '', address);
  take();
}

/** Change parameters where we are; the way back does not remember each. */
export function setParams(params: Params): void {
  const all = Object.entries({ ...route.params, ...params }).filter(([, value]) => value !== '');
  const query = all.length ? `?${new URLSearchParams(all as [string, string][]).toString()}` : '';
  history.replaceState(null, '', location.pathname + query);
  take();
}

/** Links to our own views are followed without loading the page again; all others as ever. */
function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest?.('a');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.pathname !== '/' && !link.pathname.startsWith('/explore/')) return;
  // A place on this very page: the browser goes there, and takes the focus along.
  if (link.hash && link.pathname + link.search === location.pathname + location.search) return;
  event.preventDefault();
  visit(link.pathname + link.search);
}

/** Begin to follow the address. Called once, before the page is drawn. */
export function start(): void {
  take();
  addEventListener('popstate', take);
  document.addEventListener('click', follow);
}
