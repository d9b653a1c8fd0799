/** The geometry of the map, from what the server declares. Pure: the same declaration, the same map. */
import type { Pipeline, Stage } from '../../types';

export interface Point {
  x: number;
  y: number;
}

export interface Station extends Point {
  name: string;
  title: string;
  line: Stage['line'];
  big: boolean;
}

export interface Circle extends Point {
  name: string;
  title: string;
  r: number;
  /** Its title, in at most two lines. */
  words: string[];
  stops: Point[];
}

export interface Layout {
  width: number;
  height: number;
  client: Point;
  stations: Map<string, Station>;
  /** The stations of the write line and of the read line, in order. */
  write: string[];
  read: string[];
  house: { x: number; y: number; width: number; height: number };
  loops: Map<string, Circle>;
  steps: string[];
  scheduler: Map<string, Point>;
  schedulerBox: { x: number; y: number; width: number };
  watchY: number;
  nodesY: number;
  returnY: number;
  left: number;
  right: number;
  /** Where the drawing begins. */
  top: number;
}

const WRITE_Y = 106;
const READ_Y = 158;

export function layoutOf(pipeline: Pipeline, width = 760): Layout {
  const stations = new Map<string, Station>();
  const write = pipeline.stages.filter((stage) => stage.line !== 'read');
  const read = pipeline.stages.filter((stage) => stage.line === 'read');
  const inside = write.filter((stage) => stage.component !== 'etcd' && stage.name !== 'respond');
  const left = 118;
  const etcdX = width - 96;
  const right = etcdX - 92;
  const gap = (right - left) / Math.max(inside.length - 1, 1);
  inside.forEach((stage, index) => {
    stations.set(stage.name, {
      name: stage.name,
      title: stage.title,
      line: stage.line,
      x: left + gap * index,
      y: WRITE_Y,
      big: false,
    });
  });
  const authz = stations.get('authz') ?? { x: left + gap * 2, y: WRITE_Y };
  read.forEach((stage, index) => {
    stations.set(stage.name, {
      name: stage.name,
      title: stage.title,
      line: 'read',
      x: authz.x + gap * (index + 1.6),
      y: READ_Y,
      big: false,
    });
  });
  for (const stage of write.filter((one) => one.component === 'etcd')) {
    stations.set(stage.name, { name: stage.name, title: stage.title, line: stage.line, x: etcdX, y: WRITE_Y, big: true });
  }
  const client = { x: 44, y: WRITE_Y };
  if (pipeline.stages.some((stage) => stage.name === 'respond')) {
    stations.set('respond', { name: 'respond', title: 'respond', line: 'all', x: left, y: READ_Y, big: false });
  }

  const watchY = 222;
  const schedulerStages = pipeline.components.find((one) => one.name === 'scheduler')?.stages ?? [];
  const schedulerWidth = 168;
  const loopsRight = width - schedulerWidth - 34;
  // Two rows for up to fourteen; more in three, of which the last may run on below the scheduler.
  const rows = pipeline.loops.length > 14 ? 3 : 2;
  const perRow = rows > 2 ? Math.max(8, Math.floor(pipeline.loops.length / 3)) : Math.ceil(pipeline.loops.length / 2);
  const pitch = rows > 2 ? 87 : 98;
  const step = (loopsRight - 40) / Math.max(perRow, 1);
  const loops = new Map<string, Circle>();
  pipeline.loops.forEach((loop, index) => {
    const row = Math.min(Math.floor(index / perRow), rows - 1);
    const column = index - row * perRow;
    const r = perRow > 8 ? 19 : rows > 2 ? 21 : 23;
    const x = 44 + step * (column + 0.5) - 8;
    const y = watchY + 56 + row * pitch;
    const stops = pipeline.loop_steps.map((_, stop) => {
      const angle = -Math.PI / 2 + (2 * Math.PI * stop) / Math.max(pipeline.loop_steps.length, 1);
      return { x: x + r * Math.cos(angle), y: y + r * Math.sin(angle) };
    });
    loops.set(loop.name, { name: loop.name, title: loop.title, words: lines(loop.title, perRow > 8 ? 9 : rows > 2 ? 10 : 13), x, y, r, stops });
  });
  const schedulerX = width - schedulerWidth - 12;
  const schedulerY = watchY + 92;
  const scheduler = new Map<string, Point>();
  schedulerStages.forEach((name, index) => {
    scheduler.set(name, {
      x: schedulerX + 14 + (index * (schedulerWidth - 40)) / Math.max(schedulerStages.length - 1, 1),
      y: schedulerY,
    });
  });
  const returnY = watchY + 56 + (rows - 1) * pitch + 62;
  return {
    width,
    height: returnY + 42,
    client,
    stations,
    write: [...inside.map((stage) => stage.name), ...write.filter((one) => one.component === 'etcd').map((one) => one.name)],
    read: [...inside.filter((stage) => stage.line === 'all'), ...read].map((stage) => stage.name),
    house: { x: left - 42, y: 52, width: right - left + 84, height: READ_Y - 52 + 40 },
    loops,
    steps: pipeline.loop_steps,
    scheduler,
    schedulerBox: { x: schedulerX, y: schedulerY, width: schedulerWidth },
    watchY,
    nodesY: returnY + 42,
    returnY,
    left: 14,
    right: width - 12,
    top: 44,
  };
}

/** A title over two lines when it is long. */
function lines(title: string, most: number): string[] {
  const words = title.split(' ');
  if (title.length <= most || words.length < 2) return [title];
  const middle = Math.ceil(words.length / 2);
  return [words.slice(0, middle).join(' '), words.slice(middle).join(' ')];
}

/** A point on a polyline, by the share of its length. */
export function along(points: Point[], share: number): Point {
  const first = points[0] ?? { x: 0, y: 0 };
  let total = 0;
  for (let i = 1; i < points.length; i++) total += distance(points[i - 1]!, points[i]!);
  let left = total * Math.min(Math.max(share, 0), 1);
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1]!;
    const b = points[i]!;
    const piece = distance(a, b);
    if (left <= piece) {
      const t = piece ? left / piece : 0;
      return { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t };
    }
    left -= piece;
  }
  return points.at(-1) ?? first;
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** A path through corners, rounded. */
export function rounded(points: Point[], radius = 14): string {
  const [first, ...rest] = points;
  if (!first) return '';
  let path = `M${first.x} ${first.y}`;
  for (let i = 0; i < rest.length; i++) {
    const here = rest[i]!;
    const next = rest[i + 1];
    const before = points[i]!;
    if (!next) {
      path += `L${here.x} ${here.y}`;
      continue;
    }
    const r = Math.min(radius, distance(before, here) / 2, distance(here, next) / 2);
    const a = toward(here, before, r);
    const b = toward(here, next, r);
    path += `L${a.x} ${a.y}Q${here.x} ${here.y} ${b.x} ${b.y}`;
  }
  return path;
}

function toward(from: Point, to: Point, length: number): Point {
  const d = distance(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * length) / d, y: from.y + ((to.y - from.y) * length) / d };
}
