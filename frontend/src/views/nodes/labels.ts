/** Words over the board, painted on a canvas of their own only when something moved: zones, nodes, Services, and pods when they are near. */
import type { Board } from './board';
import { toScreen, type Camera, type Detail } from './camera';
import type { Palette } from './looks';
import { css } from './over';
import { NODE_WIDTH, nodeHeight, PAD, TILE } from './world';

export interface Named {
  name: string;
  x: number;
  y: number;
}

interface Options {
  palette: Palette;
  services: Named[];
  selected: string;
}

/** The scale from which pods' names are written, and how many at the most. */
export const NAMES_FROM = 2.6;
const MOST_NAMES = 400;

function shorten(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`${text.slice(0, middle)}…`).width <= room) low = middle;
    else high = middle - 1;
  }
  return low > 1 ? `${text.slice(0, low)}…` : '';
}

export function drawLabels(canvas: HTMLCanvasElement, board: Board, camera: Camera, detail: Detail, ratio: number, options: Options): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const { palette } = options;
  const ink = css(palette.get('--ink'));
  const soft = css(palette.get('--soft'));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const width = canvas.width / ratio;
  const height = canvas.height / ratio;
  context.clearRect(0, 0, width, height);
  context.textBaseline = 'middle';
  const tall = nodeHeight(board.layout.rows);
  const { scale } = camera;

  for (const zone of board.layout.zones) {
    const at = toScreen(camera, zone.x, zone.y);
    // Drawn here: a box that large would cost the card more than all that stands in it.
    frame(context, at.x, at.y, zone.width * scale, zone.height * scale, Math.max(8, 20 * scale), css(palette.get('--line')));
    const size = Math.min(Math.max(18 * scale, 11), 22);
    context.font = `650 ${size}px 'Inter Variable', sans-serif`;
    context.fillStyle = ink;
    context.textAlign = 'left';
    const y = at.y + (board.layout.head / 2) * scale;
    const name = shorten(context, zone.name || 'no zone', Math.max(zone.width * scale - 20, 40));
    context.fillText(name, at.x + 18 * Math.max(scale, 0.3), y);
    const wide = context.measureText(name).width;
    context.font = `400 ${Math.max(size * 0.72, 10)}px 'Inter Variable', sans-serif`;
    context.fillStyle = soft;
    const sum = detail === 'heat' ? board.zones.get(zone.name) : undefined;
    const parts = [`${zone.nodes.toLocaleString('en')} ${zone.nodes === 1 ? 'node' : 'nodes'}`];
    if (sum) {
      parts.push(`${sum.pods.toLocaleString('en')} pods`, `${Math.round((sum.cpu / Math.max(sum.capacity, 0.001)) * 100)} % CPU`);
      if (sum.bad) parts.push(`${sum.bad.toLocaleString('en')} NotReady`);
      if (sum.failed) parts.push(`${sum.failed.toLocaleString('en')} pods failed`);
    }
    // As much of it as there is room for.
    const room = zone.width * scale - wide - 30;
    while (parts.length > 1 && context.measureText(parts.join(' · ')).width > room) parts.pop();
    const count = parts.join(' · ');
    if (wide + 30 + context.measureText(count).width < zone.width * scale) context.fillText(count, at.x + 18 * Math.max(scale, 0.3) + wide + 9, y + 1);
  }

  if (detail === 'heat' && board.waiting > 0) {
    const at = toScreen(camera, 0, 0);
    context.font = `600 12px 'Inter Variable', sans-serif`;
    context.fillStyle = css(palette.get('--amber-text'));
    context.textAlign = 'left';
    context.fillText(`${board.waiting.toLocaleString('en')} ${board.waiting === 1 ? 'pod waits' : 'pods wait'} for a node`, Math.max(at.x, 8), Math.max(at.y + board.layout.top * scale - 9, 8));
  }

  for (const one of options.services) {
    const at = toScreen(camera, one.x, one.y);
    if (at.x < -80 || at.x > width + 80 || scale < 0.16) continue;
    context.font = `600 12px 'Inter Variable', sans-serif`;
    context.fillStyle = ink;
    context.textAlign = one.name === 'clients' ? 'left' : 'center';
    context.fillText(shorten(context, one.name, 130), one.name === 'clients' ? at.x - 10 * scale : at.x, at.y + 10 * scale + 11);
  }
  context.textAlign = 'left';

  if (detail === 'heat') {
    // No pod is seen from so far: its node is marked.
    const place = board.layout.nodes.get(board.nodeOf(options.selected) || options.selected);
    if (place) {
      const at = toScreen(camera, place.x, place.y);
      outline(context, at.x - 3, at.y - 3, NODE_WIDTH * scale + 6, tall * scale + 6, 5, ink);
    }
  } else {
    for (const place of board.layout.nodes.values()) {
      const at = toScreen(camera, place.x, place.y);
      const wide = NODE_WIDTH * scale;
      if (at.x > width || at.y > height || at.x + wide < 0 || at.y + tall * scale < 0) continue;
      const node = board.node(place.name);
      if (!node) continue;
      const size = Math.min(Math.max(15 * scale, 9.5), 20);
      if (detail === 'labels' || wide > 62) {
        const dead = node.ready !== 'True';
        const state = dead ? 'NotReady' : node.unschedulable ? 'Cordoned' : detail === 'labels' ? 'Ready' : '';
        context.font = `600 ${size * 0.86}px 'Inter Variable', sans-serif`;
        const stateWidth = state ? context.measureText(state).width + 8 : 0;
        const y = at.y + 17 * scale;
        if (state && stateWidth < wide * 0.6) {
          context.fillStyle = css(palette.get(dead ? '--red' : node.unschedulable ? '--amber-text' : '--green'));
          context.textAlign = 'right';
          context.fillText(state, at.x + wide - PAD * scale, y);
          context.textAlign = 'left';
        }
        context.font = `600 ${size}px 'JetBrains Mono Variable', monospace`;
        context.fillStyle = ink;
        context.fillText(shorten(context, place.name, wide - 2 * PAD * scale - stateWidth), at.x + PAD * scale, y);
      }
      if (options.selected === place.name) outline(context, at.x, at.y, wide, tall * scale, 12 * scale, ink);
    }
  }

  const side = TILE * scale;
  // One that has no node stands above all of them.
  const chosen = detail === 'heat' ? null : board.placeOfPod(options.selected);
  if (chosen) {
    const at = toScreen(camera, chosen.x, chosen.y);
    outline(context, at.x - side / 2 - 2, at.y - side / 2 - 2, side + 4, side + 4, 5 * scale, ink);
  }
  if (scale <= NAMES_FROM) return;
  let written = 0;
  context.textAlign = 'center';
  for (const place of board.layout.nodes.values()) {
    const corner = toScreen(camera, place.x, place.y);
    if (corner.x > width || corner.y > height || corner.x + NODE_WIDTH * scale < 0 || corner.y + tall * scale < 0) continue;
    for (const one of board.on(place.name)) {
      if (written++ > MOST_NAMES) break;
      const at = toScreen(camera, one.x, one.y);
      context.font = `500 ${Math.min(side * 0.17, 12)}px 'JetBrains Mono Variable', monospace`;
      context.fillStyle = css(palette.get('--card'));
      context.fillText(shorten(context, one.pod.name, side * 0.94), at.x, at.y);
    }
  }
  context.textAlign = 'left';
}

function outline(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, radius: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 2.5;
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  context.stroke();
}

function frame(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, radius: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  context.stroke();
}
