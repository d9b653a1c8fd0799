/** What a SelfSubjectRulesReview says, in few words. */
export interface Rule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
}

const READS = new Set(['get', 'list', 'watch']);
/** What everybody may: asking about oneself, learning, a sandbox. Not worth telling. */
const EVERYBODY = /^(selfsubject\w+|access\w+|\w+previews|lessons|sandboxes)$/;
const MOST = 6;

/** The resources that may be changed, and those that may only be read; long lists end in how many more there are. */
export function summed(rules: Rule[]): { change: string[]; read: string[] } {
  const change = new Set<string>();
  const read = new Set<string>();
  for (const rule of rules) {
    for (const resource of rule.resources ?? []) {
      if (EVERYBODY.test(resource) || resource.includes('/')) continue;
      const name = resource === '*' ? 'everything' : resource;
      if (rule.verbs.some((verb) => !READS.has(verb))) change.add(name);
      else read.add(name);
    }
  }
  for (const name of change) read.delete(name);
  return { change: kinds([...change]), read: kinds([...read]) };
}

/** Resources (`apps/v1/deployments`) that are seen in the same namespaces, by their names alone. */
export function alike(within: Record<string, string[]>): { namespaces: string[]; resources: string[] }[] {
  const found = new Map<string, { namespaces: string[]; resources: string[] }>();
  for (const [resource, namespaces] of Object.entries(within)) {
    const key = [...namespaces].sort().join();
    const same = found.get(key) ?? { namespaces: [...namespaces].sort(), resources: [] };
    found.set(key, same);
    same.resources.push(resource.split('/').at(-1)!);
  }
  return [...found.values()];
}

function kinds(names: string[]): string[] {
  if (names.includes('everything')) return ['everything'];
  return few(names.sort((a, b) => familiar(a) - familiar(b) || a.localeCompare(b)), 'more kinds');
}

/** The first of them, and how many more there are. */
export function few(names: string[], others = 'more'): string[] {
  return names.length <= MOST ? names : [...names.slice(0, MOST - 1), `${names.length - MOST + 1} ${others}`];
}

const KNOWN = ['pods', 'deployments', 'services', 'configmaps', 'secrets'];

function familiar(name: string): number {
  const at = KNOWN.indexOf(name);
  return at < 0 ? KNOWN.length : at;
}
