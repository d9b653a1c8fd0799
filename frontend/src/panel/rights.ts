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
  return { change: few([...change]), read: few([...read]) };
}

function few(names: string[]): string[] {
  if (names.includes('everything')) return ['everything'];
  const order = names.sort((a, b) => familiar(a) - familiar(b) || a.localeCompare(b));
  return order.length <= MOST ? order : [...order.slice(0, MOST - 1), `${order.length - MOST + 1} more kinds`];
}

const KNOWN = ['pods', 'deployments', 'services', 'configmaps', 'secrets'];

function familiar(name: string): number {
  const at = KNOWN.indexOf(name);
  return at < 0 ? KNOWN.length : at;
}
