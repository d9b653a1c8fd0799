/** The map for a phone: the same lines, stood on end. The write line runs down to etcd, what watches stands below it. */
import type { Pipeline } from '../../types';
import { bench, circles, lines, SCHEDULER_WIDTH, type Layout, type Station } from './layout';

/** Narrower than this, the map stands upright. */
export const UPRIGHT = 600;
const PITCH = 42;
const GREAT = 84;
const QUIET = 22;

export function seatsUpright(pipeline: Pipeline, width: number): number {
  return Math.min(pipeline.loops.length, Math.max(Math.floor((width - 40) / GREAT), 1));
}

export function uprightOf(pipeline: Pipeline, width: number, great: string[], named: boolean): Layout {
  const stations = new Map<string, Station>();
  const write = pipeline.stages.filter((stage) => stage.line !== 'read');
  const read = pipeline.stages.filter((stage) => stage.line === 'read');
  const inside = write.filter((stage) => stage.component !== 'etcd' && stage.name !== 'respond');
  const x = 58;
  const client = { x, y: 26 };
  const first = client.y + 64;
  inside.forEach((stage, index) => {
    stations.set(stage.name, { name: stage.name, title: stage.title, line: stage.line, x, y: first + PITCH * index, big: false });
  });
  const last = first + PITCH * (inside.length - 1);
  const etcdY = last + 66;
  for (const stage of write.filter((one) => one.component === 'etcd')) {
    stations.set(stage.name, { name: stage.name, title: stage.title, line: stage.line, x, y: etcdY, big: true });
  }
  const authz = stations.get('authz') ?? { x, y: first + PITCH * 2 };
  const readX = width - 92;
  const readY = Math.min(authz.y + PITCH * 2, last);
  read.forEach((stage, index) => {
    stations.set(stage.name, { name: stage.name, title: stage.title, line: 'read', x: readX, y: readY + PITCH * index, big: false });
  });
  if (pipeline.stages.some((stage) => stage.name === 'respond')) {
    stations.set('respond', { name: 'respond', title: 'respond', line: 'all', x, y: first - 24, big: false });
  }
  const cache = stations.get('cache');

  const watchY = etcdY + 52;
  const greatY = watchY + 52;
  const right = width - 8;
  const n = pipeline.loops.length - great.length;
  // The scheduler's own stretch of the watch line comes down between two great circles.
  const pitch = (right - 44) / great.length;
  const between = 30 + pitch * Math.max(Math.ceil(great.length / 2), 1);
  const schedulerX = Math.min(between - 16, right - SCHEDULER_WIDTH - 6);
  const schedulerY = greatY + 110;
  const rowLength = named ? 1 : Math.max(Math.floor((schedulerX - 44) / QUIET), 1);
  const rows = named ? 0 : Math.ceil(n / rowLength);
  const quietFrom = { x: 44, y: schedulerY - 16 };
  const across = Math.max(Math.ceil(n / 2), 1);
  const returnY = Math.max(schedulerY + 46, quietFrom.y + rows * QUIET + 4) + (named ? across * QUIET : 0);
  const loops = circles(pipeline, great, {
    great: (index) => ({ x: 30 + pitch * (index + 0.5), y: greatY }),
    quiet: (index) =>
      named
        ? { x: 44 + Math.floor(index / across) * ((width - 44) / 2), y: schedulerY + 50 + (index % across) * QUIET }
        : { x: quietFrom.x + (index % rowLength) * QUIET, y: quietFrom.y + Math.floor(index / rowLength) * QUIET },
    r: 6.5,
  });
  const height = returnY + 40;
  return {
    width,
    height,
    client,
    stations,
    ...lines(inside, write, read),
    slanted: false,
    house: { x: 32, y: first - 26, width: width - 46, height: last - first + 52 },
    loops,
    steps: pipeline.loop_steps,
    scheduler: bench(pipeline, schedulerX, schedulerY),
    schedulerBox: { x: schedulerX, y: schedulerY, width: SCHEDULER_WIDTH },
    upright: true,
    quiets: { x: 36, y: schedulerY - 36, n },
    readTrack: cache ? [authz, { x: authz.x + 20, y: authz.y + PITCH / 2 }, { x: cache.x, y: authz.y + PITCH / 2 }, cache] : [],
    feedTrack: cache ? [{ x: x + 24, y: etcdY - 8 }, { x: cache.x, y: etcdY - 8 }, cache] : [],
    door: [
      { x: 14, y: client.y + 30 },
      { x, y: client.y + 30 },
    ],
    watchFrom: 30,
    watchY,
    nodesY: height,
    returnY,
    left: 14,
    right,
    top: 0,
  };
}
