/**
 * Where everything stands: zones side by side (in a narrow window below one another), in each a grid of nodes, in each node a grid of slots. Pure, in world units.
 *
 * Places are kept: a node keeps its cell and a pod its slot as long as it lives; what comes later fills what became free. Nothing is laid
 * out by force, so that a person who looks away finds everything where it was.
 */
import { byName } from '../../state/order';

export interface NodePlace {
  name: string;
  zone: string;
  x: number;
  y: number;
}

export interface ZonePlace {
  name: string;
  x: number;
  y: number;
  width: number;
  height: number;
  nodes: number;
}

export interface Point {
  x: number;
  y: number;
}

export const SLOT = 20;
export const TILE = 16;
export const SLOTS_ACROSS = 11;
export const HEAD = 50;
export const PAD = 10;
/** In the head of a card: its two bars (CPU, memory), from the upper edge of the first to the lower one of the second. */
export const BAR_HEIGHT = 5;
export const BARS_HEIGHT = 12;
export const BARS_Y = HEAD - 15;
/** Rows of slots that a card shows at least; a node with more pods than its slots grows. */
export const NODE_WIDTH = SLOTS_ACROSS * SLOT + 2 * PAD;
export const GAP = 18;
const ZONE_GAP = 44;
const ZONE_HEAD = 40;
/** A heading's share of the height of what stands below it, at least. */
const HEAD_SHARE = 0.065;

/** Slots that are kept: each key has a number, and the smallest free number goes to the next. */
export class Slots {
  #of = new Map<string, number>();
  #free: number[] = [];
  #next = 0;

  take(key: string): number {
    const had = this.#of.get(key);
    if (had !== undefined) return had;
    const slot = this.#free.length > 0 ? this.#free.shift()! : this.#next++;
    this.#of.set(key, slot);
    return slot;
  }

  release(key: string): void {
    const slot = this.#of.get(key);
    if (slot === undefined) return;
    this.#of.delete(key);
    // Few are free at a time: a sorted insert is cheap.
    const at = this.#free.findIndex((one) => one > slot);
    if (at < 0) this.#free.push(slot);
    else this.#free.splice(at, 0, slot);
  }

  get(key: string): number | undefined {
    return this.#of.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#of.keys();
  }

  get size(): number {
    return this.#of.size;
  }

  /** One more than the highest number in use. */
  get height(): number {
    // Numbers that are free at the very end count no more.
    while (this.#free.length > 0 && this.#free[this.#free.length - 1] === this.#next - 1) {
      this.#free.pop();
      this.#next--;
    }
    return this.#next;
  }
}

/** The middle of a slot, from the node's own corner. */
export function slotAt(slot: number): Point {
  return { x: PAD + (slot % SLOTS_ACROSS) * SLOT + SLOT / 2, y: HEAD + Math.floor(slot / SLOTS_ACROSS) * SLOT + SLOT / 2 };
}

export function nodeHeight(rows: number): number {
  return HEAD + rows * SLOT + PAD;
}

/**
 * How many nodes stand side by side in a zone of so many, and how many zones: the numbers with which the whole is seen largest in a window
 * of this aspect (width by height). `top` is what stands above all zones.
 */
export function gridFor(nodes: number, zones: number, rows: number, aspect: number, top = 0): { columns: number; across: number } {
  const cellWidth = NODE_WIDTH + GAP;
  const cellHeight = nodeHeight(rows) + GAP;
  let best = { columns: 1, across: Math.max(zones, 1) };
  let largest = 0;
  for (let across = Math.max(zones, 1); across >= 1; across--) {
    const down = Math.ceil(zones / across);
    for (let columns = 1; columns <= Math.min(nodes, 250); columns++) {
      const width = across * (columns * cellWidth + GAP + ZONE_GAP) - ZONE_GAP;
      const height = top + down * (ZONE_HEAD + Math.ceil(nodes / columns) * cellHeight + ZONE_GAP) - ZONE_GAP;
      const scale = Math.min(aspect / width, 1 / height);
      // One row of zones reads best: more of them are worth it where everything becomes clearly larger.
      if (scale > largest * (across === best.across ? 1.001 : 1.3)) {
        largest = scale;
        best = { columns, across };
      }
    }
  }
  return best;
}

export interface Layout {
  /** What stands above the zones, and the height of a zone's heading: both grow with the whole, so that there is room for words from afar. */
  top: number;
  head: number;
  zones: ZonePlace[];
  nodes: Map<string, NodePlace>;
  width: number;
  height: number;
  rows: number;
}

/**
 * Lay the zones out. `cells` keeps each zone's places (they are filled in and emptied here); `rows` is how many rows of slots a card has.
 * `top` leaves room above for the services' lane.
 */
export function layOut(nodes: { name: string; zone: string }[], cells: Map<string, Slots>, rows: number, aspect: number, least = 0): Layout {
  const byZone = new Map<string, string[]>();
  for (const node of nodes) {
    const list = byZone.get(node.zone);
    if (list) list.push(node.name);
    else byZone.set(node.zone, [node.name]);
  }
  for (const [zone, slots] of cells) {
    const here = new Set(byZone.get(zone) ?? []);
    for (const name of [...slots.keys()]) if (!here.has(name)) slots.release(name);
    if (slots.size === 0) cells.delete(zone);
  }
  const names = [...byZone.keys()].sort(byName);
  const largest = Math.max(0, ...[...byZone.values()].map((one) => one.length));
  const { columns, across: zonesAcross } = gridFor(largest, names.length, rows, aspect, least);
  const cellHeight = nodeHeight(rows) + GAP;
  const tallest = Math.ceil(largest / columns) * cellHeight * Math.max(Math.ceil(names.length / zonesAcross), 1);
  const head = Math.max(ZONE_HEAD, tallest * HEAD_SHARE);
  const top = Math.max(least, tallest * HEAD_SHARE);
  const cellWidth = NODE_WIDTH + GAP;
  const places = new Map<string, NodePlace>();
  const zones: ZonePlace[] = [];
  let [x, y] = [0, top];
  let [width, height] = [NODE_WIDTH, 0];
  for (const [number, zone] of names.entries()) {
    if (number > 0 && number % zonesAcross === 0) [x, y] = [0, height + ZONE_GAP];
    const slots = cells.get(zone) ?? new Slots();
    cells.set(zone, slots);
    const members = byZone.get(zone)!.sort(byName);
    for (const name of members) slots.take(name);
    const across = Math.min(columns, Math.max(slots.height, 1));
    const down = Math.ceil(slots.height / columns);
    const wide = across * cellWidth - GAP + 2 * GAP;
    const tall = head + down * cellHeight - GAP + GAP;
    for (const name of members) {
      const cell = slots.get(name)!;
      places.set(name, { name, zone, x: x + GAP + (cell % columns) * cellWidth, y: y + head + Math.floor(cell / columns) * cellHeight });
    }
    zones.push({ name: zone, x, y, width: wide, height: tall, nodes: members.length });
    width = Math.max(width, x + wide);
    height = Math.max(height, y + tall);
    x += wide + ZONE_GAP;
  }
  return { top, head, zones, nodes: places, width, height, rows };
}

/** Which slot of a node lies under a point given from the node's corner; null for its head and margins. */
export function slotUnder(x: number, y: number): number | null {
  const column = Math.floor((x - PAD) / SLOT);
  const row = Math.floor((y - HEAD) / SLOT);
  if (column < 0 || column >= SLOTS_ACROSS || row < 0) return null;
  return row * SLOTS_ACROSS + column;
}
