import { describe, expect, it } from 'vitest';
import { addressOf, pathOf, resourceOf } from './address';
import { conditionTone, facts } from './facts';

describe('addresses of objects', () => {
  it('reads what objectHref writes', () => {
    const address = addressOf(['apps~v1', 'deployments', 'shop', 'web'])!;
    expect(address).toEqual({ apiVersion: 'apps/v1', plural: 'deployments', namespace: 'shop', name: 'web' });
    expect(resourceOf(address)).toBe('apps/v1/deployments');
    expect(pathOf(address)).toBe('/apis/apps/v1/namespaces/shop/deployments/web');
  });

  it('knows objects without a namespace, and names that want escaping', () => {
    expect(pathOf(addressOf(['v1', 'nodes', '_', 'node-1'])!)).toBe('/api/v1/nodes/node-1');
    expect(pathOf(addressOf(['rbac.authorization.k8s.io~v1', 'clusterroles', '_', 'system:node'])!)).toBe('/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode');
  });

  it('takes nothing that is not whole', () => {
    expect(addressOf([])).toBeNull();
    expect(addressOf(['v1', 'pods', 'default'])).toBeNull();
  });
});

describe('facts', () => {
  it('pairs the columns that kubectl prints with their cells', () => {
    const table = { columnDefinitions: [{ name: 'Name', priority: 0 }, { name: 'Ready', priority: 0 }, { name: 'IP', priority: 1 }], rows: [{ cells: ['web', '1/1', '<none>'] }] };
    expect(facts(table)).toEqual([{ name: 'Ready', value: '1/1' }]);
  });

  it('knows good conditions from bad, also those that are good when false', () => {
    expect(conditionTone({ type: 'Ready', status: 'True' })).toBe('green');
    expect(conditionTone({ type: 'Ready', status: 'False' })).toBe('red');
    expect(conditionTone({ type: 'MemoryPressure', status: 'False' })).toBe('green');
    expect(conditionTone({ type: 'ReplicaFailure', status: 'True' })).toBe('red');
    expect(conditionTone({ type: 'Ready', status: 'Unknown' })).toBe('amber');
  });
});
