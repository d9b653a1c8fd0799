/**
 * The cluster on the board: which box stands for which pod and node. It is told which objects changed, and changes only their boxes, for
 * as long as a frame has time; what is left is done in the next one. It says which districts are to be drawn anew, and keeps apart what
 * moves by itself, so that nothing else need be drawn for it.
 */
import { lookOf } from '../../state/reduce';
import type { NodeInfo, Pod } from '../../types';
import { cells, District, EMPTY, tiles, type Load, type Standing } from './district';
import { Boxes } from './gl/boxes';
import type { Pass } from './gl/renderer';
import { sumUp, type Zone } from './heat';
import { SHAPES, tokenOf, type ColourBy, type Palette } from './looks';
import { Motions } from './motions';
import { paintCard, paintCell, paintHoles } from './paint';
import { layOut, NODE_WIDTH, nodeHeight, SLOT, slotAt, slotUnder, SLOTS_ACROSS, Slots, TILE, type Layout, type Point } from './world';

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
  /** Nobody flies or fades: the person wants no motion. */
  still?: boolean;
}

/** Above all zones: a row for the clients and Services that requests run through, and one for pods that have no node. */
export const SERVICES_Y = 20;
const WAITING_Y = 68;
export const LANE = 112;
const MOST_WITH_SLOTS = 40;
/** Objects between two looks at the clock. */
const STRIDE = 64;

export type Found = { kind: 'pod'; pod: Pod } | { kind: 'node'; node: NodeInfo } | null;

export class Board {
  readonly cards = new Boxes();
  readonly holes = new Boxes();
  /** Pods that stand. Those that move are no boxes. */
  readonly tiles = new Boxes(1024);
  readonly heat = new Boxes();
  /** On the cells: only where there is something to mark. */
  readonly marks = new Boxes();
  layout: Layout = { top: LANE, head: 0, zones: [], nodes: new Map(), width: NODE_WIDTH, height: 0, rows: 2 };
  /** Districts (the lane's name is empty) that look otherwise than when they were last drawn: near, and as cells from afar. */
  readonly touched = new Set<string>();
  readonly repainted = new Set<string>();
  /** Everything does. */
  whole = true;
  readonly motions = new Motions();
  /** What the words say is not what it was; nor how many are in each zone, and how many wait. */
  worded = true;
  summed = true;
  #standing = new Map<string, Standing>();
  #districts = new Map<string, District>();
  #lane = new District();
  #cells = new Map<string, Slots>();
  #nodes = new Map<string, NodeInfo>();
  #by: ColourBy = 'phase';
  #bucket = -1;
  #most = 0;
  #zones: Map<string, Zone> | null = null;
  /** What is still to be looked at; of whom nobody said that anything happened (it was looked at another way) is put down quietly. */
  #pods = new Map<string, 'told' | 'quiet'>();
  #allPods = true;
  #newNodes = true;
  /** Nodes to paint anew. */
  #stale = new Set<string>();
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
    return this.#allPods || this.#newNodes || this.#pods.size > 0 || this.#stale.size > 0 || !this.motions.none;
  }

  /** Take in what changed, until `deadline` (milliseconds of `performance.now`). */
  update(scene: Scene, deadline = Infinity): void {
    const { pods, now } = scene;
    for (const one of this.motions.arrived(now)) this.#stop(one);
    this.#takeNodes(scene);
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
    this.#takePods(scene, deadline);
    // The first look puts everybody down where they are; who comes later comes flying.
    if (this.#pods.size === 0 && pods.size > 0) this.#first = false;
    this.#paint(deadline);
  }

  /** What was to be drawn anew has been: near, or from afar. */
  drawn(afar: boolean): void {
    (afar ? this.repainted : this.touched).clear();
    // Whoever looks from the other distance next begins with everything.
    this.whole = false;
  }

  /** Everything anew: another theme. */
  reset(): void {
    for (const boxes of [this.cards, this.holes, this.tiles, this.heat, this.marks]) boxes.clear();
    this.#standing.clear();
    this.#districts.clear();
    this.motions.clear();
    this.#lane = new District();
    this.#bucket = -1;
    this.#nodes.clear();
    this.#pods.clear();
    this.#stale.clear();
    this.#allPods = this.#newNodes = this.#first = this.whole = true;
  }

  // -- nodes ---------------------------------------------------------------------------------------------------------

  #district(name: string): District {
    if (!name) return this.#lane;
    let found = this.#districts.get(name);
    if (!found) this.#districts.set(name, (found = new District()));
    return found;
  }

  #takeNodes({ nodes, pods, aspect }: Scene): void {
    const even = nodes.size ? (pods.size / nodes.size) * 1.35 : 0;
    const rows = Math.max(3, Math.ceil(Math.max(this.#most, even) / SLOTS_ACROSS), nodes.size ? this.layout.rows : 0);
    const bucket = Math.round(aspect * 4);
    if (!this.#newNodes && rows === this.layout.rows && bucket === this.#bucket) return;
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
      const to = { x: one.x, y: one.y };
      if (!one.mover) this.tiles.place(one.box, one.x, one.y, TILE, TILE);
      else if (one.pod.deleting === null) this.#stop(one);
      else one.mover = { ...one.mover, from: to, to };
    }
    this.#placeCards();
  }

  /** A box for each card and cell, where the layout has them. */
  #placeCards(): void {
    for (const boxes of [this.cards, this.heat, this.marks, this.holes]) boxes.clear();
    for (const [name, district] of this.#districts) {
      district.forget();
      if (!this.layout.nodes.has(name) && district.bySlot.size === 0) this.#districts.delete(name);
    }
    for (const name of this.layout.nodes.keys()) {
      const district = this.#district(name);
      district.card = this.cards.add();
      this.cards.add();
      district.cell = this.heat.add();
    }
    this.whole = this.worded = this.motions.stirred = true;
    this.#staleAll();
  }

  #staleAll(): void {
    for (const name of this.layout.nodes.keys()) this.#stale.add(name);
  }

  // -- pods ----------------------------------------------------------------------------------------------------------

  #takePods({ pods, filter, now, offset, still }: Scene, deadline: number): void {
    let done = 0;
    for (const [key, how] of this.#pods) {
      if (done % STRIDE === STRIDE - 1 && performance.now() > deadline) return;
      done++;
      this.#pods.delete(key);
      const pod = pods.get(key);
      let had = this.#standing.get(key);
      const quietly = this.#first || how === 'quiet' || Boolean(still);
      if (had && (!pod || !filter(pod) || had.pod.uid !== pod.uid)) {
        this.#leave(had, now, quietly);
        had = undefined;
      }
      if (pod && filter(pod)) this.#stand(key, pod, had, now, quietly, offset);
    }
  }

  #count(node: string, pod: Pod, sign: 1 | -1): void {
    const { load } = this.#district(node);
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

  #stand(key: string, pod: Pod, had: Standing | undefined, now: number, quietly: boolean, offset: number): void {
    const node = this.layout.nodes.has(pod.node) ? pod.node : '';
    const stays = had?.node === node;
    const from = had ? { x: had.x, y: had.y } : { x: this.layout.width / 2, y: -30 };
    if (had) {
      this.#count(had.node, had.pod, -1);
      if (!stays) this.#release(had);
    }
    this.#count(node, pod, 1);
    const slot = stays ? had!.slot : this.#take(node, key);
    const { x, y } = this.#placeOf(node, slot);
    const look = lookOf(pod);
    const colour = this.palette.get(tokenOf(pod, this.#by));

    const mover = this.motions.of({ pod, look, colour, to: { x, y }, from: stays || quietly ? null : from, had: stays ? had : undefined }, now, offset);

    const one: Standing = had ?? { key, pod, node, slot, x, y, box: -1, look, mover: null };
    if (had && !had.mover) this.touched.add(had.node);
    Object.assign(one, { pod, node, slot, x, y, look });
    this.#standing.set(key, one);
    this.#district(node).bySlot.set(slot, one);
    if (!mover) {
      this.#stop(one);
      return;
    }
    // Nothing that stands is drawn for it.
    if (one.box >= 0) this.tiles.remove(one.box);
    one.box = -1;
    this.motions.start(one, mover);
  }

  /** It stands among the others. */
  #stop(one: Standing): void {
    this.motions.stop(one);
    if (one.box < 0) one.box = this.tiles.add();
    this.tiles.place(one.box, one.x, one.y, TILE, TILE);
    this.tiles.look(one.box, SHAPES[one.look], 4, this.palette.get(tokenOf(one.pod, this.#by)));
    this.touched.add(one.node);
  }

  #take(node: string, key: string): number {
    const slot = this.#district(node).slots.take(key);
    if (node) this.#most = Math.max(this.#most, slot + 1);
    else this.summed = true;
    return slot;
  }

  #release(one: Standing): void {
    const district = this.#district(one.node);
    district.slots.release(one.key);
    district.bySlot.delete(one.slot);
    if (!one.node) this.summed = true;
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

  #leave(one: Standing, now: number, quietly: boolean): void {
    this.#release(one);
    this.#count(one.node, one.pod, -1);
    this.#standing.delete(one.key);
    this.motions.stop(one);
    if (one.box >= 0) {
      this.tiles.remove(one.box);
      this.touched.add(one.node);
    }
    if (!quietly) this.motions.fade({ x: one.x, y: one.y }, this.palette.get('--soft'), now);
  }

  // -- cards ---------------------------------------------------------------------------------------------------------

  #paint(deadline: number): void {
    const height = nodeHeight(this.layout.rows);
    let done = 0;
    for (const name of this.#stale) {
      if (done % STRIDE === STRIDE - 1 && performance.now() > deadline) return;
      done++;
      this.#stale.delete(name);
      const place = this.layout.nodes.get(name);
      const node = this.#nodes.get(name);
      const district = this.#districts.get(name);
      if (!place || !node || !district) continue;
      this.#zones = null;
      this.summed = true;
      if (paintCard(this, place, node, district, height)) this.touched.add(name);
      const news = paintCell(this, place, node, district, height, this.#by);
      if (news) this.repainted.add(name);
      // A fence reaches over its cell: half a pixel of it would be drawn twice.
      if (news === 'fence') this.whole = true;
      if (this.layout.nodes.size <= MOST_WITH_SLOTS) {
        paintHoles(this, place, district, this.layout.rows);
        this.touched.add(name);
      }
      const words = `${node.ready === 'True'} ${node.unschedulable}`;
      if (district.shown.words !== words) this.worded = true;
      district.shown.words = words;
    }
  }

  /** The boxes of these districts, to be drawn one upon the other. */
  passes(names: Iterable<string>, afar: boolean): Pass[] {
    const districts: District[] = [];
    for (const name of names) {
      const district = name ? this.#districts.get(name) : this.#lane;
      if (district) districts.push(district);
    }
    return afar ? cells(this, districts) : tiles(this, districts);
  }

  // -- questions -----------------------------------------------------------------------------------------------------

  /** Pods that stand on no node. */
  get waiting(): number {
    return this.#lane.bySlot.size;
  }

  /** How far down they stand. */
  get laneEnds(): number {
    return this.#placeOf('', Math.max(this.#lane.slots.height - 1, 0)).y + SLOT / 2;
  }

  load(node: string): Readonly<Load> {
    return this.#districts.get(node)?.load ?? EMPTY;
  }

  /** Sums of each zone. */
  get zones(): ReadonlyMap<string, Zone> {
    if (this.#zones) return this.#zones;
    return (this.#zones = sumUp(this.layout.nodes.values(), (name) => this.#nodes.get(name), (name) => this.load(name)));
  }

  /** What stands at a point of the world. */
  at(x: number, y: number): Found {
    const height = nodeHeight(this.layout.rows);
    for (const place of this.layout.nodes.values()) {
      if (x < place.x || y < place.y || x > place.x + NODE_WIDTH || y > place.y + height) continue;
      const slot = slotUnder(x - place.x, y - place.y);
      const standing = slot === null ? undefined : this.#districts.get(place.name)?.bySlot.get(slot);
      if (standing) return { kind: 'pod', pod: standing.pod };
      const node = this.#nodes.get(place.name);
      return node ? { kind: 'node', node } : null;
    }
    if (y < this.layout.top) {
      for (const one of this.#lane.bySlot.values()) if (Math.abs(one.x - x) < SLOT / 2 && Math.abs(one.y - y) < SLOT / 2) return { kind: 'pod', pod: one.pod };
    }
    return null;
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  placeOfPod(key: string): Point | null {
    const standing = this.#standing.get(key);
    return standing ? { x: standing.x, y: standing.y } : null;
  }

  /** Where a kubelet's dots begin: the head of its node's card. */
  placeOfKubelet(node: string): Point | null {
    const place = this.layout.nodes.get(node);
    return place ? { x: place.x + NODE_WIDTH - 16, y: place.y + 14 } : null;
  }

  get pods(): number {
    return this.#standing.size;
  }

  /** The pods that stand on a node. */
  on(node: string): Iterable<Standing> {
    return this.#districts.get(node)?.bySlot.values() ?? [];
  }

  /** The node on which a pod stands; empty when on none, or unknown. */
  nodeOf(key: string): string {
    return this.#standing.get(key)?.node ?? '';
  }
}
