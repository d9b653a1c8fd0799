/** RBAC rules as kubectl shows them: broken down to one group and resource each, equal ones together, sorted. */

export interface Rule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

export interface Row {
  group: string;
  resource: string;
  urls: string[];
  names: string[];
  verbs: string[];
}

/** The order of kubectl's SortableRuleSlice: by the rule written out. */
function written({ verbs, group, resource, names, urls }: Row): string {
  const list = (words: string[]) => `[${words.join(' ')}]`;
  return `Verbs:${list(verbs)},APIGroups:${list(resource ? [group] : [])},Resources:${list(resource ? [resource] : [])},ResourceNames:${list(names)},NonResourceURLs:${list(urls)},`;
}

export function compact(rules: Rule[]): Row[] {
  const found = new Map<string, Row>();
  const urls: Row[] = [];
  const add = (row: Row) => {
    const key = [row.group, row.resource, row.urls.join(','), row.names.join(',')].join('\n');
    const had = found.get(key);
    if (had) had.verbs = [...new Set([...had.verbs, ...row.verbs])];
    else found.set(key, row);
  };
  for (const rule of rules) {
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        for (const name of rule.resourceNames?.length ? rule.resourceNames : [null]) {
          add({ group, resource, urls: [], names: name === null ? [] : [name], verbs: [...new Set(rule.verbs)] });
        }
      }
    }
    // Only rules of resources are put together.
    for (const url of rule.nonResourceURLs ?? []) urls.push({ group: '', resource: '', urls: [url], names: [], verbs: [...new Set(rule.verbs)] });
  }
  return [...found.values(), ...urls].sort((a, b) => (written(a) < written(b) ? -1 : written(a) > written(b) ? 1 : 0));
}

/** Resources, Non-Resource URLs, Resource Names, Verbs. */
export function cells({ group, resource, urls, names, verbs }: Row): string[] {
  const [name = '', sub] = resource.split('/');
  return [group ? `${name}.${group}${sub ? `/${sub}` : ''}` : resource, `[${urls.join(' ')}]`, `[${names.join(' ')}]`, `[${verbs.join(' ')}]`];
}
