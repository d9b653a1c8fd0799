/**
 * The cluster on the board: which box stands for which pod and node. It is told which objects changed, and changes only their boxes, for
 * as long as a frame has time; what is left is done in the next one.
 */
import { lookOf } from '../../state/reduce';
import type { NodeInfo, Pod } from '../../types';
import { Boxes } from './gl/renderer';
import { heatOf, type Zone } from './heat';
import { SHAPES, tokenOf, type ColourBy, type Palette } from './looks';
import { HEAD, layOut, nodeHeight, NODE_WIDTH, PAD, SLOT, slotAt, slotUnder, SLOTS_ACROSS, Slots, TILE, type Layout, type NodePlace, type Point } from './world';

interface Standing {
  pod: Pod;
  box: number;
  node: string;
  slot: number;
  x: number;
  y: number;
}

export interface Load {
  pods: number;
  cpu: number;
  memory: number;
  unready: number;
  failed: number;
}

/** What the board shows, and how. */
export interface Scene {
  pods: ReadonlyMap<string, Pod>;
  nodes: ReadonlyMap<string, NodeInfo>;
  by: ColourBy;
  filter: (pod: Pod) => boolean;
  /** Width by height of the window. */
  aspect: number;
  /** Seconds of the renderer's clock; and what turns the server's seconds into those. */
  now: number;
  offset: number;
}

/** Seconds in which a pod that is gone fades. */
const FADE = 0.35;
const BAR_HEIGHT = 5;
/** Above all zones: a row for the clients and Services that requests run through, and one for pods that have no node. */
export const SERVICES_Y = 20;
const WAITING_Y = 68;
export const LANE = 112;
/** Nodes beyond which cards are painted at most four times a second. */
const MANY_NODES = 200;
const REPAINT = 0.25;
const MOST_WITH_SLOTS = 40;
/** Boxes of a card: itself, and for CPU and memory a bar and its filling. */
const OF_CARD = 5;
/** Objects between two looks at the clock. */
const STRIDE = 64;
const EMPTY: Load = { pods: 0, cpu: 0, memory: 0, unready: 0, failed: 0 };

export type Found = { kind: 'pod'; pod: Pod } | { kind: 'node'; node: NodeInfo } | null;

export class Board {
  readonly cards = new Boxes(64);
  readonly holes = new Boxes(64);
  readonly tiles = new Boxes(1024);
  readonly heat = new Boxes(64, true);
  /** On the cells: only where there is something to mark. */
  readonly marks = new Boxes(64);
  layout: Layout = { top: LANE, head: 0, zones: [], nodes: new Map(), width: NODE_WIDTH, height: 0, rows: 2 };
  loads = new Map<string, Load>();
  /** Sums of each zone, as of the last painting. */
  zones = new Map<string, Zone>();
  /** Until when (renderer's seconds) something moves by itself. */
  busyUntil = 0;
  waiting = 0;

  #standing = new Map<string, Standing>();
  #fading: { box: number; until: number }[] = [];
  #slots = new Map<string, Slots>();
  #cells = new Map<string, Slots>();
  #lane = new Slots();
  #nodes = new Map<string, NodeInfo>();
  #bySlot = new Map<string, Map<number, string>>();
  #by: ColourBy = 'phase';
  #bucket = -1;
  #most = 0;
  #painted = -1;
  /** What is still to be looked at; of whom nobody said that anything happened (it was looked at another way) is put down quietly. */
  #pods = new Map<string, 'told' | 'quiet'>();
  #allPods = true;
  #newNodes = true;
  /** Nodes to paint anew, and where their boxes begin. */
  #stale = new Set<string>();
  #boxes = new Map<string, { card: number; cell: number; marks: number[] }>();
  #first = true;

  constructor(readonly palette: Palette) {}

  /** These pods have changed; null: any may have, and what happened to which is not known. */
  podsChanged(keys: readonly string[] | null): void {
    if (keys === null) this.#allPods = true;
    else for (const key of keys) this.#happened(key);
  }

  #happened(key: string): void {
    // Who is not put down yet did not come from anywhere.
    if (!this.#pods.has(key)) this.#pods.set(key, 'told');
  }

  /** These nodes have changed; null: any may have. */
  nodesChanged(keys: readonly string[] | null, nodes: ReadonlyMap<string, NodeInfo>): void {
    for (const name of keys ?? []) {
      const node = nodes.get(name);
      const had = this.#nodes.get(name);
      if (node && had && node.zone === had.zone) {
        this.#nodes.set(name, node);
        this.#stale.add(name);
      } else this.#newNodes = true;
    }
    if (keys === null) this.#newNodes = true;
  }

  /** Whether it is still at its first look at the pods. */
  get filling(): boolean {
    return this.#first;
  }

  /** Whether there is something that `update` has not come to. */
  get behind(): boolean {
    return this.#allPods || this.#newNodes || this.#pods.size > 0 || this.#stale.size > 0;
  }

  /**
   * Take in what changed, until `deadline` (milliseconds of `performance.now`). Says what is to be drawn anew: the tiles, or also
   * what lies under them.
   */
  update(scene: Scene, deadline = Infinity): 'nothing' | 'tiles' | 'all' {
    const { pods, nodes, now } = scene;
    this.#sweep(now);
    let all = this.#takeNodes(scene);
    if (scene.by !== this.#by) {
      this.#by = scene.by;
      this.#allPods = true;
      this.#staleAll();
    }
    if (this.#allPods) {
      this.#allPods = false;
      for (const key of pods.keys()) this.#pods.set(key, 'quiet');
      for (const key of this.#standing.keys()) this.#pods.set(key, 'quiet');
    }
    const some = this.#takePods(scene, deadline);
    // The first look puts everybody down where they are; who comes later comes flying.
    if (this.#pods.size === 0 && pods.size > 0) this.#first = false;
    this.waiting = this.#lane.size;
    if (this.#stale.size > 0 && (nodes.size < MANY_NODES || this.#painted < 0 || now - this.#painted > REPAINT)) {
      this.#painted = now;
      this.#paint();
      all = true;
    }
    return all ? 'all' : some ? 'tiles' : 'nothing';
  }

  /** Everything anew: another theme. */
  reset(): void {
    for (const boxes of [this.cards, this.holes, this.tiles, this.heat, this.marks]) boxes.clear();
    this.#standing.clear();
    this.#fading = [];
    this.#slots.clear();
    this.#bySlot.clear();
    this.#boxes.clear();
    this.#lane = new Slots();
    this.#bucket = -1;
    this.loads.clear();
    this.#nodes.clear();
    this.#pods.clear();
    this.#allPods = this.#newNodes = this.#first = true;
    this.#painted = -1;
  }

  // -- nodes ---------------------------------------------------------------------------------------------------------

  #takeNodes({ nodes, pods, aspect }: Scene): boolean {
    const even = nodes.size ? (pods.size / nodes.size) * 1.35 : 0;
    const rows = Math.max(3, Math.ceil(Math.max(this.#most, even) / SLOTS_ACROSS), nodes.size ? this.layout.rows : 0);
    const bucket = Math.round(aspect * 4);
    if (!this.#newNodes && rows === this.layout.rows && bucket === this.#bucket) return false;
    this.#newNodes = false;
    this.#bucket = bucket;
    this.#nodes = new Map(nodes);
    this.layout = layOut([...nodes.values()], this.#cells, rows, aspect, LANE);
    // Places moved: everything that stands on a node is put again, without flying.
    for (const [key, one] of this.#standing) {
      const place = this.layout.nodes.get(one.node);
      // A pod whose node is gone, or came only now, is put elsewhere by the next look at it.
      if (!place || one.node !== one.pod.node) this.#happened(key);
      if (!place) continue;
      const at = slotAt(one.slot);
      one.x = place.x + at.x;
      one.y = place.y + at.y;
      this.tiles.place(one.box, one.x, one.y, TILE, TILE);
      this.tiles.move(one.box, one.x, one.y, -10, -10);
    }
    this.#placeCards();
    return true;
  }

  /** A box for each zone, card and cell, where the layout has them. */
  #placeCards(): void {
    this.cards.clear();
    this.heat.clear();
    this.marks.clear();
    this.#boxes.clear();
    const line = this.palette.get('--line');
    for (const zone of this.layout.zones) {
      const box = this.cards.add();
      this.cards.place(box, zone.x + zone.width / 2, zone.y + zone.height / 2, zone.width, zone.height);
      this.cards.look(box, 0, 20, this.palette.get('--paper', 0), line);
    }
    for (const name of this.layout.nodes.keys()) {
      const card = this.cards.add();
      for (let rest = 1; rest < OF_CARD; rest++) this.cards.add();
      this.#boxes.set(name, { card, cell: this.heat.add(), marks: [] });
    }
    this.#painted = -1;
    this.#staleAll();
  }

  #staleAll(): void {
    for (const name of this.layout.nodes.keys()) this.#stale.add(name);
  }

  // -- pods ----------------------------------------------------------------------------------------------------------

  #takePods({ pods, filter, now, offset }: Scene, deadline: number): boolean {
    let done = 0;
    for (const [key, how] of this.#pods) {
      if (done % STRIDE === STRIDE - 1 && performance.now() > deadline) break;
      done++;
      this.#pods.delete(key);
      const pod = pods.get(key);
      const had = this.#standing.get(key);
      const quietly = this.#first || how === 'quiet';
      if (!pod || !filter(pod)) {
        if (had) this.#leave(key, had, now, quietly);
        continue;
      }
      if (had && had.pod.uid !== pod.uid) this.#leave(key, had, now, quietly);
      this.#stand(key, pod, now, quietly, offset);
    }
    return done > 0;
  }

  #load(node: string): Load {
    let load = this.loads.get(node);
    if (!load) this.loads.set(node, (load = { pods: 0, cpu: 0, memory: 0, unready: 0, failed: 0 }));
    return load;
  }

  #count(node: string, pod: Pod, sign: 1 | -1): void {
    const load = this.#load(node);
    const look = lookOf(pod);
    if (node) this.#stale.add(node);
    load.pods += sign;
    if (look !== 'done' && look !== 'failed') {
      load.cpu += sign * (pod.cpu ?? 0);
      load.memory += sign * (pod.memory ?? 0);
    }
    if (look === 'unready') load.unready += sign;
    if (look === 'failed') load.failed += sign;
  }

  #stand(key: string, pod: Pod, now: number, quietly: boolean, offset: number): void {
    const had = this.#standing.get(key);
    const node = this.layout.nodes.has(pod.node) ? pod.node : '';
    const box = had?.box ?? this.tiles.add();
    let from: Point | null = had ? { x: had.x, y: had.y } : null;
    let slot: number;
    if (had && had.node === node) slot = had.slot;
    else {
      if (had) this.#release(key, had);
      slot = this.#take(node, key);
      if (!from && !quietly) from = { x: this.layout.width / 2, y: -30 };
    }
    if (had) this.#count(had.node, had.pod, -1);
    this.#count(node, pod, 1);
    const { x, y } = this.#placeOf(node, slot);
    const moved = !had || had.node !== node;
    const look = lookOf(pod);
    this.tiles.place(box, x, y, TILE, TILE);
    if (look === 'terminating' && pod.deleting !== null) {
      // The countdown is the object's own: from the request to the end of its grace period.
      const ends = pod.deleting + offset;
      const begins = ends - (pod.grace ?? 30);
      this.tiles.move(box, x, y, begins, Math.max(ends, begins + 0.01));
      this.busyUntil = Math.max(this.busyUntil, Math.min(ends, now + 120));
    } else if (moved && from && !quietly) {
      this.tiles.move(box, from.x, from.y, now, now);
      this.busyUntil = Math.max(this.busyUntil, now + 0.5);
    } else if (moved || had.pod.deleting !== null) this.tiles.move(box, x, y, -10, -10);
    this.tiles.look(box, SHAPES[look], 4, this.palette.get(tokenOf(pod, this.#by)));
    this.#standing.set(key, { pod, box, node, slot, x, y });
  }

  #take(node: string, key: string): number {
    if (!node) return this.#lane.take(key);
    let slots = this.#slots.get(node);
    if (!slots) this.#slots.set(node, (slots = new Slots()));
    const slot = slots.take(key);
    this.#most = Math.max(this.#most, slot + 1);
    let names = this.#bySlot.get(node);
    if (!names) this.#bySlot.set(node, (names = new Map()));
    names.set(slot, key);
    return slot;
  }

  #release(key: string, had: Standing): void {
    if (!had.node) this.#lane.release(key);
    else {
      this.#slots.get(had.node)?.release(key);
      this.#bySlot.get(had.node)?.delete(had.slot);
    }
  }

  #placeOf(node: string, slot: number): Point {
    const place = this.layout.nodes.get(node);
    if (!place) {
      const across = Math.max(Math.floor(this.layout.width / SLOT) - 1, 12);
      return { x: SLOT + (slot % across) * SLOT, y: WAITING_Y + Math.floor(slot / across) * SLOT };
    }
    const at = slotAt(slot);
    return { x: place.x + at.x, y: place.y + at.y };
  }

  #leave(key: string, had: Standing, now: number, quietly: boolean): void {
    this.#release(key, had);
    this.#count(had.node, had.pod, -1);
    this.#standing.delete(key);
    if (quietly) {
      this.tiles.remove(had.box);
      return;
    }
    this.tiles.move(had.box, had.x, had.y, now, now + FADE);
    this.tiles.look(had.box, SHAPES.gone, 4, this.palette.get('--soft'));
    this.#fading.push({ box: had.box, until: now + FADE });
    this.busyUntil = Math.max(this.busyUntil, now + FADE + 0.05);
  }

  #sweep(now: number): void {
    while (this.#fading.length > 0 && this.#fading[0]!.until < now) this.tiles.remove(this.#fading.shift()!.box);
  }

  // -- cards ---------------------------------------------------------------------------------------------------------

  #paint(): void {
    const height = nodeHeight(this.layout.rows);
    for (const name of this.#stale) {
      const place = this.layout.nodes.get(name);
      const node = this.#nodes.get(name);
      const boxes = this.#boxes.get(name);
      if (!place || !node || !boxes) continue;
      this.#paintCard(place, node, boxes.card, height);
      this.#paintCell(place, node, boxes, height);
    }
    this.#stale.clear();
    this.holes.clear();
    if (this.layout.nodes.size <= MOST_WITH_SLOTS) for (const place of this.layout.nodes.values()) this.#emptySlots(place.name, place.x, place.y);
    this.zones.clear();
    for (const { name, zone } of this.layout.nodes.values()) {
      const node = this.#nodes.get(name);
      if (!node) continue;
      let sum = this.zones.get(zone);
      if (!sum) this.zones.set(zone, (sum = { pods: 0, cpu: 0, capacity: 0, bad: 0, failed: 0 }));
      const load = this.loads.get(name) ?? EMPTY;
      sum.pods += load.pods;
      sum.cpu += load.cpu;
      sum.capacity += node.capacity.cpu;
      sum.failed += load.failed;
      if (node.ready !== 'True') sum.bad++;
    }
  }

  #paintCard(place: NodePlace, node: NodeInfo, card: number, height: number): void {
    const { palette, cards } = this;
    const dead = node.ready !== 'True';
    const load = this.loads.get(place.name) ?? EMPTY;
    cards.place(card, place.x + NODE_WIDTH / 2, place.y + height / 2, NODE_WIDTH, height);
    cards.look(card, node.unschedulable ? 30 : 0, 12, dead ? palette.get('--line') : palette.get('--well'), dead ? palette.get('--red') : node.unschedulable ? palette.get('--amber') : palette.get('--well'));
    this.#bar(card + 1, place.x + PAD, place.y + HEAD - 15, load.cpu / Math.max(node.capacity.cpu, 0.001), '--teal');
    this.#bar(card + 3, place.x + PAD, place.y + HEAD - 8, load.memory / Math.max(node.capacity.memory, 1), '--violet');
  }

  #bar(box: number, x: number, y: number, share: number, token: string): void {
    const width = NODE_WIDTH - 2 * PAD;
    const line = this.palette.get('--line');
    this.cards.place(box, x + width / 2, y + BAR_HEIGHT / 2, width, BAR_HEIGHT);
    this.cards.look(box, 0, 2.5, line, line);
    const full = Math.min(Math.max(share, 0), 1) * width;
    const colour = this.palette.get(share > 0.9 ? '--red' : token, full < 0.5 ? 0 : 1);
    this.cards.place(box + 1, x + full / 2, y + BAR_HEIGHT / 2, full, BAR_HEIGHT);
    this.cards.look(box + 1, 0, 2.5, colour, colour);
  }

  /** From afar: how full it is by colour, how well by the mark on it. */
  #paintCell(place: NodePlace, node: NodeInfo, boxes: { cell: number; marks: number[] }, height: number): void {
    const { palette, heat, marks } = this;
    const looks = heatOf(node, this.loads.get(place.name) ?? EMPTY, this.#by, palette);
    const x = place.x + NODE_WIDTH / 2;
    const y = place.y + height / 2;
    heat.place(boxes.cell, x, y, NODE_WIDTH, height);
    heat.look(boxes.cell, 0, 0, looks.fill);
    for (const mark of boxes.marks.splice(0)) marks.remove(mark);
    if (node.unschedulable) {
      const fence = marks.add();
      boxes.marks.push(fence);
      marks.place(fence, x, y, NODE_WIDTH, height);
      marks.look(fence, 30, 0, palette.get('--paper', 0), palette.get('--amber'));
    }
    if (looks.mark) {
      const mark = marks.add();
      const side = Math.min(NODE_WIDTH, height) * 0.62;
      boxes.marks.push(mark);
      marks.place(mark, x, y, side, side);
      marks.look(mark, 0, side / 2, looks.mark);
    }
  }

  /** Free slots, faintly: room is something to see, too. */
  #emptySlots(node: string, x: number, y: number): void {
    const taken = this.#bySlot.get(node);
    for (let slot = 0; slot < this.layout.rows * SLOTS_ACROSS; slot++) {
      if (taken?.has(slot)) continue;
      const at = slotAt(slot);
      const box = this.holes.add();
      this.holes.place(box, x + at.x, y + at.y, TILE, TILE);
      this.holes.look(box, 0, 4, this.palette.get('--well'), this.palette.get('--line'));
    }
  }

  // -- questions -----------------------------------------------------------------------------------------------------

  /** What stands at a point of the world. */
  at(x: number, y: number): Found {
    const height = nodeHeight(this.layout.rows);
    for (const place of this.layout.nodes.values()) {
      if (x < place.x || y < place.y || x > place.x + NODE_WIDTH || y > place.y + height) continue;
      const slot = slotUnder(x - place.x, y - place.y);
      const key = slot === null ? undefined : this.#bySlot.get(place.name)?.get(slot);
      const standing = key === undefined ? undefined : this.#standing.get(key);
      if (standing) return { kind: 'pod', pod: standing.pod };
      const node = this.#nodes.get(place.name);
      return node ? { kind: 'node', node } : null;
    }
    if (y < this.layout.top) {
      for (const key of this.#lane.keys()) {
        const standing = this.#standing.get(key);
        if (standing && Math.abs(standing.x - x) < SLOT / 2 && Math.abs(standing.y - y) < SLOT / 2) return { kind: 'pod', pod: standing.pod };
      }
    }
    return null;
  }

  placeOfPod(key: string): Point | null {
    const standing = this.#standing.get(key);
    return standing ? { x: standing.x, y: standing.y } : null;
  }

  /** Where a kubelet's dots begin: the head of its node's card. */
  placeOfKubelet(node: string): Point | null {
    const place = this.layout.nodes.get(node);
    return place ? { x: place.x + NODE_WIDTH - PAD - 6, y: place.y + 14 } : null;
  }

  get pods(): number {
    return this.#standing.size;
  }

  /** The pods that stand on a node. */
  *on(node: string): IterableIterator<{ key: string; pod: Pod; x: number; y: number }> {
    for (const key of this.#bySlot.get(node)?.values() ?? []) {
      const standing = this.#standing.get(key);
      if (standing) yield { key, pod: standing.pod, x: standing.x, y: standing.y };
    }
  }

  /** The node on which a pod stands; empty when on none, or unknown. */
  nodeOf(key: string): string {
    return this.#standing.get(key)?.node ?? '';
  }
}
