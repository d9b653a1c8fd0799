import { afterEach, describe, expect, it } from 'vitest';
import { acting, impersonating } from './acting.svelte';

const read = (protocol: string): unknown => {
  const encoded = protocol.replace('base64url.impersonate.kubeweb.dev.', '').replaceAll('-', '+').replaceAll('_', '/');
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(encoded), (one) => one.charCodeAt(0))));
};

describe('acting as somebody', () => {
  afterEach(() => acting.oneself());

  it('goes with the API and the explorer, and not with what is one’s own', () => {
    acting.as('Łukasz, zoë', ['devs', 'system:authenticated']);
    for (const path of ['/api/v1/pods', '/apis/apps/v1/deployments', '/explorer/why/?name=x', '/explorer/past/?at=3']) {
      // As fetch takes them: it throws at what a header cannot carry.
      const sent = new Headers(acting.headers(path)).get('X-KubeWeb-Impersonate');
      expect(sent).toMatch(/^[\x21-\x7e]+$/);
      expect(read(sent!)).toEqual({ user: 'Łukasz, zoë', groups: ['devs'] });
    }
    for (const path of ['/explorer/manifests/', '/explorer/lessons/first/', '/account/', '/explore/access']) expect(acting.headers(path)).toEqual({});
  });

  it('is said among the subprotocols of a WebSocket, whatever the name', () => {
    acting.as('zoë:ünïcode?', ['a/b', 'c+d']);
    const [protocol] = acting.protocols();
    expect(protocol).toMatch(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
    expect(read(protocol!)).toEqual({ user: 'zoë:ünïcode?', groups: ['a/b', 'c+d'] });
  });

  it('is nothing for oneself', () => {
    expect(acting.headers('/api/v1/pods')).toEqual({});
    expect(acting.protocols()).toEqual([]);
    expect(impersonating('', ['devs'])).toEqual([]);
  });
});
