import { beforeEach, describe, expect, it, vi } from 'vitest';
import { request } from '../api/http';
import { roundOf, secondsOf } from './kiosk';

describe('a page that only shows', () => {
  it('goes through the views that are named and show something', () => {
    expect(roundOf('pipeline,nodes,metrics')).toEqual(['pipeline', 'nodes', 'metrics']);
    expect(roundOf('pipeline, terminal, nowhere, nodes')).toEqual(['pipeline', 'nodes']);
    expect(roundOf('1')).toEqual([]);
    expect(roundOf('nodes')).toEqual([]);
  });
  it.each([[undefined, 20], ['7', 7], ['1', 5], ['99999', 600], ['often', 20], ['-3', 20]])('every %s is %d seconds', (every, seconds) => expect(secondsOf(every)).toBe(seconds));
});

describe('requests of a kiosk', () => {
  const sent = vi.fn(async () => new Response('{}'));
  beforeEach(() => {
    sent.mockClear();
    vi.stubGlobal('fetch', sent);
    vi.stubGlobal('document', { cookie: '' });
    vi.stubGlobal('location', { search: '?kiosk=1' });
  });
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s is not sent', async (method) => {
    await expect(request(method, '/api/v1/namespaces/default/pods')).rejects.toThrow('only shows');
    expect(sent).not.toHaveBeenCalled();
  });
  it('reading, and asking what one may, is', async () => {
    await request('GET', '/api/v1/pods');
    await request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', '{}');
    expect(sent).toHaveBeenCalledTimes(2);
  });
});
