/** The commands of the shell itself: the views, the objects by name, the examples, and what one does often. */
import { buffer, examples } from '../left/buffer.svelte';
import { go, href, objectHref, visit } from '../route.svelte';
import { store } from '../state/store.svelte';
import { written } from '../state/subject';
import { provide, register, type Command } from '../ui/commands';
import { toast } from '../ui/toasts.svelte';
import { VIEWS, viewOf } from '../views/registry';
import { shell } from './shell.svelte';

const OBJECTS_FOUND = 40;

/** Go to an object: its own page where there is one, else what the right region says of it. */
function open(resource: string, object: { uid?: string; namespace?: string; name: string }): void {
  const [plural, ...version] = resource.split('/').reverse() as [string, ...string[]];
  if (viewOf('object')) visit(objectHref(version.reverse().join('/'), plural, object.namespace ?? '', object.name));
  if (plural === 'pods' && object.uid) store.subject = { kind: 'pod', uid: object.uid };
  else if (plural === 'nodes') store.subject = { kind: 'node', name: object.name };
  else if (plural === 'deployments' && object.uid) store.subject = { kind: 'workload', uid: object.uid };
  else if (plural === 'namespaces') store.namespace = object.name;
}

function objects(query: string): Command[] {
  const word = query.trim().toLowerCase();
  if (word.length < 2) return [];
  const found: Command[] = [];
  for (const [resource, map] of Object.entries(store.objects)) {
    const plural = resource.split('/').at(-1)!;
    if (plural === 'leases' || plural === 'replicasets') continue;
    for (const object of map.values()) {
      const words = `${plural} ${object.namespace ?? ''}`;
      if (!word.split(/\s+/).every((one) => object.name.includes(one) || words.includes(one))) continue;
      found.push({ id: `object ${resource} ${object.namespace ?? ''}/${object.name}`, title: object.name, hint: `${plural.replace(/s$/, '')}${object.namespace ? ' in ' + object.namespace : ''}`, keywords: words, icon: 'object', run: () => open(resource, object) });
      if (found.length >= OBJECTS_FOUND) return found;
    }
  }
  return found;
}

export function start(): void {
  for (const view of VIEWS.filter((one) => !one.hidden)) {
    register({ id: `view ${view.id}`, title: view.title, hint: view.question, keywords: `view go to ${view.group} ${view.question}`, icon: view.icon, run: () => go(view.id) });
  }
  register({ id: 'theme', title: 'Light or dark', hint: 'theme', keywords: 'dark mode colours', icon: 'theme', run: () => shell.turn() });
  register({ id: 'write', title: 'Write YAML', hint: 'editor', keywords: 'apply manifest paste', icon: 'yaml', run: () => shell.show('yaml') });
  register({ id: 'terminal', title: 'Terminal', hint: 'kubectl beside the map', keywords: 'kubectl shell command line console', icon: 'terminal', run: () => shell.show('terminal') });
  register({ id: 'journeys', title: 'Journeys', hint: 'replay a request', keywords: 'requests replay history', icon: 'journeys', run: () => shell.show('journeys') });
  register({ id: 'pause', title: 'Pause or go on', hint: 'the animation', keywords: 'stop play replay', icon: 'pause', run: () => (store.paused = !store.paused) });
  register({ id: 'live', title: 'Back to live', hint: 'now', keywords: 'present rewind end', icon: 'clock', run: () => store.live() });
  register({ id: 'examples', title: 'Examples', hint: 'manifests to try', keywords: 'gallery yaml templates', icon: 'examples', run: () => shell.show('examples') });
  register({ id: 'words', title: 'Name the quiet loops', hint: 'on the map', keywords: 'control loops controllers names', icon: 'map', run: () => (go('pipeline'), shell.name(!shell.named)) });
  register({ id: 'step', title: 'To the next moment', hint: 'the animation', keywords: 'step frame', icon: 'next', run: () => store.step() });
  register({ id: 'keys', title: 'Keys', hint: '?', keywords: 'keyboard shortcuts help', icon: 'info', run: () => (shell.help = true) });
  register({ id: 'account', title: 'My account', hint: 'password, tokens, kubeconfig', keywords: 'profile kubeconfig download token password', icon: 'person', run: () => location.assign('/account/') });
  register({ id: 'admin', title: 'Administration', hint: 'people and rights', keywords: 'users groups audit admin', icon: 'access', run: () => location.assign('/admin/') });
  register({
    id: 'share link',
    title: 'Copy a link to this moment',
    hint: 'view, namespace and revision',
    keywords: 'share url at revision',
    icon: 'link',
    run: () => void shareMoment(),
  });
  provide(objects);
  provide((query) => (query.trim() ? store.namespaces().map((name) => ({ id: `namespace ${name}`, title: `Namespace ${name}`, hint: 'look at it', keywords: 'namespace switch', icon: 'filter' as const, run: () => void (store.namespace = name) })) : []));
  provide((query) =>
    query.trim()
      ? examples.list.map((one) => ({ id: `example ${one.name}`, title: one.title, hint: 'example', keywords: `example ${one.name} ${one.description}`, icon: 'examples' as const, run: () => (buffer.load(one.yaml), shell.show('yaml')) }))
      : [],
  );
}

/** The address of what is seen now (or of another view), as of this very revision, onto the clipboard. */
export async function shareMoment(view = ''): Promise<void> {
  const address = new URL(view ? href(view) : location.href, location.href);
  address.searchParams.set('at', String(store.at ?? store.revision));
  address.searchParams.set('ns', store.namespace);
  const on = written(store.subject);
  if (on) address.searchParams.set('on', on);
  try {
    await navigator.clipboard.writeText(address.href);
    toast(`Link copied: revision ${(store.at ?? store.revision).toLocaleString('en')}.`, { tone: 'good' });
  } catch {
    toast(`The clipboard is closed to this page. The link: ${address.href}`);
  }
}
