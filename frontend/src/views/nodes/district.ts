/** What stands in one node's district, and the boxes that show it. */
import type { Look } from '../../state/reduce';
import type { Pod } from '../../types';
import type { Boxes } from './gl/boxes';
import type { Pass } from './gl/renderer';
import type { Mover } from './over';
import { Slots } from './world';

/** A pod on the board. */
export interface Standing {
  readonly key: string;
  pod: Pod;
  node: string;
  slot: number;
  x: number;
  y: number;
  /** Its box among those that stand; -1: it has none, for it moves. */
  box: number;
  look: Look;
  /** How it moves by itself, drawn over the rest; null: it stands. */
  mover: Mover | null;
}

export interface Load {
  pods: number;
  cpu: number;
  memory: number;
  unready: number;
  failed: number;
}

export const EMPTY: Readonly<Load> = { pods: 0, cpu: 0, memory: 0, unready: 0, failed: 0 };

export class District {
  readonly slots = new Slots();
  readonly bySlot = new Map<number, Standing>();
  readonly load: Load = { ...EMPTY };
  /** Boxes; -1: none yet. That of its bars is the one after its card's. */
  card = -1;
  cell = -1;
  /** On its cell: a disc, and a fence. */
  mark = -1;
  fence = -1;
  holes: number[] = [];
  /** What its card, its cell and its words showed when they were last worked out. */
  shown = { card: '', cell: '', words: '' };
  fenced = false;

  /** What was added to its card and cell is no more: all of it is to be worked out anew. */
  forget(): void {
    this.mark = this.fence = -1;
    this.holes = [];
    this.shown = { card: '', cell: '', words: '' };
  }
}

interface Layers {
  readonly cards: Boxes;
  readonly holes: Boxes;
  readonly tiles: Boxes;
  readonly heat: Boxes;
  readonly marks: Boxes;
}

/** What is drawn of districts near by: each box by the program that can do no more than it needs. */
export function tiles({ cards, holes, tiles }: Layers, districts: readonly District[]): Pass[] {
  const [grounds, fenced, bars, free, running, others]: number[][] = [[], [], [], [], [], []];
  for (const district of districts) {
    if (district.card >= 0) {
      (district.fenced ? fenced! : grounds!).push(district.card);
      bars!.push(district.card + 1);
    }
    for (const hole of district.holes) free!.push(hole);
    for (const one of district.bySlot.values()) if (one.box >= 0) (one.look === 'running' ? running! : others!).push(one.box);
  }
  return [
    { boxes: cards, by: 'solid', picks: grounds! },
    { boxes: cards, by: 'shaped', picks: fenced! },
    { boxes: cards, by: 'bars', picks: bars! },
    { boxes: holes, by: 'solid', picks: free! },
    { boxes: tiles, by: 'solid', picks: running! },
    { boxes: tiles, by: 'shaped', picks: others! },
  ];
}

/** And from afar. */
export function cells({ heat, marks }: Layers, districts: readonly District[]): Pass[] {
  const [all, discs, fences]: number[][] = [[], [], []];
  for (const district of districts) {
    if (district.cell >= 0) all!.push(district.cell);
    if (district.mark >= 0) discs!.push(district.mark);
    if (district.fence >= 0) fences!.push(district.fence);
  }
  return [
    { boxes: heat, by: 'cell', picks: all! },
    { boxes: marks, by: 'shaped', picks: fences! },
    { boxes: marks, by: 'solid', picks: discs! },
  ];
}
