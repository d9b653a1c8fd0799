/**
 * A journey as one SVG file that moves by itself: the map, the trains on their recorded ways and times (log-scaled as on the page), and
 * what each stage said, as text. CSS keyframes alone, no scripts; light and dark by media query; every text escaped. Pure.
 */
import type { Journey, Pipeline } from '../../types';
import { describe } from '../pipeline/position';
import { framesOf, shine, travel } from './keyframes';
import { sheet } from './looks';
import { isStopped, sceneOf, signalsOf, trainOf, turningOf, wordsOf } from './scene';
import { escape, svgOf } from './shapes';

const MOVES = `
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
  const scene = sceneOf(pipeline, journeys);
  const { layout, ports, length, width, height, top } = scene;
  const keyframes: string[] = [];

  const trains = scene.runs.map((run, index) => {
    const frames = framesOf(layout, ports, run);
    if (!frames.length) return '';
    keyframes.push(travel(`t${index}`, frames, length));
    const last = run.legs.at(-1);
    const [car, count] = trainOf(run, false);
    // Red only from the gate on that refused it.
    const stopped = last && isStopped(last.outcome);
    if (stopped) keyframes.push(shine(`r${index}`, [{ from: last.from, to: length }], length));
    const red = stopped ? svgOf({ ...trainOf(run, true)[0]!, look: 'car red a' }, `style="animation-name:r${index}"`) : '';
    return `<g class="a" style="animation-name:t${index}"><title>${escape(describe(run.journey))}</title>${svgOf(car!)}${red}${count ? svgOf(count) : ''}</g>`;
  });

  const signals = signalsOf(scene).map(({ from, shapes }, index) => {
    keyframes.push(shine(`s${index}`, [{ from, to: length }], length));
    return `<g class="a still" style="animation-name:s${index}">${shapes.map((one) => svgOf(one)).join('')}</g>`;
  });

  const turning = turningOf(scene).map(({ shape, stretches }, index) => {
    keyframes.push(shine(`l${index}`, stretches, length));
    return svgOf({ ...shape, look: 'on a' }, `style="animation-name:l${index}"`);
  });

  const words = scene.captions.map((one, index) => {
    keyframes.push(shine(`c${index}`, [one], length));
    const still = index === scene.captions.length - 1 ? ' still' : '';
    const { who, text, look, x, y } = wordsOf(scene, one);
    return `<text class="${look} a${still}" style="animation-name:c${index}" x="${x}" y="${y}"><tspan class="name">${escape(who)}</tspan> ${escape(text)}</text>`;
  });

  const told = scene.captions.map((one) => `${one.who}: ${one.text}`).join('\n');
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 ${top} ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc" style="--d:${length}ms">`,
    `<title id="title">${escape(scene.head)}</title><desc id="desc">${escape(told)}</desc>`,
    `<style>${colours}${sheet()}${MOVES}${keyframes.join('\n')}</style>`,
    ...scene.ground.map((one) => svgOf(one)),
    ...turning,
    ...signals,
    ...trains,
    ...words,
    '</svg>',
  ].join('\n');
  return { svg, length, trains: scene.runs.length };
}
