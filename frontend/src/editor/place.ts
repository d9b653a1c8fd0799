/** Where in a manifest the cursor is, read from the lines and their indentation: unfinished text is the usual case here. */

export interface Place {
  /** The fields and items that lead here; numbers count items of a list. */
  path: (string | number)[];
  /** Whether a key or a value is being written. */
  kind: 'key' | 'value';
  /** What stands of the word so far, and where it begins. */
  word: string;
  from: number;
  /** Keys that stand beside it already. */
  siblings: string[];
  apiVersion: string;
  kindName: string;
  /** Where the keys of this level begin in their line. */
  indent: number;
}

interface Line {
  text: string;
  start: number;
  indent: number;
}

const KEY = /^("[^"]*"|'[^']*'|[^\s#:"'[{][^:]*?)\s*:(?:\s|$)/;

/** The lines of the document around an offset. */
function documentAt(text: string, offset: number): Line[] {
  const lines: Line[] = [];
  let start = 0;
  let done = false;
  for (const line of text.split('\n')) {
    if (/^---(\s|$)/.test(line) || /^\.\.\.\s*$/.test(line)) {
      if (start > offset) done = true;
      if (!done && start + line.length < offset) lines.length = 0;
    } else if (!done) lines.push({ text: line, start, indent: line.length - line.trimStart().length });
    start += line.length + 1;
    if (done) break;
  }
  return lines;
}

function unquoted(key: string): string {
  return key.replace(/^(["'])(.*)\1$/, '$2').trim();
}

/** A line taken apart: how deep its dashes put it, and the key in it. */
function parts({ text, indent }: Line): { dashes: number[]; column: number; key: string | null; rest: string } {
  const dashes: number[] = [];
  let column = indent;
  let rest = text.slice(indent);
  for (let match = /^-(\s+|$)/.exec(rest); match; match = /^-(\s+|$)/.exec(rest)) {
    dashes.push(column);
    column += match[0].length;
    rest = rest.slice(match[0].length);
  }
  const key = KEY.exec(rest);
  return { dashes, column, key: key ? unquoted(key[1]!) : null, rest: key ? rest.slice(key[0].length) : rest };
}

/** How many items of the list at `column` stand before a line (its own not counted). */
function itemsBefore(lines: Line[], at: number, column: number): number {
  let count = 0;
  for (let index = at - 1; index >= 0; index--) {
    const line = lines[index]!;
    if (!line.text.trim() || line.text.trim().startsWith('#')) continue;
    if (line.indent < column || (line.indent === column && !/^\s*-(\s|$)/.test(line.text))) break;
    if (line.indent === column) count++;
  }
  return count;
}

/** The fields and items above a column of a line, outermost first. */
function above(lines: Line[], at: number, column: number, own: number[]): (string | number)[] {
  const path: (string | number)[] = [];
  // Dashes of the line itself: the innermost first.
  let limit = column;
  for (const dash of [...own].reverse()) {
    path.unshift(itemsBefore(lines, at, dash));
    limit = dash;
  }
  let list = own.length > 0;
  for (let index = at - 1; index >= 0 && (limit > 0 || list); index--) {
    const line = lines[index]!;
    if (!line.text.trim() || line.text.trim().startsWith('#')) continue;
    const { dashes, column: keyColumn, key, rest } = parts(line);
    // A list may stand at the very column of the key that it belongs to.
    if (key !== null && !rest.replace(/#.*/, '').trim() && (keyColumn < limit || (list && keyColumn === limit && !dashes.length))) {
      path.unshift(key);
      limit = keyColumn;
      list = false;
    } else if (!(dashes.length && dashes.at(-1)! < limit)) continue;
    for (const dash of [...dashes].reverse()) {
      if (dash >= limit) continue;
      path.unshift(itemsBefore(lines, index, dash));
      limit = dash;
      list = true;
    }
  }
  return path;
}

function siblings(lines: Line[], at: number, column: number): string[] {
  const found: string[] = [];
  const walk = (step: 1 | -1) => {
    for (let index = at + step; index >= 0 && index < lines.length; index += step) {
      const line = lines[index]!;
      if (!line.text.trim() || line.text.trim().startsWith('#')) continue;
      const { column: own, key, dashes } = parts(line);
      if (step === 1 && (line.indent < column || dashes.some((dash) => dash < column))) break;
      if (own === column && key !== null) found.push(key);
      if (step === -1 && (line.indent < column || dashes.some((dash) => dash < column))) break;
    }
  };
  // The line of a new item has no siblings above it.
  if (!parts(lines[at]!).dashes.some((dash) => dash < column)) walk(-1);
  walk(1);
  return found;
}

function field(lines: Line[], name: string): string {
  const line = lines.find((one) => one.text.startsWith(`${name}:`));
  return line ? unquoted(line.text.slice(name.length + 1).replace(/\s#.*$/, '').trim()) : '';
}

/** Where an offset is; null inside a block of text, where nothing is known. */
export function placeAt(text: string, offset: number): Place | null {
  const lines = documentAt(text, offset);
  let at = lines.findIndex((one) => offset >= one.start && offset <= one.start + one.text.length);
  if (at < 0) {
    // On a separator, or in a text without any.
    return { path: [], kind: 'key', word: '', from: offset, siblings: [], apiVersion: '', kindName: '', indent: 0 };
  }
  const line = lines[at]!;
  const before = line.text.slice(0, offset - line.start);
  const about = { apiVersion: field(lines, 'apiVersion'), kindName: field(lines, 'kind') };
  if (blockText(lines, at)) return null;
  const cut: Line = { ...line, text: before, indent: Math.min(line.indent, before.length) };
  const { dashes, column, key, rest } = parts(cut);
  if (key !== null) {
    const word = rest.trimStart();
    return { path: [...above(lines, at, column, dashes), key], kind: 'value', word, from: offset - word.length, siblings: [], ...about, indent: column };
  }
  if (rest.startsWith('#') || /[{[]/.test(rest)) return null;
  lines[at] = { ...line, text: before.replace(/\S*$/, ''), indent: Math.min(line.indent, before.length) };
  const path = above(lines, at, column, dashes);
  return { path, kind: 'key', word: rest, from: offset - rest.length, siblings: siblings(lines, at, column), ...about, indent: column };
}

/** Whether a line belongs to a literal text (`|` or `>`). */
function blockText(lines: Line[], at: number): boolean {
  const indent = lines[at]!.indent;
  for (let index = at - 1; index >= 0; index--) {
    const line = lines[index]!;
    if (!line.text.trim()) continue;
    if (line.indent >= indent && lines[at]!.text.trim()) {
      if (line.indent > indent) continue;
    }
    if (/[:-]\s*[|>][-+0-9]*\s*(#.*)?$/.test(line.text) && line.indent < Math.max(indent, 1)) return true;
    if (line.indent < indent) return false;
  }
  return false;
}

/** The path of the key that stands at an offset, for its documentation; null when no key does. */
export function keyAt(text: string, offset: number): (Pick<Place, 'path' | 'apiVersion' | 'kindName'> & { from: number; to: number }) | null {
  const lines = documentAt(text, offset);
  const at = lines.findIndex((one) => offset >= one.start && offset <= one.start + one.text.length);
  const line = lines[at];
  if (!line || blockText(lines, at)) return null;
  const { dashes, column, key } = parts(line);
  if (key === null) return null;
  const from = line.start + column;
  const to = from + (KEY.exec(line.text.slice(column))?.[1]?.length ?? 0);
  if (offset < from || offset > to) return null;
  return { path: [...above(lines, at, column, dashes), key], apiVersion: field(lines, 'apiVersion'), kindName: field(lines, 'kind'), from, to };
}
