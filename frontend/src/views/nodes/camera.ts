/** Where we look: the world point at the window's corner, and how many pixels a world unit takes. Pure. */
import { TILE } from './world';

export interface Camera {
  x: number;
  y: number;
  scale: number;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const LEAST = 0.012;
export const MOST = 4;

function clampScale(scale: number): number {
  return Math.min(Math.max(scale, LEAST), MOST);
}

/** The camera that shows the whole box with a margin of so many pixels; `above`: pixels at the upper edge over which something else stands. */
export function fit(box: Box, width: number, whole: number, margin = 24, most = 1.35, above = 0): Camera {
  const height = whole - above;
  const scale = clampScale(Math.min((width - 2 * margin) / Math.max(box.width, 1), (height - 2 * margin) / Math.max(box.height, 1), most));
  return { x: box.x - (width / scale - box.width) / 2, y: box.y - Math.max((height / scale - box.height) / 2, margin / scale) * (box.height * scale < height * 0.6 ? 0.5 : 1) - above / scale, scale };
}

/** Zoom by a factor; the world point under the pointer stays there. */
export function zoomAt(camera: Camera, px: number, py: number, factor: number): Camera {
  const scale = clampScale(camera.scale * factor);
  return { x: camera.x + px / camera.scale - px / scale, y: camera.y + py / camera.scale - py / scale, scale };
}

export function pan(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale };
}

export function toWorld(camera: Camera, px: number, py: number): { x: number; y: number } {
  return { x: camera.x + px / camera.scale, y: camera.y + py / camera.scale };
}

export function toScreen(camera: Camera, x: number, y: number): { x: number; y: number } {
  return { x: (x - camera.x) * camera.scale, y: (y - camera.y) * camera.scale };
}

/** A step of the way to another camera: `t` from 0 to 1. Scale goes by ratio, so that a zoom looks even. */
export function between(from: Camera, to: Camera, t: number): Camera {
  const eased = t < 0.5 ? 2 * t * t : 1 - (2 - 2 * t) ** 2 / 2;
  const scale = from.scale * (to.scale / from.scale) ** eased;
  return { x: from.x + (to.x - from.x) * eased, y: from.y + (to.y - from.y) * eased, scale };
}

/** What is drawn at this scale. */
export type Detail = 'heat' | 'tiles' | 'labels';

export function detailAt(scale: number): Detail {
  if (scale < 0.15) return 'heat';
  return scale < 0.42 ? 'tiles' : 'labels';
}

/** Whether a tile is large enough for the ring of its countdown (the shader draws none below five pixels). */
export function ringsShow(scale: number): boolean {
  return scale * TILE >= 5;
}
