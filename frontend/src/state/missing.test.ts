import { describe, expect, it } from 'vitest';
import { inWords, missingOf, outside } from './missing';

describe('what right is missing', () => {
  it('is what the refusal says', () => {
    const cluster = missingOf('nodes is forbidden: User "carol" cannot list resource "nodes" in API group "" at the cluster scope');
    expect(cluster).toMatchObject({ verb: 'list', resource: 'nodes', namespace: '' });
    expect(inWords(cluster)).toBe('list nodes in the whole cluster');
    const there = missingOf('deployments.apps is forbidden: User "carol" cannot watch resource "deployments" in API group "apps" in the namespace "shop": RBAC: role "x" not found');
    expect(inWords(there)).toBe('watch deployments.apps in the namespace shop');
  });

  it('is the right to list where a resource is not seen', () => {
    expect(inWords(outside('apps/v1/deployments', 'shop'))).toBe('list deployments.apps in the namespace shop');
    expect(outside('v1/pods', 'shop').resource).toBe('pods');
  });

  it('is nothing of a message that names none', () => {
    expect(missingOf('the server is away')).toEqual({ verb: '', resource: '', namespace: '', message: 'the server is away' });
  });
});
