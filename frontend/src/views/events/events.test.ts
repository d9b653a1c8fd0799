import { describe, expect, it } from 'vitest';
import { lines, pattern, wanted, type KubeEvent } from './events';

const event = (name: string, values: Partial<KubeEvent> = {}): KubeEvent =>
  ({ metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' }, type: 'Normal', reason: 'Pulled', message: 'Successfully pulled image "nginx" in 1.5s', lastTimestamp: '2026-01-01T00:00:01Z', involvedObject: { kind: 'Pod', namespace: 'shop', name, uid: name }, ...values }) as KubeEvent;

describe('events', () => {
  it('that say the same of siblings are one line with a count', () => {
    const found = lines([event('web-7f45d-abcde'), event('web-7f45d-fghij', { message: 'Successfully pulled image "nginx" in 2.25s', lastTimestamp: '2026-01-01T00:00:09Z', count: 3 }), event('other-1-abcde')]);
    expect(found).toHaveLength(2);
    expect(found[0]).toMatchObject({ count: 4, last: '2026-01-01T00:00:09Z' });
    expect(found[0]!.objects.map((one) => one.name)).toEqual(['web-7f45d-fghij', 'web-7f45d-abcde']);
  });

  it('are kept apart when asked for', () => {
    expect(lines([event('web-7f45d-abcde'), event('web-7f45d-fghij')], false)).toHaveLength(2);
  });

  it('with different words stay different', () => {
    expect(pattern('Scaled up replica set web-1 from 0 to 3')).toBe(pattern('Scaled up replica set web-1 from 1 to 5'));
    expect(pattern('image "a" not found')).not.toBe(pattern('image "b" not found'));
  });

  it('are found by all words, type, reason and kind', () => {
    const [line] = lines([event('web-1', { type: 'Warning', reason: 'BackOff' })]);
    const any = { text: '', type: '', reason: '', kind: '' };
    expect(wanted(line!, { ...any, text: 'back pod/WEB' })).toBe(true);
    expect(wanted(line!, { ...any, text: 'back missing' })).toBe(false);
    expect(wanted(line!, { ...any, type: 'Normal' })).toBe(false);
    expect(wanted(line!, { ...any, kind: 'Node' })).toBe(false);
  });
});
