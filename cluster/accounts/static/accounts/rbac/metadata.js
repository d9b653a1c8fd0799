// Labels and annotations: what people write on an object for themselves and for programs.
import { h } from './dom.js';

// Whether it is unfolded. Its own event comes too late for a form that is drawn anew at that moment.
let open = false;
// What stands in the empty rows, by field: the form may be drawn anew while somebody writes there.
const drafts = {};

/** Both, folded away until somebody wants them. */
export function metadataForm({ object, change }) {
  const metadata = object.metadata && typeof object.metadata === 'object' ? object.metadata : {};
  const set = (field) => (values) => {
    const { [field]: _, ...rest } = metadata;
    change({ ...object, metadata: Object.keys(values).length ? { ...rest, [field]: values } : rest });
  };
  const labels = entries(metadata.labels), annotations = entries(metadata.annotations);
  return h('details', { class: 'more', open },
    h('summary', { onclick: (event) => (open = !event.currentTarget.parentElement.open) }, `Labels and annotations${labels.length + annotations.length ? ` (${labels.length + annotations.length})` : ''}`),
    pairs({ label: 'Labels', field: 'metadata.labels', entries: labels, onchange: set('labels'), help: 'Selectors find objects by these. A ClusterRole is aggregated by its labels.' }),
    pairs({ label: 'Annotations', field: 'metadata.annotations', entries: annotations, onchange: set('annotations'), long: true, help: 'Notes that nothing selects by.' }));
}

const entries = (map) => (map && typeof map === 'object' && !Array.isArray(map) ? Object.entries(map) : []);

/** Rows of key and value with an empty one at the end. `onchange` gets the new map. */
function pairs({ label, field, entries: rows, onchange, long = false, help }) {
  const write = (next) => onchange(Object.fromEntries(next));
  const value = (text, attributes) => h(long ? 'textarea' : 'input', { ...(long ? { rows: '1' } : { type: 'text' }), value: text, placeholder: 'value', spellcheck: 'false', autocapitalize: 'none', ...attributes });
  const id = (part, position) => `${field}-${part}-${position}`.replace('.', '-');
  const draft = (drafts[field] ??= { key: '', value: '' });
  // Taken over when the row is left, or with Enter.
  const add = () => {
    const key = draft.key.trim();
    if (!key) return;
    drafts[field] = { key: '', value: '' };
    const known = rows.some(([one]) => one === key);
    write(known ? rows.map(([one, text]) => [one, one === key ? draft.value : text]) : [...rows, [key, draft.value]]);
  };
  const fresh = h('div', { class: 'entry fresh', onfocusout: (event) => !fresh.contains(event.relatedTarget) && !fresh.closest('[data-drawing]') && add() },
    h('input', { type: 'text', id: id('key', 'new'), 'aria-label': `${label}: a new key`, placeholder: 'new key', value: draft.key, spellcheck: 'false', autocapitalize: 'none', oninput: (event) => (draft.key = event.target.value), onkeydown: (event) => entered(event) && add() }),
    value(draft.value, { id: id('value', 'new'), 'aria-label': `${label}: its value`, oninput: (event) => (draft.value = event.target.value), onkeydown: long ? null : (event) => entered(event) && add() }),
    h('span'));
  return h('div', { class: 'field', 'data-field': field }, h('span', { class: 'label' }, label),
    rows.map(([key, text], position) => h('div', { class: 'entry' },
      h('input', { type: 'text', id: id('key', position), 'aria-label': `${label}: key ${position + 1}`, value: key, spellcheck: 'false', autocapitalize: 'none', onkeydown: (event) => entered(event) && rename(event.target, rows, position, write), onchange: (event) => rename(event.target, rows, position, write) }),
      value(String(text ?? ''), { id: id('value', position), 'aria-label': `${label}: value of ${key}`, onkeydown: long ? null : entered, oninput: (event) => write(rows.map(([one, was], at) => [one, at === position ? event.target.value : was])) }),
      h('button', { type: 'button', class: 'small-button', 'aria-label': `Remove ${key}`, onclick: () => write(rows.filter((_, at) => at !== position)) }, 'Remove'))),
    fresh,
    h('span', { class: 'help' }, help));
}

/** A key that is another row's, or none, is no new name. */
function rename(input, rows, position, write) {
  const key = input.value.trim();
  if (!key || rows.some(([one], at) => one === key && at !== position)) input.value = rows[position][0];
  else {
    input.dataset.taken = '';
    write(rows.map(([one, text], at) => [at === position ? key : one, text]));
  }
}

/** Whether Enter was pressed, which takes over what was typed and does not save the object. */
function entered(event) {
  if (event.key !== 'Enter') return false;
  event.preventDefault();
  return true;
}
