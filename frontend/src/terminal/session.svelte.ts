/** The terminal's session on this page: requests with the person's cookies, the editor's text, the page's namespace. */
import { acting } from '../api/acting.svelte';
import { buffer } from '../left/buffer.svelte';
import { csrf, signIn } from '../api/http';
import { library } from '../editor/library.svelte';
import { visit } from '../route.svelte';
import { shell } from '../shell/shell.svelte';
import { store } from '../state/store.svelte';
import type { Session } from './command';
import type { Transport } from './kube/client';
import { Discovery } from './kube/discovery';
import { Screen } from './screen';

const transport: Transport = async (method, path, { body, type, accept, signal, headers }) => {
  // Whom the command line names comes in the place of whom the page acts as.
  const sent: Record<string, string> = { Accept: accept ?? 'application/json', ...acting.headers(path), ...headers };
  if (method !== 'GET') sent['X-CSRFToken'] = csrf();
  if (body !== undefined) sent['Content-Type'] = type ?? 'application/json';
  const response = await fetch(path, { method, headers: sent, body, credentials: 'same-origin', signal });
  if (response.status === 401) signIn();
  return response;
};

/** What `>` wrote: for as long as the page stands. */
const written = new Map<string, string>();

const session: Session = {
  transport,
  // Who is named on the command line comes first; else it is whom the page acts as.
  openSocket: (path, protocols) => new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`, protocols.length > 1 ? protocols : [...protocols, ...acting.protocols()]),
  discovery: new Discovery(),
  files: {
    read: async (name) => written.get(name) ?? (await library.text(name)),
    write: async (name, text) => void written.set(name, text),
    list: async () => [...new Set([...written.keys(), ...(await library.names())])].sort(),
    remove: async (name) => written.delete(name),
  },
  editor: {
    text: () => buffer.text,
    open: (text) => {
      buffer.load(text);
      shell.show('yaml');
    },
  },
  get namespace() {
    return store.namespace;
  },
  setNamespace: (name) => (store.namespace = name),
  user: () => store.user,
  show: (path) => visit(path),
  now: () => Date.now(),
  origin: location.origin,
};

let only: Screen | null = null;

export function screen(): Screen {
  only ??= new Screen(session, () => store.namespace);
  return only;
}
