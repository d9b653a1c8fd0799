/** From a train's places to CSS keyframes: sampled from the same function that the page draws from, and thinned where it moves evenly. Pure. */
import { TRAVEL, type Run } from '../../time/schedule';
import type { Layout } from '../pipeline/layout';
import { trainAt, type Ports } from '../pipeline/position';

export interface Frame {
  at: number;
  x: number;
  y: number;
}

/** Milliseconds between two samples, and pixels by which a thinned frame may be off. */
const STEP = 40;
const OFF = 0.7;
/** How long a refused train stands, as on the page. */
const LINGER = 2600;

/** Where a run's train is while it is seen, in milliseconds of display time; empty when it never is. */
export function framesOf(layout: Layout, ports: Ports, run: Run): Frame[] {
  const frames: Frame[] = [];
  for (let at = run.from - TRAVEL; at <= run.to + LINGER + STEP; at += STEP) {
    const train = trainAt(layout, ports, run, at);
    if (train) frames.push({ at, x: train.x, y: train.y });
    else if (frames.length) break;
  }
  return thin(frames);
}

/** The frames between which movement is even: the others follow from them. */
export function thin(frames: Frame[]): Frame[] {
  const kept: Frame[] = [];
  let anchor = 0;
  frames.forEach((frame, index) => {
    const from = frames[anchor]!;
    const next = frames[index + 1];
    const even = next !== undefined && frames.slice(anchor + 1, index + 1).every((one) => {
      const share = (one.at - from.at) / (next.at - from.at);
      return Math.hypot(from.x + (next.x - from.x) * share - one.x, from.y + (next.y - from.y) * share - one.y) < OFF;
    });
    if (index === 0 || !even) {
      kept.push(frame);
      anchor = index;
    }
  });
  return kept;
}

const percent = (at: number, length: number): string => `${Number(((Math.max(at, 0) / length) * 100).toFixed(3))}%`;

/** Keyframes that move something along frames and show it only meanwhile. */
export function travel(name: string, frames: Frame[], length: number): string {
  const first = frames[0]!;
  const last = frames.at(-1)!;
  const place = (one: Frame) => `transform:translate(${one.x.toFixed(1)}px,${one.y.toFixed(1)}px)`;
  const before = first.at > 1 ? `0%,${percent(first.at - 1, length)}{opacity:0;${place(first)}}` : '';
  const way = frames.map((one) => `${percent(one.at, length)}{opacity:1;${place(one)}}`).join('');
  return `@keyframes ${name}{${before}${way}${percent(last.at + 1, length)},100%{opacity:0;${place(last)}}}`;
}

/** Keyframes that show something during these stretches; one that reaches the end stays. */
export function shine(name: string, stretches: { from: number; to: number }[], length: number): string {
  let text = '';
  let dark = 0;
  for (const { from, to } of stretches) {
    const begins = Math.max(from, dark);
    if (to <= begins) continue;
    if (begins > 0) text += `${percent(dark, length)},${percent(begins, length)}{opacity:0}`;
    const ends = Math.min(to, length);
    text += `${percent(begins > 0 ? begins + 1 : 0, length)},${percent(ends, length)}{opacity:1}`;
    dark = ends + 1;
  }
  if (dark < length) text += `${percent(dark, length)},100%{opacity:0}`;
  return `@keyframes ${name}{${text}}`;
}
