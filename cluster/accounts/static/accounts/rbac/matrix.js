// The rule behind a cell, on hover, focus and click.
import { facts, h } from './dom.js';

const grants = facts('grants');
const table = document.querySelector('[data-matrix]');
const behind = document.querySelector('[data-behind]');
let held = null;

function line(term, text, url) {
  if (!text) return null;
  return h('div', {}, h('dt', {}, term), h('dd', {}, url ? h('a', { href: url }, text) : text));
}

function show(cell) {
  for (const other of table.querySelectorAll('[aria-expanded]')) other.removeAttribute('aria-expanded');
  cell.setAttribute('aria-expanded', 'true');
  const found = cell.dataset.grants.split(' ').filter(Boolean).map((position) => grants[position]).filter(Boolean);
  behind.replaceChildren(
    h('h2', {}, `May ${cell.dataset.what}${cell.dataset.names ? `, but only ${cell.dataset.names}` : ''}`),
    h('button', { type: 'button', class: 'small-button', onclick: hide }, 'Close'),
    ...found.map((grant) => h('dl', { class: 'grant' },
      line('Binding', grant.binding, grant.binding_url), line('Names', grant.subject_words), line('Role', grant.role, grant.role_url), line('Rule', grant.rule_words),
      grant.binding || grant.role ? null : line('Because', 'system:masters may do everything; no rule is asked.'))));
  behind.hidden = false;
}

function hide() {
  held?.removeAttribute('aria-expanded');
  held = null;
  behind.hidden = true;
}

const cellOf = (event) => event.target.closest?.('button[data-grants]');
table.addEventListener('mouseover', (event) => { const cell = cellOf(event); if (cell && !held) show(cell); });
table.addEventListener('focusin', (event) => { const cell = cellOf(event); if (cell && !held) show(cell); });
table.addEventListener('click', (event) => { const cell = cellOf(event); if (cell) { held = cell; show(cell); } });
addEventListener('keydown', (event) => { if (event.key === 'Escape') hide(); });
