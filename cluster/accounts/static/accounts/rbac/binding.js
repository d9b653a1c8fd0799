// The form of a binding: which role (fixed once it exists), to whom, and what that would give them.
import { h, options } from './dom.js';

const GROUP = 'rbac.authorization.k8s.io';

export function bindingForm({ facts, object, change, choices }) {
  const reference = object.roleRef && typeof object.roleRef === 'object' ? object.roleRef : {};
  const subjects = Array.isArray(object.subjects) ? object.subjects : [];
  const set = (next) => change({ ...object, subjects: next });
  return [roleField({ facts, object, reference, change, choices }),
    h('div', { class: 'field', 'data-field': 'subjects' }, h('span', { class: 'label' }, 'To whom'),
      subjects.map((subject, position) => subjectRow({
        facts, subject: subject && typeof subject === 'object' ? subject : {}, position, namespace: object.metadata?.namespace ?? 'default', choices,
        change: (next) => set(subjects.map((one, index) => (index === position ? next : one))), remove: () => set(subjects.filter((_, index) => index !== position)),
      })),
      subjects.length ? null : h('span', { class: 'help' }, 'Nobody yet: the binding gives nothing.'),
      h('div', { class: 'add' },
        ...['User', 'Group', 'ServiceAccount'].map((kind) => h('button', { type: 'button', class: 'secondary', onclick: () => set([...subjects, blank(kind, object)]) }, `Add a ${kind}`)))),
    options('known-users', facts.users), options('known-groups', facts.groups)];
}

function blank(kind, object) {
  return kind === 'ServiceAccount' ? { kind, name: '', namespace: object.metadata?.namespace ?? 'default' } : { apiGroup: GROUP, kind, name: '' };
}

function roleField({ facts, object, reference, change, choices }) {
  const current = `${reference.kind ?? ''}:${reference.name ?? ''}`;
  if (!facts.new) {
    return h('div', { class: 'field', 'data-field': 'roleRef.name' }, h('span', { class: 'label' }, 'Role'),
      h('div', { class: 'add' }, h('span', { class: 'chip mono' }, `${reference.kind} ${reference.name}`), h('a', { class: 'small-button', href: facts.roleUrl }, 'Give another role')),
      h('span', { class: 'help' }, 'A binding keeps its role for life: whoever may edit the subjects must not be able to hand out another role. Another role means that it is deleted and made anew.'));
  }
  const group = (label, kind, names) => (names.length ? h('optgroup', { label }, names.map((name) => h('option', { value: `${kind}:${name}` }, name))) : null);
  // Who may not list ClusterRoles can bind those that every cluster has all the same.
  const wide = choices.clusterRoles?.length ? choices.clusterRoles : facts.usualRoles;
  const known = [...(choices.roles ?? []).map((name) => `Role:${name}`), ...wide.map((name) => `ClusterRole:${name}`)];
  const select = h('select', {
    id: 'role-ref',
    onchange: (event) => {
      const [kind, ...name] = event.target.value.split(':');
      change({ ...object, roleRef: { apiGroup: GROUP, kind, name: name.join(':') } });
    },
  },
  reference.name ? null : h('option', { value: ':' }, 'Choose a role'),
  reference.name && !known.includes(current) ? h('option', { value: current }, `${reference.kind} ${reference.name}`) : null,
  facts.namespaced ? group(`Roles in ${object.metadata?.namespace || 'this namespace'}`, 'Role', choices.roles ?? []) : null,
  group('ClusterRoles', 'ClusterRole', wide.filter((name) => !name.startsWith('system:'))),
  group('ClusterRoles of Kubernetes itself', 'ClusterRole', wide.filter((name) => name.startsWith('system:'))));
  select.value = reference.name ? current : ':';
  return h('div', { class: 'field', 'data-field': 'roleRef.name' }, h('label', { for: 'role-ref' }, 'Role'), select,
    h('span', { class: 'help' }, facts.namespaced ? 'A ClusterRole bound here holds in this namespace alone. The role cannot be changed later.' : 'Holds in every namespace and on the cluster itself. The role cannot be changed later.'));
}

function subjectRow({ facts, subject, position, choices, namespace, change, remove }) {
  const kind = subject.kind ?? 'User';
  const account = kind === 'ServiceAccount';
  const list = account ? `accounts-${position}` : kind === 'Group' ? 'known-groups' : 'known-users';
  const there = subject.namespace === namespace ? choices.serviceAccounts ?? [] : [];
  const row = h('div', { class: account ? 'subject' : 'subject flat', 'data-field': `subjects[${position}].name` },
    h('select', { 'aria-label': 'Kind of subject', onchange: (event) => change({ ...blank(event.target.value, { metadata: { namespace } }), name: subject.name ?? '' }) },
      ['User', 'Group', 'ServiceAccount'].map((one) => h('option', { value: one }, one))),
    account ? h('input', { type: 'text', 'aria-label': 'Namespace', placeholder: 'namespace', value: subject.namespace ?? '', list: 'known-namespaces', onchange: (event) => change({ ...subject, namespace: event.target.value.trim() }) }) : null,
    h('input', { type: 'text', 'aria-label': 'Name', placeholder: 'name', value: subject.name ?? '', list, autocapitalize: 'none', spellcheck: 'false', onchange: (event) => change({ ...subject, name: event.target.value.trim() }) }),
    h('button', { type: 'button', class: 'small-button', onclick: remove, 'aria-label': 'Remove this subject' }, 'Remove'),
    account ? options(list, there) : null);
  row.querySelector('select').value = kind;
  return row;
}

/** What the role allows, and what is new in that for each subject, as the API server worked it out. */
export function previewOf(preview, fresh) {
  if (!preview) return [];
  const title = fresh ? 'What this would give' : 'What this gives';
  if (preview.unanswered) return [h('section', { class: 'panel' }, h('h2', {}, title), h('p', { class: 'soft' }, preview.unanswered))];
  return [h('section', { class: 'panel', 'aria-live': 'polite', 'data-testid': 'preview' }, h('h2', {}, title),
    preview.roleExists === false ? h('p', { class: 'hint' }, 'The role does not exist: the binding gives nothing until it does.') : null,
    preview.allowed === false ? h('p', { class: 'trouble' }, preview.message ?? 'You may not make this binding.') : null,
    wordsOf(preview.words ?? []),
    h('div', { class: 'gains' }, (preview.subjects ?? []).map(gainsOf)))];
}

/** The rules in words, as far as they can be read at a glance. */
function wordsOf(words) {
  return words.length && words.join().length < 400 ? h('ul', { class: 'words' }, words.map((text) => h('li', {}, text))) : null;
}

function gainsOf(one) {
  const gains = one.gains ?? [];
  return h('div', {}, h('p', { class: 'to' }, `${one.kind} ${one.namespace ? `${one.namespace}/` : ''}${one.name}`, h('span', { class: 'soft' }, gains.length ? ' gains' : ' may do all this already')),
    gains.slice(0, 24).map((gain) => h('div', { class: 'gain' }, h('b', {}, gain.path ?? `${gain.resource}${gain.group ? `.${gain.group}` : ''}`),
      (gain.verbs ?? []).map((verb) => h('span', { class: 'chip' }, verb)), (gain.names ?? []).length ? h('span', { class: 'soft' }, `only ${gain.names.join(', ')}`) : null)),
    gains.length > 24 ? h('p', { class: 'soft' }, `and ${gains.length - 24} more resources`) : null);
}
