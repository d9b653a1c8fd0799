import { describe, expect, it } from 'vitest';
import tokens from '../../tokens.css?raw';
import { layoutOf } from '../pipeline/layout';
import { trainAt } from '../pipeline/position';
import { schedule } from '../../time/schedule';
import type { Journey, Pipeline, Span } from '../../types';
import { captionsOf, said } from './captions';
import { framesOf, shine, thin, travel } from './keyframes';
import { palette } from './looks';
import { escape } from './shapes';
import { pictureOf } from './svg';

const colours = palette(tokens);
const stage = (name: string, component = 'apiserver', line: 'all' | 'write' | 'read' = 'all') => ({ name, component, line, title: name, description: '' });
const pipeline: Pipeline = {
  stages: [stage('authn'), stage('authz'), stage('etcd', 'etcd', 'write'), stage('cache', 'apiserver', 'read'), stage('respond')],
  loops: [{ name: 'deployment', title: 'Deployment', description: '' }],
  loop_steps: ['observe', 'compare', 'decide', 'act', 'verify'],
  components: [{ name: 'scheduler', title: 'scheduler', stages: ['queue', 'filter', 'score', 'bind'], description: '' }],
};
const span = (name: string, start: number, took: number, outcome = 'ok', detail: Span['detail'] = null): Span => ({ stage: name, start, end: start + took, outcome, detail });
function journey(more: Partial<Journey>): Journey {
  const base = { id: 'a', root: 'a', causes: [], kind: 'request', component: 'apiserver', actor: 'alice', agent: '', origin: '', verb: 'create', group: 'apps', resource: 'deployments', subresource: '', namespace: 'shop', name: 'web' };
  return { ...base, start: 0, end: 1, code: 201, outcome: 'ok', reason: '', revision: 7, spans: [span('authn', 0, 1e-4), span('authz', 1e-4, 1e-4, 'ok', { allowed: true, binding: 'devs' }), span('etcd', 2e-4, 5e-3), span('respond', 5e-3, 1e-4)], ...more };
}
const reconcile = journey({ id: 'a.1', causes: ['a'], kind: 'reconcile', component: 'deployment', actor: '', start: 0.01, code: 0, spans: [span('observe', 0.01, 1e-4), span('act', 0.0101, 1e-3, 'ok', { created: 'web-1' })] });
const sync = journey({ id: 'a.2', causes: ['a.1'], kind: 'sync', component: 'kubelet/node-1', actor: '', start: 0.02, code: 0, spans: [span('start', 0.02, 0.3)] });

function parse(svg: string): void {
  // Well-formed: every tag that opens closes, in order.
  const open: string[] = [];
  for (const [, close, name, self] of svg.replace(/<style>[^<]*<\/style>/, '').matchAll(/<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/g)) {
    if (self) continue;
    if (close) expect(open.pop()).toBe(name);
    else open.push(name!);
  }
  expect(open).toEqual([]);
}

describe('the picture of a journey', () => {
  const { svg, length } = pictureOf(pipeline, [journey({}), reconcile, sync], colours);
  it('is one well-formed file that needs nothing else and runs nothing', () => {
    parse(svg);
    expect(svg).not.toMatch(/<script|href=|url\(|on[a-z]+="|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
  });
  it('has a train for the request, the reconcile and the kubelet, on one clock', () => {
    expect(svg.match(/@keyframes t\d+/g)).toHaveLength(3);
    expect(svg).toContain(`--d:${length}ms`);
    expect(svg).toContain('>node-1<');
  });
  it('says who did what, and what the stages said', () => {
    expect(svg).toContain('alice create deployments web in shop → 201');
    expect(svg).toContain('authz: allowed by devs');
    expect(svg).toContain('act: created web-1');
  });
  it('is light and dark, and stands still for who wants no motion', () => {
    expect(svg).toMatch(/@media \(prefers-color-scheme:dark\)\{svg\{--ink:#f2f3f5/);
    expect(svg).toContain('prefers-reduced-motion:reduce');
    expect(colours.match(/--[a-z0-9-]+:#/g)).toHaveLength(30);
  });
  it('shows where a request was refused, and why', () => {
    const refused = journey({ code: 403, outcome: 'refused', reason: 'alice may not create deployments', spans: [span('authn', 0, 1e-4), span('authz', 1e-4, 1e-4, 'refused', { allowed: false })] });
    const picture = pictureOf(pipeline, [refused], colours).svg;
    expect(picture).toContain('refused at authz: alice may not create deployments');
    expect(picture).toContain('class="car red a"');
    expect(picture).toContain('class="no"');
  });
  it('is red only from the gate on that refused it', () => {
    const spans = [span('authn', 0, 1e-4), span('authz', 1e-4, 1e-4, 'refused', {})];
    const picture = pictureOf(pipeline, [journey({ outcome: 'refused', spans })], colours).svg;
    const [run] = schedule([journey({ outcome: 'refused', spans })]);
    const from = Number(picture.match(/@keyframes r0\{0%,([\d.]+)%\{opacity:0\}/)![1]);
    expect((from / 100) * pictureOf(pipeline, [journey({ outcome: 'refused', spans })], colours).length).toBeCloseTo(run!.legs[1]!.from, 0);
  });
  it.each(['name', 'actor', 'namespace', 'reason', 'component'] as const)('a hostile %s is text', (field) => {
    const evil = '"><script>alert(1)</script></style>\u0000\'&';
    const picture = pictureOf(pipeline, [journey({ [field]: field === 'component' ? `kubelet/${evil}` : evil, outcome: 'refused', spans: [span('authz', 0, 1, 'refused', { reason: evil })] })], colours).svg;
    parse(picture);
    expect(picture).not.toContain('<script');
    expect(picture).not.toContain('\u0000');
    expect(picture.match(/<\/style>/g)).toHaveLength(1);
  });
  it('is a picture even of nothing', () => parse(pictureOf(pipeline, [], colours).svg));
});

describe('keyframes', () => {
  const layout = layoutOf(pipeline, 1120);
  const [run] = schedule([journey({})]);
  it('lie where the page draws the train', () => {
    const frames = framesOf(layout, new Map(), run!);
    expect(frames.length).toBeGreaterThan(4);
    for (const frame of frames) expect(trainAt(layout, new Map(), run!, frame.at)).toMatchObject({ x: frame.x, y: frame.y });
  });
  it('leave out what an even movement says anyway', () => {
    const even = Array.from({ length: 20 }, (_, index) => ({ at: index * 40, x: index * 5, y: 3 }));
    expect(thin(even)).toEqual([even[0], even[19]]);
    const corner = [...even, { at: 800, x: 95, y: 40 }];
    expect(thin(corner)).toEqual([even[0], even[19], corner[20]]);
  });
  it('show a train only while it is under way', () => {
    expect(travel('t', [{ at: 250, x: 1, y: 2 }, { at: 500, x: 3, y: 4 }], 1000)).toBe('@keyframes t{0%,24.9%{opacity:0;transform:translate(1.0px,2.0px)}25%{opacity:1;transform:translate(1.0px,2.0px)}50%{opacity:1;transform:translate(3.0px,4.0px)}50.1%,100%{opacity:0;transform:translate(3.0px,4.0px)}}');
  });
  it('light up for each stretch, and stay when it reaches the end', () => {
    expect(shine('s', [{ from: 100, to: 200 }, { from: 150, to: 400 }], 1000)).toBe('@keyframes s{0%,10%{opacity:0}10.1%,20%{opacity:1}20.1%,20.1%{opacity:0}20.2%,40%{opacity:1}40.1%,100%{opacity:0}}');
    expect(shine('s', [{ from: 500, to: 1000 }], 1000)).toBe('@keyframes s{0%,50%{opacity:0}50.1%,100%{opacity:1}}');
  });
});

describe('words', () => {
  it('tell what a stage found', () => {
    expect(said('compare', { desired: 3, actual: 0, nested: {}, empty: '' })).toBe('desired 3, actual 0');
    expect(said('score', { 'node-1': { total: 5 }, 'node-2': { total: 9 } })).toBe('node-2 9, node-1 5');
    expect(said('authz', { allowed: true, authorizer: 'system:masters', binding: '', role: '' })).toBe('allowed by system:masters');
  });
  it('stand until the next, and never two at once', () => {
    const lines = captionsOf(schedule([journey({}), reconcile]), 9000);
    expect(lines.length).toBeGreaterThan(1);
    lines.slice(1).forEach((line, index) => expect(lines[index]!.to).toBe(line.from));
    expect(lines.at(-1)!.to).toBe(9000);
  });
  it('are escaped', () => expect(escape('<a b="c">&\'\u0007')).toBe('&#60;a b=&#34;c&#34;&#62;&#38;&#39;�'));
});
