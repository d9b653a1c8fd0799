/** The page's state: what the stream says, what is played, and what is looked at. */
import { acting } from '../api/acting.svelte';
import { get, signIn } from '../api/http';
import { route, setParams } from '../route.svelte';
import { isNoise, lengthOf, schedule, steps, together, type Run } from '../time/schedule';
import type { ClockInfo, Flow, Journey, Lease, NodeInfo, Pipeline, Pod, Subject, Workload } from '../types';
import { Connection, SILENCE, type Message } from './connection';
import { Past } from './past.svelte';
import { isOwnReading, merged, MOST_LISTED, type Listed } from './listed';
import { missingOf, outside, type Missing } from './missing';
import { byName } from './order';
import { placeOf } from './place';
import { applyParts, collect, keyOf, type ChangesMessage, type Objects, type Part, type Sight, type Tree } from './reduce';

const RESOURCES = [
  'v1/nodes',
  'v1/pods',
  'apps/v1/deployments',
  'apps/v1/replicasets',
  'v1/namespaces',
  'coordination.k8s.io/v1/leases',
  'sim.kubeweb.dev/v1alpha1/clocks',
  'sim.kubeweb.dev/v1alpha1/faults',
];

const PROTOCOL = 'kubeweb.explorer.v1';

/** Hears the keys of what changed; null: all of it may have. */
export type Follower = (keys: string[] | null) => void;

const NOTHING: ReadonlyMap<string, unknown> = new Map<string, unknown>();

/** A tree that is being shown: when it started on the screen (display milliseconds), and its schedule. */
export interface Playing {
  root: string;
  begun: number;
  runs: Run[];
  length: number;
  colour: number;
}

/** What a tab remembers (a manifest being written, whom one acts as) is of whoever was signed in: the next person starts with nothing. */
function tabBelongsTo(user: string): void {
  const before = sessionStorage.getItem('kubeweb.user');
  if (before !== null && before !== user) {
    sessionStorage.clear();
    sessionStorage.setItem('kubeweb.user', user);
    location.reload();
  } else sessionStorage.setItem('kubeweb.user', user);
}

class Store {
  /** As whom the page looks; whoever is signed in, or whom they act as. */
  user = $state('');
  /** Who is signed in. */
  account = $state('');
  /** Whether what is shown is the present: the stream is up, and speaks. */
  connected = $state(false);
  /** Whether the first whole state has come. */
  loaded = $state(false);
  problem = $state('');
  pipeline = $state.raw<Pipeline | null>(null);
  /** The revision whose state is shown when live; after each change the page is exactly at one. */
  revision = $state(0);
  stats = $state.raw<Record<string, unknown>>({});
  /** Moves with every change of objects. Who reads one resource alone asks `of` instead, and is not woken by the others' changes. */
  version = $state(0);
  /** What may be seen of the present. */
  sight = $state.raw<Sight>({ refused: {}, within: {} });
  subject = $state.raw<Subject>({ kind: 'none' });
  listed = $state.raw<Listed[]>([]);
  /** Whether the journeys before this page have been read: until then, none in the list does not mean that there are none. */
  recalled = $state(false);
  playing = $state.raw<Playing[]>([]);
  /** Display time in milliseconds; in replay it is the position within the tree. */
  moment = $state(0);
  paused = $state(false);
  speed = $state(1);
  replay = $state.raw<Playing | null>(null);
  /** The one journey that is followed among those that play; null: all of them. */
  only = $state<string | null>(null);
  /** Trains stand while one of them is read. */
  held = $state(false);
  flows = $state.raw<Flow[]>([]);

  readonly past = new Past(() => this.#moved(null));
  trees = new Map<string, Tree>();
  #told = { server: Date.now() / 1000, real: Date.now() / 1000 };
  #live: Objects = {};
  /** Resource → moves with each of its changes; all of them with `''`. */
  #versions = $state<Record<string, number>>({});
  /** Resource → who wants to hear which of its objects changed. */
  #followers = new Map<string, Set<Follower>>();
  /** The nodes in order, as long as the same ones are there. */
  #ordered: { names: string[]; size: number } = { names: [], size: -1 };
  #wanted = new Set(RESOURCES);
  /** Parts of a cut whose end has not come yet. */
  #parts: Part[] = [];
  #listeners = new Map<string, Set<(message: Record<string, unknown>) => void>>();
  #colours = new Map<string, number>();
  #dirty = new Set<string>();
  #last = 0;

  #connection = new Connection(
    {
      receive: (message) => this.#receive(message),
      state: (up, problem) => {
        this.#parts = [];
        this.connected = up;
        this.problem = problem;
      },
      signIn,
      refused: () => this.#refused(),
    },
    () => new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/explorer/`, acting.user ? [PROTOCOL, ...acting.protocols()] : []),
  );

  /** All objects by resource and `namespace/name`: now, or as of the past revision that is looked at. */
  get objects(): Objects {
    return this.at === null ? this.#live : this.past.objects;
  }

  /** Why a resource is not seen (in a namespace; none: in all), now or at the moment that is looked at. Null when it is: then what is not there is not there. */
  missing(resource: string, namespace = ''): Missing | null {
    // What was to be seen then moves with the moment that is looked at.
    void this.#versions[''];
    const { refused, within } = this.at === null ? this.sight : this.past.sight;
    if (resource in refused) return missingOf(refused[resource]!);
    return resource in within && !within[resource]!.includes(namespace) ? outside(resource, namespace) : null;
  }

  /** Whether anything that the page shows is not seen, or not everywhere. */
  get seesAll(): boolean {
    return Object.keys(this.sight.refused).length + Object.keys(this.sight.within).length === 0;
  }

  /** The namespace that is looked at: the address says which, else `default`, else the first that this person may see. */
  get namespace(): string {
    const named = route.params['ns'];
    if (named) return named;
    const seen = this.namespaces();
    return seen.length === 0 || seen.includes('default') ? 'default' : seen[0]!;
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

  /** Follow the address to its moment: called whenever `at` changes. */
  look(): void {
    // Who comes by a link to a moment finds it standing still; `play` lets it go on.
    if (this.at !== null && this.past.revision === null) this.paused = true;
    void this.past.show(this.at, this.#wanted);
  }

  /** Subscribe to a further resource, `apps/v1/daemonsets`; its objects appear in `objects` and stay up to date. */
  want(resource: string): void {
    if (this.#wanted.has(resource)) return;
    this.#wanted.add(resource);
    this.#connection.want(resource);
    if (this.at !== null) void this.past.show(this.at, this.#wanted);
  }

  /** Hear the stream's messages of one kind that the store itself keeps nothing of; the answer ends it. */
  listen(operation: string, hear: (message: Record<string, unknown>) => void): () => void {
    const listeners = this.#listeners.get(operation) ?? new Set();
    this.#listeners.set(operation, listeners.add(hear));
    return () => listeners.delete(hear);
  }

  /** Tell the server something over the stream; nothing when it is interrupted. */
  tell(message: Record<string, unknown>): void {
    this.#connection.send(message);
  }

  /** The objects of one resource by `namespace/name`; wakes its reader when one of them changes. */
  of<T = { name: string; namespace?: string }>(resource: string): ReadonlyMap<string, T> {
    void this.#versions[''];
    void this.#versions[resource];
    return (this.objects[resource] ?? NOTHING) as unknown as ReadonlyMap<string, T>;
  }

  /** Hear which objects of a resource changed, at every change: their keys, or null when all may have. The answer ends it. */
  watch(resource: string, hear: Follower): () => void {
    const followers = this.#followers.get(resource) ?? new Set();
    this.#followers.set(resource, followers.add(hear));
    return () => followers.delete(hear);
  }

  /** Tell what depends on it that these parts changed; null: another moment is looked at. */
  #moved(parts: Part[] | null): void {
    this.version++;
    if (parts === null) {
      this.#versions[''] = (this.#versions[''] ?? 0) + 1;
      for (const followers of this.#followers.values()) for (const hear of followers) hear(null);
      return;
    }
    for (const resource of new Set(parts.map((part) => part.resource))) this.#versions[resource] = (this.#versions[resource] ?? 0) + 1;
    for (const { resource, fresh, events } of parts) {
      const followers = this.#followers.get(resource);
      if (!followers?.size) continue;
      const keys = fresh ? null : events.map(([, object]) => keyOf(object));
      for (const hear of followers) hear(keys);
    }
  }

  /** Whether anything is known of a resource yet. */
  known(resource: string): boolean {
    this.of(resource);
    return resource in this.objects;
  }

  pods(): Pod[] {
    return [...this.of<Pod>('v1/pods').values()];
  }

  /** By name, numbers as numbers. */
  nodes(): NodeInfo[] {
    const nodes = this.of<NodeInfo>('v1/nodes');
    let { names } = this.#ordered;
    // With thousands of nodes sorting takes longer than all the rest; which ones there are changes rarely.
    if (this.#ordered.size !== nodes.size || !names.every((name) => nodes.has(name))) {
      names = [...nodes.keys()].sort(byName);
      this.#ordered = { names, size: nodes.size };
    }
    return names.map((name) => nodes.get(name)!);
  }

  workloads(kind: 'deployments' | 'replicasets'): Workload[] {
    return [...this.of<Workload>(`apps/v1/${kind}`).values()];
  }

  namespaces(): string[] {
    return [...this.of('v1/namespaces').keys()].sort();
  }

  lease(node: string): Lease | undefined {
    return this.of<Lease>('coordination.k8s.io/v1/leases').get(`kube-node-lease/${node}`);
  }

  /** The objects of a resource as they are now, whatever moment is looked at. */
  current(resource: string): Map<string, { name: string; namespace?: string }> | undefined {
    return this.#live[resource];
  }

  /** The Clock object, as it is now. */
  clock(): ClockInfo | undefined {
    return this.#live['sim.kubeweb.dev/v1alpha1/clocks']?.get('cluster') as unknown as ClockInfo | undefined;
  }

  /** Cluster time of the moment that is looked at, seconds since the epoch. */
  serverNow(): number {
    return this.at === null ? this.liveNow() : this.timeOf(this.at);
  }

  /** When a revision was, in cluster time; the time bar knows. */
  timeOf: (revision: number) => number = () => this.liveNow();

  /** Cluster time now: it goes on at the clock's own speed between two words of the server. */
  liveNow(): number {
    const clock = this.clock();
    const speed = clock ? (clock.paused ? 0 : clock.running) : 1;
    return this.#told.server + (Date.now() / 1000 - this.#told.real) * speed;
  }

  colourOf(root: string): number {
    let colour = this.#colours.get(root);
    if (colour === undefined) {
      // The first is not amber: it would be hard to see on the write line.
      colour = (this.#colours.size + 1) % 6;
      this.#colours.set(root, colour);
    }
    return colour;
  }

  async start(): Promise<void> {
    for (const resource of this.#wanted) this.#connection.want(resource);
    // First of all it says who is signed in, and whether they may be whom this tab acts as.
    this.#connection.connect();
    addEventListener('online', () => this.#connection.hurry());
    document.addEventListener('visibilitychange', () => this.#connection.hurry());
    this.#last = performance.now();
    requestAnimationFrame(this.#frame);
    this.pipeline = await get<Pipeline>('/explorer/pipeline/');
    await this.#recent();
  }

  async #recent(): Promise<void> {
    const recent = await get<{ journeys: Journey[] }>('/explorer/journeys/?limit=100&lookups=false');
    this.listed = merged(this.listed, recent.journeys, (root) => this.colourOf(root));
    this.recalled = true;
  }

  #receive(message: Message): void {
    switch (message.op) {
      case 'hello':
        this.user = message['user'] as string;
        this.account = message['account'] as string;
        tabBelongsTo(this.account);
        acting.refused = '';
        this.#told = { server: message['server_time'] as number, real: Date.now() / 1000 };
        // Of another cluster's journeys none is to be had here.
        if (this.#connection.position.cluster && this.#connection.position.cluster !== message['cluster']) this.listed = [];
        this.#connection.position.cluster = message['cluster'] as string;
        this.#connection.position.journeys = { instance: message['instance'] as string, sequence: message['sequence'] as number };
        break;
      case 'changes':
        this.#changes(message as unknown as ChangesMessage);
        break;
      case 'journeys':
        if (this.#connection.position.journeys) this.#connection.position.journeys.sequence = message['sequence'] as number;
        this.#journeys(message['journeys'] as Journey[]);
        break;
      case 'journeys-gap':
        // More happened than the server keeps at hand: read the list anew.
        this.#recent().catch((error: unknown) => (this.problem = String(error)));
        break;
      case 'flow':
        this.flows = message['flows'] as Flow[];
        for (const flow of this.flows) this.#count(flow);
        break;
      case 'stats':
        this.stats = message;
        this.#told = { server: message['server_time'] as number, real: Date.now() / 1000 };
        break;
      case 'forbidden':
        this.sight = { ...this.sight, refused: { ...this.sight.refused, [message['resource'] as string]: message['message'] as string } };
        break;
      case 'refused':
        tabBelongsTo(message['account'] as string);
        acting.refused = message['message'] as string;
        break;
    }
    for (const hear of this.#listeners.get(message.op) ?? []) hear(message);
  }

  /** Journeys that were too many to be sent one by one travel with their like: ×998. */
  #count(flow: Flow): void {
    const tree = this.trees.get(flow.root);
    if (!tree) return;
    const key = [flow.kind, flow.component, flow.verb, flow.resource, flow.outcome].join(' ');
    tree.counted.set(key, (tree.counted.get(key) ?? 0) + flow.n);
    this.#dirty.add(flow.root);
  }

  /** A cut comes whole or not at all: what is shown is always a state that the cluster was in. */
  #changes(message: ChangesMessage): void {
    this.#parts.push(...message.parts);
    if (message.more) return;
    const parts = this.#parts;
    this.#parts = [];
    applyParts(this.#live, parts);
    const fresh = parts.filter((part) => part.fresh);
    if (fresh.length > 0) {
      const [refused, within] = [{ ...this.sight.refused }, { ...this.sight.within }];
      for (const part of fresh) {
        delete refused[part.resource];
        delete within[part.resource];
        if (part.within) within[part.resource] = part.within;
      }
      this.sight = { refused, within };
    }
    for (const resource of Object.keys(this.#live)) this.#connection.position.revisions.set(resource, message.revision);
    this.revision = message.revision;
    this.loaded = true;
    if (parts.length > 0 && this.at === null) this.#moved(parts);
  }

  /** Not as whom one acts (any more): what was seen as them goes, and the page says why. */
  #refused(): void {
    acting.refused ||= `You may not act as ${acting.user}.`;
    this.#live = {};
    this.connected = false;
    this.listed = [];
    this.playing = [];
    this.trees.clear();
    this.subject = { kind: 'none' };
    this.#moved(null);
  }

  /** The trees that somebody looks at: whatever else happens, they stay. */
  #inUse(): Set<string> {
    const found = new Set(this.playing.map((one) => one.root));
    if (this.replay) found.add(this.replay.root);
    if (this.subject.kind === 'journey') found.add(this.subject.root);
    return found;
  }

  #journeys(journeys: Journey[]): void {
    const touched = collect(this.trees, journeys, Date.now(), this.#inUse());
    for (const root of touched) {
      this.#dirty.add(root);
      const head = this.trees.get(root)?.head;
      if (!head || head.outcome === 'open' || isNoise(head) || isOwnReading(head)) continue;
      const colour = this.colourOf(root);
      const rest = this.listed.filter((one) => one.root !== root);
      const known = this.listed.findIndex((one) => one.root === root);
      if (known >= 0) continue;
      this.listed = [{ root, head, colour }, ...rest].slice(0, MOST_LISTED);
    }
  }

  /** One frame: move time on, and take in what arrived since the last. */
  #frame = (now: number): void => {
    const elapsed = Math.min(now - this.#last, 250);
    this.#last = now;
    const speaking = now - this.#connection.heard < SILENCE;
    if (this.connected && !speaking && document.visibilityState === 'visible') this.connected = false;
    else if (!this.connected && speaking && !this.problem) this.connected = true;
    if (this.#dirty.size > 0) this.#reschedule();
    if (!this.paused && !this.held) {
      if (this.replay) {
        this.moment = Math.min(this.moment + elapsed * this.speed, this.replay.length + 800);
        if (this.moment >= this.replay.length + 800) this.paused = true;
      } else if (this.playing.length > 0) {
        this.moment += elapsed * this.speed;
        const left = this.playing.filter((one) => this.moment < one.begun + one.length + 3000);
        if (left.length !== this.playing.length) this.playing = left;
        if (this.only && !left.some((one) => one.root === this.only)) this.only = null;
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
      const runs = together(schedule([...tree.journeys.values()]), tree.counted);
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

  /** Fetch one tree, and keep it. */
  async read(root: string): Promise<Journey[]> {
    const { journeys } = await get<{ journeys: Journey[] }>(`/explorer/journeys/${encodeURIComponent(root)}/`);
    const tree: Tree = { root, journeys: new Map(journeys.map((one) => [one.id, one])), head: journeys.find((one) => one.id === root) ?? null, seen: 0, counted: new Map() };
    this.trees.set(root, tree);
    return journeys;
  }

  /** Play one tree from its beginning. */
  async follow(root: string): Promise<void> {
    this.at = null;
    this.subject = { kind: 'journey', root, id: root };
    try {
      const journeys = await this.read(root);
      const runs = schedule(journeys);
      this.replay = { root, begun: 0, runs, length: lengthOf(runs), colour: this.colourOf(root) };
      this.moment = 0;
      this.paused = false;
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  /** Play a tree and stand still at one of its spans, which the panel points at. */
  async point(at: string): Promise<void> {
    const place = placeOf(at);
    await this.follow(place.root);
    if (this.replay?.root !== place.root || !this.journey(place.id)) return;
    this.subject = { kind: 'journey', ...place };
    const leg = place.span === undefined ? undefined : this.replay.runs.find((one) => one.ids.includes(place.id))?.legs[place.span];
    if (!leg) return;
    this.moment = (leg.from + leg.to) / 2;
    this.paused = true;
  }

  /** Back to what happens now. */
  live(): void {
    this.at = null;
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
    if (this.replay) return [this.replay];
    return this.only ? this.playing.filter((one) => one.root === this.only) : this.playing;
  }

  journey(id: string): Journey | undefined {
    return this.trees.get(id.split('.')[0]!)?.journeys.get(id);
  }
}

export const store = new Store();
