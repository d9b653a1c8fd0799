/** What of the board lies in the window, and which pixels it takes. Pure. */
import type { Camera } from './camera';
import type { Patch } from './gl/renderer';
import { NODE_WIDTH, nodeHeight, type Layout } from './world';

/** A window: where it looks, its size in pixels of the page, how many pixels of the card one of those has, and how many there are of them. */
export interface View {
  camera: Camera;
  width: number;
  height: number;
  ratio: number;
  wide: number;
  high: number;
}

/** The window's edges, in the world. */
export function edges({ camera, width, height }: View): [left: number, top: number, right: number, bottom: number] {
  return [camera.x, camera.y, camera.x + width / camera.scale, camera.y + height / camera.scale];
}

/** The names of those districts that can be seen; of all, or of some. The lane above them (its name is empty) ends at `laneEnds`. */
export function inView(layout: Layout, view: View, laneEnds: number, some: Iterable<string> | null = null): string[] {
  const [left, top, right, bottom] = edges(view);
  const height = nodeHeight(layout.rows);
  const found: string[] = [];
  const look = (name: string) => {
    const place = layout.nodes.get(name);
    if (place ? place.x < right && place.y < bottom && place.x + NODE_WIDTH > left && place.y + height > top : name === '' && laneEnds > top) found.push(name);
  };
  if (some) for (const name of some) look(name);
  else {
    look('');
    for (const name of layout.nodes.keys()) look(name);
  }
  return found;
}

/**
 * The pixels that a district's boxes may colour: those whose middle is at most half a pixel of the page outside of it. Another district is
 * further away than that. The lane takes the whole width.
 */
export function patchOf(layout: Layout, name: string, { camera, ratio, wide, high }: View): Patch | null {
  const place = layout.nodes.get(name);
  if (!place && name !== '') return null;
  const tall = nodeHeight(layout.rows);
  const scale = camera.scale * ratio;
  const reach = 0.5 * ratio;
  const left = place ? (place.x - camera.x) * scale : 0;
  const right = place ? left + NODE_WIDTH * scale : wide;
  const top = place ? (place.y - camera.y) * scale : 0;
  const bottom = place ? top + tall * scale : (layout.top - camera.y) * scale - reach;
  const within = (at: number, most: number) => Math.min(Math.max(at, 0), most);
  const x = within(Math.ceil(left - reach - 0.5), wide);
  const y = within(Math.ceil(top - reach - 0.5), high);
  const endX = within(Math.floor(right + reach - 0.5) + 1, wide);
  const endY = within(Math.floor(bottom + reach - 0.5) + 1, high);
  // The card counts from below.
  return endX > x && endY > y ? { x, y: high - endY, width: endX - x, height: endY - y } : null;
}
