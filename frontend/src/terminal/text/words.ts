/** A line of the shell → commands: quotes, comments, pipes, `&&` `||` `;`, `>` and here-documents. No expansion: text stays what it is. */

export interface Stage {
  words: string[];
}

export interface Pipeline {
  stages: Stage[];
  /** The name of a file that takes the output, and whether it is appended to. */
  into: string;
  append: boolean;
  /** What `<` or a here-document gives the first stage to read. */
  input: { kind: 'text'; text: string } | { kind: 'file'; name: string } | null;
  /** Runs when the one before ended so. */
  when: 'always' | 'success' | 'failure';
}

export class ShellError extends Error {}

type Token = { kind: 'word'; text: string; bare: boolean } | { kind: 'operator'; text: string };

const OPERATORS = ['&&', '||', '<<-', '<<', '>>', '|', ';', '>', '<', '\n'];

/** Words and operators of one logical line. Throws ShellError for an unclosed quote. */
export function tokens(line: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  let word: string | null = null;
  let bare = true;
  const close = () => {
    if (word !== null) found.push({ kind: 'word', text: word, bare });
    word = null;
    bare = true;
  };
  while (at < line.length) {
    const char = line[at]!;
    if (char === '\\') {
      if (line[at + 1] !== '\n') word = (word ?? '') + (line[at + 1] ?? '');
      at += 2;
    } else if (char === "'" || char === '"') {
      const [text, next] = quoted(line, at, char);
      word = (word ?? '') + text;
      bare = false;
      at = next;
    } else if (char === '#' && word === null) {
      while (at < line.length && line[at] !== '\n') at++;
    } else if (char === ' ' || char === '\t' || char === '\r') {
      close();
      at++;
    } else {
      const operator = OPERATORS.find((one) => line.startsWith(one, at));
      // `a>b` is a redirection, but `-o custom-columns=A:.b` and `2>&1` must not surprise: a digit before > is dropped.
      if (operator) {
        close();
        found.push({ kind: 'operator', text: operator });
        at += operator.length;
      } else {
        word = (word ?? '') + char;
        at++;
      }
    }
  }
  close();
  return found;
}

function quoted(line: string, from: number, quote: string): [string, number] {
  let text = '';
  let at = from + 1;
  while (at < line.length && line[at] !== quote) {
    if (quote === '"' && line[at] === '\\' && '"\\$`\n'.includes(line[at + 1] ?? ' ')) {
      if (line[at + 1] !== '\n') text += line[at + 1];
      at += 2;
    } else {
      text += line[at++];
    }
  }
  if (at >= line.length) throw new ShellError(`unexpected EOF while looking for matching \`${quote}'`);
  return [text, at + 1];
}

/** Whether more lines must be read before this can run: an open quote, a trailing backslash or pipe, an open here-document. */
export function unfinished(text: string): boolean {
  const mark = heredoc(text);
  if (mark) return !text.split('\n').slice(1).some((line) => line.trim() === mark);
  if (/(^|[^\\])(\\\\)*\\$/.test(text)) return true;
  if (/(\||&&)\s*$/.test(text)) return true;
  try {
    tokens(text);
    return false;
  } catch {
    return true;
  }
}

function heredoc(text: string): string {
  const first = text.split('\n')[0] ?? '';
  let words: Token[];
  try {
    words = tokens(first);
  } catch {
    return '';
  }
  const at = words.findIndex((one) => one.kind === 'operator' && one.text.startsWith('<<'));
  const mark = at < 0 ? undefined : words[at + 1];
  return mark?.kind === 'word' ? mark.text : '';
}

/** Everything that a text asks for, in order. Throws ShellError. */
export function parse(text: string): Pipeline[] {
  const mark = heredoc(text);
  let body = '';
  let line = text;
  if (mark) {
    const lines = text.split('\n');
    const end = lines.findIndex((one, at) => at > 0 && one.trim() === mark);
    body = lines.slice(1, end < 0 ? undefined : end).map((one) => `${one}\n`).join('');
    line = [lines[0], ...(end < 0 ? [] : lines.slice(end + 1))].join('\n');
  }
  const pipelines: Pipeline[] = [];
  const fresh = (when: Pipeline['when']): Pipeline => ({ stages: [{ words: [] }], into: '', append: false, input: null, when });
  let current = fresh('always');
  const finish = (when: Pipeline['when'], operator: string) => {
    const empty = current.stages.at(-1)!.words.length === 0;
    if (empty && current.stages.length === 1 && (operator === '\n' || operator === 'end' || operator === ';')) {
      current = fresh(when);
      return;
    }
    if (empty) throw new ShellError(`syntax error near unexpected token \`${operator === '\n' || operator === 'end' ? 'newline' : operator}'`);
    pipelines.push(current);
    current = fresh(when);
  };
  const all = tokens(line);
  for (let at = 0; at < all.length; at++) {
    const token = all[at]!;
    if (token.kind === 'word') {
      current.stages.at(-1)!.words.push(token.text);
      continue;
    }
    const next = all[at + 1];
    switch (token.text) {
      case '|':
        if (current.stages.at(-1)!.words.length === 0) throw new ShellError('syntax error near unexpected token `|\'');
        current.stages.push({ words: [] });
        break;
      case '&&':
        finish('success', '&&');
        break;
      case '||':
        finish('failure', '||');
        break;
      case ';':
      case '\n':
        finish('always', token.text);
        break;
      default: {
        if (next?.kind !== 'word') throw new ShellError('syntax error near unexpected token `newline\'');
        at++;
        if (token.text === '<<' || token.text === '<<-') current.input = { kind: 'text', text: body };
        else if (token.text === '<') current.input = { kind: 'file', name: next.text };
        else Object.assign(current, { into: next.text, append: token.text === '>>' });
      }
    }
  }
  finish('always', 'end');
  return pipelines;
}
