/** The person's manifest library: what the server keeps for them. */
import { request } from '../api/http';

export interface Saved {
  id: number;
  name: string;
  updated: string;
  size: number;
  /** The secret of its link; '' when it has none. */
  share: string;
  text?: string;
}

const ADDRESS = '/explorer/manifests/';
export const MOST = 1024 * 1024;

async function answer<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await request(method, path, body === undefined ? undefined : JSON.stringify(body));
  if (response.status === 204) return undefined as T;
  const found = (await response.json()) as T & { detail?: string } & Record<string, string[]>;
  if (response.ok) return found;
  const said = found.detail ?? Object.values(found).flat().find((one) => typeof one === 'string');
  throw new Error(said ?? `the server answered ${response.status}`);
}

class Library {
  list = $state.raw<Saved[]>([]);
  problem = $state('');
  private loaded = false;

  async load(): Promise<void> {
    try {
      this.list = (await answer<{ manifests: Saved[] }>('GET', ADDRESS)).manifests;
      this.loaded = true;
      this.problem = '';
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  async names(): Promise<string[]> {
    if (!this.loaded) await this.load();
    return this.list.map((one) => one.name);
  }

  /** The text that goes by a name; null when there is none. */
  async text(name: string): Promise<string | null> {
    if (!this.loaded) await this.load();
    const found = this.list.find((one) => one.name === name);
    return found ? this.read(found.id) : null;
  }

  async read(id: number): Promise<string> {
    return (await answer<Saved>('GET', `${ADDRESS}${id}/`)).text ?? '';
  }

  /** Keeps a text under a name, in place of what had that name. */
  async save(name: string, text: string): Promise<Saved> {
    await this.names();
    const had = this.list.find((one) => one.name === name);
    const saved = had ? await answer<Saved>('PATCH', `${ADDRESS}${had.id}/`, { text }) : await answer<Saved>('POST', ADDRESS, { name, text });
    await this.load();
    return saved;
  }

  async rename(id: number, name: string): Promise<void> {
    await answer('PATCH', `${ADDRESS}${id}/`, { name });
    await this.load();
  }

  async remove(id: number): Promise<void> {
    await answer('DELETE', `${ADDRESS}${id}/`);
    await this.load();
  }

  /** The link by which others who may sign in read it. */
  async share(id: number): Promise<string> {
    const saved = await answer<Saved>('POST', `${ADDRESS}${id}/share/`);
    await this.load();
    return `${location.origin}/?manifest=${saved.share}`;
  }

  async unshare(id: number): Promise<void> {
    await answer('DELETE', `${ADDRESS}${id}/share/`);
    await this.load();
  }

  shared(secret: string): Promise<{ name: string; text: string }> {
    return answer('GET', `/explorer/shared/${encodeURIComponent(secret)}/`);
  }
}

export const library = new Library();
