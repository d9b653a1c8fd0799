import { expect, it } from 'vitest';
import type { Subject } from '../types';
import { read, written } from './subject';

const SUBJECTS: Subject[] = [
  { kind: 'journey', root: 'a', id: 'a' },
  { kind: 'journey', root: 'a', id: 'a.1' },
  { kind: 'journey', root: 'a', id: 'a.1', span: 3 },
  { kind: 'station', name: 'etcd' },
  { kind: 'loop', name: 'deployment' },
  { kind: 'node', name: 'node-1' },
  { kind: 'pod', uid: 'u-1' },
  { kind: 'workload', uid: 'u-2' },
];

it('what is selected is read from a link as it was written into it', () => {
  for (const subject of SUBJECTS) expect(read(written(subject))).toEqual(subject);
  expect(written({ kind: 'none' })).toBe('');
});

it('nonsense selects nothing', () => {
  for (const text of ['', 'pod', 'pod:', ':x', 'secret:x', 'constructor:x']) expect(read(text)).toEqual({ kind: 'none' });
});
