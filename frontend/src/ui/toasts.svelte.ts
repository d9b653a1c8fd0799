/** What the page says in passing, and what it asks before it destroys something. Drawn by Toasts.svelte. */

export interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'good' | 'bad';
  action?: { title: string; run: () => void };
}

export interface Question {
  title: string;
  text: string;
  /** The button that does it: "Delete deployment web". */
  verb: string;
  danger: boolean;
  answer: (yes: boolean) => void;
}

class Said {
  toasts = $state.raw<Toast[]>([]);
  question = $state.raw<Question | null>(null);
}

export const said = new Said();
let next = 0;

export function dismiss(id: number): void {
  said.toasts = said.toasts.filter((one) => one.id !== id);
}

/** Say something in passing. Bad news stays until it is dismissed. */
export function toast(text: string, options: { tone?: Toast['tone']; action?: Toast['action']; seconds?: number } = {}): void {
  const { tone = 'plain', action, seconds = tone === 'bad' ? 0 : 6 } = options;
  const id = ++next;
  said.toasts = [...said.toasts.filter((one) => one.text !== text), { id, text, tone, action }].slice(-4);
  if (seconds) setTimeout(() => dismiss(id), seconds * 1000);
}

/** Tell of a thing done that can be taken back. */
export function undoable(text: string, undo: () => void): void {
  toast(text, { seconds: 10, action: { title: 'Undo', run: undo } });
}

/** Ask before something that cannot be taken back. */
export function confirm(title: string, text: string, verb: string, danger = true): Promise<boolean> {
  said.question?.answer(false);
  return new Promise((resolve) => {
    said.question = {
      title,
      text,
      verb,
      danger,
      answer: (yes) => {
        said.question = null;
        resolve(yes);
      },
    };
  });
}
