// A list of words as chips with an input that knows the usual ones.
import { h, options } from './dom.js';

/** values: the words; known: what the pick list offers; shown: how a word reads; onchange gets the new list. */
export function chips({ label, help = '', field, values, known = [], shown = (word) => word, unknown = () => false, onchange, placeholder = 'add' }) {
  const id = `chips-${field}`;
  const add = (text) => {
    const words = text.split(/[\s,]+/).map((word) => (word === 'core' && shown('') === 'core' ? '' : word));
    const fresh = words.filter((word) => (word !== '' || text.trim() === 'core') && !values.includes(word));
    // What became a chip is not half typed any more.
    if (fresh.length) { input.dataset.taken = ''; onchange([...values, ...fresh]); }
    return fresh.length > 0;
  };
  const input = h('input', {
    type: 'text', id, list: `${id}-known`, placeholder, autocapitalize: 'none', spellcheck: 'false', autocomplete: 'off',
    onkeydown: (event) => {
      if ((event.key === 'Enter' || event.key === ',') && input.value.trim()) { event.preventDefault(); add(input.value); }
      else if (event.key === 'Enter') event.preventDefault();
      else if (event.key === 'Backspace' && !input.value && values.length) onchange(values.slice(0, -1));
    },
    oninput: (event) => {
      // Picked from the list rather than typed.
      if (event.inputType === 'insertReplacementText' || !event.inputType) add(input.value);
    },
    onchange: () => { if (input.value.trim()) add(input.value); },
  });
  return h('div', { class: 'field', 'data-field': field },
    h('label', { for: id }, label),
    h('div', { class: 'chips' },
      values.map((word) => h('span', { class: unknown(word) ? 'chip mono unknown' : 'chip mono' }, shown(word),
        h('button', { type: 'button', 'aria-label': `Remove ${shown(word)}`, onclick: () => onchange(values.filter((one) => one !== word)) }, '×'))),
      input, options(`${id}-known`, known.filter((word) => !values.includes(word)).map(shown))),
    help && h('span', { class: 'help' }, help));
}
