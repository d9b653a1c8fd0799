/** The page by keyboard: Ctrl-K, ?, `g` and a letter, and what the document is called. */
import { go } from '../route.svelte';
import { store } from '../state/store.svelte';
import { VIEWS, type View } from '../views/registry';
import { shell } from './shell.svelte';

/** How long after `g` the letter may come, in milliseconds. */
const PATIENCE = 1500;

export const KEYS: [string, string][] = [
  ['Ctrl K', 'search, or run a command'],
  ['?', 'these keys'],
  ['space', 'pause, or go on'],
  ['.', 'to the next moment'],
  ['y', 'write YAML'],
  ['Esc', 'close what is open'],
];

/** Where letters are text: there they are nobody's shortcut. */
function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Space and the like belong to the control that has the focus, where there is one. */
function controls(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, a, summary, [role]:not(main), [tabindex="0"]:not(main)') !== null;
}

/** A listener for `keydown` of the whole window. */
export function shortcuts(): (event: KeyboardEvent) => void {
  let began = -Infinity;
  return (event) => {
    if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      shell.palette = !shell.palette;
      return;
    }
    if (event.key === 'Escape') shell.menu = false;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || writes(event.target) || document.querySelector('dialog[open]')) return;
    if (performance.now() - began < PATIENCE) {
      began = -Infinity;
      const view = VIEWS.find((one) => one.key === event.key);
      if (!view) return;
      event.preventDefault();
      go(view.id);
    } else if (event.key === 'g') began = performance.now();
    else if (event.key === '?') shell.help = true;
    else if (event.key === 'y') {
      event.preventDefault();
      shell.show('yaml');
    } else if (event.key === ' ' && !controls(event.target)) {
      event.preventDefault();
      store.paused = !store.paused;
    } else if (event.key === '.') store.step();
  };
}

/** What the document is called: the most particular first, as tabs are narrow. */
export function titled(view: View | undefined, rest: string[], at: number | null): string {
  const particular = view && view.id !== 'pipeline' && rest.length > 1 ? rest.at(-1) : '';
  return [particular, view && view.id !== 'pipeline' ? view.title : '', at === null ? '' : `revision ${at}`, 'KubeWeb'].filter(Boolean).join(' · ');
}
