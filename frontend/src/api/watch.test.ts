import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Collected, list, observe, watch, type KubeObject, type Told } from './watch';

const object = (name: string, version: number) => ({ metadata: { name, namespace: 'shop', uid: name, resourceVersion: String(version), creationTimestamp: '' } }) as KubeObject;
const names = (items: KubeObject[]) => items.map((one) => one.metadata.name).sort();

describe('what is known of a collection', () => {
  it('is what changed last, when there is more of it', () => {
    const known = new Collected(2);
    // A server lists by name; the revisions say what is new.
    known.listed([object('a', 9), object('b', 3), object('c', 7)], 10);
    expect([names(known.items), known.more]).toEqual([['a', 'c'], 11]);
    known.changed('ADDED', object('d', 12));
    expect([names(known.items), known.more]).toEqual([['a', 'd'], 12]);
    known.changed('MODIFIED', object('a', 13));
    known.changed('ADDED', object('e', 14));
    expect([names(known.items), known.more]).toEqual([['a', 'e'], 13]);
  });

  it('counts what it does not hold: what goes is not there any more, what changes is held', () => {
    const known = new Collected(3);
    known.listed([object('a', 1)], 2);
    known.changed('DELETED', object('unread', 4));
    expect([names(known.items), known.more]).toEqual([['a'], 1]);
    known.changed('MODIFIED', object('unread-2', 5));
    expect([names(known.items), known.more]).toEqual([['a', 'unread-2'], 0]);
    known.changed('DELETED', object('a', 6));
    expect([names(known.items), known.more]).toEqual([['unread-2'], 0]);
  });
});

describe('asking a server', () => {
  const answers: (() => Response | Promise<Response>)[] = [];
  const asked: string[] = [];
  beforeEach(() => {
    vi.useFakeTimers();
    answers.length = asked.length = 0;
    vi.stubGlobal('fetch', (path: string, { signal }: RequestInit) => {
      asked.push(path);
      const answer = answers.shift();
      if (answer) return Promise.resolve(answer());
      return new Promise((_, fail) => signal?.addEventListener('abort', () => fail(new Error('aborted'))));
    });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
  const page = (items: KubeObject[], metadata = {}) => () => Response.json({ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '9', ...metadata }, items });
  const status = (code: number, message: string) => () => Response.json({ kind: 'Status', message, code }, { status: code });

  it('reads about so many, and says how many more there are', async () => {
    answers.push(page([object('a', 1)], { continue: 'x', remainingItemCount: 41 }), page([object('b', 2)], { continue: 'y', remainingItemCount: 40 }));
    const found = await list('/pods', {}, null, 2);
    expect([names(found.items), found.more, asked.length]).toEqual([['a', 'b'], 40, 2]);
  });

  it('tells a refusal as one, and any other failure as what it is; what was there stays', async () => {
    const told: Told<KubeObject>[] = [];
    answers.push(page([object('a', 1)]), () => new Response(null, { status: 500 }), status(500, 'etcd is away'), status(403, 'no'));
    const end = watch('/pods', {}, (one) => told.push(one));
    await vi.advanceTimersByTimeAsync(30_000);
    end();
    expect(told.map((one) => [names(one.items), one.problem])).toEqual([
      [['a'], null],
      [['a'], { code: 500, message: 'etcd is away' }],
      [[], { code: 403, message: 'no' }],
    ]);
  });

  it('asks less and less often where lists are answered and watches are not', async () => {
    for (let turn = 0; turn < 40; turn++) answers.push(page([]), () => new Response(null, { status: 405 }));
    const end = watch('/diagnoses', {}, () => undefined);
    await vi.advanceTimersByTimeAsync(60_000);
    end();
    expect(asked.length / 2).toBeLessThan(13);
  });

  it('tells nothing of a past revision to whoever has gone', async () => {
    const tell = vi.fn();
    answers.push(page([object('a', 1)]), page([object('b', 1)]));
    observe('/pods', {}, 7, tell)();
    const end = observe('/pods', {}, 8, tell);
    await vi.advanceTimersByTimeAsync(10);
    end();
    expect(tell.mock.calls.map(([told]) => names((told as Told<KubeObject>).items))).toEqual([['b']]);
  });
});
