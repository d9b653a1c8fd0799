import { describe, expect, it } from 'vitest';
import { paragraphs, parts } from './text';

describe('the text of lessons', () => {
  it('has paragraphs, whose lines run on', () => {
    expect(paragraphs('one\ntwo\n\nthree\n').map((one) => one.map((part) => part.text).join(''))).toEqual(['one two', 'three']);
  });
  it('marks machine text and emphasis', () => {
    expect(parts('a *desired state*, `spec.replicas` and 2 * 3')).toEqual([
      { kind: 'text', text: 'a ' },
      { kind: 'em', text: 'desired state' },
      { kind: 'text', text: ', ' },
      { kind: 'code', text: 'spec.replicas' },
      { kind: 'text', text: ' and 2 * 3' },
    ]);
  });
  it('never makes markup of what somebody wrote', () => {
    expect(parts('<img src=x onerror=alert(1)>')).toEqual([{ kind: 'text', text: '<img src=x onerror=alert(1)>' }]);
  });
});
