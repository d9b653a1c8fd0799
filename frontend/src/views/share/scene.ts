/**
 * A journey as a picture: what stands still (tracks, stations, circles, machines), and what is to be seen at a moment (trains,
 * signals, turning circles, words). Every place and time comes from the recorded spans, by the functions that the page draws with. Pure.
 */
import { byName } from '../../state/order';
import { isNoise, lengthOf, schedule, type Run } from '../../time/schedule';
import type { Journey, Pipeline } from '../../types';
import { layoutOf, rounded, seatsAt, type Layout, type Point } from '../pipeline/layout';
import { describe, trainAt, type Ports } from '../pipeline/position';
import { captionsOf, short, tookOf, type Caption } from './captions';
import type { Shape } from './shapes';

export const WIDTH = 1120;
const NODE = { height: 54, top: 26 };
const CAPTION = 78;
const TITLE = 46;
/** Trains that are drawn; the others are counted in the words beneath. */
const MOST_TRAINS = 70;
/** How long the last picture stands before it all begins again. */
const REST = 2400;

export interface Scene {
  width: number;
  height: number;
  /** Where the drawing begins. */
  top: number;
  /** Milliseconds until it begins again. */
  length: number;
  head: string;
  layout: Layout;
  ports: Ports;
  /** The request itself; missing when nothing was recorded. */
  root: Run | undefined;
  runs: Run[];
  captions: Caption[];
  ground: Shape[];
}

export function sceneOf(pipeline: Pipeline, journeys: Journey[]): Scene {
  const runs = schedule(journeys).filter((run) => !isNoise(run.journey));
  const layout = layoutOf(pipeline, WIDTH, seatsOf(pipeline, runs));
  const ports = portsOf(journeys, layout);
  const length = Math.max(lengthOf(runs), 1000) + REST;
  const root = runs.find((run) => run.journey.causes.length === 0) ?? runs[0];
  const drawn = runs.slice(0, MOST_TRAINS);
  const top = layout.top - TITLE;
  const height = layout.height + NODE.top + NODE.height + CAPTION - top;
  const head = root ? headOf(root) : 'A journey';
  const ground: Shape[] = [
    { is: 'rect', look: 'paper', x: 0, y: top, width: WIDTH, height, rx: 0 },
    { is: 'text', look: 'title start', x: 24, y: top + 32, text: short(head, 95) },
    ...groundOf(layout, ports, pipeline),
  ];
  return { width: WIDTH, height, top, length, head, layout, ports, root, runs: drawn, captions: captionsOf(drawn, length), ground };
}

/** Who has a great circle: the loops that take part, and others while there is room, in the order of the declaration. */
function seatsOf(pipeline: Pipeline, runs: Run[]): string[] {
  const turning = new Set(runs.map((run) => run.journey.component));
  const all = pipeline.loops.map((one) => one.name);
  const first = [...all.filter((name) => turning.has(name)), ...all.filter((name) => !turning.has(name))].slice(0, seatsAt(pipeline, WIDTH));
  return all.filter((name) => first.includes(name));
}

/** The machines that a journey touched, in a row beneath the map. */
function portsOf(journeys: Journey[], layout: Layout): Ports {
  const names = new Set<string>();
  for (const one of journeys) {
    if (one.component.startsWith('kubelet/')) names.add(one.component.slice('kubelet/'.length));
    if (one.actor.startsWith('system:node:')) names.add(one.actor.slice('system:node:'.length));
  }
  const sorted = [...names].sort(byName);
  return new Map(sorted.map((name, index) => [name, { x: (index + 0.5) * (layout.width / sorted.length), y: layout.height + NODE.top }]));
}

function headOf(run: Run): string {
  const { journey } = run;
  const end = journey.code ? ` → ${journey.code}${journey.outcome === 'refused' ? ' refused' : ''}` : '';
  return `${journey.actor} ${describe(journey)}${journey.namespace ? ` in ${journey.namespace}` : ''}${end}`;
}

export const isStopped = (outcome: string | undefined): boolean => outcome === 'refused' || outcome === 'error';

/** A train about its own place, which is 0, 0. */
export function trainOf(run: Run, refused: boolean): Shape[] {
  const scale = run.journey.causes.length ? 0.78 : 1;
  const car: Shape = { is: 'rect', look: refused ? 'car red' : 'car', x: -14 * scale, y: -7 * scale, width: 28 * scale, height: 14 * scale, rx: 7 * scale };
  return run.count > 1 ? [car, { is: 'text', look: 'count', x: 0, y: -11, text: `×${run.count}` }] : [car];
}

/** The signals of the request's stations with what each took, and the moment from which on they are seen. */
export function signalsOf({ root, layout }: Scene): { from: number; shapes: Shape[] }[] {
  if (root?.journey.kind !== 'request') return [];
  return root.legs.flatMap((leg, index) => {
    const station = layout.stations.get(leg.stage);
    const span = root.journey.spans[index];
    if (!station || !span || leg.stage === 'respond') return [];
    const shapes: Shape[] = [];
    if (isStopped(leg.outcome)) shapes.push({ is: 'path', look: 'no', d: `M${station.x - 4.5} ${station.y}h9` });
    else if (!station.big) shapes.push({ is: 'circle', look: 'ok', x: station.x, y: station.y, r: 4.2 });
    shapes.push({ is: 'text', look: station.big ? 'mono start' : 'mono', x: station.x + (station.big ? 30 : 0), y: station.y + (station.big ? 4 : 31), text: tookOf(span.end - span.start) });
    return [{ from: leg.to, shapes }];
  });
}

/** The circles that turned, and when. */
export function turningOf({ layout, runs }: Scene): { shape: Shape; stretches: { from: number; to: number }[] }[] {
  return [...layout.loops.values()].flatMap((loop) => {
    const stretches = runs.filter((run) => run.journey.component === loop.name && run.journey.kind === 'reconcile').map(({ from, to }) => ({ from, to }));
    return stretches.length ? [{ shape: { is: 'circle', look: 'on', x: loop.x, y: loop.y, r: loop.r } as Shape, stretches: stretches.sort((a, b) => a.from - b.from) }] : [];
  });
}

/** A caption's two parts: who, and what; they stand at the same height. */
export function wordsOf({ layout }: Scene, caption: Caption): { who: string; text: string; look: string; x: number; y: number } {
  return { who: caption.who, text: short(caption.text, 110), look: `said start${caption.bad ? ' bad' : ''}`, x: 24, y: layout.height + NODE.top + NODE.height + 46 };
}

export interface Moment {
  /** What lies on the ground, in the order in which it is drawn. */
  shapes: Shape[];
  trains: { x: number; y: number; shapes: Shape[] }[];
  words: ReturnType<typeof wordsOf> | null;
}

/** What is to be seen at a moment, in milliseconds of display time. */
export function at(scene: Scene, moment: number): Moment {
  const caption = scene.captions.find((one) => moment >= one.from && moment < one.to);
  return {
    shapes: [
      ...turningOf(scene).filter(({ stretches }) => stretches.some(({ from, to }) => moment >= from && moment < to)).map(({ shape }) => shape),
      ...signalsOf(scene).filter(({ from }) => moment >= from).flatMap(({ shapes }) => shapes),
    ],
    trains: scene.runs.flatMap((run) => {
      const train = trainAt(scene.layout, scene.ports, run, moment);
      return train ? [{ x: train.x, y: train.y, shapes: trainOf(run, train.refused) }] : [];
    }),
    words: caption ? wordsOf(scene, caption) : null,
  };
}

function groundOf(layout: Layout, ports: Ports, pipeline: Pipeline): Shape[] {
  const out: Shape[] = [];
  const track = (kind: string, points: (Point | undefined)[], radius?: number) => {
    const known = points.filter((one): one is Point => one !== undefined);
    if (known.length > 1) out.push({ is: 'path', look: `track ${kind}`, d: rounded(known, radius) });
  };
  const line = (look: string, d: string) => out.push({ is: 'path', look, d });
  const circle = (look: string, x: number, y: number, r: number) => out.push({ is: 'circle', look, x, y, r });
  const text = (look: string, x: number, y: number, said: string, turn?: number) => out.push({ is: 'text', look, x, y, text: said, ...(turn ? { turn } : {}) });
  const station = (name: string) => layout.stations.get(name);
  const [etcd, cache] = [station('etcd'), station('cache')];
  const { client, house } = layout;

  out.push({ is: 'rect', look: 'house', x: house.x, y: house.y, width: house.width, height: house.height, rx: 16 });
  text('name soft start', house.x + 16, house.y + house.height - 14, 'API server');
  if (etcd) {
    track('watch', [{ x: etcd.x, y: etcd.y + 24 }, { x: etcd.x, y: layout.watchY }, { x: layout.watchFrom, y: layout.watchY }]);
    const lowest = layout.nodesY - 14;
    if (ports.size) track('watch', [{ x: etcd.x, y: layout.watchY }, { x: layout.right, y: layout.watchY }, { x: layout.right, y: lowest }, { x: Math.min(...[...ports.values()].map((one) => one.x)), y: lowest }]);
    for (const port of ports.values()) line('track watch', `M${port.x} ${lowest}V${port.y}`);
  }
  track('back', [{ x: layout.right - 18, y: layout.returnY }, { x: layout.left, y: layout.returnY }, ...layout.door]);
  if (cache) track('read', layout.readTrack, 22);
  track('write', [client, ...layout.write.map(station)]);
  circle('ring', client.x, client.y, 13.5);
  circle('from', client.x, client.y, 5);
  text('name', client.x, client.y - 24, 'client');

  for (const one of layout.stations.values()) {
    if (one.name === 'respond') continue;
    if (one.big) {
      out.push({ is: 'rect', look: 'ring', x: one.x - 24, y: one.y - 24, width: 48, height: 48, rx: 12 });
      line('disks', `M${one.x - 11} ${one.y - 9}h22M${one.x - 11} ${one.y}h22M${one.x - 11} ${one.y + 9}h22`);
      text('name', one.x, one.y - 34, one.title);
      continue;
    }
    circle('ring', one.x, one.y, 9.5);
    const words = one.title.length > 9 && one.title.includes(' ') && !layout.slanted ? one.title.split(/ (?=[^ ]*$)/) : [one.title];
    if (one.line === 'read') text('', one.x, one.y + 27, one.title);
    else if (layout.slanted) text('name start', one.x + 2, one.y - 18, one.title, -38);
    else words.forEach((word, row) => text('name', one.x, one.y - 22 - (words.length - 1 - row) * 14, word));
  }
  for (const loop of layout.loops.values()) {
    if (!loop.quiet) line('track watch', `M${loop.x} ${layout.watchY}V${loop.y - loop.r}`);
    circle('loop', loop.x, loop.y, loop.r);
    if (loop.quiet) continue;
    for (const stop of loop.stops) circle('stop', stop.x, stop.y, 3.8);
    loop.words.forEach((word, row) => text('soft', loop.x, loop.y + loop.r + 17 + row * 13, word));
  }
  if (layout.quiets.n) text('soft start', layout.quiets.x, layout.quiets.y, `${layout.quiets.n} quiet loops`);
  const stops = [...layout.scheduler];
  if (stops.length) {
    const [first, last] = [stops[0]![1], stops.at(-1)![1]];
    track('back', [last, { x: last.x + 20, y: last.y }, { x: last.x + 20, y: layout.returnY }], 10);
    line('track watch', `M${first.x} ${layout.watchY}V${first.y - 8}`);
    line('bench', `M${first.x} ${first.y}H${last.x}`);
    text('name', layout.schedulerBox.x + layout.schedulerBox.width / 2, layout.schedulerBox.y - 24, pipeline.components.find((one) => one.name === 'scheduler')?.title ?? 'scheduler');
    for (const [name, point] of stops) {
      circle('ring', point.x, point.y, 7.5);
      text('soft', point.x, point.y + 24, name);
    }
  }
  const width = Math.min(WIDTH / Math.max(ports.size, 1) - 16, 260);
  for (const [name, port] of ports) {
    out.push({ is: 'rect', look: 'node', x: port.x - width / 2, y: port.y, width, height: NODE.height, rx: 12 });
    text('name', port.x, port.y + 24, short(name, Math.floor(width / 8)));
    text('soft', port.x, port.y + 42, 'kubelet');
  }
  return out;
}
