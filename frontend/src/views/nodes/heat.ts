/** How a node looks from afar: a cell whose colour says how full it is, and a mark on it when something there is not well. Pure. */
import type { NodeInfo } from '../../types';
import type { Load } from './district';
import type { Colour } from './gl/boxes';
import type { ColourBy, Palette } from './looks';
import type { NodePlace } from './world';

/** The sums of one zone. */
export interface Zone {
  pods: number;
  cpu: number;
  capacity: number;
  /** Nodes that are not ready; pods that failed. */
  bad: number;
  failed: number;
}

export function sumUp(places: Iterable<NodePlace>, node: (name: string) => NodeInfo | undefined, load: (name: string) => Readonly<Load>): Map<string, Zone> {
  const zones = new Map<string, Zone>();
  for (const { name, zone } of places) {
    const one = node(name);
    if (!one) continue;
    let sum = zones.get(zone);
    if (!sum) zones.set(zone, (sum = { pods: 0, cpu: 0, capacity: 0, bad: 0, failed: 0 }));
    const { pods, cpu, failed } = load(name);
    sum.pods += pods;
    sum.cpu += cpu;
    sum.capacity += one.capacity.cpu;
    sum.failed += failed;
    if (one.ready !== 'True') sum.bad++;
  }
  return zones;
}

export interface Cell {
  fill: Colour;
  mark: Colour | null;
}

/** How full a node is, 0 to 1: by what colours the tiles, or by what runs out first. */
export function fullness(node: NodeInfo, load: Load, by: ColourBy): number {
  const cpu = load.cpu / Math.max(node.capacity.cpu, 0.001);
  const memory = load.memory / Math.max(node.capacity.memory, 1);
  const pods = load.pods / Math.max(node.capacity.pods, 1);
  const share = by === 'cpu' ? cpu : by === 'memory' ? memory : Math.max(cpu, memory, pods);
  return Math.min(Math.max(share, 0), 1);
}

/** The steps of the ramp: up to this share, this token mixed into the paper so much. Seven can be told apart. */
export const RAMP: readonly { upTo: number; token: string; mix: number }[] = [
  { upTo: 0.02, token: '--blue', mix: 0.08 },
  { upTo: 0.25, token: '--blue', mix: 0.24 },
  { upTo: 0.45, token: '--blue', mix: 0.42 },
  { upTo: 0.6, token: '--blue', mix: 0.6 },
  { upTo: 0.75, token: '--blue', mix: 0.8 },
  { upTo: 0.9, token: '--blue', mix: 1 },
  { upTo: Infinity, token: '--violet', mix: 1 },
];

export function heatOf(node: NodeInfo, load: Load, by: ColourBy, palette: Palette): Cell {
  const paper = palette.get('--card');
  const red = palette.get('--red');
  if (node.ready !== 'True') return { fill: red, mark: null };
  const share = fullness(node, load, by);
  const step = RAMP.find((one) => share <= one.upTo)!;
  const fill = blend(palette.get(step.token), paper, step.mix);
  const mark = load.failed > 0 ? red : load.unready > 0 ? palette.get('--amber') : null;
  return { fill, mark };
}

function blend(colour: Colour, paper: Colour, share: number): Colour {
  const mix = (index: 0 | 1 | 2) => Math.round(colour[index] * share + paper[index] * (1 - share));
  return [mix(0), mix(1), mix(2), 255];
}
