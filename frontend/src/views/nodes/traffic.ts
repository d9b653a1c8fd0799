/** Signals as dots: which way each goes, in what colour; and which dot lies under the pointer. Pure but for the clock handed in. */
import type { Colour } from './gl/boxes';
import type { Palette } from './looks';
import type { Point } from './world';

/** A dot that travels between two moments (seconds of the renderer's clock); its radius is in pixels, whatever the scale. */
export interface Dot {
  fromX: number;
  fromY: number;
  toX: number;
  toY: number;
  begins: number;
  ends: number;
  radius: number;
  failed: boolean;
  colour: Colour;
}

export interface Signal {
  kind: 'startup' | 'liveness' | 'readiness' | 'request';
  at: number;
  node: string;
  namespace: string;
  pod: string;
  ok: boolean;
  said: string;
  service: string;
  client: string;
}

export interface SignalFlow {
  kind: Signal['kind'];
  node: string;
  namespace: string;
  service: string;
  ok: boolean;
  n: number;
}

export interface SignalsMessage {
  op: 'signals';
  signals: Signal[];
  flows: SignalFlow[];
  missed: number;
}

/** Where things stand on the board. */
export interface Places {
  pod(key: string): Point | null;
  kubelet(node: string): Point | null;
  service(key: string): Point | null;
  clients(): Point;
}

const TOKENS: Record<Signal['kind'], string> = { startup: '--amber', liveness: '--violet', readiness: '--teal', request: '--blue' };
const LEG: Record<Signal['kind'], number> = { startup: 0.45, liveness: 0.45, readiness: 0.45, request: 0.55 };

export interface Travelling extends Dot {
  signal: Signal | SignalFlow;
}

/** The legs of one signal, one after the other; empty when one of its ends is not on the board. */
export function legsOf(signal: Signal, places: Places, palette: Palette, begins: number): Travelling[] {
  const colour = palette.get(signal.ok ? TOKENS[signal.kind] : '--red');
  const leg = LEG[signal.kind];
  const stops: Point[] = [];
  if (signal.kind === 'request') {
    const client = signal.client ? places.pod(signal.client) : places.clients();
    if (client) stops.push(client);
    const service = signal.service ? places.service(`${signal.namespace}/${signal.service}`) : null;
    if (service) stops.push(service);
  } else {
    const kubelet = places.kubelet(signal.node);
    if (kubelet) stops.push(kubelet);
  }
  const pod = signal.pod ? places.pod(`${signal.namespace}/${signal.pod}`) : null;
  if (pod) stops.push(pod);
  const legs: Travelling[] = [];
  for (let index = 0; index + 1 < stops.length; index++) {
    const from = stops[index]!;
    const to = stops[index + 1]!;
    const last = index + 2 === stops.length;
    legs.push({
      signal, colour, radius: signal.kind === 'request' ? 3.4 : 2.6, failed: !signal.ok && last,
      fromX: from.x, fromY: from.y, toX: to.x, toY: to.y, begins: begins + index * leg, ends: begins + (index + 1) * leg,
    });
  }
  return legs;
}

/** Many at once: one larger dot from the Service (or the kubelet) to the node. */
export function legOfFlow(flow: SignalFlow, places: Places, palette: Palette, begins: number): Travelling | null {
  const node = places.kubelet(flow.node);
  const from = flow.kind === 'request' ? (flow.service ? places.service(`${flow.namespace}/${flow.service}`) : places.clients()) : null;
  if (!node || !from) return null;
  return {
    signal: flow, colour: palette.get(flow.ok ? TOKENS[flow.kind] : '--red', 0.75), radius: 3.4 + Math.log2(flow.n + 1), failed: false,
    fromX: from.x, fromY: from.y, toX: node.x, toY: node.y, begins, ends: begins + 0.6,
  };
}

/** Where a dot is at a moment; null before and after its way. */
export function whereIs(dot: Dot, now: number): Point | null {
  const t = (now - dot.begins) / Math.max(dot.ends - dot.begins, 0.001);
  if (t < 0 || t > 1) return null;
  const x = dot.toX - dot.fromX;
  const y = dot.toY - dot.fromY;
  const bow = 0.06 * Math.sin(Math.PI * t);
  return { x: dot.fromX + x * t - y * bow, y: dot.fromY + y * t + x * bow };
}

/** The dot nearest to a point of the world, within `reach`. */
export function nearest(dots: readonly Travelling[], now: number, x: number, y: number, reach: number): Travelling | null {
  let best: Travelling | null = null;
  let least = reach;
  for (const dot of dots) {
    const at = whereIs(dot, now);
    if (!at) continue;
    const distance = Math.hypot(at.x - x, at.y - y);
    if (distance < least) {
      least = distance;
      best = dot;
    }
  }
  return best;
}

/** A signal in a sentence. */
export function told(signal: Signal | SignalFlow): string {
  if ('n' in signal) return `${signal.n} ${signal.kind === 'request' ? 'requests' : `${signal.kind} probes`} ${signal.service ? `to ${signal.service} ` : ''}through ${signal.node}${signal.ok ? '' : ', failed'}`;
  if (signal.kind === 'request') {
    const who = signal.client || 'a client';
    const what = signal.service || signal.pod || 'an address';
    const by = signal.pod && signal.service ? `, answered by ${signal.pod}` : '';
    return `${who} asks ${what}${by}: ${signal.said || 'answered'}`;
  }
  const name = `${signal.kind} probe of ${signal.pod}`;
  return signal.ok ? `${name}: passed` : `${name} failed: ${signal.said}`;
}
