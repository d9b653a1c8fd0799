import { describe, expect, it } from 'vitest';
import { nameOf, partsOf, resourceOf, ruleWords, shownRows } from './access';

describe('access', () => {
  it('reads resources as kubectl writes them', () => {
    expect(resourceOf('deployments.apps/scale')).toEqual({ group: 'apps', resource: 'deployments', subresource: 'scale' });
    expect(resourceOf('pods')).toEqual({ group: '', resource: 'pods', subresource: '' });
    expect(resourceOf('roles.rbac.authorization.k8s.io')).toEqual({ group: 'rbac.authorization.k8s.io', resource: 'roles', subresource: '' });
    expect(nameOf({ group: 'apps', resource: 'deployments/scale' })).toBe('deployments.apps/scale');
  });

  it('takes titles of bindings and roles apart', () => {
    expect(partsOf('RoleBinding/shop/devs-edit')).toEqual({ kind: 'RoleBinding', namespace: 'shop', name: 'devs-edit' });
    expect(partsOf('ClusterRole/edit')).toEqual({ kind: 'ClusterRole', namespace: '', name: 'edit' });
  });

  it('puts a rule into words', () => {
    expect(ruleWords({ verbs: ['get', 'list'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['web'] })).toBe('get, list deployments of apps named web');
    expect(ruleWords({ verbs: ['get'], apiGroups: [''], resources: ['pods'] })).toBe('get pods');
  });

  it('finds rows by words, and only what is granted when asked', () => {
    const matrix = { user: 'a', rows: [{ group: '', resource: 'pods', kind: 'Pod', namespaced: true, cells: [{ verb: 'get', allowed: true }] }, { group: '', resource: 'secrets', kind: 'Secret', namespaced: true, cells: [{ verb: 'get', allowed: false }] }] };
    expect(shownRows(matrix, 'sec', false).map((row) => row.resource)).toEqual(['secrets']);
    expect(shownRows(matrix, '', true).map((row) => row.resource)).toEqual(['pods']);
  });
});
