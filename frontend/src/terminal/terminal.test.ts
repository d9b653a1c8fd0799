import { describe, expect, test } from 'vitest';
import type { Session } from './command';
import { filterPods, parseTaints } from './commands/nodes';
import { progress } from './commands/rollout';
import { parseFor } from './commands/wait';
import { common, context, listing } from './complete';
import { run } from './interpreter';
import { Discovery, find, flatten } from './kube/discovery';
import type { Thing } from './kube/types';
import { fresh, keysOf, press, type Line } from './lineedit';

const RESOURCES = {
  items: [
    {
      metadata: {},
      versions: [{ version: 'v1', resources: [{ resource: 'pods', responseKind: { kind: 'Pod' }, scope: 'Namespaced', singularResource: 'pod', shortNames: ['po'], categories: ['all'], verbs: ['get', 'list', 'delete'] }] }],
    },
  ],
};
const TABLE = { kind: 'Table', metadata: {}, columnDefinitions: [{ name: 'Name', type: 'string', priority: 0 }, { name: 'IP', type: 'string', priority: 1 }], rows: ['a', 'b'].map((name) => ({ cells: [name, '10.0.0.1'], object: { metadata: { name } } })) };

/** What the server reads out of the header that says whom to act as. */
function told(token: string): unknown {
  const encoded = token.replace('base64url.impersonate.kubeweb.dev.', '').replaceAll('-', '+').replaceAll('_', '/');
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(encoded), (one) => one.charCodeAt(0))));
}

/** A session whose server knows two pods; what was asked is in `asked`. */
function fake() {
  const asked: string[] = [];
  const files = new Map<string, string>();
  const answers: [RegExp, number, unknown][] = [
    [/^GET \/api$/, 200, RESOURCES],
    [/^GET \/apis$/, 200, { items: [] }],
    [/^GET \/api\/v1\/namespaces\/shop\/pods\?/, 200, TABLE],
    [/nope/, 404, { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404, message: 'pods "nope" not found' }],
  ];
  const session = {
    transport: async (method: string, path: string, sent: { headers?: Record<string, string> }) => {
      const as = new Headers(sent.headers).get('X-KubeWeb-Impersonate');
      asked.push(`${method} ${path}${as ? ` as ${JSON.stringify(told(as))}` : ''}`);
      const found = answers.find(([pattern]) => pattern.test(`${method} ${path}`));
      return new Response(JSON.stringify(found?.[2] ?? {}), { status: found?.[1] ?? 200 });
    },
    discovery: new Discovery(),
    namespace: 'shop',
    user: () => 'alice',
    now: () => 0,
    origin: 'http://x',
    files: { read: async (name: string) => files.get(name) ?? null, write: async (name: string, text: string) => void files.set(name, text), list: async () => [...files.keys()], remove: async (name: string) => files.delete(name) },
    editor: { text: () => 'kind: Pod', open: () => undefined },
  } as unknown as Session;
  return { session, asked };
}

async function said(line: string) {
  const { session, asked } = fake();
  let out = '';
  let err = '';
  const code = await run(line, session, { out: (text) => void (out += text), err: (text) => void (err += text), tty: null }, new AbortController().signal);
  return { out, err, code, asked };
}

describe('the interpreter', () => {
  test('a table is printed without its wide columns', async () => {
    expect(await said('k get po')).toMatchObject({ out: 'NAME\na\nb\n', err: '', code: 0 });
    expect((await said('kubectl get pods -o wide --no-headers')).out).toBe('a     10.0.0.1\nb     10.0.0.1\n');
  });

  test('global flags may stand first, and reach the server', async () => {
    const { asked } = await said('kubectl --as Łukasz --as-group devs --as-uid u-1 -n shop get pods');
    expect(asked).toContain('GET /api/v1/namespaces/shop/pods?limit=500 as {"user":"Łukasz","groups":["devs"],"uid":"u-1"}');
  });

  test('pipes, files, and what follows on success or failure', async () => {
    expect((await said('k get po | grep b | wc -l')).out).toBe('1\n');
    expect((await said('k get po --no-headers > f; cat f | head -1')).out).toBe('a\n');
    expect((await said('k get pod nope || echo none && echo more')).out).toBe('none\nmore\n');
    expect((await said('cat editor | grep kind')).out).toBe('kind: Pod\n');
  });

  test.each([
    ['k get pod nope', 'Error from server (NotFound): pods "nope" not found\n', 1],
    ['k get foo', 'error: the server doesn\'t have a resource type "foo"\n', 1],
    ['k frob', 'error: unknown command "frob" for "kubectl"\n', 1],
    ['k get po --nope', "error: unknown flag: --nope\nSee 'kubectl get --help' for usage.\n", 1],
    ['ls | | wc', "-kubeweb: syntax error near unexpected token `|'\n", 2],
    ['frob', '-kubeweb: frob: command not found; try help\n', 127],
    ['k apply -f gone.yaml', 'error: the path "gone.yaml" does not exist\n', 1],
  ])('%s is refused', async (line, err, code) => {
    expect(await said(line)).toMatchObject({ err, code });
  });
});

describe('the line', () => {
  const typed = (keys: string[], history: string[] = []): Line => keys.reduce((line, key) => press(line, key, history).line, fresh(history));

  test('editing keys', () => {
    expect(typed(['a', 'b', '\u001b[D', 'x'])).toMatchObject({ text: 'axb', cursor: 2 });
    expect(typed(['k get po', '\u0017', 'svc'])).toMatchObject({ text: 'k get svc' });
    expect(typed(['abc', '\u0001', '\u000b', '\u0019'])).toMatchObject({ text: 'abc' });
  });

  test('history up and down keeps what was being typed', () => {
    expect(typed(['new', '\u001b[A', '\u001b[A'], ['one', 'two']).text).toBe('one');
    expect(typed(['new', '\u001b[A', '\u001b[B'], ['one', 'two']).text).toBe('new');
  });

  test('Ctrl-R finds, and finds the one before', () => {
    expect(typed(['\u0012', 'g', 'e'], ['get a', 'get b']).text).toBe('get b');
    expect(typed(['\u0012', 'g', 'e', '\u0012'], ['get a', 'get b']).text).toBe('get a');
  });

  test('a paste in brackets runs nothing', () => {
    expect(keysOf('\u001b[200~a\r\nb\r\n\u001b[201~\u001b[Ax')).toEqual(['a\nb', '\u001b[A', 'x']);
  });
});

test('completion knows the command before the cursor', () => {
  expect(context('k get po | gr')).toEqual({ words: [], word: 'gr', first: true });
  expect(context('k get ')).toEqual({ words: ['k', 'get'], word: '', first: false });
  expect(common(['deployments', 'deploy'])).toBe('deploy');
  expect(listing(['a', 'bb', 'c'], 9)).toBe('a   c\nbb');
});

test('types are found by plural, singular, kind, short name and group', () => {
  const all = flatten(RESOURCES);
  for (const name of ['pods', 'pod', 'Pod', 'po']) expect(find(all, name)?.kind).toBe('Pod');
  expect(find(all, 'pods.apps')).toBeUndefined();
});

test('which pods a drain evicts', () => {
  const pod = (name: string, owner?: string, spec: object = {}): Thing => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'd', ownerReferences: owner ? [{ apiVersion: 'v1', kind: owner, name: 'o', uid: 'u', controller: true }] : [] }, spec, status: { phase: 'Running' } });
  const pods = [pod('rs', 'ReplicaSet'), pod('ds', 'DaemonSet'), pod('bare'), pod('disk', 'ReplicaSet', { volumes: [{ emptyDir: {} }] })];
  const strict = filterPods(pods, { force: false, ignoreDaemonSets: false, deleteEmptyDir: false });
  expect(strict.errors).toHaveLength(3);
  const loose = filterPods(pods, { force: true, ignoreDaemonSets: true, deleteEmptyDir: true });
  expect(loose.errors).toEqual([]);
  expect(loose.evict.map((one) => one.metadata.name)).toEqual(['rs', 'bare', 'disk']);
  expect(loose.warnings).toEqual(['ignoring DaemonSet-managed Pods: d/ds', 'deleting Pods that declare no controller: d/bare']);
});

test('taints and conditions are read from their words', () => {
  expect(parseTaints(['a=b:NoSchedule', 'c-'])).toEqual({ add: [{ key: 'a', value: 'b', effect: 'NoSchedule' }], remove: [{ key: 'c', effect: '' }] });
  expect(() => parseTaints(['a=b:Nope'])).toThrow('invalid taint effect');
  expect(() => parseFor('soon')).toThrow('unrecognized condition: "soon"');
});

test('how far a rollout is', () => {
  const deployment = (status: object): Thing => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', generation: 1 }, spec: { replicas: 3 }, status: { observedGeneration: 1, ...status } });
  expect(progress(deployment({ updatedReplicas: 1 })).message).toBe('Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...\n');
  expect(progress(deployment({ updatedReplicas: 3, replicas: 3, availableReplicas: 3 }))).toEqual({ message: 'deployment "web" successfully rolled out\n', done: true });
});
