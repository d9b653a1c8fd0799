/** The line being typed: keys in, a new state out. Pure; the screen draws it (screen.ts). */

export interface Line {
  text: string;
  cursor: number;
  /** Where in the history we are; its length means the line itself. */
  at: number;
  /** What was typed before going up into the history. */
  draft: string;
  /** What Ctrl-K, Ctrl-U and Ctrl-W took, for Ctrl-Y. */
  killed: string;
  /** Ctrl-R: what is searched, and which entry was found (-1: none). */
  search: { query: string; found: number } | null;
}

export type Effect = 'none' | 'submit' | 'cancel' | 'complete' | 'clear' | 'end';

export const fresh = (history: readonly string[]): Line => ({ text: '', cursor: 0, at: history.length, draft: '', killed: '', search: null });

const insert = (line: Line, text: string): Line => ({ ...line, text: line.text.slice(0, line.cursor) + text + line.text.slice(line.cursor), cursor: line.cursor + text.length });
const cut = (line: Line, from: number, to: number): Line => ({ ...line, text: line.text.slice(0, from) + line.text.slice(to), cursor: from, killed: line.text.slice(from, to) || line.killed });

function wordLeft({ text, cursor }: Line): number {
  return cursor - (/\S+\s*$/.exec(text.slice(0, cursor))?.[0].length ?? cursor);
}

function wordRight({ text, cursor }: Line): number {
  return cursor + (/^\s*\S+/.exec(text.slice(cursor))?.[0].length ?? text.length - cursor);
}

function recall(line: Line, at: number, history: readonly string[]): Line {
  if (at < 0 || at > history.length) return line;
  const draft = line.at === history.length ? line.text : line.draft;
  const text = at === history.length ? draft : history[at]!;
  return { ...line, at, draft, text, cursor: text.length };
}

function found(query: string, history: readonly string[], before: number): number {
  for (let at = Math.min(before, history.length - 1); at >= 0; at--) if (query && history[at]!.includes(query)) return at;
  return -1;
}

/** A key of Ctrl-R's search; null when the search ends and the key counts as usual. */
function searching(line: Line, key: string, history: readonly string[]): Line | null {
  const search = line.search!;
  const look = (query: string, before: number): Line => {
    const at = found(query, history, before);
    return at < 0 ? { ...line, search: { query, found: -1 } } : { ...line, text: history[at]!, cursor: history[at]!.length, at, search: { query, found: at } };
  };
  if (key === '\u0012') return look(search.query, (search.found < 0 ? history.length : search.found) - 1);
  if (key === '\u007f' || key === '\b') return look(search.query.slice(0, -1), history.length - 1);
  if (key === '\u0007') return { ...line, text: line.draft, cursor: line.draft.length, at: history.length, search: null };
  if (key.length === 1 && key >= ' ') return look(search.query + key, search.found < 0 ? history.length - 1 : search.found);
  return null;
}

const MOVES: Record<string, (line: Line) => number> = {
  '\u001b[D': (line) => line.cursor - 1,
  '\u0002': (line) => line.cursor - 1,
  '\u001b[C': (line) => line.cursor + 1,
  '\u0006': (line) => line.cursor + 1,
  '\u0001': () => 0,
  '\u001b[H': () => 0,
  '\u001bOH': () => 0,
  '\u0005': (line) => line.text.length,
  '\u001b[F': (line) => line.text.length,
  '\u001bOF': (line) => line.text.length,
  '\u001bb': wordLeft,
  '\u001b[1;5D': wordLeft,
  '\u001bf': wordRight,
  '\u001b[1;5C': wordRight,
};

const EDITS: Record<string, (line: Line) => Line> = {
  '\u007f': (line) => (line.cursor ? { ...cut(line, line.cursor - 1, line.cursor), killed: line.killed } : line),
  '\b': (line) => (line.cursor ? { ...cut(line, line.cursor - 1, line.cursor), killed: line.killed } : line),
  '\u001b[3~': (line) => ({ ...cut(line, line.cursor, line.cursor + 1), killed: line.killed }),
  '\u000b': (line) => cut(line, line.cursor, line.text.length),
  '\u0015': (line) => cut(line, 0, line.cursor),
  '\u0017': (line) => cut(line, wordLeft(line), line.cursor),
  '\u001b\u007f': (line) => cut(line, wordLeft(line), line.cursor),
  '\u001bd': (line) => cut(line, line.cursor, wordRight(line)),
  '\u0019': (line) => insert(line, line.killed),
};

/** One key (or a pasted text) and what it did. */
export function press(line: Line, key: string, history: readonly string[]): { line: Line; effect: Effect } {
  const none = (next: Line): { line: Line; effect: Effect } => ({ line: next, effect: 'none' });
  if (line.search) {
    const next = searching(line, key, history);
    if (next) return none(next);
    line = { ...line, search: null };
  }
  const move = MOVES[key];
  if (move) return none({ ...line, cursor: Math.max(0, Math.min(line.text.length, move(line))) });
  const edit = EDITS[key];
  if (edit) return none(edit(line));
  switch (key) {
    case '\r':
    case '\n':
      return { line: { ...line, cursor: line.text.length }, effect: 'submit' };
    case '\u0003':
      return { line, effect: 'cancel' };
    case '\t':
      return { line, effect: 'complete' };
    case '\u000c':
      return { line, effect: 'clear' };
    case '\u0004':
      return line.text ? none({ ...cut(line, line.cursor, line.cursor + 1), killed: line.killed }) : { line, effect: 'end' };
    case '\u0012':
      return none({ ...line, draft: line.text, search: { query: '', found: -1 } });
    case '\u001b[A':
    case '\u0010':
      return none(recall(line, line.at - 1, history));
    case '\u001b[B':
    case '\u000e':
      return none(recall(line, line.at + 1, history));
  }
  if (key.startsWith('\u001b') || (key.length === 1 && key < ' ')) return none(line);
  return none(insert(line, key));
}

/** Replace the word before the cursor. */
export function complete(line: Line, from: number, text: string): Line {
  return { ...line, text: line.text.slice(0, from) + text + line.text.slice(line.cursor), cursor: from + text.length };
}

/** Input of the terminal taken apart: escape sequences, pasted text (in brackets), single characters. */
export function keysOf(data: string): string[] {
  const keys: string[] = [];
  let rest = data;
  while (rest) {
    const paste = /^\u001b\[200~([\s\S]*?)(?:\u001b\[201~|$)/.exec(rest);
    if (paste) {
      // A final newline would run what was pasted unseen.
      keys.push(paste[1]!.replace(/\r\n?/g, '\n').replace(/\n$/, ''));
      rest = rest.slice(paste[0].length);
      continue;
    }
    const sequence = /^\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z]|.)/.exec(rest)?.[0] ?? [...rest][0]!;
    keys.push(sequence);
    rest = rest.slice(sequence.length);
  }
  return keys;
}
