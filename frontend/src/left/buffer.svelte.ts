/** The manifest that is being written, and the examples: shared by the editor, the gallery and the command palette. */
import { get } from '../api/http';
import type { Example } from '../types';

class Buffer {
  text = $state(sessionStorage.getItem('yaml') ?? '');
  /** Moves when the text is replaced from outside the editor. */
  loads = $state(0);

  /** Put a text into the editor in place of what is there. */
  load(text: string): void {
    this.text = text;
    this.loads += 1;
    this.keep();
  }

  /** Remember the text for when the page is loaded again. A text that is too large for that is only here. */
  keep(): void {
    if (this.text.length < 2_000_000) sessionStorage.setItem('yaml', this.text);
  }
}

class Examples {
  list = $state.raw<Example[]>([]);
  problem = $state('');

  async load(): Promise<void> {
    try {
      this.list = (await get<{ examples: Example[] }>('/explorer/examples/')).examples;
      if (!buffer.text && this.list[0]) buffer.load(this.list[0].yaml);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }
}

export const buffer = new Buffer();
export const examples = new Examples();
