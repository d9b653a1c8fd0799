// The form and the YAML of one object, each following the other. What is valid and allowed, the API server says (a dry run).
import { bindingForm, previewOf } from './binding.js';
import { facts as read, h, options } from './dom.js';
import { metadataForm } from './metadata.js';
import { roleForm } from './role.js';
import { accountForm } from './serviceaccount.js';

const facts = read('facts');
const form = document.querySelector('[data-rbac-form]');
const side = form.querySelector('[data-form]');
const yaml = form.querySelector('[data-yaml]');
const state = form.querySelector('[data-state]');
const preview = form.querySelector('[data-preview]');
const refusal = document.querySelector('[data-refusal]');
let object = facts.object;
let sentences = [];
let choices = {};
let asked = 0;
let timer = 0;
let known = '';
// Whether the YAML does not have yet what the form has: it is not what should be saved.
let behind = false;
// A form that nobody has written in yet is not told what it lacks.
let touched = !facts.new || Boolean(facts.findings);

function head() {
  const metadata = object.metadata && typeof object.metadata === 'object' ? object.metadata : {};
  const set = (key, value) => change({ ...object, metadata: { ...object.metadata, [key]: value } });
  if (!facts.new) return null;
  return h('div', { class: facts.namespaced ? 'pair' : '' },
    h('div', { class: 'field', 'data-field': 'metadata.name' }, h('label', { for: 'object-name' }, 'Name'),
      h('input', { type: 'text', id: 'object-name', value: metadata.name ?? '', autocapitalize: 'none', spellcheck: 'false', autocomplete: 'off', oninput: (event) => set('name', event.target.value.trim()) })),
    facts.namespaced ? h('div', { class: 'field', 'data-field': 'metadata.namespace' }, h('label', { for: 'object-namespace' }, 'Namespace'),
      h('input', { type: 'text', id: 'object-namespace', value: metadata.namespace ?? '', list: 'known-namespaces', autocapitalize: 'none', spellcheck: 'false', onchange: (event) => set('namespace', event.target.value.trim()) })) : null);
}

const FIELDS = 'input, textarea, select, button, summary';
const PRESSED = 'button, summary, label';
const TYPED = 'input[type=text], textarea';

/** Draw the form side from the object, keeping the focus where it was, and what is half typed there. */
function draw() {
  const active = side.contains(document.activeElement) ? document.activeElement : null;
  const spot = active && [...side.querySelectorAll(FIELDS)].indexOf(active);
  const text = active?.matches(TYPED) ? { value: active.value, from: active.selectionStart, to: active.selectionEnd } : null;
  const parts = { role: () => roleForm({ facts, object, change, sentences }), binding: () => bindingForm({ facts, object, change, choices }), account: () => accountForm({ object, change, choices }) }[facts.form]();
  side.dataset.drawing = '';
  side.replaceChildren(...[h('div', { class: 'side-head' }, h('h2', {}, 'Form')), head(), ...parts, metadataForm({ object, change }), options('known-namespaces', facts.namespaces)].flat().filter(Boolean));
  delete side.dataset.drawing;
  side.hidden = false;
  form.querySelector('.sides').classList.add('both');
  if (!active) return;
  const again = (active.id && side.querySelector(`#${CSS.escape(active.id)}`)) || side.querySelectorAll(FIELDS)[spot];
  again?.focus();
  if (!text || !again?.matches(TYPED)) return;
  if (again.closest('.chips, .entry') && !('taken' in active.dataset)) again.value = text.value;
  again.setSelectionRange(text.from, text.to);
}

/** Leaving a field can draw the form anew, and move what is being pressed from under the pointer: then the press is carried over. */
let pressed = null;
const nameOf = (element) => element.getAttribute('aria-label') ?? element.textContent;
const namesakes = (name) => [...form.querySelectorAll(PRESSED)].filter((one) => nameOf(one) === name);
form.addEventListener('pointerdown', (event) => {
  const element = event.target.closest(PRESSED);
  pressed = element && { element, name: nameOf(element), place: namesakes(nameOf(element)).indexOf(element), x: event.clientX, y: event.clientY };
});
document.addEventListener('pointerup', (event) => {
  const was = pressed;
  pressed = null;
  if (!was || was.element.contains(event.target)) return;
  // Whoever draws the pointer away thinks better of it.
  if (Math.hypot(event.clientX - was.x, event.clientY - was.y) > 5) return;
  (was.element.isConnected ? was.element : namesakes(was.name)[was.place])?.click();
});

/** The form changed: the YAML follows once the server has written it. */
function change(next) {
  touched = true;
  object = next;
  behind = true;
  draw();
  ask({ object });
}

/** Ask what the API server thinks of a draft, unless a newer one is asked about first. Settled when the answer is shown. */
function ask(draft, wait = 250) {
  clearTimeout(timer);
  const mine = ++asked;
  state.textContent = 'checking';
  state.className = '';
  return new Promise((done) => {
    timer = setTimeout(async () => {
      try {
        const response = await fetch(facts.checkUrl, {
          method: 'POST', headers: { 'Content-Type': 'application/json', 'X-CSRFToken': facts.csrf },
          body: JSON.stringify({ ...draft, new: facts.new, version: form.elements.version.value }),
        });
        if (!response.ok) throw new Error(`the server answered ${response.status}`);
        const answer = await response.json();
        if (mine === asked) show(answer, draft);
      } catch (error) {
        if (mine === asked) { state.textContent = `not checked: ${error.message}`; state.className = 'bad'; }
      }
      done();
    }, wait);
  });
}

function show(answer, draft) {
  if (answer.object) {
    if ('yaml' in draft) object = answer.object;
    else yaml.value = answer.yaml;
    behind = false;
    sentences = answer.sentences ?? [];
    if ('yaml' in draft || facts.form === 'role') draw();
    offer();
  }
  side.inert = !answer.object;
  place(answer.findings, answer.hints ?? []);
  preview.replaceChildren(...previewOf(answer.preview, facts.new));
}

/** What is wrong, at the field where it is wrong; what has no field, above the form. */
function place(findings, hints) {
  for (const old of side.querySelectorAll('.trouble[data-placed], .hint[data-placed]')) old.remove();
  for (const field of side.querySelectorAll('.wrong')) field.classList.remove('wrong');
  const left = [];
  for (const cause of findings?.causes ?? []) {
    if (!touched && cause.reason === 'FieldValueRequired') continue;
    if (!cause.field || !pin(cause.field, 'trouble', cause.message)) left.push(cause);
  }
  for (const hint of hints) pin(hint.field, 'hint', hint.message);
  const fresh = facts.new && !object?.metadata?.name;
  const empty = fresh && findings?.reason === 'Invalid';
  state.textContent = !findings ? 'valid, and you may save it' : empty ? 'not named yet' : findings.title.toLowerCase();
  state.className = findings ? (empty ? '' : 'bad') : 'good';
  const loud = findings && (findings.reason !== 'Invalid' || left.length) && !empty;
  refusal.replaceChildren(...(loud ? [h('div', { class: 'note refused', role: 'alert' }, h('b', {}, findings.title), h('p', { class: 'said' }, findings.message),
    findings.considered.length ? h('p', {}, h('b', {}, 'Closest')) : '', findings.considered.length ? h('ul', {}, findings.considered.slice(0, 5).map((entry) => h('li', {}, entry.sentence))) : '')] : []));
}

function pin(path, kind, message) {
  const found = nearest(path);
  if (!found) return false;
  found.append(h('span', { class: kind, 'data-placed': '' }, message));
  if (kind === 'trouble') found.classList.add('wrong');
  return true;
}

/** The field of a path, or of what holds it: `rules[0].verbs[1]` is shown at `rules[0].verbs`. */
function nearest(path) {
  for (let text = path; text; text = text.replace(/(\.[^.[\]]+|\[[^\]]*\]|^[^.[\]]+)$/, '')) {
    const found = side.querySelector(`[data-field="${CSS.escape(text)}"]`);
    if (found) return found;
    if (text === 'metadata') break;
  }
  return null;
}

/** The roles and service accounts of the namespace that the binding is in; the secrets of the account's. */
async function offer() {
  if (facts.form === 'role') return;
  const namespace = facts.namespaced ? object.metadata?.namespace ?? '' : '';
  if (known === `ns:${namespace}`) return;
  known = `ns:${namespace}`;
  const response = await fetch(`${facts.choicesUrl}?for=${facts.form}&namespace=${encodeURIComponent(namespace)}`);
  if (!response.ok) return;
  choices = await response.json();
  draw();
}

/** What was changed a moment ago is saved, too: the YAML is what is sent, so it is waited for. */
form.addEventListener('submit', async (event) => {
  if (!behind) return;
  event.preventDefault();
  await ask({ object }, 0);
  if (behind) return;
  form.requestSubmit(event.submitter);
});
yaml.addEventListener('input', () => { touched = true; behind = false; ask({ yaml: yaml.value }, 400); });
if (object) draw();
offer();
if (facts.findings) place(facts.findings, []);
else ask({ yaml: yaml.value }, 0);
