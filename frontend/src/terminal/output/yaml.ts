/** YAML as Go's library writes it: sorted keys, lists not indented, its rules for quotes and its folding at 80 columns. */

const WIDTH = 80;

/** Plain text that would be read as something other than a string; it is quoted doubly. */
const MISREAD =
  /^(?:|~|null|Null|NULL|y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF|true|True|TRUE|false|False|FALSE|<<|[-+]?(?:\.\d+|\d[\d_]*(?:\.\d*)?)(?:[eE][-+]?\d+)?|[-+]?0(?:x[\da-fA-F_]+|o[0-7_]+|b[01_]+)|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.\d*)?|\d{4}-\d\d?-\d\d?(?:(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?)?)$/;

// eslint-disable-next-line no-control-regex
const SPECIAL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ufeff\ud800-\udfff]/u;

/** Whether text may stand without quotes in block style. */
function plain(text: string): boolean {
  if (/^[\s]|[\s]$/.test(text) || SPECIAL.test(text)) return false;
  if (/^(?:[#,[\]{}&*!|>'"%@`]|[?:-](?:\s|$)|---|\.\.\.)/.test(text)) return false;
  return !/:(?:\s|$)|\s#/.test(text);
}

const ESCAPES: Record<string, string> = { '\0': '\\0', '\u0007': '\\a', '\b': '\\b', '\t': '\\t', '\n': '\\n', '\u000b': '\\v', '\f': '\\f', '\r': '\\r', '\u001b': '\\e', '"': '\\"', '\\': '\\\\', '\u0085': '\\N', '\ufeff': '\\uFEFF' };

function escaped(char: string): string {
  const known = ESCAPES[char];
  if (known) return known;
  const code = char.codePointAt(0)!;
  if (SPECIAL.test(char)) return code > 0xffff ? `\\U${code.toString(16).toUpperCase().padStart(8, '0')}` : code > 0xff ? `\\u${code.toString(16).toUpperCase().padStart(4, '0')}` : `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
  return char;
}

/** Text from `column` on, broken at the first single space behind column 80, as Go's emitter does. */
function fold(text: string, column: number, indent: number, encode: (char: string) => string, double = false): string {
  const chars = [...text];
  let out = '';
  let at = column;
  chars.forEach((char, index) => {
    const single = char === ' ' && chars[index - 1] !== ' ' && index > 0 && index < chars.length - 1;
    if (single && at > WIDTH && (double || chars[index + 1] !== ' ')) {
      out += `\n${' '.repeat(indent)}${double && chars[index + 1] === ' ' ? '\\' : ''}`;
      at = indent;
      if (!double || chars[index + 1] !== ' ') return;
    }
    const written = encode(char);
    out += written;
    at += [...written].length;
  });
  return out;
}

function block(text: string, indent: number): string {
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
  const body = text.replace(/\n$/, '').split('\n').map((line) => (line ? ' '.repeat(indent) + line : ''));
  return `|${hint}${chomp}\n${body.join('\n')}`;
}

function scalar(value: unknown, column: number, indent: number, key = false): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value !== 'string') return String(value);
  const fits = (text: string, encode: (char: string) => string, double = false) => (key ? [...text].map(encode).join('') : fold(text, column + (double ? 1 : 0), indent, encode, double));
  if (value.includes('\n') && !key && !SPECIAL.test(value) && !/[ ](\n|$)/.test(value)) return block(value, indent);
  if (MISREAD.test(value) || SPECIAL.test(value) || value.includes('\n')) return `"${fits(value, escaped, true)}"`;
  if (plain(value)) return fits(value, (char) => char);
  return `'${fold(value, column + 1, indent, (char) => (char === "'" ? "''" : char))}'`;
}

function empty(value: unknown): string | null {
  if (Array.isArray(value)) return value.length ? null : '[]';
  if (typeof value === 'object' && value !== null) return Object.keys(value).length ? null : '{}';
  return null;
}

/** Lines of a map or list whose first line already stands at `indent`. */
function node(value: object, indent: number): string {
  const pad = ' '.repeat(indent);
  if (Array.isArray(value)) {
    return value
      .map((item: unknown) => {
        const short = empty(item);
        if (short) return `- ${short}`;
        if (typeof item === 'object' && item !== null) return `- ${node(item, indent + 2)}`;
        return `- ${scalar(item, indent + 2, indent + 2)}`;
      })
      .join(`\n${pad}`);
  }
  const map = value as Record<string, unknown>;
  return Object.keys(map)
    .sort()
    .map((name) => {
      const key = scalar(name, indent, indent, true);
      const item = map[name];
      const short = empty(item);
      if (short) return `${key}: ${short}`;
      if (Array.isArray(item)) return `${key}:\n${pad}${node(item, indent)}`;
      if (typeof item === 'object' && item !== null) return `${key}:\n${pad}  ${node(item, indent + 2)}`;
      return `${key}: ${scalar(item, indent + [...key].length + 2, indent + 2)}`;
    })
    .join(`\n${pad}`);
}

export function toYaml(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `${scalar(value, 0, 0)}\n`;
  return `${empty(value) ?? node(value, 0)}\n`;
}
