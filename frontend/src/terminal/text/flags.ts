/** Flags as kubectl (pflag) reads them: anywhere among the arguments, long or short, `--` ends them. */

export interface Flag {
  name: string;
  short?: string;
  type: 'bool' | 'string' | 'list' | 'int';
  help: string;
  default?: string;
  /** The value of a flag that stands without one (pflag's NoOptDefVal). */
  alone?: string;
  /** What Tab offers for its value. */
  values?: readonly string[] | 'namespace' | 'container' | 'file' | 'user';
}

export class UsageError extends Error {}

export const bool = (name: string, short: string, help: string, fallback = 'false'): Flag => ({ name, short, type: 'bool', help, default: fallback, alone: 'true' });
export const text = (name: string, short: string, help: string, more: Partial<Flag> = {}): Flag => ({ name, short, type: 'string', help, default: '', ...more });
export const list = (name: string, short: string, help: string, more: Partial<Flag> = {}): Flag => ({ name, short, type: 'list', help, ...more });
export const int = (name: string, short: string, help: string, fallback: string): Flag => ({ name, short, type: 'int', help, default: fallback });

export class Flags {
  private readonly values = new Map<string, string[]>();

  constructor(private readonly table: readonly Flag[]) {}

  set(name: string, value: string): void {
    const flag = this.table.find((one) => one.name === name);
    const before = this.values.get(name) ?? [];
    this.values.set(name, flag?.type === 'list' ? [...before, value] : [value]);
  }

  /** Whether the person gave it. */
  has(name: string): boolean {
    return this.values.has(name);
  }

  text(name: string): string {
    return this.values.get(name)?.at(-1) ?? this.table.find((one) => one.name === name)?.default ?? '';
  }

  on(name: string): boolean {
    return this.text(name) === 'true';
  }

  int(name: string): number {
    return Number(this.text(name));
  }

  /** Every value of a repeatable flag. */
  all(name: string): string[] {
    return this.values.get(name) ?? [];
  }

  /** Every value, comma-separated ones taken apart (pflag's StringSlice). */
  split(name: string): string[] {
    return this.all(name).flatMap((one) => one.split(',')).filter(Boolean);
  }
}

export interface Parsed {
  args: string[];
  flags: Flags;
  /** How many of the arguments came before `--`; -1 without one. */
  dash: number;
}

const TRUE = ['true', 't', '1', 'T', 'TRUE', 'True'];
const FALSE = ['false', 'f', '0', 'F', 'FALSE', 'False'];

function checked(flag: Flag, given: string, value: string): string {
  if (flag.type === 'bool') {
    if (TRUE.includes(value)) return 'true';
    if (FALSE.includes(value)) return 'false';
    throw new UsageError(`invalid argument "${value}" for "${given}" flag: strconv.ParseBool: parsing "${value}": invalid syntax`);
  }
  if (flag.type === 'int' && !/^-?\d+$/.test(value)) {
    throw new UsageError(`invalid argument "${value}" for "${given}" flag: strconv.ParseInt: parsing "${value}": invalid syntax`);
  }
  return value;
}

/** Arguments and flags of `words`. Throws UsageError in pflag's words. `stop`: the first argument ends the flags (exec's command). */
export function parse(words: string[], table: readonly Flag[]): Parsed {
  const flags = new Flags(table);
  const args: string[] = [];
  let dash = -1;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === '--') {
      dash = args.length;
      args.push(...words.slice(at + 1));
      break;
    }
    if (word.startsWith('--')) {
      const [name = '', ...rest] = word.slice(2).split('=');
      const flag = table.find((one) => one.name === name);
      if (!flag) throw new UsageError(`unknown flag: --${name}`);
      const given = flag.short ? `-${flag.short}, --${name}` : `--${name}`;
      if (rest.length) flags.set(name, checked(flag, given, rest.join('=')));
      else if (flag.alone !== undefined) flags.set(name, flag.alone);
      else if (at + 1 < words.length) flags.set(name, checked(flag, given, words[++at]!));
      else throw new UsageError(`flag needs an argument: --${name}`);
    } else if (word.startsWith('-') && word.length > 1) {
      at = shorts(word, at, words, table, flags);
    } else {
      args.push(word);
    }
  }
  return { args, flags, dash };
}

/** `-it`, `-oyaml`, `-o=yaml`, `-o yaml`: returns the index of the last word used. */
function shorts(word: string, at: number, words: string[], table: readonly Flag[], flags: Flags): number {
  for (let letter = 1; letter < word.length; letter++) {
    const char = word[letter]!;
    const flag = table.find((one) => one.short === char);
    if (!flag) throw new UsageError(`unknown shorthand flag: '${char}' in ${word}`);
    const given = `-${char}, --${flag.name}`;
    const rest = word.slice(letter + 1);
    if (rest.startsWith('=')) {
      flags.set(flag.name, checked(flag, given, rest.slice(1)));
      return at;
    }
    if (flag.alone !== undefined) {
      flags.set(flag.name, flag.alone);
      continue;
    }
    if (rest) {
      flags.set(flag.name, checked(flag, given, rest));
      return at;
    }
    if (at + 1 >= words.length) throw new UsageError(`flag needs an argument: '${char}' in ${word}`);
    flags.set(flag.name, checked(flag, given, words[at + 1]!));
    return at + 1;
  }
  return at;
}
