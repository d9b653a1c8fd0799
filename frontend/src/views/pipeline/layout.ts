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
  /** Its title, in at most two lines; a quiet line's stands aslant, in one. */
  words: string[];
  quiet: boolean;
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
  /** Whether the stations stand so close that their names must be aslant. */
  slanted: boolean;
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

/** Closer than this, the names of stations would touch. */
const CLOSE = 60;
const SCHEDULER_WIDTH = 176;
/** The pitch of the great circle lines, of which as many are drawn as fit; the others run quietly below. */
const GREAT = 82;
const GREAT_R = 25;
const QUIET_R = 8.5;
/** Room below the return track for names aslant. */
const NAMES = 94;

export function layoutOf(pipeline: Pipeline, width = 760): Layout {
  const stations = new Map<string, Station>();
  const write = pipeline.stages.filter((stage) => stage.line !== 'read');
  const read = pipeline.stages.filter((stage) => stage.line === 'read');
  const inside = write.filter((stage) => stage.component !== 'etcd' && stage.name !== 'respond');
  const left = 116;
  const etcdX = width - 92;
  const right = etcdX - 74;
  const gap = (right - left) / Math.max(inside.length - 1, 1);
  const slanted = gap < CLOSE;
  const writeY = slanted ? 124 : 106;
  const readY = writeY + 54;
  inside.forEach((stage, index) => {
    stations.set(stage.name, { name: stage.name, title: stage.title, line: stage.line, x: left + gap * index, y: writeY, big: false });
  });
  const authz = stations.get('authz') ?? { x: left + gap * 2, y: writeY };
  read.forEach((stage, index) => {
    stations.set(stage.name, { name: stage.name, title: stage.title, line: 'read', x: authz.x + Math.max(gap, 70) * (index + 1.5), y: readY, big: false });
  });
  for (const stage of write.filter((one) => one.component === 'etcd')) {
    stations.set(stage.name, { name: stage.name, title: stage.title, line: stage.line, x: etcdX, y: writeY, big: true });
  }
  const client = { x: 46, y: writeY };
  if (pipeline.stages.some((stage) => stage.name === 'respond')) {
    stations.set('respond', { name: 'respond', title: 'respond', line: 'all', x: left, y: readY, big: false });
  }

  const watchY = readY + 66;
  const greatY = watchY + 60;
  const returnY = greatY + 104;
  const schedulerX = width - SCHEDULER_WIDTH - 10;
  const room = schedulerX - 30;
  const greats = Math.min(pipeline.loops.length, Math.max(Math.floor(room / GREAT), 1));
  const quiets = pipeline.loops.length - greats;
  const quietFrom = 112;
  const quietPitch = (width - 54 - quietFrom) / Math.max(quiets - 1, 1);
  const loops = new Map<string, Circle>();
  pipeline.loops.forEach((loop, index) => {
    const quiet = index >= greats;
    const r = quiet ? Math.min(QUIET_R, quietPitch * 0.34) : GREAT_R;
    const x = quiet ? quietFrom + quietPitch * (index - greats) : 30 + (room / greats) * (index + 0.5);
    const y = quiet ? returnY - 20 : greatY;
    const stops = pipeline.loop_steps.map((_, stop) => {
      const angle = -Math.PI / 2 + (2 * Math.PI * stop) / Math.max(pipeline.loop_steps.length, 1);
      return { x: x + r * Math.cos(angle), y: y + r * Math.sin(angle) };
    });
    loops.set(loop.name, { name: loop.name, title: loop.title, words: quiet ? [loop.title] : lines(loop.title, 12), quiet, x, y, r, stops });
  });
  const schedulerStages = pipeline.components.find((one) => one.name === 'scheduler')?.stages ?? [];
  const schedulerY = greatY + 4;
  const scheduler = new Map<string, Point>();
  schedulerStages.forEach((name, index) => {
    scheduler.set(name, { x: schedulerX + 16 + (index * (SCHEDULER_WIDTH - 52)) / Math.max(schedulerStages.length - 1, 1), y: schedulerY });
  });
  const height = returnY + (quiets > 0 ? NAMES : 20) + 26;
  return {
    width,
    height,
    client,
    stations,
    write: [...inside.map((stage) => stage.name), ...write.filter((one) => one.component === 'etcd').map((one) => one.name)],
    read: [...inside.filter((stage) => stage.line === 'all'), ...read].map((stage) => stage.name),
    slanted,
    house: { x: left - 38, y: slanted ? 44 : 52, width: right - left + 74, height: readY - (slanted ? 44 : 52) + 40 },
    loops,
    steps: pipeline.loop_steps,
    scheduler,
    schedulerBox: { x: schedulerX, y: schedulerY, width: SCHEDULER_WIDTH },
    watchY,
    nodesY: height,
    returnY,
    left: 14,
    right: width - 12,
    top: slanted ? 34 : 44,
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
