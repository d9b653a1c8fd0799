/** The few shapes a journey's picture is made of: as SVG text, and on a canvas. */
import { fontOf, lookOf } from './looks';

export type Shape =
  | { is: 'path'; look: string; d: string }
  | { is: 'circle'; look: string; x: number; y: number; r: number }
  | { is: 'rect'; look: string; x: number; y: number; width: number; height: number; rx: number }
  /** `turn`: degrees, about its place. */
  | { is: 'text'; look: string; x: number; y: number; text: string; turn?: number };

/** XML text and attributes: nothing in a name or a reason can be markup, and what XML has no character for is shown as a mark. */
export function escape(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, '�')
    .replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
}

/** `more` are further attributes, as they are. */
export function svgOf(shape: Shape, more = ''): string {
  const rest = `class="${shape.look}"${more ? ` ${more}` : ''}`;
  if (shape.is === 'path') return `<path ${rest} d="${shape.d}"/>`;
  if (shape.is === 'circle') return `<circle ${rest} cx="${round(shape.x)}" cy="${round(shape.y)}" r="${shape.r}"/>`;
  if (shape.is === 'rect') return `<rect ${rest} x="${round(shape.x)}" y="${round(shape.y)}" width="${round(shape.width)}" height="${round(shape.height)}" rx="${shape.rx}"/>`;
  const place = shape.turn ? `transform="translate(${round(shape.x)} ${round(shape.y)}) rotate(${shape.turn})"` : `x="${round(shape.x)}" y="${round(shape.y)}"`;
  return `<text ${rest} ${place}>${escape(shape.text)}</text>`;
}

const round = (value: number): number => Number(value.toFixed(1));

/** `colours` by the names of tokens.css. */
export function draw(context: CanvasRenderingContext2D, shape: Shape, colours: Record<string, string>): void {
  const look = lookOf(shape.look, shape.is === 'text');
  const path = new Path2D(shape.is === 'path' ? shape.d : undefined);
  if (shape.is === 'circle') path.arc(shape.x, shape.y, shape.r, 0, 2 * Math.PI);
  if (shape.is === 'rect') path.roundRect(shape.x, shape.y, shape.width, shape.height, shape.rx);
  const alpha = look.alpha ?? 1;
  const fill = () => {
    // An SVG path is filled black unless told otherwise; here a shape without a filling has none.
    if (!look.fill || look.fill === 'none') return;
    context.globalAlpha = alpha * (look.inside ?? 1);
    context.fillStyle = colours[look.fill] ?? '#000';
    if (shape.is === 'text') context.fillText(shape.text, 0, 0);
    else context.fill(path);
  };
  const stroke = () => {
    if (!look.stroke || !look.width) return;
    context.globalAlpha = alpha;
    context.strokeStyle = colours[look.stroke] ?? '#000';
    context.lineWidth = look.width;
    context.lineCap = context.lineJoin = 'round';
    context.setLineDash(look.dash ?? []);
    if (shape.is === 'text') context.strokeText(shape.text, 0, 0);
    else context.stroke(path);
  };
  context.save();
  if (shape.is === 'text') {
    context.translate(shape.x, shape.y);
    if (shape.turn) context.rotate((shape.turn * Math.PI) / 180);
    context.font = fontOf(look);
    context.textAlign = look.anchor === 'start' ? 'left' : look.anchor === 'end' ? 'right' : 'center';
  }
  if (look.halo) (stroke(), fill());
  else (fill(), stroke());
  context.restore();
}
