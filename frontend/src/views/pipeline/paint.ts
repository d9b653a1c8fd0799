/** The pods of a node that has very many, painted on a canvas: squares that keep their place. */
import { lookOf } from '../../state/reduce';
import type { Placed } from './tiles';

const COLOURS = { pending: '--soft', creating: '--blue', running: '--blue', unready: '--amber', terminating: '--soft', failed: '--red', done: '--green' } as const;

/** A Svelte action. */
export function paint(canvas: HTMLCanvasElement, pods: Placed[]): { update: (pods: Placed[]) => void } {
  const draw = (tiles: Placed[]) => {
    const width = canvas.clientWidth || 200;
    const ratio = devicePixelRatio || 1;
    const size = tiles.length > 60 ? 8 : 12;
    const per = Math.max(Math.floor(width / (size + 2)), 1);
    const rows = Math.ceil((Math.max(0, ...tiles.map((one) => one.slot)) + 1) / per);
    const height = Math.max(rows, 2) * (size + 2);
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext('2d');
    if (!context) return;
    context.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    for (const { pod, slot } of tiles) {
      const look = lookOf(pod);
      const x = (slot % per) * (size + 2);
      const y = Math.floor(slot / per) * (size + 2);
      context.fillStyle = context.strokeStyle = style.getPropertyValue(COLOURS[look]);
      context.globalAlpha = look === 'terminating' ? 0.45 : 1;
      if (look === 'pending') context.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1);
      else if (look === 'creating') context.fillRect(x, y + size / 2, size, size / 2);
      else if (look === 'failed') {
        context.beginPath();
        context.moveTo(x + 1, y + 1);
        context.lineTo(x + size - 1, y + size - 1);
        context.moveTo(x + size - 1, y + 1);
        context.lineTo(x + 1, y + size - 1);
        context.lineWidth = 1.6;
        context.stroke();
      } else context.fillRect(x, y, size, size);
    }
  };
  draw(pods);
  return { update: draw };
}
