import { describe, expect, it } from 'vitest';
import { find, provide, register, score } from './commands';

describe('commands', () => {
  it('finds by all words, beginnings first', () => {
    expect(score('web', 'web-7c9')).toBeGreaterThan(score('web', 'my-web')!);
    expect(score('web pod', 'web', 'pod')).not.toBeNull();
    expect(score('web node', 'web', 'pod')).toBeNull();
  });

  it('offers what was registered and what sources know, until it is taken away', () => {
    const ran: string[] = [];
    const gone = register({ id: 'a', title: 'Go to events', run: () => ran.push('a') });
    const over = provide((query) => (query ? [{ id: 'b', title: 'event e-1', run: () => ran.push('b') }] : []));
    expect(find('event').map((one) => one.id)).toEqual(['b', 'a']);
    find('go to')[0]!.run();
    expect(ran).toEqual(['a']);
    gone();
    over();
    expect(find('event')).toEqual([]);
  });
});
