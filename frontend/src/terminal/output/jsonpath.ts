/** kubectl's JSONPath: {.a.b}, {.a[0]}, [*], [1:3], ..a, [?(@.x=="y")], ['a.b'], {range …}{end}, literals and quotes. */
import { CommandError } from '../kube/errors';

type Node =
  | { kind: 'text'; text: string }
  | { kind: 'path'; steps: Step[] }
  | { kind: 'range'; steps: Step[]; body: Node[] };

type Step =
  | { kind: 'field'; name: string }
  | { kind: 'all' }
  | { kind: 'deep' }
  | { kind: 'root' }
  | { kind: 'current' }
  | { kind: 'slice'; from: number | null; to: number | null; step: number; one: boolean }
  | { kind: 'union'; names: string[] }
  | { kind: 'filter'; left: Operand; operator: string; right: Operand | null };

type Operand = { path: Step[] } | { value: string | number | boolean };

function wrong(message: string): CommandError {
  return new CommandError(`error parsing jsonpath ${message}`);
}

/** The parts of a template, `{…}` taken apart from the text around. Throws CommandError. */
export function parseTemplate(template: string): Node[] {
  const root: Node[] = [];
  const stack: Node[][] = [root];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{', at);
    if (open < 0) {
      stack.at(-1)!.push({ kind: 'text', text: template.slice(at) });
      break;
    }
    if (open > at) stack.at(-1)!.push({ kind: 'text', text: template.slice(at, open) });
    const close = closing(template, open);
    const inside = template.slice(open + 1, close).trim();
    at = close + 1;
    if (inside === 'end') {
      if (stack.length === 1) throw wrong(`${template}, not in range, nothing to end`);
      stack.pop();
    } else if (inside.startsWith('range ') || inside.startsWith('range.')) {
      const body: Node[] = [];
      stack.at(-1)!.push({ kind: 'range', steps: parsePath(inside.slice(5).trim()), body });
      stack.push(body);
    } else {
      // Several parts may stand in one pair of braces: {.a "," .b}.
      for (const part of inside.match(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:[^\s"'[]|\[[^\]]*\])+/g) ?? []) {
        if (part.startsWith('"') || (part.startsWith("'") && part.endsWith("'"))) stack.at(-1)!.push({ kind: 'text', text: unquote(part) });
        else stack.at(-1)!.push({ kind: 'path', steps: parsePath(part) });
      }
    }
  }
  if (stack.length > 1) throw wrong(`${template}, unclosed range`);
  return root;
}

function closing(template: string, open: number): number {
  let quote = '';
  for (let at = open + 1; at < template.length; at++) {
    const char = template[at]!;
    if (quote) {
      if (char === '\\') at++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '}') return at;
  }
  throw wrong(`${template}, unclosed action`);
}

function unquote(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/g, (_, char: string) => ({ n: '\n', t: '\t', r: '\r' })[char] ?? char);
}

function parsePath(text: string): Step[] {
  const steps: Step[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    let match: RegExpExecArray | null;
    if (rest.startsWith('$')) {
      steps.push({ kind: 'root' });
      at++;
    } else if (rest.startsWith('@')) {
      steps.push({ kind: 'current' });
      at++;
    } else if (rest.startsWith('..')) {
      steps.push({ kind: 'deep' });
      at += rest[2] === '[' ? 2 : 1;
    } else if ((match = /^\.?\*/.exec(rest))) {
      steps.push({ kind: 'all' });
      at += match[0].length;
    } else if ((match = /^\.?((?:[^.[\]\\\s(){}]|\\.)+)/.exec(rest))) {
      steps.push({ kind: 'field', name: match[1]!.replace(/\\(.)/g, '$1') });
      at += match[0].length;
    } else if (rest === '.') {
      at++;
    } else if (rest.startsWith('[')) {
      const close = bracket(text, at);
      steps.push(subscript(text.slice(at + 1, close).trim(), text));
      at = close + 1;
    } else {
      throw wrong(`${text}, unrecognized character in action: ${JSON.stringify(rest[0])}`);
    }
  }
  return steps;
}

function bracket(text: string, open: number): number {
  let depth = 0;
  let quote = '';
  for (let at = open; at < text.length; at++) {
    const char = text[at]!;
    if (quote) quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === '[') depth++;
    else if (char === ']' && --depth === 0) return at;
  }
  throw wrong(`${text}, unterminated array`);
}

function subscript(inside: string, whole: string): Step {
  if (inside === '*') return { kind: 'all' };
  const filter = /^\?\((.*)\)$/s.exec(inside);
  if (filter) {
    const match = /^(.*?)\s*(==|!=|<=|>=|<|>|=~)\s*(.*)$/s.exec(filter[1]!);
    if (!match) return { kind: 'filter', left: operand(filter[1]!.trim()), operator: 'exists', right: null };
    return { kind: 'filter', left: operand(match[1]!.trim()), operator: match[2]!, right: operand(match[3]!.trim()) };
  }
  if (/^['"]/.test(inside)) return { kind: 'union', names: inside.split(/,(?=\s*['"])/).map((one) => unquote(one.trim())) };
  const slice = /^(-?\d*)(?::(-?\d*))?(?::(-?\d+))?$/.exec(inside);
  if (!slice) throw wrong(`${whole}, invalid array index ${inside}`);
  const number = (one: string | undefined) => (one ? Number(one) : null);
  if (!inside.includes(':')) return { kind: 'slice', from: Number(inside), to: null, step: 1, one: true };
  return { kind: 'slice', from: number(slice[1]), to: number(slice[2]), step: number(slice[3]) ?? 1, one: false };
}

function operand(text: string): Operand {
  if (/^['"]/.test(text)) return { value: unquote(text) };
  if (text === 'true' || text === 'false') return { value: text === 'true' };
  if (/^-?\d+(\.\d+)?$/.test(text)) return { value: Number(text) };
  return { path: parsePath(text) };
}

/** All values that a path reaches. `strict`: a field that is missing is an error, as in kubectl's -o jsonpath of one object. */
export function evaluate(steps: Step[], from: unknown, root: unknown = from): unknown[] {
  let values: unknown[] = [from];
  for (const step of steps) {
    values = values.flatMap((value) => take(step, value, root));
  }
  return values;
}

function take(step: Step, value: unknown, root: unknown): unknown[] {
  switch (step.kind) {
    case 'root':
      return [root];
    case 'current':
      return [value];
    case 'deep':
      return descend(value);
    case 'all':
      return Array.isArray(value) ? value : isMap(value) ? sorted(value).map((key) => value[key]) : [];
    case 'field':
      return isMap(value) && step.name in value ? [value[step.name]] : [];
    case 'union':
      return isMap(value) ? step.names.filter((one) => one in value).map((one) => value[one]) : [];
    case 'slice': {
      if (!Array.isArray(value)) return [];
      if (step.one) {
        const at = step.from! < 0 ? value.length + step.from! : step.from!;
        if (at < 0 || at >= value.length) throw new CommandError(`array index out of bounds: index ${step.from}, length ${value.length}`);
        return [value[at]];
      }
      return value.slice(step.from ?? 0, step.to ?? undefined).filter((_, at) => at % step.step === 0);
    }
    case 'filter':
      return (Array.isArray(value) ? value : isMap(value) ? Object.values(value) : []).filter((one) => holds(step, one, root));
  }
}

function holds(step: Step & { kind: 'filter' }, item: unknown, root: unknown): boolean {
  const side = (one: Operand): unknown => ('value' in one ? one.value : evaluate(one.path, item, root)[0]);
  const left = side(step.left);
  if (step.operator === 'exists') return left !== undefined;
  if (left === undefined) return false;
  const right = step.right ? side(step.right) : undefined;
  const a = left as string;
  const b = right as string;
  switch (step.operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    default:
      return a >= b;
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(value: Record<string, unknown>): string[] {
  return Object.keys(value).sort();
}

function descend(value: unknown): unknown[] {
  if (Array.isArray(value)) return [value, ...value.flatMap(descend)];
  if (isMap(value)) return [value, ...sorted(value).flatMap((key) => descend(value[key]))];
  return [];
}

export function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The text of a template for one object. */
export function render(nodes: Node[], item: unknown, root: unknown = item): string {
  return nodes
    .map((node) => {
      if (node.kind === 'text') return node.text;
      if (node.kind === 'path') return evaluate(node.steps, item, root).map(shown).join(' ');
      return evaluate(node.steps, item, root).map((one) => render(node.body, one, root)).join('');
    })
    .join('');
}

/** `.a.b`, `a.b` or `{.a.b}` → its steps: what --sort-by, custom-columns and wait take. */
export function relaxed(text: string): Step[] {
  const match = /^\{?\.?([^{}]+)\}?$/.exec(text.trim());
  if (!match) throw new CommandError(`unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'`);
  return parsePath(match[1]!.startsWith('[') ? match[1]! : `.${match[1]!}`);
}
