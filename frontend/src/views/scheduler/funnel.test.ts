import { describe, expect, it } from 'vitest';
import type { Journey } from '../../types';
import { fromJourney, fromSimulation, left, tracks } from './funnel';

const FILTERS = ['NodeUnschedulable', 'TaintToleration', 'NodeResourcesFit'];
const span = (stage: string, detail: unknown) => ({ stage, start: 0, end: 0, outcome: 'ok', detail });
const journey = (spans: unknown[], more = {}): Journey => ({ outcome: 'ok', reason: '', spans, ...more }) as unknown as Journey;

describe('a recorded attempt', () => {
  const filter = span('filter', { considered: 3, passed: 2, reasons: { 'Insufficient cpu': 'NodeResourcesFit' }, nodes: { n1: 'ok', n2: 'Insufficient cpu', n3: 'ok' } });

  it('tells who fell where and who won', () => {
    const funnel = fromJourney(journey([filter, span('score', { n1: { NodeAffinity: 3, total: 5 }, n3: { NodeAffinity: 9, total: 8 } }), span('bind', { node: 'n3' })]), FILTERS);
    expect(funnel.fell).toEqual([{ node: 'n2', plugin: 'NodeResourcesFit', reason: 'Insufficient cpu' }]);
    expect(funnel.scores.map((one) => [one.node, one.total, one.by['NodeAffinity']])).toEqual([['n3', 8, 9], ['n1', 5, 3]]);
    expect(funnel.winner).toBe('n3');
    expect(left(funnel)).toEqual([3, 3, 2]);
  });

  it('is read in columns, too, as it comes with many nodes', () => {
    const score = span('score', { nodes: ['n1', 'n3'], total: [1, 2], columns: { NodeAffinity: [4, 5] } });
    expect(fromJourney(journey([filter, score]), FILTERS).scores[0]).toEqual({ node: 'n3', total: 2, by: { NodeAffinity: 5 } });
  });

  it('counts those whom a large cluster does not name', () => {
    const many = span('filter', { considered: 1000, passed: 400, reasons: { cordoned: 'NodeUnschedulable' }, nodes: { n1: 'cordoned' }, more: [['NodeUnschedulable', 'cordoned', 599]] });
    const funnel = fromJourney(journey([many, span('score', { nodes: ['n3'], total: [2], columns: {} })]), FILTERS);
    expect(left(funnel)).toEqual([400, 400, 400]);
    const drawn = tracks(funnel);
    expect(drawn.reduce((sum, one) => sum + one.n, 0)).toBe(1000);
    expect(drawn.find((one) => one.end === 0)).toMatchObject({ n: 600, reason: 'cordoned' });
    expect(drawn.find((one) => one.key === 'others')).toMatchObject({ n: 399, end: -1 });
  });

  it('tells why nobody won', () => {
    const refused = journey([span('filter', { considered: 1, passed: 0, nodes: { n1: 'x' }, reasons: { x: 'NewFilter' } })], { outcome: 'refused', reason: '0/1 nodes are available' });
    const funnel = fromJourney(refused, FILTERS);
    expect(funnel.message).toBe('0/1 nodes are available');
    expect(funnel.filters.at(-1)).toBe('NewFilter');
  });
});

describe('tracks', () => {
  const nodes = (count: number, refusedBy?: string) => Array.from({ length: count }, (_, index) => ({ name: `${refusedBy ?? 'ok'}-${index}`, ...(refusedBy ? { refusedBy, reasons: ['no'] } : { total: index, scores: {} }) }));
  const status = { node: 'ok-1', considered: 5, filters: FILTERS.map((name) => ({ name, refused: 0 })) };

  it('begin with the winner and end with those that fell first', () => {
    const found = tracks(fromSimulation({ ...status, nodes: [...nodes(2), ...nodes(1, 'NodeUnschedulable'), ...nodes(1, 'NodeResourcesFit')] }));
    expect(found.map((one) => [one.label, one.end, one.winner])).toEqual([['ok-1', -1, true], ['ok-0', -1, false], ['NodeResourcesFit-0', 2, false], ['NodeUnschedulable-0', 0, false]]);
  });

  it('are drawn together when there are too many', () => {
    const found = tracks(fromSimulation({ ...status, nodes: [...nodes(2000), ...nodes(3000, 'TaintToleration')] }), 10);
    expect(found.length).toBeLessThanOrEqual(10);
    expect(found.reduce((sum, one) => sum + one.n, 0)).toBe(5000);
    expect(found.at(-1)).toMatchObject({ label: '3000 nodes', n: 3000, end: 1 });
  });
});
