// The form of a ServiceAccount: whether its pods get its token, and which Secrets go with it.
import { chips } from './chips.js';
import { h } from './dom.js';

export function accountForm({ object, change, choices }) {
  const known = choices.secrets ?? [];
  const names = (field) => (Array.isArray(object[field]) ? object[field] : []).map((one) => one?.name).filter((name) => typeof name === 'string');
  const set = (field) => (next) => {
    const { [field]: before, ...rest } = object;
    const kept = Array.isArray(before) ? before : [];
    change(next.length ? { ...rest, [field]: next.map((name) => kept.find((one) => one?.name === name) ?? { name }) } : rest);
  };
  const secrets = (field, label, help) => chips({ label, field, values: names(field), known, unknown: (name) => known.length > 0 && !known.includes(name), placeholder: 'a Secret', help, onchange: set(field) });
  return [mounting(object, change),
    secrets('imagePullSecrets', 'Secrets for pulling images', 'Its pods present these to the registry, unless they name their own.'),
    secrets('secrets', 'Secrets that its pods may mount', 'Kept to where the annotation kubernetes.io/enforce-mountable-secrets says so; otherwise pods mount any Secret of the namespace.')];
}

function mounting(object, change) {
  const mounts = object.automountServiceAccountToken;
  const select = h('select', { id: 'automount', onchange: (event) => {
    const { automountServiceAccountToken: _, ...rest } = object;
    change(event.target.value === '' ? rest : { ...rest, automountServiceAccountToken: event.target.value === 'true' });
  } }, h('option', { value: '' }, 'As Kubernetes does: mounted'), h('option', { value: 'true' }, 'Mounted'), h('option', { value: 'false' }, 'Not mounted'));
  select.value = mounts === undefined ? '' : String(mounts);
  return h('div', { class: 'field', 'data-field': 'automountServiceAccountToken' }, h('label', { for: 'automount' }, 'Its token in its pods'), select,
    h('span', { class: 'help' }, 'A pod that never speaks to the API server needs no token.'));
}
