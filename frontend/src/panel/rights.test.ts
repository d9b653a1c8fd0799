import { describe, expect, it } from 'vitest';
import { summed } from './rights';

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
