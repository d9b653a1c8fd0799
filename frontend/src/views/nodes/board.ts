/**
 * The cluster on the board: which box stands for which pod and node. Compares what the store holds with what was drawn (objects are replaced,
 * never changed, so a look at the reference is enough) and changes only what differs.
 */
import { lookOf } from '../../state/reduce';
import type { NodeInfo, Pod } from '../../types';
import { Boxes } from './gl/renderer';
import { SHAPES, tokenOf, type ColourBy, type Palette } from './looks';
import { HEAD, layOut, nodeHeight, NODE_WIDTH, PAD, SLOT, slotAt, slotUnder, SLOTS_ACROSS, Slots, TILE, type Layout, type Point } from './world';

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

/** Seconds in which a pod that is gone fades. */
const FADE = 0.35;
const BAR_HEIGHT = 5;
/** Above all zones: a row for the clients and Services that requests run through, and one for pods that have no node. */
export const SERVICES_Y = 20;
const WAITING_Y = 68;
export const LANE = 112;
/** Nodes beyond which cards are painted at most four times a second. */
const MANY_NODES = 200;
const MOST_WITH_SLOTS = 40;

export type Found = { kind: 'pod'; pod: Pod } | { kind: 'node'; node: NodeInfo } | null;

export class Board {
  readonly cards = new Boxes(64);
  readonly tiles = new Boxes(1024);
  readonly heat = new Boxes(64);
  layout: Layout = { zones: [], nodes: new Map(), width: NODE_WIDTH, height: 0, rows: 2 };
  loads = new Map<string, Load>();
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
  #shape = '';
  #by: ColourBy = 'phase';
  #stale = true;
  #painted = -1;

  constructor(readonly palette: Palette) {}

  /** Take in the store's state; true when something changed. `offset` turns server seconds into the renderer's. */
  update(pods: ReadonlyMap<string, Pod>, nodes: ReadonlyMap<string, NodeInfo>, now: number, aspect: number, by: ColourBy, filter: (pod: Pod) => boolean, offset: number): boolean {
    this.#sweep(now);
    let changed = this.#takeNodes(nodes, pods, aspect);
    const repaint = by !== this.#by;
    this.#by = by;
    const first = this.#standing.size === 0;
    let seen = 0;
    for (const [key, pod] of pods) {
      if (!filter(pod)) continue;
      seen++;
      const had = this.#standing.get(key);
      if (had && had.pod === pod && !repaint && had.node === (this.layout.nodes.has(pod.node) ? pod.node : '')) continue;
      if (had && had.pod.uid !== pod.uid) this.#leave(key, had, now);
      this.#stand(key, pod, now, first, offset);
      changed = true;
    }
    if (seen !== this.#standing.size) {
      for (const [key, had] of this.#standing) {
        const pod = pods.get(key);
        if (pod && filter(pod)) continue;
        this.#leave(key, had, now);
        changed = true;
      }
    }
    this.waiting = this.#lane.size;
    this.#stale ||= changed || repaint;
    if (this.#stale && (nodes.size < MANY_NODES || repaint || now - this.#painted > 0.25)) {
      this.#paintCards(nodes);
      this.#painted = now;
      this.#stale = false;
    }
    return changed || repaint;
  }

  /** Everything anew: another theme, another filter. */
  reset(): void {
    this.cards.clear();
    this.tiles.clear();
    this.heat.clear();
    this.#standing.clear();
    this.#fading = [];
    this.#slots.clear();
    this.#bySlot.clear();
    this.#lane = new Slots();
    this.#shape = '';
    this.loads.clear();
    this.#nodes.clear();
    this.#stale = true;
  }

  // -- nodes ---------------------------------------------------------------------------------------------------------

  #takeNodes(nodes: ReadonlyMap<string, NodeInfo>, pods: ReadonlyMap<string, Pod>, aspect: number): boolean {
    let same = nodes.size === this.#nodes.size;
    if (same) for (const [name, node] of nodes) if (this.#nodes.get(name) !== node) { same = false; break; }
    const rows = this.#rowsFor(pods.size, nodes.size);
    const bucket = Math.round(aspect * 4);
    if (same && rows <= this.layout.rows && this.#shape.endsWith(`|${bucket}`)) return false;
    const shape = `${[...nodes.values()].map((node) => `${node.name}@${node.zone}`).join()}|${Math.max(rows, this.layout.rows)}|${bucket}`;
    this.#nodes = new Map(nodes);
    if (shape === this.#shape) return true;
    this.#shape = shape;
    this.layout = layOut([...nodes.values()], this.#cells, Math.max(rows, nodes.size ? this.layout.rows : 0), aspect, LANE);
    // Places moved: everything that stands on a node is put again, without flying.
    for (const one of this.#standing.values()) {
      const place = this.layout.nodes.get(one.node);
      // A pod whose node is gone is put elsewhere by the next look at the pods.
      if (!place) continue;
      const at = slotAt(one.slot);
      one.x = place.x + at.x;
      one.y = place.y + at.y;
      this.tiles.place(one.box, one.x, one.y, TILE, TILE);
      this.tiles.move(one.box, one.x, one.y, -10, -10);
    }
    this.cards.clear();
    this.heat.clear();
    return true;
  }

  #rowsFor(pods: number, nodes: number): number {
    let most = 0;
    for (const slots of this.#slots.values()) most = Math.max(most, slots.height);
    const even = nodes ? (pods / nodes) * 1.35 : 0;
    return Math.max(3, Math.ceil(Math.max(most, even) / SLOTS_ACROSS));
  }

  // -- pods ----------------------------------------------------------------------------------------------------------

  #load(node: string): Load {
    let load = this.loads.get(node);
    if (!load) this.loads.set(node, (load = { pods: 0, cpu: 0, memory: 0, unready: 0, failed: 0 }));
    return load;
  }

  #count(node: string, pod: Pod, sign: 1 | -1): void {
    const load = this.#load(node);
    const look = lookOf(pod);
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
    } else if (!had || had.pod.deleting !== null) this.tiles.move(box, x, y, -10, -10);
    this.tiles.look(box, SHAPES[look], 4, this.palette.get(tokenOf(pod, this.#by)));
    this.#standing.set(key, { pod, box, node, slot, x, y });
  }

  #take(node: string, key: string): number {
    if (!node) return this.#lane.take(key);
    let slots = this.#slots.get(node);
    if (!slots) this.#slots.set(node, (slots = new Slots()));
    const slot = slots.take(key);
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

  #leave(key: string, had: Standing, now: number): void {
    this.#release(key, had);
    this.#count(had.node, had.pod, -1);
    this.tiles.move(had.box, had.x, had.y, now, now + FADE);
    this.tiles.look(had.box, SHAPES.gone, 4, this.palette.get('--soft'));
    this.#fading.push({ box: had.box, until: now + FADE });
    this.busyUntil = Math.max(this.busyUntil, now + FADE + 0.05);
    this.#standing.delete(key);
  }

  #sweep(now: number): void {
    while (this.#fading.length > 0 && this.#fading[0]!.until < now) this.tiles.remove(this.#fading.shift()!.box);
  }

  // -- cards ---------------------------------------------------------------------------------------------------------

  #paintCards(nodes: ReadonlyMap<string, NodeInfo>): void {
    const { palette, layout } = this;
    this.cards.clear();
    this.heat.clear();
    const height = nodeHeight(layout.rows);
    const paper = palette.get('--card');
    const zoneLine = palette.get('--line');
    for (const zone of layout.zones) {
      const box = this.cards.add();
      this.cards.place(box, zone.x + zone.width / 2, zone.y + zone.height / 2, zone.width, zone.height);
      this.cards.look(box, 0, 20, palette.get('--paper', 0), zoneLine);
    }
    for (const place of layout.nodes.values()) {
      const node = nodes.get(place.name);
      if (!node) continue;
      const dead = node.ready !== 'True';
      const load = this.loads.get(place.name) ?? { pods: 0, cpu: 0, memory: 0, unready: 0, failed: 0 };
      const card = this.cards.add();
      this.cards.place(card, place.x + NODE_WIDTH / 2, place.y + height / 2, NODE_WIDTH, height);
      this.cards.look(card, node.unschedulable ? 30 : 0, 12, dead ? palette.get('--line') : palette.get('--well'), dead ? palette.get('--red') : node.unschedulable ? palette.get('--amber') : palette.get('--well'));
      this.#bar(place.x + PAD, place.y + HEAD - 15, load.cpu / Math.max(node.capacity.cpu, 0.001), '--teal');
      this.#bar(place.x + PAD, place.y + HEAD - 8, load.memory / Math.max(node.capacity.memory, 1), '--violet');
      if (layout.nodes.size <= MOST_WITH_SLOTS) this.#emptySlots(place.name, place.x, place.y);
      const cell = this.heat.add();
      this.heat.place(cell, place.x + NODE_WIDTH / 2, place.y + height / 2, NODE_WIDTH, height);
      const full = Math.min(load.pods / Math.max(node.capacity.pods, 1), 1);
      const token = dead || load.failed > 0 ? '--red' : load.unready > 0 ? '--amber' : '--blue';
      const fill = palette.get(token);
      const mix = dead ? 0.35 : 0.16 + 0.84 * full;
      this.heat.look(cell, 0, 12, blend(fill, paper, mix), dead ? palette.get('--red') : blend(fill, paper, mix));
    }
  }

  /** Free slots, faintly: room is something to see, too. */
  #emptySlots(node: string, x: number, y: number): void {
    const taken = this.#bySlot.get(node);
    for (let slot = 0; slot < this.layout.rows * SLOTS_ACROSS; slot++) {
      if (taken?.has(slot)) continue;
      const at = slotAt(slot);
      const box = this.cards.add();
      this.cards.place(box, x + at.x, y + at.y, TILE, TILE);
      this.cards.look(box, 0, 4, this.palette.get('--well'), this.palette.get('--line'));
    }
  }

  #bar(x: number, y: number, share: number, token: string): void {
    const width = NODE_WIDTH - 2 * PAD;
    const back = this.cards.add();
    this.cards.place(back, x + width / 2, y + BAR_HEIGHT / 2, width, BAR_HEIGHT);
    this.cards.look(back, 0, 2.5, this.palette.get('--line'), this.palette.get('--line'));
    const full = Math.min(Math.max(share, 0), 1) * width;
    if (full < 0.5) return;
    const front = this.cards.add();
    const colour = this.palette.get(share > 0.9 ? '--red' : token);
    this.cards.place(front, x + full / 2, y + BAR_HEIGHT / 2, full, BAR_HEIGHT);
    this.cards.look(front, 0, 2.5, colour, colour);
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
    if (y < LANE) {
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

  standing(): IterableIterator<[string, { pod: Pod; x: number; y: number }]> {
    return this.#standing.entries();
  }
}

function blend(colour: readonly number[], paper: readonly number[], share: number): [number, number, number, number] {
  return [0, 1, 2].map((index) => Math.round(colour[index]! * share + paper[index]! * (1 - share))).concat(255) as [number, number, number, number];
}
