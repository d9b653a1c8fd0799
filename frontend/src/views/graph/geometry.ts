/**
 * Where the objects of a graph are drawn, and the lines between them. Columns from left to right where there is room for them; in a narrow
 * window they stand below one another, each as rows of its objects, and the lines between them run down a gutter. Pure.
 */
import type { Edge, EdgeKind, Graph, Slots } from './graph';

export interface Point {
  x: number;
  y: number;
}

export interface Geometry {
  width: number;
  height: number;
  /** Of one object. */
  wide: number;
  /** From its own corner to that of its neighbour in the next column and row. */
  step: Point;
  spots: Map<string, Point>;
  /** Where the words above each column begin (their baseline). */
  headings: { column: number; x: number; y: number }[];
  line: (edge: Edge) => string;
}

export const HEIGHT = 44;
const WIDE = 186;
const LEAST = 30;
const MOST = 84;
const ROW = 62;
const MARGIN = 16;
/** Windows narrower than this have their columns below one another. */
const NARROW = 560;
/** Between two objects side by side: room for a line of each kind. */
const LANES: EdgeKind[] = ['owns', 'routes', 'selects', 'mounts', 'runs', 'grants', 'scales'];
const LANE = 4;
const GUTTER = LANES.length * LANE + 4;
const ACROSS = 2;
const UPRIGHT_ROW = 58;
const HEAD = 30;

/** `room`: the width of the window, in the units that are drawn in. */
export function layOut(graph: Graph, slots: Slots, room: number): Geometry {
  // Columns that nothing stands in take no room.
  const columns = [...new Set(graph.nodes.map((node) => node.column))].sort((a, b) => a - b);
  return room < NARROW ? upright(graph, slots, columns, room) : lying(graph, slots, columns, room);
}

function lying(graph: Graph, slots: Slots, columns: number[], room: number): Geometry {
  // All of them in sight when that can be.
  const step = WIDE + Math.min(Math.max((room - 2 * MARGIN - columns.length * WIDE) / Math.max(columns.length - 1, 1), LEAST), MOST);
  const spots = new Map(graph.nodes.map((node) => [node.id, { x: columns.indexOf(node.column) * step + MARGIN, y: (slots.get(node.id) ?? 0) * ROW + 46 }]));
  const line = (edge: Edge): string => {
    const [a, b] = [spots.get(edge.from), spots.get(edge.to)];
    if (!a || !b) return '';
    const back = b.x <= a.x;
    const [x1, y1, x2, y2] = [back ? a.x : a.x + WIDE, a.y + HEIGHT / 2, back ? b.x + WIDE : b.x, b.y + HEIGHT / 2];
    const middle = back ? x1 - MARGIN : x2 - (step - WIDE) / 2;
    return bent([{ x: x1, y: y1 }, { x: middle, y: y1 }, { x: middle, y: y2 }, { x: x2, y: y2 }]);
  };
  return {
    width: (Math.max(columns.length, 1) - 1) * step + WIDE + 2 * MARGIN,
    height: Math.max(...[...spots.values()].map((one) => one.y), 0) + HEIGHT + 20,
    wide: WIDE,
    step: { x: step, y: ROW },
    spots,
    headings: columns.map((column, index) => ({ column, x: index * step + MARGIN, y: 22 })),
    line,
  };
}

function upright(graph: Graph, slots: Slots, columns: number[], room: number): Geometry {
  const wide = Math.max((room - 2 * MARGIN - GUTTER) / ACROSS, 120);
  const spots = new Map<string, Point>();
  const headings: Geometry['headings'] = [];
  let y = 0;
  for (const column of columns) {
    headings.push({ column, x: MARGIN, y: y + 20 });
    const here = graph.nodes.filter((node) => node.column === column).sort((a, b) => (slots.get(a.id) ?? 0) - (slots.get(b.id) ?? 0));
    here.forEach((node, index) => spots.set(node.id, { x: MARGIN + (index % ACROSS) * (wide + GUTTER), y: y + HEAD + Math.floor(index / ACROSS) * UPRIGHT_ROW }));
    y += HEAD + Math.ceil(here.length / ACROSS) * UPRIGHT_ROW;
  }
  const gap = UPRIGHT_ROW - HEIGHT;
  const line = (edge: Edge): string => {
    const [a, b] = [spots.get(edge.from), spots.get(edge.to)];
    if (!a || !b) return '';
    // Out of the side that looks into the gutter, down (or up) in the lane of its kind, and in at that side.
    const side = (one: Point) => (one.x === MARGIN ? one.x + wide : one.x);
    const lane = MARGIN + wide + LANE + LANES.indexOf(edge.kind) * LANE;
    return bent([{ x: side(a), y: a.y + HEIGHT / 2 }, { x: lane, y: a.y + HEIGHT / 2 }, { x: lane, y: b.y + HEIGHT / 2 }, { x: side(b), y: b.y + HEIGHT / 2 }]);
  };
  return { width: ACROSS * wide + GUTTER + 2 * MARGIN, height: y + gap, wide, step: { x: wide + GUTTER, y: UPRIGHT_ROW }, spots, headings, line };
}

/** A line through these points, which go by turns across and down, with round corners. */
function bent([start, first, second, end]: [Point, Point, Point, Point]): string {
  if (start.y === end.y) return `M${start.x} ${start.y}H${end.x}`;
  const bend = Math.min(14, Math.abs(end.y - start.y) / 2, Math.max(Math.abs(first.x - start.x), 4), Math.max(Math.abs(end.x - second.x), 4));
  const down = Math.sign(end.y - start.y);
  const out = Math.sign(first.x - start.x) || 1;
  const into = Math.sign(end.x - second.x) || 1;
  return `M${start.x} ${start.y}H${first.x - out * bend}Q${first.x} ${start.y} ${first.x} ${start.y + down * bend}V${end.y - down * bend}Q${second.x} ${end.y} ${second.x + into * bend} ${end.y}H${end.x}`;
}
