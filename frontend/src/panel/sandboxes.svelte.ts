/** One's sandboxes: namespaces of one's own, for who may not work elsewhere. Asked for when somebody needs to know. */
import { request, type Status } from '../api/http';
import { confirm, toast } from '../ui/toasts.svelte';

export interface Sandbox {
  name: string;
  namespace: string;
  phase: string;
  message: string;
}

const PATH = '/explorer/sandbox/';
const OBJECTS = '/apis/sim.kubeweb.dev/v1alpha1/sandboxes';

class Sandboxes {
  mine = $state.raw<Sandbox[]>([]);
  /** Whether one more would be given, and how many a person may have. */
  more = $state(false);
  limit = $state(0);
  busy = $state(false);
  private asked = false;

  /** Once for the page; again after each change. */
  know(): void {
    if (!this.asked) void this.look();
    this.asked = true;
  }

  private async look(): Promise<void> {
    const response = await request('GET', PATH);
    if (!response.ok) return;
    const found = (await response.json()) as { sandboxes: Sandbox[]; limit: number; more: boolean };
    [this.mine, this.more, this.limit] = [found.sandboxes, found.more, found.limit];
  }

  /** With new rights the page begins anew: its stream was refused before. */
  enter(namespace: string): void {
    location.assign(`/?ns=${encodeURIComponent(namespace)}`);
  }

  async ask(): Promise<void> {
    this.busy = true;
    const response = await request('POST', PATH, JSON.stringify({ another: this.mine.length > 0 }));
    const answer = (await response.json().catch(() => ({}))) as Partial<Sandbox & Status>;
    this.busy = false;
    if (response.ok && answer.namespace) this.enter(answer.namespace);
    else toast(answer.message || `There is no sandbox to be had: the server answered ${response.status}.`, { tone: 'bad' });
  }

  async giveBack(one: Sandbox): Promise<void> {
    if (!(await confirm(`Give ${one.namespace} back?`, 'The namespace goes, and everything in it. You can ask for a new one at once.', `Delete ${one.namespace}`))) return;
    const response = await request('DELETE', `${OBJECTS}/${encodeURIComponent(one.name)}`);
    if (response.ok) toast(`${one.namespace} is being taken down.`, { tone: 'good' });
    else toast(((await response.json()) as Status).message, { tone: 'bad' });
    await this.look();
  }
}

export const sandboxes = new Sandboxes();
