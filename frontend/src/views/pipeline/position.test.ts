import { describe, expect, it } from 'vitest';
import { schedule } from '../../time/schedule';
import type { Journey, Pipeline, Span } from '../../types';
import { layoutOf, seated } from './layout';
import { trainAt } from './position';
import { seatsUpright, uprightOf } from './upright';

const pipeline: Pipeline = {
  stages: ['request-info', 'authn', 'authz', 'decode', 'validation', 'etcd'].map((name) => ({
    name,
    component: name === 'etcd' ? 'etcd' : 'apiserver',
    line: name === 'etcd' || name === 'decode' || name === 'validation' ? 'write' : 'all',
    title: name,
    description: '',
  })),
  loops: [{ name: 'deployment', title: 'deployment', description: '' }],
  loop_steps: ['observe', 'compare', 'decide', 'act', 'verify'],
  components: [{ name: 'scheduler', title: 'scheduler', stages: ['queue', 'filter', 'score', 'bind'], description: '' }],
};

export function journey(id: string, stages: string[], more: Partial<Journey> = {}): Journey {
  const start = more.start ?? 0;
  const spans: Span[] = stages.map((stage, index) => ({
    stage,
    start: start + index * 0.001,
    end: start + (index + 1) * 0.001,
    outcome: 'ok',
    detail: null,
  }));
  return {
    id, root: id.split('.')[0]!, causes: [], kind: 'request', component: 'apiserver', actor: 'alice', agent: '', origin: '',
    verb: 'create', group: '', resource: 'pods', subresource: '', namespace: 'default', name: 'p', start,
    end: start + stages.length * 0.001, code: 201, outcome: 'ok', reason: '', revision: 0, spans, ...more,
  };
}

describe('a train', () => {
  const layout = layoutOf(pipeline);
  const stages = pipeline.stages.map((stage) => stage.name);

  it('stands at each station in turn and is gone at the end', () => {
    const [run] = schedule([journey('a', stages)]);
    const seen = run!.legs.map((leg) => trainAt(layout, new Map(), run!, leg.to - 1)!.stage);
    expect(seen).toEqual(stages);
    for (const leg of run!.legs) {
      const train = trainAt(layout, new Map(), run!, leg.to - 1)!;
      const station = layout.stations.get(leg.stage)!;
      expect([train.x, train.y]).toEqual([station.x, station.y]);
    }
    expect(trainAt(layout, new Map(), run!, run!.to + 1)).toBeNull();
    expect(trainAt(layout, new Map(), run!, -1)).toBeNull();
  });

  it('is red only where it was refused, and stays there for a while', () => {
    const refused = journey('a', ['request-info', 'authn', 'authz']);
    refused.spans[2]!.outcome = 'refused';
    const [run] = schedule([refused]);
    expect(trainAt(layout, new Map(), run!, 1)!.refused).toBe(false);
    const last = trainAt(layout, new Map(), run!, run!.to + 500)!;
    expect([last.refused, last.stage]).toEqual([true, 'authz']);
  });

  it('of a component comes in by the return track, never straight', () => {
    const cause = journey('a', ['observe', 'act'], { kind: 'reconcile', component: 'deployment' });
    const child = journey('a.1', stages, { causes: ['a'], actor: 'system:serviceaccount:kube-system:deployment-controller', start: 0.0015 });
    const runs = schedule([cause, child]);
    const moments = Array.from({ length: 60 }, (_, index) => runs[1]!.from - 330 + index * 5.5);
    const ways = moments.map((moment) => trainAt(layout, new Map(), runs[1]!, moment)!);
    expect(ways.some((train) => Math.abs(train.y - layout.returnY) < 1)).toBe(true);
    expect(ways.some((train) => Math.abs(train.x - layout.left) < 1)).toBe(true);
  });
});

describe('the circle lines', () => {
  for (const count of [1, 7, 14, 26, 30, 36]) {
    it(`keep apart when there are ${count}`, () => {
      const loops = Array.from({ length: count }, (_, index) => ({ name: `l${index}`, title: `loop ${index}`, description: '' }));
      const many = { ...pipeline, loops };
      const names = loops.map((one) => one.name);
      const phone = uprightOf(many, 366, names.slice(0, seatsUpright(many, 366)), false);
      for (const layout of [layoutOf(many), layoutOf(many, 1120), phone, uprightOf(many, 366, names.slice(0, 3), true)]) {
        const circles = [...layout.loops.values()];
        for (const a of circles) {
          expect(a.y + a.r).toBeLessThan(layout.returnY);
          expect(a.x + a.r).toBeLessThan(layout.right);
          for (const b of circles) {
            if (a !== b) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(a.r + b.r + 5);
          }
        }
      }
    });
  }

  it('give their place to who turns, the longest still first, and never while they turn', () => {
    const last = new Map<string, number>();
    const begin = ['a', 'b', 'c'];
    expect(seated(begin, ['a'], last, 1000)).toBe(begin);
    const one = seated(begin, ['a', 'x'], last, 2000);
    expect(one).toEqual(['a', 'b', 'x']);
    const two = seated(one, ['y'], last, 3000);
    expect(two).toEqual(['a', 'y', 'x']);
    expect(seated(two, ['z'], last, 3500)).toBe(two);
    expect(seated(two, ['z'], last, 4600)).toEqual(['a', 'y', 'z']);
  });
});
