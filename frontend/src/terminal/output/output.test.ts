import { describe, expect, test } from 'vitest';
import type { Resource } from '../kube/types';
import { printer } from './format';
import { evaluate, parseTemplate, relaxed, render } from './jsonpath';
import { toJson, toYaml } from './serialize';

const list = {
  items: [
    { metadata: { name: 'a', labels: { 'app.kubernetes.io/name': 'x' } }, spec: { containers: [{ name: 'c', image: 'i:1' }] }, status: { phase: 'Running' } },
    { metadata: { name: 'b' }, spec: { containers: [{ name: 'd', image: 'i:2' }, { name: 'e' }] }, status: { phase: 'Pending' } },
  ],
};

describe('jsonpath', () => {
  test.each([
    ['{.items[*].metadata.name}', 'a b'],
    ['{.items[0].metadata.name}', 'a'],
    ['{.items[-1:].metadata.name}', 'b'],
    ['{range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}', 'a\tRunning\nb\tPending\n'],
    ['{.items[?(@.status.phase=="Running")].metadata.name}', 'a'],
    ['{..image}', 'i:1 i:2'],
    ["{.items[0].metadata.labels['app\\.kubernetes\\.io/name']}", 'x'],
    ['{.items[0].metadata.labels.app\\.kubernetes\\.io/name}', 'x'],
    ['name: {.items[1].metadata.name}!', 'name: b!'],
    ['{.items[0].metadata.labels}', '{"app.kubernetes.io/name":"x"}'],
    ['{.nothing}', ''],
  ])('%s', (template, text) => {
    expect(render(parseTemplate(template), list)).toBe(text);
  });

  test('what cannot be read is said', () => {
    expect(() => parseTemplate('{.a')).toThrow('unclosed action');
    expect(() => parseTemplate('{range .a}x')).toThrow('unclosed range');
    expect(() => render(parseTemplate('{.items[5]}'), list)).toThrow('array index out of bounds: index 5, length 2');
  });

  test('paths of --sort-by may leave out braces and the dot', () => {
    for (const path of ['{.metadata.name}', '.metadata.name', 'metadata.name']) {
      expect(evaluate(relaxed(path), list.items[0])).toEqual(['a']);
    }
  });
});

describe('yaml', () => {
  test('keys are sorted, lists are not indented, what would be misread is quoted', () => {
    expect(toYaml({ b: ['x'], a: 'true', c: '1', d: '2026-11-25T13:03:24Z', e: '', f: 'a: b', g: null, h: {}, i: [], j: '*', k: 'x\ny\n' })).toBe(
      'a: "true"\nb:\n- x\nc: "1"\nd: "2026-11-25T13:03:24Z"\ne: ""\nf: \'a: b\'\ng: null\nh: {}\ni: []\nj: \'*\'\nk: |\n  x\n  y\n',
    );
  });
});

test('json is sorted, four spaces, with Go\'s escapes', () => {
  expect(toJson({ b: '<a&b>', a: 1 })).toBe('{\n    "a": 1,\n    "b": "\\u003ca\\u0026b\\u003e"\n}\n');
});

test('custom columns', () => {
  const resource = { group: '', singular: 'pod' } as Resource;
  const print = printer('custom-columns=NAME:.metadata.name,IMAGES:.spec.containers[*].image,L:.metadata.labels');
  const found = list.items.map((object) => ({ resource, object: { apiVersion: 'v1', kind: 'Pod', ...object } }));
  expect(print?.(found, { managed: false, single: false, headers: true })).toBe(
    'NAME   IMAGES   L\na      i:1      map[app.kubernetes.io/name:x]\nb      i:2      <none>\n',
  );
});

test('a format that there is not is refused in kubectl\'s words', () => {
  expect(() => printer('foo')).toThrow('unable to match a printer suitable for the output format "foo", allowed formats are: custom-columns,');
});
