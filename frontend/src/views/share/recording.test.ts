import { afterEach, describe, expect, it, vi } from 'vitest';
import { schedule } from '../../time/schedule';
import type { Journey, Pipeline, Span } from '../../types';
import { trainAt } from '../pipeline/position';
import { coloursOf, lookOf, sheet } from './looks';
import { record } from './recording';
import { at, sceneOf } from './scene';
import { svgOf } from './shapes';
import tokens from '../../tokens.css?raw';
import { withDuration } from './webm';

const stage = (name: string, component = 'apiserver') => ({ name, component, line: 'all' as const, title: name, description: '' });
const pipeline: Pipeline = { stages: [stage('authn'), stage('authz'), stage('etcd', 'etcd')], loops: [{ name: 'deployment', title: 'Deployment', description: '' }], loop_steps: ['observe', 'act'], components: [] };
const span = (name: string, start: number, outcome = 'ok'): Span => ({ stage: name, start, end: start + 1e-3, outcome, detail: null });
function journey(more: Partial<Journey>): Journey {
  return { id: 'a', root: 'a', causes: [], kind: 'request', component: 'apiserver', actor: 'alice', agent: '', origin: '', verb: 'create', group: 'apps', resource: 'deployments', subresource: '', namespace: 'shop', name: 'web', start: 0, end: 1, code: 201, outcome: 'ok', reason: '', revision: 7, spans: [span('authn', 0), span('authz', 1e-3), span('etcd', 2e-3)], ...more };
}
const turn = journey({ id: 'a.1', causes: ['a'], kind: 'reconcile', component: 'deployment', actor: '', start: 0.01, code: 0, spans: [span('observe', 0.01), span('act', 0.011)] });

describe('a moment of a scene', () => {
  const scene = sceneOf(pipeline, [journey({}), turn]);
  const [run] = schedule([journey({})]);

  it('has the trains where the page draws them', () => {
    for (const moment of [0, 120, 300, 500, 900]) {
      const train = trainAt(scene.layout, scene.ports, run!, moment);
      const drawn = at(scene, moment).trains.map(({ x, y }) => ({ x, y }));
      if (train) expect(drawn).toContainEqual({ x: train.x, y: train.y });
    }
    expect(at(scene, scene.length).trains).toEqual([]);
  });

  it('has a signal for each station that was passed, and turns the circles that turned', () => {
    const signals = (moment: number) => at(scene, moment).shapes.filter((one) => one.look === 'ok').length;
    expect([signals(0), signals(scene.length)]).toEqual([0, 2]);
    const circle = scene.runs.find((one) => one.journey.kind === 'reconcile')!;
    expect(at(scene, circle.from + 1).shapes.some((one) => one.look === 'on')).toBe(true);
    expect(at(scene, circle.to + 1).shapes.some((one) => one.look === 'on')).toBe(false);
  });

  it('is red only where it was refused', () => {
    const refused = sceneOf(pipeline, [journey({ outcome: 'refused', reason: 'no', spans: [span('authn', 0), span('authz', 1e-3, 'refused')] })]);
    const last = refused.root!.legs.at(-1)!;
    const looks = (moment: number) => at(refused, moment).trains.flatMap((one) => one.shapes.map((shape) => shape.look));
    expect(looks(last.from - 5)).toEqual(['car']);
    expect(looks(last.to - 5)).toEqual(['car red']);
    expect(at(refused, last.to - 5).words?.look).toContain('bad');
  });
});

describe('looks', () => {
  it('are the same in a style sheet and on a canvas', () => {
    expect(sheet()).toContain('.watch{stroke:var(--violet);stroke-width:2.8');
    expect(lookOf('track watch', false)).toEqual({ fill: 'none', stroke: 'violet', width: 2.8, dash: [0.1, 7.5] });
    expect(lookOf('car red', false).fill).toBe('red');
    expect(lookOf('soft start', true)).toMatchObject({ fill: 'soft', size: 13, anchor: 'start' });
  });
  it('name colours that there are, for light and for dark', () => {
    const { light, dark } = coloursOf(tokens);
    expect(Object.keys(light)).toEqual(Object.keys(dark));
    for (const name of sheet().matchAll(/var\(--([a-z0-9-]+)\)/g)) expect(light[name[1]!]).toMatch(/^#/);
  });
  it('turn a text about its place', () => expect(svgOf({ is: 'text', look: 'name', x: 1, y: 2, text: 'a<b', turn: -38 })).toBe('<text class="name" transform="translate(1 2) rotate(-38)">a&#60;b</text>'));
});

describe('a film', () => {
  afterEach(() => vi.unstubAllGlobals());
  it('that is called off while its letters are fetched is not made', async () => {
    const waiting: (() => void)[] = [];
    const made = vi.fn();
    vi.stubGlobal('MediaRecorder', { isTypeSupported: () => true });
    vi.stubGlobal('HTMLCanvasElement', class { captureStream() {} });
    vi.stubGlobal('document', { fonts: { load: () => new Promise<void>((done) => waiting.push(done)) }, createElement: made });
    const called = new AbortController();
    const film = record(sceneOf(pipeline, [journey({})]), {}, { progress: () => undefined, signal: called.signal });
    called.abort(new Error('called off'));
    for (const done of waiting) done();
    await expect(film).rejects.toThrow('called off');
    expect(made).not.toHaveBeenCalled();
  });
});

describe('the length of a recording', () => {
  const scale = [0x2a, 0xd7, 0xb1, 0x83, 0x0f, 0x42, 0x40];
  const file = (segment: number[], info: number[]) => new Uint8Array([0x1a, 0x45, 0xdf, 0xa3, 0x80, 0x18, 0x53, 0x80, 0x67, ...segment, 0x15, 0x49, 0xa9, 0x66, 0x80 | info.length, ...info, 0x1f, 0x43, 0xb6, 0x75, 0xff, 9, 9]);
  const unknown = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

  it('is written into its head, and the rest stays', () => {
    const before = file(unknown, scale);
    const after = withDuration(before, 3800);
    expect(after.length).toBe(before.length + 12);
    const info = 17 + 4;
    expect([...after.slice(info, info + 2)]).toEqual([0x40, scale.length + 11]);
    expect([...after.slice(info + 2, info + 2 + scale.length)]).toEqual(scale);
    expect(new DataView(after.buffer).getFloat64(info + 2 + scale.length + 3)).toBe(3800);
    expect([...after.slice(-7)]).toEqual([...before.slice(-7)]);
  });
  it('is left alone where that is not safe', () => {
    for (const one of [file([0x90], scale), file(unknown, [0xec, 0x81, 0]), file(unknown, [...scale, 0x44, 0x89, 0x84, 0, 0, 0, 0]), new Uint8Array([1, 2, 3]), new Uint8Array()]) expect(withDuration(one, 10)).toBe(one);
  });
});
