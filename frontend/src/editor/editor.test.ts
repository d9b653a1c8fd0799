import { describe, expect, test } from 'vitest';
import { keyAt, placeAt } from './place';
import { at, valuesOf, type Rooted } from './schema';
import { locate, problems, steps } from './validate';

/** `|` marks the cursor. */
function place(marked: string) {
  const offset = marked.indexOf('|');
  return placeAt(marked.slice(0, offset) + marked.slice(offset + 1), offset);
}

describe('where the cursor is', () => {
  test.each<[string, (string | number)[], string, string]>([
    ['apiVersion: v1\nkin|', [], 'key', 'kin'],
    ['apiVersion: v1\nkind: P|', ['kind'], 'value', 'P'],
    ['spec:\n  rep|', ['spec'], 'key', 'rep'],
    ['spec:\n  containers:\n  - na|', ['spec', 'containers', 0], 'key', 'na'],
    ['spec:\n  containers:\n    - name: a\n      im|', ['spec', 'containers', 0], 'key', 'im'],
    ['spec:\n  containers:\n  - name: a\n    image: b\n  - name: c\n    |', ['spec', 'containers', 1], 'key', ''],
    ['spec:\n  containers:\n  - name: a\n    ports:\n    - containerPort: 80\n      prot|', ['spec', 'containers', 0, 'ports', 0], 'key', 'prot'],
    ['spec:\n  template:\n    spec:\n      containers:\n      - image: x\n        imagePullPolicy: Al|', ['spec', 'template', 'spec', 'containers', 0, 'imagePullPolicy'], 'value', 'Al'],
    ['spec:\n  a:\n    b: 1\n  |', ['spec'], 'key', ''],
    ['kind: A\n---\nkind: B\nspec:\n  x|', ['spec'], 'key', 'x'],
  ])('%j', (text, path, kind, word) => {
    expect(place(text)).toMatchObject({ path, kind, word });
  });

  test('it knows what stands beside, and of which kind the document is', () => {
    expect(place('kind: Job\n---\napiVersion: apps/v1\nkind: Deployment\nspec:\n  replicas: 1\n  |\n  paused: true')).toMatchObject({
      siblings: ['replicas', 'paused'],
      apiVersion: 'apps/v1',
      kindName: 'Deployment',
    });
  });

  test('nothing is offered inside a literal text or a comment', () => {
    expect(place('data:\n  a: |-\n    te|xt'.replace('|-', '>-'))).toBeNull();
    expect(place('a: 1\n# com|')).toBeNull();
  });

  test('a key under the pointer has its path', () => {
    const text = 'apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    image: b\n';
    expect(keyAt(text, text.indexOf('image') + 2)).toMatchObject({ path: ['spec', 'containers', 0, 'image'], kindName: 'Pod' });
    expect(keyAt(text, text.indexOf('image: b') + 7)).toBeNull();
  });
});

const schema: Rooted = {
  root: {
    type: 'object',
    properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object', properties: { name: { type: 'string' }, labels: { type: 'object', additionalProperties: { type: 'string' } } } }, spec: { allOf: [{ $ref: '#/components/schemas/Spec' }], description: 'What is wanted' } },
    required: ['spec'],
  },
  all: {
    Spec: {
      type: 'object',
      properties: { replicas: { type: 'integer' }, port: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] }, containers: { type: 'array', items: { $ref: '#/components/schemas/Container' } }, paused: { type: 'boolean' } },
      required: ['containers'],
    },
    Container: { type: 'object', properties: { name: { type: 'string' }, image: { type: 'string' } }, required: ['name'] },
  },
};

const head = 'apiVersion: x/v1\nkind: X\n';
const found = async (text: string) => (await problems(text, async () => schema)).map((one) => `${one.line}: ${one.message}`);

describe('what is wrong', () => {
  test('nothing, when nothing is', async () => {
    expect(await found(`${head}metadata:\n  name: a\n  labels: {a: b}\nspec:\n  replicas: 1\n  port: http\n  containers:\n  - name: a\n`)).toEqual([]);
    expect(await found('# only a comment\n---\n')).toEqual([]);
  });

  test.each([
    [`${head}spec:\n  replica: 1\n  containers: []\n`, ['4: unknown field "spec.replica": did you mean replicas?']],
    [`${head}spec:\n  replicas: "1"\n  containers: []\n`, ['4: spec.replicas must be an integer, not a string']],
    [`${head}metadata:\n  labels:\n    a: 1\nspec:\n  containers: []\n`, ['5: metadata.labels.a must be a string, not an integer: write "1" in quotes']],
    [`${head}spec:\n  replicas: 1\n`, ['3: spec.containers is required']],
    [`${head}spec:\n  containers:\n  - image: x\n`, ['5: spec.containers[0].name is required']],
    [`${head}spec:\n  containers:\n    name: x\n`, ['4: spec.containers must be a []Container, not a map']],
    ['kind: X\nspec: 1\n', ['1: apiVersion is missing']],
    ['- a\n', ['1: A manifest is a map of fields: apiVersion, kind, metadata …']],
  ])('%j', async (text, said) => {
    expect(await found(text)).toEqual(said);
  });

  test('YAML\'s own errors have their line', async () => {
    const [first] = await found(`${head}spec:\n  a: [1\nb: 2\n`);
    expect(first).toMatch(/^[456]: /);
    expect(await found('a: 1\na: 2\n')).toEqual(['2: Map keys must be unique']);
  });

  test('a Secret is warned about, a kind that the cluster does not know is told', async () => {
    expect(await found('apiVersion: v1\nkind: Secret\nstringData: {a: b}\nspec: {containers: []}\n')).toContain('3: A Secret is readable to everyone who sees this text: do not use real passwords here.');
    expect((await problems(head, async () => null))[0]).toMatchObject({ severity: 'warning', line: 2 });
  });
});

test('fields that the server names are found in the text', () => {
  const text = `${head}spec:\n  containers:\n  - name: a\n  - name: b\n    image: ""\n---\n${head}spec:\n  replicas: -1\n`;
  expect(locate(text, 0, 'spec.containers[1].image').line).toBe(7);
  expect(locate(text, 1, 'spec.replicas').line).toBe(12);
  expect(locate(text, 1, 'spec.containers[3].image').line).toBe(11);
  expect(locate(text, 0, 'nothing').line).toBe(1);
  expect(steps('metadata.labels[a/b].x[2]')).toEqual(['metadata', 'labels', 'a/b', 'x', 2]);
});

test.each([
  ['Image pull policy. One of Always, Never, IfNotPresent. Defaults to Always', ['Always', 'Never', 'IfNotPresent']],
  ['Protocol for port. Must be UDP, TCP, or SCTP. Defaults to "TCP".', ['UDP', 'TCP', 'SCTP']],
  ['Valid options are ExternalName, ClusterIP, NodePort, and LoadBalancer.', ['ExternalName', 'ClusterIP', 'NodePort', 'LoadBalancer']],
  ["Valid values are 'ClusterFirst', 'Default' or 'None'.", ['ClusterFirst', 'Default', 'None']],
  ['Type of deployment. Can be "Recreate" or "RollingUpdate". Default is RollingUpdate.', ['Recreate', 'RollingUpdate']],
  ['The name of the thing.', []],
])('values that a description lists: %s', (description, values) => {
  expect(valuesOf({ type: 'string', description })).toEqual(values);
});

test('a schema is found at a path, with the description of the field', () => {
  expect(at(['spec'], schema)?.description).toBe('What is wanted');
  expect(at(['spec', 'containers', 0, 'image'], schema)?.type).toBe('string');
  expect(at(['spec', 'nothing'], schema)).toBeNull();
});
