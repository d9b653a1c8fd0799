/** Where a train is: a pure function of the map, the schedule and the moment. Pause, step, speed and rewind are the same code. */
import { legAt, TRAVEL, type Run } from '../../time/schedule';
import type { Journey } from '../../types';
import { along, type Layout, type Point } from './layout';

export interface Train {
  id: string;
  x: number;
  y: number;
  stage: string;
  label: string;
  run: Run;
  line: 'write' | 'read' | 'watch' | 'loop' | 'node';
  refused: boolean;
}

/** Where the machines' districts are, by node: the point at which their line ends. */
export type Ports = Map<string, Point>;

/** The component that made a request, as a place on the map. */
function home(layout: Layout, ports: Ports, journey: Journey): Point {
  const actor = journey.actor;
  const loop = actor.match(/^system:serviceaccount:kube-system:(.+?)(-controller)?$/)?.[1];
  if (actor.startsWith('system:node:')) {
    const port = ports.get(actor.slice('system:node:'.length));
    return port ?? { x: layout.width / 2, y: layout.nodesY };
  }
  if (actor === 'system:kube-scheduler') return layout.scheduler.get('bind') ?? layout.client;
  if (loop) {
    const found = [...layout.loops.values()].find((one) => loop.startsWith(one.name) || one.name.startsWith(loop));
    if (found) return { x: found.x, y: found.y + found.r };
  }
  return layout.client;
}

/** The track by which a request comes to the door: from a person straight, from a component along the return track. */
function approach(layout: Layout, ports: Ports, journey: Journey): Point[] {
  const first = layout.stations.get(layout.write[0] ?? '') ?? layout.client;
  if (journey.causes.length === 0) return [layout.client, first];
  const from = home(layout, ports, journey);
  // The scheduler's siding leaves to the right, all others go straight down (kubelets: up) to the return track.
  const siding = journey.actor === 'system:kube-scheduler' ? [{ x: from.x + 20, y: from.y }] : [];
  return [
    from,
    ...siding,
    { x: siding[0]?.x ?? from.x, y: layout.returnY },
    { x: layout.left, y: layout.returnY },
    ...layout.door,
    first,
  ];
}

/** The way a change travels out: etcd, the watch line, and down to who listens. */
function outward(layout: Layout, ports: Ports, journey: Journey): Point[] {
  const etcd = layout.stations.get('etcd') ?? layout.client;
  const start = [
    { x: etcd.x, y: etcd.y },
    { x: etcd.x, y: layout.watchY },
  ];
  if (journey.component.startsWith('kubelet/')) {
    const port = ports.get(journey.component.slice('kubelet/'.length)) ?? { x: layout.width / 2, y: layout.nodesY };
    return [
      ...start,
      { x: layout.right, y: layout.watchY },
      { x: layout.right, y: layout.nodesY - 14 },
      { x: port.x, y: layout.nodesY - 14 },
      port,
    ];
  }
  const goal =
    journey.component === 'scheduler'
      ? (layout.scheduler.get('queue') ?? layout.client)
      : (layout.loops.get(journey.component)?.stops[0] ?? layout.client);
  return [...start, { x: goal.x, y: layout.watchY }, goal];
}

function stop(layout: Layout, ports: Ports, journey: Journey, stage: string): Point {
  if (journey.kind === 'request') return layout.stations.get(stage) ?? layout.client;
  if (journey.component === 'scheduler') return layout.scheduler.get(stage) ?? layout.client;
  if (journey.component.startsWith('kubelet/')) {
    return ports.get(journey.component.slice('kubelet/'.length)) ?? { x: layout.width / 2, y: layout.nodesY };
  }
  const circle = layout.loops.get(journey.component);
  return circle?.stops[layout.steps.indexOf(stage)] ?? circle ?? layout.client;
}

export function describe(journey: Journey): string {
  const what = journey.resource ? `${journey.resource}${journey.subresource ? '/' + journey.subresource : ''}` : '';
  return [journey.verb, what, journey.name].filter(Boolean).join(' ');
}

/** The train of a run at a moment; null when it is not under way. */
export function trainAt(layout: Layout, ports: Ports, run: Run, moment: number): Train | null {
  const { journey } = run;
  const base = { id: journey.id, label: describe(journey), run };
  const last = run.legs.at(-1);
  const ends = last?.outcome === 'refused' || last?.outcome === 'error';
  if (moment < run.from) {
    if (journey.causes.length === 0 || moment < run.from - TRAVEL) return null;
    const share = 1 - (run.from - moment) / TRAVEL;
    const request = journey.kind === 'request';
    const way = request ? approach(layout, ports, journey) : outward(layout, ports, journey);
    return { ...base, ...along(way, share), stage: 'on the way', line: request ? 'write' : 'watch', refused: false };
  }
  // Who was refused stands at that station for a while, with a red signal.
  const lingers = ends ? 2600 : 0;
  if (moment >= run.to + lingers) return null;
  const at = legAt(run, moment);
  const index = at ? at.index : run.legs.length - 1;
  const here = run.legs[index];
  if (!here) return null;
  const refused = ends && here === last;
  const place = stop(layout, ports, journey, here.stage);
  const line = journey.kind === 'request' ? (journey.spans.some((span) => span.stage === 'cache') ? 'read' : 'write') : journey.component.startsWith('kubelet/') ? 'node' : 'loop';
  const stage = here.stage;
  if (!at) return { ...base, ...place, stage, line, refused };
  const before = index > 0 ? stop(layout, ports, journey, run.legs[index - 1]!.stage) : place;
  // It arrives in the first quarter of its stage and stands; the way on belongs to the next stage.
  const share = Math.min(at.progress / 0.45, 1);
  const eased = share < 0.5 ? 2 * share * share : 1 - (2 - 2 * share) ** 2 / 2;
  const from = index > 0 ? before : journey.causes.length === 0 ? layout.client : place;
  if (stage === 'respond' && journey.kind === 'request') {
    return { ...base, ...along([before, place], eased), stage, line, refused };
  }
  return { ...base, ...along([from, place], eased), stage, line, refused };
}
