import { describe, expect, it } from 'vitest';
import { alike, few, summed } from './rights';

describe('what one may', () => {
  it('tells changing from reading, and leaves out what everybody may', () => {
    const rules = [
      { verbs: ['create'], resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'] },
      { verbs: ['get', 'list', 'watch'], resources: ['pods', 'events', 'pods/log'] },
      { verbs: ['create', 'delete'], resources: ['pods'] },
    ];
    expect(summed(rules)).toEqual({ change: ['pods'], read: ['events'] });
    expect(summed([])).toEqual({ change: [], read: [] });
  });

  it('names what people know first, and counts the rest', () => {
    const resources = ['zebras', 'roles', 'secrets', 'apples', 'services', 'pods', 'leases', 'quotas'];
    expect(summed([{ verbs: ['*'], resources }]).change).toEqual(['pods', 'services', 'secrets', 'apples', 'leases', '3 more kinds']);
    expect(summed([{ verbs: ['*'], resources: ['*', 'pods'] }]).change).toEqual(['everything']);
  });
});

describe('what is seen in some namespaces alone', () => {
  it('is told once for all that are seen in the same', () => {
    expect(alike({ 'v1/pods': ['b', 'a'], 'apps/v1/deployments': ['a', 'b'], 'v1/namespaces': ['a'] })).toEqual([
      { namespaces: ['a', 'b'], resources: ['pods', 'deployments'] },
      { namespaces: ['a'], resources: ['namespaces'] },
    ]);
    expect(few(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toEqual(['a', 'b', 'c', 'd', 'e', '2 more']);
  });
});
