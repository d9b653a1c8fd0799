/** The page's state: what the stream says, what is played, and what is looked at. */
import { get, signIn } from '../api/http';
import { route, setParams } from '../route.svelte';
import { isNoise, lengthOf, schedule, steps, type Run } from '../time/schedule';
import type { Flow, Journey, Lease, NodeInfo, Pipeline, Pod, Subject, Workload } from '../types';
import { applyEvents, applySnapshot, collect, type EventsMessage, type Objects, type SnapshotMessage, type Tree } from './reduce';

const RESOURCES = [
  'v1/nodes',
  'v1/pods',
  'apps/v1/deployments',
  'apps/v1/replicasets',
  'v1/namespaces',
  'coordination.k8s.io/v1/leases',
];

/** What this page (or another browser) looks up to draw its panels: not what the person came to see. */
function isOwnReading(head: Journey): boolean {
  return head.agent.startsWith('Mozilla/') && ['get', 'list', 'watch'].includes(head.verb);
}

/** A tree that is being shown: when it started on the screen (display milliseconds), and its schedule. */
export interface Playing {
  root: string;
  begun: number;
  runs: Run[];
  length: number;
  colour: number;
}

export interface Listed {
  root: string;
  head: Journey;
  colour: number;
}

class Store {
  user = $state('');
  connected = $state(false);
  problem = $state('');
  pipeline = $state.raw<Pipeline | null>(null);
  revision = $state(0);
  stats = $state.raw<Record<string, unknown>>({});
  /** Moves with every change of objects; readers of the maps depend on it. */
  version = $state(0);
  forbidden = $state.raw<Record<string, string>>({});
  subject = $state.raw<Subject>({ kind: 'none' });
  listed = $state.raw<Listed[]>([]);
  playing = $state.raw<Playing[]>([]);
  /** Display time in milliseconds; in replay it is the position within the tree. */
  moment = $state(0);
  paused = $state(false);
  speed = $state(1);
  replay = $state.raw<Playing | null>(null);
  flows = $state.raw<Flow[]>([]);
  serverOffset = 0;

  objects: Objects = {};
  trees = new Map<string, Tree>();
  #wanted = new Set(RESOURCES);
  #socket: WebSocket | null = null;
  #listeners = new Map<string, Set<(message: Record<string, unknown>) => void>>();
  #colours = new Map<string, number>();
  #dirty = new Set<string>();
  #retry = 500;
  #last = 0;

  /** The namespace that is looked at; the address says which. */
  get namespace(): string {
    return route.params['ns'] ?? 'default';
  }

  set namespace(name: string) {
    setParams({ ns: name === 'default' ? '' : name });
  }

  /** The past revision that is looked at, or null: now. */
  get at(): number | null {
    const at = Number(route.params['at'] ?? '');
    return Number.isInteger(at) && at > 0 ? at : null;
  }

  set at(revision: number | null) {
    setParams({ at: revision === null ? '' : String(revision) });
  }

  /** Subscribe to a further resource, `apps/v1/daemonsets`; its objects appear in `objects` and stay up to date. */
  want(resource: string): void {
    if (this.#wanted.has(resource)) return;
    this.#wanted.add(resource);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#subscribe([resource]);
  }

  /** Hear the stream's messages of one kind that the store itself keeps nothing of; the answer ends it. */
  listen(operation: string, hear: (message: Record<string, unknown>) => void): () => void {
    const listeners = this.#listeners.get(operation) ?? new Set();
    this.#listeners.set(operation, listeners.add(hear));
    return () => listeners.delete(hear);
  }

  /** Tell the server something over the stream; nothing when it is interrupted. */
  tell(message: Record<string, unknown>): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #subscribe(resources: Iterable<string>): void {
    this.#socket?.send(JSON.stringify({ op: 'subscribe', resources: Object.fromEntries([...resources].map((one) => [one, null])) }));
  }

  pods(): Pod[] {
    void this.version;
    return [...(this.objects['v1/pods']?.values() ?? [])] as unknown as Pod[];
  }

  nodes(): NodeInfo[] {
    void this.version;
    const found = [...(this.objects['v1/nodes']?.values() ?? [])] as unknown as NodeInfo[];
    return found.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  }

  workloads(kind: 'deployments' | 'replicasets'): Workload[] {
    void this.version;
    return [...(this.objects[`apps/v1/${kind}`]?.values() ?? [])] as unknown as Workload[];
  }

  namespaces(): string[] {
    void this.version;
    return [...(this.objects['v1/namespaces']?.keys() ?? [])].sort();
  }

  lease(node: string): Lease | undefined {
    void this.version;
    return this.objects['coordination.k8s.io/v1/leases']?.get(`kube-node-lease/${node}`) as unknown as Lease | undefined;
  }

  serverNow(): number {
    return Date.now() / 1000 + this.serverOffset;
  }

  colourOf(root: string): number {
    let colour = this.#colours.get(root);
    if (colour === undefined) {
      colour = this.#colours.size % 6;
      this.#colours.set(root, colour);
    }
    return colour;
  }

  async start(): Promise<void> {
    this.pipeline = await get<Pipeline>('/explorer/pipeline/');
    const recent = await get<{ journeys: Journey[] }>('/explorer/journeys/?limit=50');
    this.listed = recent.journeys.filter((head) => !isOwnReading(head) && !isNoise(head)).map((head) => ({ root: head.root ?? head.id, head, colour: this.colourOf(head.root ?? head.id) }));
    this.#connect();
    this.#last = performance.now();
    requestAnimationFrame(this.#frame);
  }

  #connect(): void {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/ws/explorer/`);
    this.#socket = socket;
    socket.onopen = () => {
      this.connected = true;
      this.problem = '';
      this.#retry = 500;
      this.#subscribe(this.#wanted);
    };
    socket.onmessage = (event: MessageEvent<string>) => this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => {
      this.connected = false;
      if (event.code === 4401) {
        signIn();
        return;
      }
      this.problem = 'The live stream is interrupted; trying again.';
      setTimeout(() => this.#connect(), this.#retry);
      this.#retry = Math.min(this.#retry * 2, 8000);
    };
  }

  #receive(message: { op: string } & Record<string, unknown>): void {
    for (const hear of this.#listeners.get(message.op) ?? []) hear(message);
    switch (message.op) {
      case 'hello':
        this.user = message['user'] as string;
        this.serverOffset = (message['server_time'] as number) - Date.now() / 1000;
        this.revision = Math.max(this.revision, message['revision'] as number);
        break;
      case 'snapshot':
        applySnapshot(this.objects, message as unknown as SnapshotMessage);
        this.version++;
        break;
      case 'events':
        applyEvents(this.objects, message as unknown as EventsMessage);
        this.revision = Math.max(this.revision, message['revision'] as number);
        this.version++;
        break;
      case 'journeys':
        this.#journeys(message['journeys'] as Journey[]);
        break;
      case 'flow':
        this.flows = message['flows'] as Flow[];
        break;
      case 'stats':
        this.stats = message;
        this.serverOffset = (message['server_time'] as number) - Date.now() / 1000;
        this.revision = Math.max(this.revision, (message['revision'] as number | undefined) ?? 0);
        break;
      case 'forbidden':
        this.forbidden = { ...this.forbidden, [message['resource'] as string]: message['message'] as string };
        break;
    }
  }

  #journeys(journeys: Journey[]): void {
    const touched = collect(this.trees, journeys, Date.now());
    for (const root of touched) {
      this.#dirty.add(root);
      const head = this.trees.get(root)?.head;
      if (!head || head.outcome === 'open' || isNoise(head) || isOwnReading(head)) continue;
      const colour = this.colourOf(root);
      const rest = this.listed.filter((one) => one.root !== root);
      const known = this.listed.findIndex((one) => one.root === root);
      if (known >= 0) continue;
      this.listed = [{ root, head, colour }, ...rest].slice(0, 100);
    }
  }

  /** One frame: move time on, and take in what arrived since the last. */
  #frame = (now: number): void => {
    const elapsed = Math.min(now - this.#last, 250);
    this.#last = now;
    if (this.#dirty.size > 0) this.#reschedule();
    if (!this.paused) {
      if (this.replay) {
        this.moment = Math.min(this.moment + elapsed * this.speed, this.replay.length + 800);
        if (this.moment >= this.replay.length + 800) this.paused = true;
      } else if (this.playing.length > 0) {
        this.moment += elapsed * this.speed;
        const left = this.playing.filter((one) => this.moment < one.begun + one.length + 3000);
        if (left.length !== this.playing.length) this.playing = left;
      }
    }
    requestAnimationFrame(this.#frame);
  };

  #reschedule(): void {
    const playing = [...this.playing];
    for (const root of this.#dirty) {
      const tree = this.trees.get(root);
      if (!tree?.head || isNoise(tree.head)) continue;
      if (tree.head.verb === 'watch' || isOwnReading(tree.head)) continue;
      const runs = schedule([...tree.journeys.values()]);
      const index = playing.findIndex((one) => one.root === root);
      const entry: Playing = {
        root,
        begun: index >= 0 ? playing[index]!.begun : this.moment,
        runs,
        length: lengthOf(runs),
        colour: this.colourOf(root),
      };
      if (index >= 0) playing[index] = entry;
      else if (Date.now() - tree.seen < 4000) playing.push(entry);
    }
    this.#dirty.clear();
    this.playing = playing.slice(-12);
  }

  /** Play one tree from its beginning. */
  async follow(root: string): Promise<void> {
    this.subject = { kind: 'journey', root, id: root };
    try {
      const { journeys } = await get<{ journeys: Journey[] }>(`/explorer/journeys/${encodeURIComponent(root)}/`);
      const tree: Tree = { root, journeys: new Map(journeys.map((one) => [one.id, one])), head: journeys.find((one) => one.id === root) ?? null, seen: 0 };
      this.trees.set(root, tree);
      const runs = schedule(journeys);
      this.replay = { root, begun: 0, runs, length: lengthOf(runs), colour: this.colourOf(root) };
      this.moment = 0;
      this.paused = false;
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  /** Back to what happens now. */
  live(): void {
    this.replay = null;
    this.playing = [];
    this.moment = 0;
    this.paused = false;
  }

  /** To the next moment at which something begins. */
  step(): void {
    this.paused = true;
    const shown = this.replay ? [this.replay] : this.playing;
    const moments = shown.flatMap((one) => steps(one.runs).map((at) => at + one.begun));
    const next = moments.filter((at) => at > this.moment + 1).sort((a, b) => a - b)[0];
    if (next !== undefined) this.moment = next;
  }

  seek(moment: number): void {
    this.moment = Math.max(moment, 0);
  }

  shown(): Playing[] {
    return this.replay ? [this.replay] : this.playing;
  }

  journey(id: string): Journey | undefined {
    return this.trees.get(id.split('.')[0]!)?.journeys.get(id);
  }
}

export const store = new Store();
