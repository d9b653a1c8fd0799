/** How a pod looks: its phase by colour and shape; or coloured by another question (readiness, QoS, namespace, use, restarts). */
import { lookOf, type Look } from '../../state/reduce';
import type { Pod } from '../../types';
import type { Colour } from './gl/boxes';

/** The shader's kinds. */
export const SHAPES: Record<Look, number> = { pending: 1, creating: 2, running: 3, unready: 4, terminating: 5, failed: 6, done: 7 };

export const PHASE_TOKENS: Record<Look, string> = {
  pending: '--soft',
  creating: '--blue',
  running: '--blue',
  unready: '--amber',
  terminating: '--soft',
  failed: '--red',
  done: '--green',
};

export type ColourBy = 'phase' | 'ready' | 'qos' | 'namespace' | 'cpu' | 'memory' | 'restarts';

export const COLOUR_BY: { id: ColourBy; title: string }[] = [
  { id: 'phase', title: 'phase' },
  { id: 'ready', title: 'readiness' },
  { id: 'qos', title: 'QoS class' },
  { id: 'namespace', title: 'namespace' },
  { id: 'cpu', title: 'CPU requested' },
  { id: 'memory', title: 'memory requested' },
  { id: 'restarts', title: 'restarts' },
];

const SERIES = ['--journey-1', '--journey-0', '--journey-2', '--journey-3', '--journey-4', '--journey-5'];

/** A stable number for a word. */
export function hash(text: string): number {
  let value = 2166136261;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 16777619);
  return value >>> 0;
}

/** The token that colours a pod; the shape stays its phase's, so that colour is never alone. */
export function tokenOf(pod: Pod, by: ColourBy): string {
  switch (by) {
    case 'phase':
      return PHASE_TOKENS[lookOf(pod)];
    case 'ready':
      return pod.isReady ? '--green' : lookOf(pod) === 'failed' ? '--red' : '--amber';
    case 'qos':
      return pod.qos === 'Guaranteed' ? '--green' : pod.qos === 'Burstable' ? '--blue' : '--soft';
    case 'namespace':
      return SERIES[hash(pod.namespace) % SERIES.length]!;
    case 'cpu':
      return level(pod.cpu ?? 0, [0.05, 0.25, 1]);
    case 'memory':
      return level((pod.memory ?? 0) / 2 ** 20, [64, 256, 1024]);
    case 'restarts':
      return pod.restarts === 0 ? '--green' : pod.restarts < 5 ? '--amber' : '--red';
  }
}

function level(value: number, [low, middle, high]: [number, number, number]): string {
  if (value <= 0) return '--soft';
  if (value < low) return '--teal';
  if (value < middle) return '--blue';
  return value < high ? '--violet' : '--red';
}

export interface Legend {
  token: string;
  shape: Look;
  words: string;
}

export function legendOf(by: ColourBy, namespaces: string[]): Legend[] {
  switch (by) {
    case 'phase':
      return [
        { token: '--soft', shape: 'pending', words: 'pending' },
        { token: '--blue', shape: 'creating', words: 'creating' },
        { token: '--blue', shape: 'running', words: 'ready' },
        { token: '--amber', shape: 'unready', words: 'not ready' },
        { token: '--soft', shape: 'terminating', words: 'terminating' },
        { token: '--red', shape: 'failed', words: 'failed' },
        { token: '--green', shape: 'done', words: 'completed' },
      ];
    case 'ready':
      return [{ token: '--green', shape: 'running', words: 'ready' }, { token: '--amber', shape: 'unready', words: 'not ready' }, { token: '--red', shape: 'failed', words: 'failed' }];
    case 'qos':
      return [{ token: '--green', shape: 'running', words: 'Guaranteed' }, { token: '--blue', shape: 'running', words: 'Burstable' }, { token: '--soft', shape: 'running', words: 'BestEffort' }];
    case 'namespace':
      return namespaces.slice(0, 8).map((name) => ({ token: SERIES[hash(name) % SERIES.length]!, shape: 'running' as const, words: name }));
    case 'cpu':
      return levels(['none', '< 50m', '< 250m', '< 1', '1 and more']);
    case 'memory':
      return levels(['none', '< 64Mi', '< 256Mi', '< 1Gi', '1Gi and more']);
    case 'restarts':
      return [{ token: '--green', shape: 'running', words: 'none' }, { token: '--amber', shape: 'running', words: '1 to 4' }, { token: '--red', shape: 'running', words: '5 and more' }];
  }
}

function levels(words: string[]): Legend[] {
  return ['--soft', '--teal', '--blue', '--violet', '--red'].map((token, index) => ({ token, shape: 'running' as const, words: words[index]! }));
}

/** The page's colour tokens as numbers, looked up in the living style so that light and dark are always right. */
export class Palette {
  #known = new Map<string, Colour>();
  #probe: HTMLElement;

  constructor(host: HTMLElement) {
    this.#probe = document.createElement('i');
    this.#probe.style.display = 'none';
    host.append(this.#probe);
  }

  forget(): void {
    this.#known.clear();
  }

  get(token: string, alpha = 1): Colour {
    const name = `${token}/${alpha}`;
    const had = this.#known.get(name);
    if (had) return had;
    this.#probe.style.color = `var(${token})`;
    const found = /rgba?\(([\d.]+)[, ]+([\d.]+)[, ]+([\d.]+)/.exec(getComputedStyle(this.#probe).color);
    const colour: Colour = [Number(found?.[1] ?? 0), Number(found?.[2] ?? 0), Number(found?.[3] ?? 0), Math.round(alpha * 255)];
    this.#known.set(name, colour);
    return colour;
  }
}
