/**
 * A journey as one SVG file that moves by itself: the map, the trains on their recorded ways and times (log-scaled as on the page), and
 * what each stage said, as text. CSS keyframes alone, no scripts; light and dark by media query; every text escaped. Pure.
 */
import { isNoise, lengthOf, schedule, type Run } from '../../time/schedule';
import type { Journey, Pipeline } from '../../types';
import { layoutOf, rounded, seatsAt, type Layout, type Point } from '../pipeline/layout';
import { describe, type Ports } from '../pipeline/position';
import { captionsOf, short, tookOf } from './captions';
import { framesOf, shine, travel } from './keyframes';

const WIDTH = 1120;
const NODE = { height: 54, top: 26 };
const CAPTION = 78;
const TITLE = 46;
/** Trains that are drawn; the others are counted in the words beneath. */
const MOST_TRAINS = 70;
/** How long the last picture stands before it all begins again. */
const REST = 2400;

/** XML text and attributes: nothing in a name or a reason can be markup, and what XML has no character for is shown as a mark. */
export function escape(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, '�')
    .replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
}

/** The colours of tokens.css as custom properties, for light and for dark. */
export function palette(css: string): string {
  const names = 'ink soft paper card well line amber amber-text teal teal-text violet violet-text green red journey-0'.split(' ');
  const of = (pick: 1 | 2) =>
    names
      .map((name) => {
        const found = css.match(new RegExp(`--${name}: light-dark\\((#[0-9a-f]+), (#[0-9a-f]+)\\)`));
        return found ? `--${name}:${found[pick]}` : '';
      })
      .join(';');
  return `svg{color-scheme:light dark;${of(1)}}@media (prefers-color-scheme:dark){svg{${of(2)}}}`;
}

/** Who has a great circle: the loops that take part, and others while there is room, in the order of the declaration. */
function seatsOf(pipeline: Pipeline, runs: Run[]): string[] {
  const turning = new Set(runs.map((run) => run.journey.component));
  const all = pipeline.loops.map((one) => one.name);
  const first = [...all.filter((name) => turning.has(name)), ...all.filter((name) => !turning.has(name))].slice(0, seatsAt(pipeline, WIDTH));
  return all.filter((name) => first.includes(name));
}

/** The machines that a journey touched, in a row beneath the map. */
function portsOf(journeys: Journey[], layout: Layout): Ports {
  const names = new Set<string>();
  for (const one of journeys) {
    if (one.component.startsWith('kubelet/')) names.add(one.component.slice('kubelet/'.length));
    if (one.actor.startsWith('system:node:')) names.add(one.actor.slice('system:node:'.length));
  }
  const sorted = [...names].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return new Map(sorted.map((name, index) => [name, { x: (index + 0.5) * (layout.width / sorted.length), y: layout.height + NODE.top }]));
}

const STYLE = `
text{font:500 12px 'Inter Variable',Inter,system-ui,sans-serif;fill:var(--ink);text-anchor:middle}
.paper{fill:var(--paper)}.house{fill:var(--card);fill-opacity:.6;stroke:var(--line);stroke-width:1.5}
.track{fill:none;stroke-linecap:round;stroke-linejoin:round}.write{stroke:var(--amber);stroke-width:6.4}.read{stroke:var(--teal);stroke-width:4.2}
.watch{stroke:var(--violet);stroke-width:2.8;stroke-dasharray:.1 7.5}.back{stroke:var(--amber);stroke-width:2.4;opacity:.75}
.ring{fill:var(--card);stroke:var(--ink);stroke-width:3}.stop{fill:var(--card);stroke:var(--soft);stroke-width:1.8}.loop{fill:var(--paper);stroke:var(--line);stroke-width:3.6}
.from{fill:var(--amber)}.on{fill:none;stroke:var(--amber);stroke-width:4.6}.ok{fill:var(--green)}.no{fill:none;stroke:var(--red);stroke-width:4;stroke-linecap:round}
.disks{fill:none;stroke:var(--amber);stroke-width:3.4;stroke-linecap:round}.bench{stroke:var(--line);stroke-width:5}
.name{font-weight:650}.soft{fill:var(--soft)}.start{text-anchor:start}.mono{font:400 10.5px 'JetBrains Mono Variable',ui-monospace,monospace;fill:var(--soft)}
.title{font-size:18px;font-weight:700}.said{font-size:16px}.bad{fill:var(--red)}.node{fill:var(--well)}
.car{fill:var(--journey-0);stroke:var(--card);stroke-width:2.2}.red{fill:var(--red)}.count{font:700 10.5px ui-monospace,monospace;paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.a{opacity:0;animation:var(--d) linear infinite}
@media (prefers-reduced-motion:reduce){.a{animation:none}.still{opacity:1}}
`;

export interface Picture {
  svg: string;
  /** Milliseconds until it begins again. */
  length: number;
  trains: number;
}

/** `colours` is what `palette` says. */
export function pictureOf(pipeline: Pipeline, journeys: Journey[], colours: string): Picture {
  const runs = schedule(journeys).filter((run) => !isNoise(run.journey));
  const layout = layoutOf(pipeline, WIDTH, seatsOf(pipeline, runs));
  const ports = portsOf(journeys, layout);
  const length = Math.max(lengthOf(runs), 1000) + REST;
  const root = runs.find((run) => run.journey.causes.length === 0) ?? runs[0];
  const drawn = runs.slice(0, MOST_TRAINS);

  const keyframes: string[] = [];
  const animated = (name: string) => `class="a" style="animation-name:${name}"`;

  const trains = drawn.map((run, index) => {
    const frames = framesOf(layout, ports, run);
    if (!frames.length) return '';
    keyframes.push(travel(`t${index}`, frames, length));
    const scale = run.journey.causes.length ? ' transform="scale(.78)"' : '';
    const last = run.legs.at(-1);
    // Red only from the gate on that refused it.
    const stopped = last?.outcome === 'refused' || last?.outcome === 'error';
    if (stopped) keyframes.push(shine(`r${index}`, [{ from: last.from, to: length }], length));
    const red = stopped ? `<rect class="car red a" style="animation-name:r${index}" x="-14" y="-7" width="28" height="14" rx="7"${scale}/>` : '';
    const count = run.count > 1 ? `<text class="count" y="-11">×${run.count}</text>` : '';
    const name = `<title>${escape(describe(run.journey))}</title>`;
    return `<g ${animated(`t${index}`)}>${name}<rect class="car" x="-14" y="-7" width="28" height="14" rx="7"${scale}/>${red}${count}</g>`;
  });

  const signals = (root?.legs ?? []).map((leg, index) => {
    const station = root?.journey.kind === 'request' ? layout.stations.get(leg.stage) : undefined;
    const span = root?.journey.spans[index];
    if (!station || !span || leg.stage === 'respond') return '';
    keyframes.push(shine(`s${index}`, [{ from: leg.to, to: length }], length));
    const refused = leg.outcome === 'refused' || leg.outcome === 'error';
    const mark = refused ? `<path class="no" d="M${station.x - 4.5} ${station.y}h9"/>` : station.big ? '' : `<circle class="ok" cx="${station.x}" cy="${station.y}" r="4.2"/>`;
    const took = `<text class="mono${station.big ? ' start' : ''}" x="${station.x + (station.big ? 30 : 0)}" y="${station.y + (station.big ? 4 : 31)}">${tookOf(span.end - span.start)}</text>`;
    return `<g class="a still" style="animation-name:s${index}">${mark}${took}</g>`;
  });

  const turning = [...layout.loops.values()].map((loop, index) => {
    const stretches = drawn.filter((run) => run.journey.component === loop.name && run.journey.kind === 'reconcile').map(({ from, to }) => ({ from, to }));
    if (!stretches.length) return '';
    keyframes.push(shine(`l${index}`, stretches.sort((a, b) => a.from - b.from), length));
    return `<circle class="on a" style="animation-name:l${index}" cx="${loop.x}" cy="${loop.y}" r="${loop.r}"/>`;
  });

  const captions = captionsOf(drawn, length);
  const words = captions.map((one, index) => {
    keyframes.push(shine(`c${index}`, [one], length));
    const still = index === captions.length - 1 ? ' still' : '';
    return `<text class="said start a${one.bad ? ' bad' : ''}${still}" style="animation-name:c${index}" x="24" y="${layout.height + NODE.top + NODE.height + 46}"><tspan class="name">${escape(one.who)}</tspan> ${escape(short(one.text, 125))}</text>`;
  });

  const top = layout.top - TITLE;
  const height = layout.height + NODE.top + NODE.height + CAPTION - top;
  const head = root ? headOf(root) : 'A journey';
  const told = captions.map((one) => `${one.who}: ${one.text}`).join('\n');
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 ${top} ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title desc" style="--d:${length}ms">`,
    `<title id="title">${escape(head)}</title><desc id="desc">${escape(told)}</desc>`,
    `<style>${colours}${STYLE}${keyframes.join('\n')}</style>`,
    `<rect class="paper" x="0" y="${top}" width="${WIDTH}" height="${height}"/>`,
    `<text class="title start" x="24" y="${top + 32}">${escape(short(head, 105))}</text>`,
    ground(layout, ports, pipeline),
    ...turning,
    ...signals,
    ...trains,
    ...words,
    '</svg>',
  ].join('\n');
  return { svg, length, trains: drawn.length };
}

function headOf(run: Run): string {
  const { journey } = run;
  const end = journey.code ? ` → ${journey.code}${journey.outcome === 'refused' ? ' refused' : ''}` : '';
  return `${journey.actor} ${describe(journey)}${journey.namespace ? ` in ${journey.namespace}` : ''}${end}`;
}

/** What stands still: tracks, stations, circles, machines. */
function ground(layout: Layout, ports: Ports, pipeline: Pipeline): string {
  const track = (kind: string, points: (Point | undefined)[], radius?: number) => {
    const known = points.filter((one): one is Point => one !== undefined);
    return known.length > 1 ? `<path class="track ${kind}" d="${rounded(known, radius)}"/>` : '';
  };
  const at = (name: string) => layout.stations.get(name);
  const [etcd, authz, cache] = [at('etcd'), at('authz'), at('cache')];
  const { client } = layout;
  const out: string[] = [];
  out.push(`<rect class="house" x="${layout.house.x}" y="${layout.house.y}" width="${layout.house.width}" height="${layout.house.height}" rx="16"/>`);
  out.push(`<text class="name soft start" x="${layout.house.x + 16}" y="${layout.house.y + layout.house.height - 14}">API server</text>`);
  if (etcd) {
    out.push(track('watch', [{ x: etcd.x, y: etcd.y + 24 }, { x: etcd.x, y: layout.watchY }, { x: 40, y: layout.watchY }]));
    const lowest = layout.nodesY - 14;
    if (ports.size) out.push(track('watch', [{ x: etcd.x, y: layout.watchY }, { x: layout.right, y: layout.watchY }, { x: layout.right, y: lowest }, { x: Math.min(...[...ports.values()].map((one) => one.x)), y: lowest }]));
    for (const port of ports.values()) out.push(`<path class="track watch" d="M${port.x} ${lowest}V${port.y}"/>`);
  }
  out.push(track('back', [{ x: layout.right - 18, y: layout.returnY }, { x: layout.left, y: layout.returnY }, { x: layout.left, y: client.y + 36 }, { x: client.x + 30, y: client.y }]));
  if (authz && cache) out.push(track('read', [authz, { x: authz.x + 24, y: authz.y }, { x: authz.x + 58, y: cache.y }, cache], 22));
  out.push(track('write', [client, ...layout.write.map(at)]));
  out.push(`<circle class="ring" cx="${client.x}" cy="${client.y}" r="13.5"/><circle class="from" cx="${client.x}" cy="${client.y}" r="5"/><text class="name" x="${client.x}" y="${client.y - 24}">client</text>`);
  for (const one of layout.stations.values()) {
    if (one.name === 'respond') continue;
    if (one.big) {
      out.push(`<rect class="ring" x="${one.x - 24}" y="${one.y - 24}" width="48" height="48" rx="12"/><path class="disks" d="M${one.x - 11} ${one.y - 9}h22M${one.x - 11} ${one.y}h22M${one.x - 11} ${one.y + 9}h22"/>`);
      out.push(`<text class="name" x="${one.x}" y="${one.y - 34}">${escape(one.title)}</text>`);
    } else {
      const words = one.title.length > 9 && one.title.includes(' ') && !layout.slanted ? one.title.split(/ (?=[^ ]*$)/) : [one.title];
      out.push(`<circle class="ring" cx="${one.x}" cy="${one.y}" r="9.5"/>`);
      if (one.line === 'read') out.push(`<text x="${one.x}" y="${one.y + 27}">${escape(one.title)}</text>`);
      else if (layout.slanted) out.push(`<text class="name start" transform="translate(${one.x + 2} ${one.y - 18}) rotate(-38)">${escape(one.title)}</text>`);
      else words.forEach((word, line) => out.push(`<text class="name" x="${one.x}" y="${one.y - 22 - (words.length - 1 - line) * 14}">${escape(word)}</text>`));
    }
  }
  for (const loop of layout.loops.values()) {
    if (!loop.quiet) out.push(`<path class="track watch" d="M${loop.x} ${layout.watchY}V${loop.y - loop.r}"/>`);
    out.push(`<circle class="loop" cx="${loop.x}" cy="${loop.y}" r="${loop.r}"/>`);
    if (loop.quiet) {
      continue;
    }
    for (const stop of loop.stops) out.push(`<circle class="stop" cx="${stop.x.toFixed(1)}" cy="${stop.y.toFixed(1)}" r="3.8"/>`);
    loop.words.forEach((word, line) => out.push(`<text class="soft" x="${loop.x}" y="${loop.y + loop.r + 17 + line * 13}">${escape(word)}</text>`));
  }
  if (layout.quiets.n) out.push(`<text class="soft start" x="${layout.quiets.x}" y="${layout.quiets.y}">${layout.quiets.n} quiet loops</text>`);
  const stops = [...layout.scheduler];
  if (stops.length) {
    const [first, last] = [stops[0]![1], stops.at(-1)![1]];
    out.push(track('back', [last, { x: last.x + 20, y: last.y }, { x: last.x + 20, y: layout.returnY }], 10));
    out.push(`<path class="track watch" d="M${first.x} ${layout.watchY}V${first.y - 8}"/><path class="bench" d="M${first.x} ${first.y}H${last.x}"/>`);
    out.push(`<text class="name" x="${layout.schedulerBox.x + layout.schedulerBox.width / 2}" y="${layout.schedulerBox.y - 24}">${escape(pipeline.components.find((one) => one.name === 'scheduler')?.title ?? 'scheduler')}</text>`);
    for (const [name, point] of stops) out.push(`<circle class="ring" cx="${point.x}" cy="${point.y}" r="7.5"/><text class="soft" x="${point.x}" y="${point.y + 24}">${escape(name)}</text>`);
  }
  const width = Math.min(WIDTH / Math.max(ports.size, 1) - 16, 260);
  for (const [name, port] of ports) {
    out.push(`<rect class="node" x="${port.x - width / 2}" y="${port.y}" width="${width}" height="${NODE.height}" rx="12"/><text class="name" x="${port.x}" y="${port.y + 24}">${escape(short(name, Math.floor(width / 8)))}</text><text class="soft" x="${port.x}" y="${port.y + 42}">kubelet</text>`);
  }
  return out.join('\n');
}
