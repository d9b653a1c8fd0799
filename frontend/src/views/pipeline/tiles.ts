/** How the machines stand below the map, and the pods within them. Pure. */
import type { Pod } from '../../types';

export interface Placed {
  pod: Pod;
  /** From 0; a pod keeps it as long as it lives. */
  slot: number;
}

/** In pixels: a tile, and what lies between two. */
export const TILE = 25;
export const GAP = 4;
/** A machine's name, its state and four tiles want this much. */
const NARROWEST = 138;
const BETWEEN = 12;
/** From here on, machines are many: a name and tiles is all there is room for. */
export const DENSE = 12;

/** How many machines stand beside one another in so many pixels: rows are as even as can be. */
export function columnsOf(machines: number, width: number): number {
  if (machines > DENSE) return 5;
  const most = Math.max(Math.floor((width + BETWEEN) / (NARROWEST + BETWEEN)), 1);
  return Math.ceil(Math.max(machines, 1) / Math.ceil(Math.max(machines, 1) / most));
}

/** How many tiles fit into so many pixels. */
export const fitting = (pixels: number): number => Math.max(Math.floor((pixels + GAP) / (TILE + GAP)), 1);

/** The places of a machine, row by row: a pod, or nothing. Whole rows, at least so many, and enough for every pod. */
export function cellsOf(placed: Placed[], across: number, rows: number): (Pod | null)[] {
  const wanted = Math.max(across * rows, ...placed.map((one) => one.slot + 1));
  const cells: (Pod | null)[] = Array.from({ length: Math.ceil(wanted / across) * across }, () => null);
  for (const { pod, slot } of placed) cells[slot] = pod;
  return cells;
}
