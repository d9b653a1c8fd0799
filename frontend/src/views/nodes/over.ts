/**
 * What moves by itself, drawn each frame over what stands: pods that fly, fade or count down, and dots. On a canvas of its own, so that
 * nothing below need be drawn again for it.
 */
import type { Look } from '../../state/reduce';
import type { Camera } from './camera';
import { edges, type View } from './cull';
import type { Colour } from './gl/boxes';
import { whereIs, type Dot } from './traffic';
import { TILE, type Point } from './world';

/** A pod that moves: between two moments (seconds of the renderer's clock) it flies here, fades, or counts down. */
export interface Mover {
  readonly look: Look | 'gone';
  readonly colour: Colour;
  readonly from: Point;
  readonly to: Point;
  readonly begins: number;
  readonly ends: number;
}

/** How much of its time is over, 0 to 1. */
export function progressOf({ begins, ends }: Mover, now: number): number {
  return Math.min(Math.max((now - begins) / Math.max(ends - begins, 0.001), 0), 1);
}

/** Where it is. Flights end slowly. */
export function placeOf(one: Mover, now: number): Point {
  if (one.from === one.to) return one.to;
  const eased = 1 - (1 - progressOf(one, now)) ** 3;
  return { x: one.from.x + (one.to.x - one.from.x) * eased, y: one.from.y + (one.to.y - one.from.y) * eased };
}

export const css = ([red, green, blue, alpha]: Colour) => `rgba(${red},${green},${blue},${alpha / 255})`;

export function drawOver(canvas: HTMLCanvasElement, movers: Iterable<Mover>, dots: Iterable<Dot>, view: View, now: number): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const { camera, ratio } = view;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, view.width, view.height);
  const [left, top, right, bottom] = edges(view);
  const side = Math.max(TILE * camera.scale, 1.3);
  for (const one of movers) {
    const { x, y } = placeOf(one, now);
    if (x + TILE < left || x - TILE > right || y + TILE < top || y - TILE > bottom) continue;
    tile(context, one, (x - camera.x) * camera.scale, (y - camera.y) * camera.scale, side, progressOf(one, now));
  }
  context.globalAlpha = 1;
  for (const one of dots) disc(context, one, camera, now);
}

/** How much of its colour a tile too small for a shape has. */
const FAINT: Partial<Record<Mover['look'], number>> = { pending: 0.55, terminating: 0.4, creating: 0.7 };
/** And how much the ground of one that is not filled. */
const GROUND: Partial<Record<Mover['look'], number>> = { pending: 0, creating: 0.25, unready: 0.22, terminating: 0.28, failed: 0.12, done: 0.3 };

/** The same shapes as the board's own (gl/shaders.ts). */
function tile(context: CanvasRenderingContext2D, { look, colour }: Mover, x: number, y: number, side: number, progress: number): void {
  const half = side / 2;
  context.fillStyle = context.strokeStyle = css(colour);
  if (side < 5) {
    context.globalAlpha = look === 'gone' ? 1 - progress : (FAINT[look] ?? 1);
    context.fillRect(x - half, y - half, side, side);
    return;
  }
  const radius = side / 4;
  const line = Math.max(half * 0.17, 1);
  context.globalAlpha = look === 'gone' ? 1 - progress : (GROUND[look] ?? 1);
  context.beginPath();
  context.roundRect(x - half, y - half, side, side, radius);
  if (context.globalAlpha > 0) context.fill();
  if (look === 'running' || look === 'gone') return;
  context.globalAlpha = 1;
  context.lineWidth = line;
  if (look === 'creating') {
    context.beginPath();
    context.roundRect(x - half, y + half * 0.1, side, half * 0.9, [0, 0, radius, radius]);
    context.fill();
    context.globalAlpha = 0.8;
  } else if (look === 'unready') {
    context.beginPath();
    context.moveTo(x - half, y - half + radius);
    context.arcTo(x - half, y + half, x + half, y + half, radius);
    context.lineTo(x + half - radius, y + half);
    context.fill();
  } else if (look === 'failed') {
    const reach = half * 0.6;
    context.lineWidth = Math.max(half * 0.4, 1);
    context.beginPath();
    context.moveTo(x - reach, y - reach);
    context.lineTo(x + reach, y + reach);
    context.moveTo(x + reach, y - reach);
    context.lineTo(x - reach, y + reach);
    context.stroke();
    context.lineWidth = line;
  }
  const inner = half - line / 2;
  if (look === 'terminating') ring(context, x, y, inner, radius - line / 2, 1 - progress);
  else {
    context.beginPath();
    context.roundRect(x - inner, y - inner, 2 * inner, 2 * inner, radius - line / 2);
    context.stroke();
  }
}

/** From the middle of its upper edge, clockwise, as much as is left. */
function ring(context: CanvasRenderingContext2D, x: number, y: number, half: number, radius: number, left: number): void {
  context.beginPath();
  context.moveTo(x, y - half);
  context.arcTo(x + half, y - half, x + half, y, radius);
  context.arcTo(x + half, y + half, x, y + half, radius);
  context.arcTo(x - half, y + half, x - half, y, radius);
  context.arcTo(x - half, y - half, x, y - half, radius);
  context.closePath();
  const around = 8 * half - (8 - 2 * Math.PI) * radius;
  context.setLineDash([around * left, around]);
  context.stroke();
  context.setLineDash([]);
}

function disc(context: CanvasRenderingContext2D, dot: Dot, camera: Camera, now: number): void {
  const at = whereIs(dot, now);
  if (!at) return;
  const x = (at.x - camera.x) * camera.scale;
  const y = (at.y - camera.y) * camera.scale;
  context.fillStyle = context.strokeStyle = css(dot.colour);
  if (dot.failed) {
    const reach = dot.radius * 0.75;
    context.lineWidth = 2.8;
    context.beginPath();
    context.moveTo(x - reach, y - reach);
    context.lineTo(x + reach, y + reach);
    context.moveTo(x + reach, y - reach);
    context.lineTo(x - reach, y + reach);
    context.stroke();
    return;
  }
  context.beginPath();
  context.arc(x, y, dot.radius, 0, 2 * Math.PI);
  context.fill();
}
