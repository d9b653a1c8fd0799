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
  /** A phone's map: the write line runs down, names stand beside the stations. */
  upright: boolean;
  /** Where the loops that have nothing to do say how many they are. */
  quiets: { x: number; y: number; n: number };
  /** The read line from authz to the cache, and what feeds the cache from etcd. */
  readTrack: Point[];
  feedTrack: Point[];
  /** From the left edge of the return track to the door. */
  door: Point[];
  watchFrom: number;
  watchY: number;
  nodesY: number;
  returnY: number;
  left: number;
  right: number;
  /** Where the drawing begins. */
  top: number;
}

/** Closer than this, the names of stations would touch. */
const CLOSE = 66;
export const SCHEDULER_WIDTH = 176;
/** The pitch of the great circle lines, of which as many are drawn as fit; the others run quietly below. */
const GREAT = 90;
const GREAT_R = 28;
const QUIET_R = 6.5;
/** Room below the return track: for the name of the quiet loop that is looked at, or for all their names aslant. */
const NAME = 16;
const NAMES = 96;
/** A line of pods that wait for a node, above the line to the machines. */
const WAITING = 28;

/** How many loops have a great circle at this width. */
export function seatsAt(pipeline: Pipeline, width: number): number {
  return Math.min(pipeline.loops.length, Math.max(Math.floor((width - SCHEDULER_WIDTH - 40) / GREAT), 1));
}

/**
 * Who has a great circle, given who had one and who turns now: a loop that begins to turn takes the place of the one that
 * has been still the longest, the rightmost first. `last` says when each turned last, in milliseconds like `now`.
 */
export function seated(seats: string[], turning: Iterable<string>, last: Map<string, number>, now: number, settled = 2500): string[] {
  let found = seats;
  for (const name of turning) {
    last.set(name, now);
    if (found.includes(name)) continue;
    let at = -1;
    for (let i = found.length - 1; i >= 0; i--) {
      const since = last.get(found[i]!) ?? -Infinity;
      if (now - since >= settled && (at < 0 || since < (last.get(found[at]!) ?? -Infinity))) at = i;
    }
    if (at < 0) continue;
    if (found === seats) found = [...seats];
    found[at] = name;
  }
  return found;
}

/** `seats`: who has a great circle, from the left; `named`: the quiet loops show their names. */
export function layoutOf(pipeline: Pipeline, width = 760, seats: string[] = [], named = false): Layout {
  const stations = new Map<string, Station>();
  const write = pipeline.stages.filter((stage) => stage.line !== 'read');
  const read = pipeline.stages.filter((stage) => stage.line === 'read');
  const inside = write.filter((stage) => stage.component !== 'etcd' && stage.name !== 'respond');
  const left = 108;
  const etcdX = width - 98;
  const right = etcdX - 72;
  const gap = (right - left) / Math.max(inside.length - 1, 1);
  const slanted = gap < CLOSE;
  const writeY = slanted ? 124 : 106;
  const readY = writeY + 60;
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
  const client = { x: 42, y: writeY };
  if (pipeline.stages.some((stage) => stage.name === 'respond')) {
    stations.set('respond', { name: 'respond', title: 'respond', line: 'all', x: left, y: readY, big: false });
  }

  const watchY = readY + 64;
  const greatY = watchY + 62;
  const returnY = greatY + 108;
  const schedulerX = width - SCHEDULER_WIDTH - 10;
  const room = schedulerX - 30;
  const great = seats.length ? seats : pipeline.loops.slice(0, seatsAt(pipeline, width)).map((one) => one.name);
  const n = pipeline.loops.length - great.length;
  const quietFrom = 158;
  const pitch = Math.min((width - 54 - quietFrom) / Math.max(n - 1, 1), 34);
  const loops = circles(pipeline, great, {
    great: (index) => ({ x: 30 + (room / great.length) * (index + 0.5), y: greatY }),
    quiet: (index) => ({ x: quietFrom + pitch * index, y: returnY - 18 }),
    r: Math.min(QUIET_R, pitch * 0.34),
  });
  const schedulerY = greatY + 4;
  const height = returnY + (n > 0 && named ? NAMES : n > 0 ? Math.max(NAME, WAITING) : WAITING) + 30;
  const cache = stations.get('cache');
  return {
    width,
    height,
    client,
    stations,
    ...lines(inside, write, read),
    slanted,
    house: { x: left - 34, y: slanted ? 44 : 52, width: right - left + 70, height: readY - (slanted ? 44 : 52) + 40 },
    loops,
    steps: pipeline.loop_steps,
    scheduler: bench(pipeline, schedulerX, schedulerY),
    schedulerBox: { x: schedulerX, y: schedulerY, width: SCHEDULER_WIDTH },
    upright: false,
    quiets: { x: 32, y: returnY - 14, n },
    readTrack: cache ? [authz, { x: authz.x + 24, y: authz.y }, { x: authz.x + 58, y: cache.y }, cache] : [],
    feedTrack: cache ? [{ x: etcdX - 24, y: writeY + 10 }, { x: etcdX - 44, y: cache.y }, cache] : [],
    door: [
      { x: 14, y: client.y + 36 },
      { x: client.x + 30, y: client.y },
    ],
    watchFrom: 40,
    watchY,
    nodesY: height,
    returnY,
    left: 14,
    right: width - 12,
    top: slanted ? 34 : 44,
  };
}

/** The names of the stations of both lines, in order. */
export function lines(inside: Stage[], write: Stage[], read: Stage[]): { write: string[]; read: string[] } {
  return {
    write: [...inside.map((stage) => stage.name), ...write.filter((one) => one.component === 'etcd').map((one) => one.name)],
    read: [...inside.filter((stage) => stage.line === 'all'), ...read].map((stage) => stage.name),
  };
}

interface Places {
  great: (index: number) => Point;
  quiet: (index: number) => Point;
  /** The radius of a quiet circle. */
  r: number;
}

/** The circle lines: the great ones in the order of their seats, the others in the order in which they are declared. */
export function circles(pipeline: Pipeline, great: string[], places: Places): Map<string, Circle> {
  const found = new Map<string, Circle>();
  let quiets = 0;
  for (const loop of pipeline.loops) {
    const seat = great.indexOf(loop.name);
    const quiet = seat < 0;
    const { x, y } = quiet ? places.quiet(quiets++) : places.great(seat);
    const r = quiet ? places.r : GREAT_R;
    const stops = pipeline.loop_steps.map((_, stop) => {
      const angle = -Math.PI / 2 + (2 * Math.PI * stop) / Math.max(pipeline.loop_steps.length, 1);
      return { x: x + r * Math.cos(angle), y: y + r * Math.sin(angle) };
    });
    found.set(loop.name, { name: loop.name, title: loop.title, words: quiet ? [loop.title] : inTwo(loop.title, 12), quiet, x, y, r, stops });
  }
  return found;
}

/** The stops of the scheduler. */
export function bench(pipeline: Pipeline, x: number, y: number): Map<string, Point> {
  const stages = pipeline.components.find((one) => one.name === 'scheduler')?.stages ?? [];
  return new Map(stages.map((name, index) => [name, { x: x + 16 + (index * (SCHEDULER_WIDTH - 52)) / Math.max(stages.length - 1, 1), y }]));
}

/** A title over two lines when it is long. */
function inTwo(title: string, most: number): string[] {
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
