/**
 * A journey as a short film: its scene drawn on a canvas moment by moment and taken up by the browser's own recorder, as long as the
 * journey plays. Where a picture is late, the next one stands where the journey is by then.
 */
import { fontOf, LOOKS } from './looks';
import { at, type Scene } from './scene';
import { draw } from './shapes';
import { withDuration } from './webm';

/** In pixels; the scene is scaled to it. */
const WIDE = 1440;
const PICTURES = 30;
const BITS = 6_000_000;

const TYPES = ['video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm', 'video/mp4'];

/** What this browser can record; nothing when it cannot. */
export function typeOf(): string {
  if (typeof MediaRecorder === 'undefined' || !('captureStream' in HTMLCanvasElement.prototype)) return '';
  return TYPES.find((one) => MediaRecorder.isTypeSupported(one)) ?? '';
}

export interface Film {
  blob: Blob;
  ending: 'webm' | 'mp4';
}

/** One picture of the scene. `ground` is what `still` made. */
function picture(context: CanvasRenderingContext2D, scene: Scene, ground: HTMLCanvasElement, colours: Record<string, string>, moment: number): void {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.drawImage(ground, 0, 0);
  const scale = ground.width / scene.width;
  context.setTransform(scale, 0, 0, scale, 0, -scene.top * scale);
  const now = at(scene, moment);
  for (const one of now.shapes) draw(context, one, colours);
  for (const train of now.trains) {
    context.save();
    context.translate(train.x, train.y);
    for (const one of train.shapes) draw(context, one, colours);
    context.restore();
  }
  if (!now.words) return;
  const { who, text, look, x, y } = now.words;
  draw(context, { is: 'text', look: `${look} name`, x, y, text: who }, colours);
  context.font = fontOf({ ...LOOKS['text'], ...LOOKS['said'], ...LOOKS['name'] });
  const after = context.measureText(`${who} `).width;
  draw(context, { is: 'text', look, x: x + after, y, text }, colours);
}

function blank(scene: Scene): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = WIDE;
  // Recorders want even sides.
  canvas.height = Math.round((scene.height * WIDE) / scene.width / 2) * 2;
  return canvas;
}

/** What stands still, painted once. */
function still(scene: Scene, colours: Record<string, string>): HTMLCanvasElement {
  const canvas = blank(scene);
  const context = canvas.getContext('2d')!;
  const scale = WIDE / scene.width;
  context.setTransform(scale, 0, 0, scale, 0, -scene.top * scale);
  for (const one of scene.ground) draw(context, one, colours);
  return canvas;
}

/**
 * Play the scene once and record it. `progress` hears from 0 to 1. Aborting rejects with the signal's reason; so does a page that goes
 * into the background, where browsers stop drawing.
 */
export async function record(scene: Scene, colours: Record<string, string>, options: { progress: (share: number) => void; signal: AbortSignal }): Promise<Film> {
  const type = typeOf();
  if (!type) throw new Error('This browser cannot record a canvas.');
  await Promise.all(Object.values(LOOKS).filter((look) => look.size).map((look) => document.fonts.load(fontOf(look), scene.head)));
  options.signal.throwIfAborted();
  const canvas = blank(scene);
  const context = canvas.getContext('2d')!;
  const ground = still(scene, colours);
  picture(context, scene, ground, colours, 0);
  const recorder = new MediaRecorder(canvas.captureStream(PICTURES), { mimeType: type, videoBitsPerSecond: BITS });
  const parts: Blob[] = [];
  recorder.ondataavailable = (event) => event.data.size && parts.push(event.data);

  await new Promise<void>((resolve, reject) => {
    let frame = 0;
    const end = (settle: () => void) => {
      cancelAnimationFrame(frame);
      options.signal.removeEventListener('abort', aborted);
      document.removeEventListener('visibilitychange', hidden);
      recorder.onstop = settle;
      if (recorder.state === 'inactive') settle();
      else recorder.stop();
    };
    const aborted = () => end(() => reject(options.signal.reason));
    const hidden = () => document.hidden && end(() => reject(new Error('The page went into the background, where browsers stop drawing. Record it again with the page in front.')));
    options.signal.addEventListener('abort', aborted);
    document.addEventListener('visibilitychange', hidden);
    recorder.onerror = () => end(() => reject(new Error('The browser could not go on recording.')));
    recorder.onstart = () => {
      // Called off before it began: the recorder tells of its start all the same.
      if (options.signal.aborted) return;
      const begun = performance.now();
      const step = () => {
        const moment = performance.now() - begun;
        picture(context, scene, ground, colours, Math.min(moment, scene.length));
        options.progress(Math.min(moment / scene.length, 1));
        if (moment >= scene.length) end(resolve);
        else frame = requestAnimationFrame(step);
      };
      step();
    };
    recorder.start();
  });
  const whole = new Blob(parts, { type });
  if (!whole.size) throw new Error('The browser recorded nothing.');
  if (!type.startsWith('video/webm')) return { blob: whole, ending: 'mp4' };
  const bytes = withDuration(new Uint8Array(await whole.arrayBuffer()), scene.length);
  return { blob: new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'video/webm' }), ending: 'webm' };
}
