import { expect, it } from 'vitest';
import { byName } from './order';

it('has numbers in names in order, as numbers', () => {
  expect(['node-10', 'node-9', 'db', 'node-1'].sort(byName)).toEqual(['db', 'node-1', 'node-9', 'node-10']);
});
