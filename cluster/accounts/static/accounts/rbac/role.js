// The form of a Role or ClusterRole: rules with pick lists from discovery, and for ClusterRoles the aggregation rule.
import { chips } from './chips.js';
import { h, strings } from './dom.js';

const USUAL = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
const READ = ['get', 'list', 'watch'];
const groupName = (group) => (group === '' ? 'core' : group);

export function roleForm({ facts, object, change, sentences }) {
  const rules = Array.isArray(object.rules) ? object.rules : [];
  const set = (next) => change({ ...object, rules: next });
  const replace = (position, rule) => set(rules.map((one, index) => (index === position ? rule : one)));
  const remove = (position) => set(rules.filter((_, index) => index !== position));
  const aggregated = facts.kind === 'ClusterRole' && object.aggregationRule;
  return [
    h('div', { 'data-field': 'rules' }),
    aggregated ? h('p', { class: 'note' }, 'The rules of this role are collected from others by its selectors; what you write here is replaced.') : null,
    ...rules.map((rule, position) => ruleForm({
      facts, rule: rule && typeof rule === 'object' ? rule : {}, position, sentence: sentences[position] ?? '',
      change: (next) => replace(position, next), remove: () => remove(position),
    })),
    h('div', { class: 'add' },
      h('button', { type: 'button', class: 'secondary', onclick: () => set([...rules, { apiGroups: [''], resources: [], verbs: [] }]) }, 'Add a rule on resources'),
      facts.kind === 'ClusterRole'
        ? h('button', { type: 'button', class: 'secondary', onclick: () => set([...rules, { nonResourceURLs: [], verbs: ['get'] }]) }, 'Add a rule on paths') : null),
    facts.kind === 'ClusterRole' ? aggregation(object, change) : null,
  ];
}

function ruleForm({ facts, rule, position, sentence, change, remove }) {
  const field = `rules[${position}]`;
  const paths = 'nonResourceURLs' in rule;
  return h('section', { class: 'rule', 'aria-label': `Rule ${position + 1}` },
    h('header', {}, h('p', {}, h('small', {}, `Rule ${position + 1} allows to`), sentence || '…'),
      h('button', { type: 'button', class: 'small-button', onclick: remove }, 'Remove')),
    paths ? pathFields(rule, field, change) : resourceFields(facts, rule, field, change));
}

function resourceFields(facts, rule, field, change) {
  const groups = strings(rule.apiGroups), resources = strings(rule.resources), verbs = strings(rule.verbs);
  const entries = facts.catalogue;
  const within = groups.includes('*') ? entries : entries.filter((entry) => groups.includes(entry.group));
  const plain = [...new Set(within.map((entry) => entry.resource))];
  // Those of groups not chosen yet are offered with their group, which comes along when one is picked.
  const others = entries.filter((entry) => !within.includes(entry)).map((entry) => `${entry.resource}.${groupName(entry.group)}`);
  const served = new Set(within.filter((entry) => resources.includes(entry.resource)).flatMap((entry) => entry.verbs));
  const any = resources.some((one) => one.includes('*')) || !served.size;
  const pick = (next) => {
    const more = [...groups], words = [];
    for (const word of next) {
      const entry = plain.includes(word) ? null : entries.find((one) => `${one.resource}.${groupName(one.group)}` === word) ?? (resources.includes(word) || word.includes('*') ? null : lone(entries, word));
      words.push(entry ? entry.resource : word);
      if (entry && !more.includes('*') && !more.includes(entry.group)) more.push(entry.group);
    }
    // The core group that a new rule starts with gives way to the first group really meant.
    const kept = !resources.length && more.length > 1 && more[0] === '' && !words.some((word) => entries.some((one) => one.group === '' && one.resource === word)) ? more.slice(1) : more;
    change({ ...rule, apiGroups: kept, resources: [...new Set(words)] });
  };
  const offered = [...USUAL, ...[...new Set([...served, ...verbs])].filter((verb) => !USUAL.includes(verb) && verb !== '*'), '*'];
  return [
    chips({
      label: 'API groups', field: `${field}.apiGroups`, values: groups, shown: groupName,
      known: ['*', ...new Set(entries.map((entry) => entry.group))], unknown: (word) => word !== '*' && !entries.some((entry) => entry.group === word),
      help: 'Where the resources are served: core holds pods, services, secrets; apps holds deployments.', onchange: (next) => change({ ...rule, apiGroups: next }),
    }),
    chips({
      label: 'Resources', field: `${field}.resources`, values: resources, known: ['*', ...plain, ...others],
      unknown: (word) => !word.includes('*') && within.length > 0 && !plain.includes(word),
      help: 'A subresource such as pods/log is named by itself. Picking one brings its group along.', onchange: pick,
    }),
    h('fieldset', { class: 'field', 'data-field': `${field}.verbs` }, h('legend', {}, 'Verbs'),
      h('div', { class: 'verbs' }, offered.map((verb) => h('label', { class: any || served.has(verb) || verb === '*' ? '' : 'unserved', title: any || served.has(verb) || verb === '*' ? '' : 'None of these resources serves it' },
        h('input', { type: 'checkbox', checked: verbs.includes(verb), onchange: (event) => change({ ...rule, verbs: event.target.checked ? [...verbs, verb] : verbs.filter((one) => one !== verb) }) }),
        verb === '*' ? 'all (*)' : verb))),
      h('div', { class: 'add' },
        h('button', { type: 'button', class: 'small-button', onclick: () => change({ ...rule, verbs: [...new Set([...verbs, ...READ])] }) }, 'Read only'),
        h('button', { type: 'button', class: 'small-button', onclick: () => change({ ...rule, verbs: [] }) }, 'None'))),
    chips({
      label: 'Resource names', field: `${field}.resourceNames`, values: strings(rule.resourceNames), placeholder: 'any name',
      help: 'Left empty, the rule holds for every object.', onchange: (next) => {
        const { resourceNames: _, ...rest } = rule;
        change(next.length ? { ...rest, resourceNames: next } : rest);
      },
    }),
  ];
}

/** The entry that a bare word can only mean: `deployments` is served by one group alone. */
function lone(entries, word) {
  const found = entries.filter((entry) => entry.resource === word);
  return found.length === 1 ? found[0] : null;
}

function pathFields(rule, field, change) {
  const verbs = strings(rule.verbs);
  return [
    chips({
      label: 'Paths', field: `${field}.nonResourceURLs`, values: strings(rule.nonResourceURLs), known: ['*', '/healthz', '/livez', '/readyz', '/metrics', '/version', '/api/*', '/apis/*', '/openapi/*'],
      help: 'Of the server itself, such as /metrics. A star at the end stands for everything below.', onchange: (next) => change({ ...rule, nonResourceURLs: next }),
    }),
    h('fieldset', { class: 'field', 'data-field': `${field}.verbs` }, h('legend', {}, 'Verbs'),
      h('div', { class: 'verbs' }, ['get', 'post', 'put', 'patch', 'delete', 'head', 'options', '*'].map((verb) => h('label', {},
        h('input', { type: 'checkbox', checked: verbs.includes(verb), onchange: (event) => change({ ...rule, verbs: event.target.checked ? [...verbs, verb] : verbs.filter((one) => one !== verb) }) }), verb === '*' ? 'all (*)' : verb)))),
  ];
}

function aggregation(object, change) {
  const selectors = object.aggregationRule?.clusterRoleSelectors ?? [];
  const labels = selectors.flatMap((selector) => Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`));
  const simple = selectors.every((selector) => !selector?.matchExpressions && Object.keys(selector?.matchLabels ?? {}).length === 1);
  if (!simple) return h('p', { class: 'note' }, 'This aggregation rule is more than labels one by one; edit it as YAML.');
  return h('div', {}, h('br'), chips({
    label: 'Aggregate from ClusterRoles labelled', field: 'aggregationRule', values: labels, placeholder: 'key=value',
    known: ['view', 'edit', 'admin'].map((role) => `rbac.authorization.k8s.io/aggregate-to-${role}=true`),
    help: 'Any of these labels will do. The rules are then kept up to date by the cluster.',
    onchange: (next) => {
      const { aggregationRule: _, ...rest } = object;
      const pairs = next.map((label) => label.split('=')).filter(([key]) => key);
      change(pairs.length ? { ...rest, aggregationRule: { clusterRoleSelectors: pairs.map(([key, value = '']) => ({ matchLabels: { [key]: value } })) } } : rest);
    },
  }));
}
