/** How the parts of a journey's picture look: one table, from which the SVG's style and the strokes on a canvas are made. Pure. */

export interface Look {
  fill?: string;
  stroke?: string;
  /** Of the stroke. */
  width?: number;
  dash?: [number, number];
  /** From 0 to 1, of all of it and of the filling alone. */
  alpha?: number;
  inside?: number;
  /** Text. */
  size?: number;
  weight?: number;
  mono?: boolean;
  anchor?: 'start' | 'middle' | 'end';
  /** The stroke lies beneath the letters, so that they can be read across a line. */
  halo?: boolean;
}

/** Names of colours are those of tokens.css. What stands later in this table wins, as in CSS. */
export const LOOKS: Record<string, Look> = {
  text: { fill: 'ink', size: 13, weight: 500, anchor: 'middle' },
  paper: { fill: 'paper' },
  house: { fill: 'card', inside: 0.6, stroke: 'line', width: 1.5 },
  track: { fill: 'none' },
  write: { stroke: 'amber', width: 6.4 },
  read: { stroke: 'teal', width: 4.2 },
  watch: { stroke: 'violet', width: 2.8, dash: [0.1, 7.5] },
  back: { stroke: 'amber', width: 2.4, alpha: 0.75 },
  ring: { fill: 'card', stroke: 'ink', width: 3 },
  stop: { fill: 'card', stroke: 'soft', width: 1.8 },
  loop: { fill: 'paper', stroke: 'line', width: 3.6 },
  from: { fill: 'amber' },
  on: { fill: 'none', stroke: 'amber', width: 4.6 },
  ok: { fill: 'green' },
  no: { fill: 'none', stroke: 'red', width: 4 },
  disks: { fill: 'none', stroke: 'amber', width: 3.4 },
  bench: { stroke: 'line', width: 5 },
  node: { fill: 'well' },
  car: { fill: 'journey-0', stroke: 'card', width: 2.2 },
  red: { fill: 'red' },
  name: { weight: 650 },
  soft: { fill: 'soft' },
  start: { anchor: 'start' },
  mono: { fill: 'soft', size: 11.5, weight: 400, mono: true },
  count: { size: 12, weight: 700, mono: true, stroke: 'paper', width: 3, halo: true },
  title: { size: 20, weight: 700 },
  said: { size: 18 },
  bad: { fill: 'red' },
};

const NAMES = 'ink soft paper card well line amber amber-text teal teal-text violet violet-text green red journey-0'.split(' ');

/** The colours of tokens.css, for light and for dark. */
export function coloursOf(css: string): Record<'light' | 'dark', Record<string, string>> {
  const found = { light: {} as Record<string, string>, dark: {} as Record<string, string> };
  for (const name of NAMES) {
    const pair = css.match(new RegExp(`--${name}: light-dark\\((#[0-9a-f]+), (#[0-9a-f]+)\\)`));
    if (pair) [found.light[name], found.dark[name]] = [pair[1]!, pair[2]!];
  }
  return found;
}

/** The same as custom properties of an SVG that follows its reader's light or dark. */
export function palette(css: string): string {
  const { light, dark } = coloursOf(css);
  const of = (colours: Record<string, string>) => Object.entries(colours).map(([name, value]) => `--${name}:${value}`).join(';');
  return `svg{color-scheme:light dark;${of(light)}}@media (prefers-color-scheme:dark){svg{${of(dark)}}}`;
}

const SANS = "'Inter Variable',Inter,system-ui,sans-serif";
const MONO = "'JetBrains Mono Variable',ui-monospace,monospace";
const paint = (colour: string): string => (colour === 'none' ? 'none' : `var(--${colour})`);

/** The table as a style sheet. */
export function sheet(): string {
  return Object.entries(LOOKS)
    .map(([name, look]) => {
      const rules = [
        look.fill && `fill:${paint(look.fill)}`,
        look.inside !== undefined && `fill-opacity:${look.inside}`,
        look.stroke && `stroke:${paint(look.stroke)}`,
        look.width && `stroke-width:${look.width};stroke-linecap:round;stroke-linejoin:round`,
        look.dash && `stroke-dasharray:${look.dash.join(' ')}`,
        look.alpha !== undefined && `opacity:${look.alpha}`,
        look.size && `font-size:${look.size}px`,
        look.weight && `font-weight:${look.weight}`,
        name === 'text' ? `font-family:${SANS}` : look.mono && `font-family:${MONO}`,
        look.anchor && `text-anchor:${look.anchor}`,
        look.halo && 'paint-order:stroke',
      ];
      return `${name === 'text' ? 'text' : `.${name}`}{${rules.filter(Boolean).join(';')}}`;
    })
    .join('\n');
}

/** What several names together look like. */
export function lookOf(names: string, text: boolean): Look {
  const wanted = new Set(names.split(' '));
  return Object.entries(LOOKS).reduce<Look>((all, [name, look]) => (wanted.has(name) || (text && name === 'text') ? { ...all, ...look } : all), {});
}

/** A look's letters, as a canvas wants them named. */
export function fontOf(look: Look): string {
  return `${look.weight ?? 500} ${look.size ?? 13}px ${look.mono ? MONO : SANS}`;
}
