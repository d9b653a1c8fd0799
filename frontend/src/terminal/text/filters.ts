/** What a pipe can end in: small versions of grep, head, tail, wc, sort, uniq, cut, tr, cat and less. Text streams through them line by line. */

export interface Filter {
  write(text: string): void;
  /** No more comes. Returns the exit code. */
  end(): number;
}

export class FilterError extends Error {}

type Out = (text: string) => void;
/** `done` tells whoever writes that nothing more is read (head). */
type Make = (args: string[], out: Out, done: () => void) => Filter;

function lines(each: (line: string) => void, end: () => number): Filter {
  let rest = '';
  return {
    write(text) {
      const found = (rest + text).split('\n');
      rest = found.pop() ?? '';
      found.forEach(each);
    },
    end() {
      if (rest) each(rest);
      return end();
    },
  };
}

function gather(end: (all: string[]) => number): Filter {
  const all: string[] = [];
  return lines((line) => all.push(line), () => end(all));
}

function grep(args: string[], out: Out, done: () => void): Filter {
  const options = new Set<string>();
  const patterns: string[] = [];
  const context = { before: 0, after: 0 };
  let limit = Infinity;
  const rest = [...args];
  const positional: string[] = [];
  while (rest.length) {
    const word = rest.shift()!;
    if (word === '-e') patterns.push(rest.shift() ?? '');
    else if (/^-[ABCm]/.test(word)) {
      const count = Number(word.slice(2) || rest.shift());
      if (!Number.isInteger(count)) throw new FilterError(`grep: ${word}: invalid number`);
      if (word[1] === 'm') limit = count;
      if (word[1] === 'A' || word[1] === 'C') context.after = count;
      if (word[1] === 'B' || word[1] === 'C') context.before = count;
    } else if (/^-[ivncEFwoqx]+$/.test(word)) [...word.slice(1)].forEach((one) => options.add(one));
    else if (word.startsWith('--color')) continue;
    else if (word.startsWith('-') && word.length > 1) throw new FilterError(`grep: unknown option -- '${word.replace(/^-+/, '')}'`);
    else positional.push(word);
  }
  if (!patterns.length) {
    const first = positional.shift();
    if (first === undefined) throw new FilterError('usage: grep [-ivncEFwoqx] [-A n] [-B n] [-C n] [-m n] pattern');
    patterns.push(first);
  }
  let matcher: RegExp;
  try {
    const source = patterns.map((one) => (options.has('F') ? one.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : options.has('E') ? one : one.replace(/\\\|/g, '|'))).join('|');
    const whole = options.has('x') ? `^(?:${source})$` : options.has('w') ? `\\b(?:${source})\\b` : source;
    matcher = new RegExp(whole, options.has('i') ? 'gi' : 'g');
  } catch {
    throw new FilterError(`grep: invalid pattern: ${patterns.join(' ')}`);
  }
  let number = 0;
  let count = 0;
  let after = 0;
  const before: string[] = [];
  const show = (line: string, at: number, mark: string) => {
    if (!options.has('c') && !options.has('q')) out(`${options.has('n') ? `${at}${mark}` : ''}${line}\n`);
  };
  return lines(
    (line) => {
      number++;
      matcher.lastIndex = 0;
      const hit = matcher.test(line) !== options.has('v');
      if (hit && count < limit) {
        count++;
        before.forEach((one, at) => show(one, number - before.length + at, '-'));
        before.length = 0;
        after = context.after;
        if (options.has('o') && !options.has('v')) {
          for (const match of line.matchAll(matcher)) show(match[0], number, ':');
        } else show(line, number, ':');
        if (count >= limit && !after) done();
      } else if (after > 0) {
        after--;
        show(line, number, '-');
      } else if (context.before) {
        before.push(line);
        if (before.length > context.before) before.shift();
      }
    },
    () => {
      if (options.has('c')) out(`${count}\n`);
      return count ? 0 : 1;
    },
  );
}

function counted(name: string, args: string[]): { n: number; plus: boolean } {
  const word = args.join(' ').replace(/^(-n\s*|--lines=)/, '');
  if (!word) return { n: 10, plus: false };
  const match = /^([-+]?)(\d+)$/.exec(word);
  if (!match) throw new FilterError(`${name}: invalid number of lines: '${word}'`);
  return { n: Number(match[2]), plus: match[1] === '+' };
}

function head(args: string[], out: Out, done: () => void): Filter {
  const { n } = counted('head', args);
  let seen = 0;
  if (n === 0) done();
  return lines(
    (line) => {
      if (seen >= n) return;
      out(`${line}\n`);
      if (++seen === n) done();
    },
    () => 0,
  );
}

function tail(args: string[], out: Out): Filter {
  const { n, plus } = counted('tail', args);
  let number = 0;
  if (plus) return lines((line) => void (++number >= n && out(`${line}\n`)), () => 0);
  return gather((all) => {
    if (n) all.slice(-n).forEach((line) => out(`${line}\n`));
    return 0;
  });
}

function wc(args: string[], out: Out): Filter {
  return gather((all) => {
    const characters = all.reduce((sum, line) => sum + line.length + 1, 0);
    const figures = { l: all.length, w: all.join(' ').split(/\s+/).filter(Boolean).length, c: characters };
    const asked = args.join('').replace(/-/g, '');
    if (/[^lwcm]/.test(asked)) throw new FilterError(`wc: invalid option -- '${asked}'`);
    if (asked.length === 1) out(`${figures[(asked === 'm' ? 'c' : asked) as 'l']}\n`);
    else out(`${['l', 'w', 'c'].filter((one) => !asked || asked.includes(one)).map((one) => String(figures[one as 'l']).padStart(7)).join(' ')}\n`);
    return 0;
  });
}

function sort(args: string[], out: Out): Filter {
  const options = new Set(args.filter((one) => /^-[nrufV]+$/.test(one)).flatMap((one) => [...one.slice(1)]));
  const key = Number(/-k\s*(\d+)/.exec(args.join(' '))?.[1] ?? 0);
  const field = (line: string) => (key ? line.trim().split(/\s+/)[key - 1] ?? '' : line);
  const number = (line: string) => parseFloat(field(line)) || 0;
  return gather((all) => {
    let found = [...all].sort((a, b) =>
      options.has('n') ? number(a) - number(b) : field(a).localeCompare(field(b), 'en', { numeric: options.has('V') }),
    );
    if (options.has('r')) found.reverse();
    if (options.has('u')) found = found.filter((line, at) => at === 0 || line !== found[at - 1]);
    found.forEach((line) => out(`${line}\n`));
    return 0;
  });
}

function uniq(args: string[], out: Out): Filter {
  return gather((all) => {
    for (let at = 0; at < all.length; ) {
      let next = at;
      while (next < all.length && all[next] === all[at]) next++;
      out(`${args.includes('-c') ? `${String(next - at).padStart(7)} ` : ''}${all[at]}\n`);
      at = next;
    }
    return 0;
  });
}

function cut(args: string[], out: Out): Filter {
  const joined = args.join('\u0000');
  const delimiter = /-d\u0000?([^\u0000])/.exec(joined)?.[1] ?? '\t';
  const fields = /-f\u0000?([\d,-]+)/.exec(joined)?.[1];
  if (!fields) throw new FilterError('cut: you must specify a list of fields: cut -d X -f N');
  const wanted = (at: number) =>
    fields.split(',').some((one) => {
      const [from, to] = one.split('-');
      return one.includes('-') ? at >= Number(from || 1) && at <= Number(to || Infinity) : at === Number(one);
    });
  return lines(
    (line) => out(`${line.includes(delimiter) ? line.split(delimiter).filter((_, at) => wanted(at + 1)).join(delimiter) : line}\n`),
    () => 0,
  );
}

const through = (_: string[], out: Out): Filter => ({ write: out, end: () => 0 });

export const FILTERS: Record<string, Make> = {
  grep,
  egrep: (args, out, done) => grep(['-E', ...args], out, done),
  head,
  tail,
  wc,
  sort,
  uniq,
  cut,
  cat: through,
  tee: through,
};
