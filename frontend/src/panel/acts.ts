/** What one does to objects from the panel: asked first when it destroys, and taken back when it can be. */
import { request, type Status } from '../api/http';
import { store } from '../state/store.svelte';
import { confirm, toast, undoable } from '../ui/toasts.svelte';

/** Send a change, as a merge patch where there is a body. What is refused is said; `false` then. */
export async function send(method: string, path: string, body?: unknown): Promise<boolean> {
  const response = await request(method, path, body === undefined ? undefined : JSON.stringify(body), 'application/merge-patch+json');
  if (!response.ok) {
    const status = (await response.json().catch(() => ({}))) as Partial<Status>;
    toast(status.message ?? `The server answered ${response.status}.`, { tone: 'bad' });
    return false;
  }
  // What was just asked for is worth watching; a replay would hide it.
  if (store.replay) store.live();
  return true;
}

/** Delete after a question. `then` says what follows from it. */
export async function remove(kind: string, name: string, path: string, then: string): Promise<void> {
  if (!(await confirm(`Delete ${kind} ${name}?`, then, `Delete ${name}`))) return;
  if (await send('DELETE', `${path}?propagationPolicy=Background`)) toast(`${kind} ${name} is being deleted.`, { tone: 'good' });
}

/** Delete a pod, and say what will become of it. */
export function removePod(pod: { name: string; namespace: string; owner: { kind: string; name: string } | null }): Promise<void> {
  const then = pod.owner ? `${pod.owner.kind} ${pod.owner.name} wants it, and will make another.` : 'Nobody owns it: nobody makes another.';
  return remove('pod', pod.name, `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}`, then);
}

/** Cordon a node, or take that back. */
export async function cordon(name: string, to: boolean): Promise<void> {
  const set = (value: boolean) => send('PATCH', `/api/v1/nodes/${name}`, { spec: { unschedulable: value || null } });
  if (await set(to)) undoable(to ? `${name} is cordoned: no new pod is placed there.` : `${name} takes new pods again.`, () => void set(!to));
}
