import { describe, expect, it } from 'vitest';
import { href, objectHref, parse, route } from './route.svelte';

describe('the address', () => {
  it('names a view, what it shows, and when', () => {
    expect(parse('/', '')).toEqual({ view: 'pipeline', rest: [], params: {} });
    expect(parse('/explore/nodes/', '?ns=shop&at=12')).toEqual({ view: 'nodes', rest: [], params: { ns: 'shop', at: '12' } });
    expect(parse('/explore/object/apps~v1/deployments/shop/a%20b', '').rest).toEqual(['apps~v1', 'deployments', 'shop', 'a b']);
    expect(parse('/explore/events/%E0%A4%A', '').rest).toEqual(['%E0%A4%A']);
  });

  it('takes namespace and moment along, unless told otherwise', () => {
    route.params = { ns: 'shop', at: '12', q: 'mine' };
    expect(href('events')).toBe('/explore/events?ns=shop&at=12');
    expect(href('pipeline', [], { at: '' })).toBe('/?ns=shop');
    expect(objectHref('apps/v1', 'deployments', 'shop', 'web')).toBe('/explore/object/apps~v1/deployments/shop/web?ns=shop&at=12');
    expect(objectHref('v1', 'nodes', '', 'node-1')).toContain('/explore/object/v1/nodes/_/node-1');
    route.params = {};
  });
});
