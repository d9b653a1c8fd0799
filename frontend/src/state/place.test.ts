import { describe, expect, it } from 'vitest';
import { placeOf } from './place';

describe('the place of a span', () => {
  it('is its journey and its number', () => expect(placeOf('a.b2:3')).toEqual({ root: 'a', id: 'a.b2', span: 3 }));
  it('may be a whole journey, or a root', () => {
    expect(placeOf('a.b2')).toEqual({ root: 'a', id: 'a.b2' });
    expect(placeOf('a')).toEqual({ root: 'a', id: 'a' });
  });
  it('takes no nonsense for a number', () => {
    expect(placeOf('a.b:x')).toEqual({ root: 'a', id: 'a.b' });
    expect(placeOf('a.b:99999999')).toEqual({ root: 'a', id: 'a.b' });
  });
});
