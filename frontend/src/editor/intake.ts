/** Text that comes from outside: pasted anywhere on the page, dropped as files, or behind a shared link. */
import { buffer } from '../left/buffer.svelte';
import { route, setParams } from '../route.svelte';
import { shell } from '../shell/shell.svelte';
import { toast, undoable } from '../ui/toasts.svelte';
import { library, MOST } from './library.svelte';

const FILES = /\.(ya?ml|json|txt)$/i;

/** Whether a text looks like a manifest and not like any text. */
function looksLikeManifest(text: string): boolean {
  return /^\s*(?:#.*\n|---\s*\n|\s)*["']?(?:apiVersion|kind|metadata)["']?\s*:/m.test(text) && /["']?apiVersion["']?\s*:/.test(text) && /["']?kind["']?\s*:/.test(text);
}

/** Several texts as one, with separators between. */
export function joined(texts: string[]): string {
  return texts.map((one) => one.replace(/^---\s*\n/, '').trimEnd()).filter(Boolean).join('\n---\n') + '\n';
}

/** Puts a text into the editor; what stood there can be had back. */
export function take(text: string, what: string): void {
  if (text.length > MOST) {
    toast(`${what} is larger than 1 MiB: too much to edit here. kubectl apply -f takes it.`, { tone: 'bad' });
    return;
  }
  const before = buffer.text;
  buffer.load(text);
  shell.show('yaml');
  if (before.trim() && before !== text) undoable(`${what} took the place of your text.`, () => buffer.load(before));
}

/** Files that were dropped or chosen, in the order of their names. */
export async function files(list: FileList | File[]): Promise<void> {
  const found = [...list].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const fit = found.filter((one) => FILES.test(one.name));
  if (!fit.length) {
    toast('Only .yaml, .yml and .json files are manifests.', { tone: 'bad' });
    return;
  }
  if (fit.reduce((sum, one) => sum + one.size, 0) > MOST) {
    toast(`${fit.length > 1 ? 'These files together are' : `${fit[0]!.name} is`} larger than 1 MiB.`, { tone: 'bad' });
    return;
  }
  const texts = await Promise.all(fit.map((one) => one.text()));
  if (texts.some((one) => one.includes('\u0000'))) {
    toast('That is no text file.', { tone: 'bad' });
    return;
  }
  take(joined(texts), fit.length === 1 ? fit[0]!.name : `${fit.length} files`);
}

async function shared(secret: string): Promise<void> {
  setParams({ manifest: '' });
  try {
    const found = await library.shared(secret);
    take(found.text, `The shared manifest "${found.name}"`);
  } catch {
    toast('The link to this manifest is not good any more.', { tone: 'bad' });
  }
}

/** Listens for as long as the page stands. */
export function start(): void {
  document.addEventListener('paste', (event) => {
    const target = event.target as Element | null;
    if (target?.closest('input, textarea, select, [contenteditable], .xterm')) return;
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (!looksLikeManifest(text)) return;
    event.preventDefault();
    take(text, 'What you pasted');
  });
  document.addEventListener('dragover', (event) => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
  });
  document.addEventListener('drop', (event) => {
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    void files(event.dataTransfer.files);
  });
  const secret = route.params['manifest'];
  if (secret) void shared(secret);
}
