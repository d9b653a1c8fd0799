/** A district's card, its free places, and its cell from afar: each changes its boxes only when it looks otherwise than before. */
import type { NodeInfo } from '../../types';
import type { District } from './district';
import type { Boxes, Colour } from './gl/boxes';
import { heatOf } from './heat';
import type { ColourBy, Palette } from './looks';
import { BARS_HEIGHT, BARS_Y, NODE_WIDTH, PAD, slotAt, SLOTS_ACROSS, TILE, type NodePlace } from './world';

interface Layers {
  readonly palette: Palette;
  readonly cards: Boxes;
  readonly holes: Boxes;
  readonly heat: Boxes;
  readonly marks: Boxes;
}

/** The shader's kind. */
const FENCE = 30;

/** Of the bars: what is free, CPU, memory, what is nearly full. */
export const inksOf = (palette: Palette): Colour[] => ['--line', '--teal', '--violet', '--red'].map((token) => palette.get(token));

/** Whether it looks otherwise now. */
export function paintCard({ palette, cards }: Layers, place: NodePlace, node: NodeInfo, district: District, height: number): boolean {
  const dead = node.ready !== 'True';
  // A bar has as many steps as the eye tells apart.
  const share = (of: number) => Math.round(Math.min(Math.max(of, 0), 1) * 400) / 400;
  const cpu = share(district.load.cpu / Math.max(node.capacity.cpu, 0.001));
  const memory = share(district.load.memory / Math.max(node.capacity.memory, 1));
  const now = [dead, node.unschedulable, cpu, memory].join();
  if (district.shown.card === now) return false;
  district.shown.card = now;
  const x = place.x + NODE_WIDTH / 2;
  cards.place(district.card, x, place.y + height / 2, NODE_WIDTH, height);
  cards.look(district.card, FENCE, 12, palette.get(dead ? '--line' : '--well'), palette.get(dead ? '--red' : node.unschedulable ? '--amber' : '--well'));
  cards.place(district.card + 1, x, place.y + BARS_Y + BARS_HEIGHT / 2, NODE_WIDTH - 2 * PAD, BARS_HEIGHT);
  cards.fill(district.card + 1, cpu, memory);
  district.fenced = Boolean(node.unschedulable);
  return true;
}

/** From afar: how full it is by colour, how well by the mark on it. Says whether it looks otherwise now, and whether a fence is there, or was. */
export function paintCell({ palette, heat, marks }: Layers, place: NodePlace, node: NodeInfo, district: District, height: number, by: ColourBy): 'fence' | 'cell' | null {
  const looks = heatOf(node, district.load, by, palette);
  const now = [looks.fill, looks.mark ?? '', Boolean(node.unschedulable)].join();
  const before = district.shown.cell;
  if (before === now) return null;
  district.shown.cell = now;
  const x = place.x + NODE_WIDTH / 2;
  const y = place.y + height / 2;
  heat.place(district.cell, x, y, NODE_WIDTH, height);
  heat.look(district.cell, 0, 0, looks.fill);
  for (const box of [district.mark, district.fence]) if (box >= 0) marks.remove(box);
  district.mark = looks.mark ? marks.add() : -1;
  district.fence = node.unschedulable ? marks.add() : -1;
  if (node.unschedulable) {
    marks.place(district.fence, x, y, NODE_WIDTH, height);
    marks.look(district.fence, FENCE, 0, palette.get('--paper', 0), palette.get('--amber'));
  }
  if (looks.mark) {
    const side = Math.min(NODE_WIDTH, height) * 0.62;
    marks.place(district.mark, x, y, side, side);
    marks.look(district.mark, 0, side / 2, looks.mark);
  }
  return node.unschedulable || before.endsWith('true') ? 'fence' : 'cell';
}

/** Free slots, faintly: room is something to see, too. */
export function paintHoles({ palette, holes }: Layers, place: NodePlace, district: District, rows: number): void {
  for (const hole of district.holes.splice(0)) holes.remove(hole);
  for (let slot = 0; slot < rows * SLOTS_ACROSS; slot++) {
    if (district.bySlot.has(slot)) continue;
    const at = slotAt(slot);
    const box = holes.add();
    district.holes.push(box);
    holes.place(box, place.x + at.x, place.y + at.y, TILE, TILE);
    holes.look(box, 0, 4, palette.get('--well'), palette.get('--line'));
  }
}
