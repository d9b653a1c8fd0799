import { describe, expect, test } from 'vitest';
import { human, parse as parseDuration } from './duration';
import { FILTERS } from './filters';
import { bool, list, parse as parseFlags, text } from './flags';
import { align, LIST } from './tabwriter';
import { parse, unfinished } from './words';

describe('the shell', () => {
  test('quotes keep words together and pipes part commands', () => {
    const [only] = parse(`kubectl get pods -l 'app in (a, b)' -o jsonpath="{.items[*].metadata.name}" | grep -v "x y"`);
    expect(only?.stages.map((one) => one.words)).toEqual([
      ['kubectl', 'get', 'pods', '-l', 'app in (a, b)', '-o', 'jsonpath={.items[*].metadata.name}'],
      ['grep', '-v', 'x y'],
    ]);
  });

  test('&&, || and ; say when the next one runs', () => {
    expect(parse('a && b || c; d').map((one) => [one.stages[0]?.words[0], one.when])).toEqual([
      ['a', 'always'],
      ['b', 'success'],
      ['c', 'failure'],
      ['d', 'always'],
    ]);
  });

  test('a here-document is read up to its mark', () => {
    const open = 'kubectl apply -f - <<EOF\nkind: Pod';
    expect(unfinished(open)).toBe(true);
    expect(unfinished(`${open}\nEOF`)).toBe(false);
    expect(parse(`${open}\nEOF`)[0]).toMatchObject({ stages: [{ words: ['kubectl', 'apply', '-f', '-'] }], input: { kind: 'text', text: 'kind: Pod\n' } });
  });

  test('output goes into a file, comments are dropped', () => {
    expect(parse('k get po -o yaml > web.yaml # keep')[0]).toMatchObject({ into: 'web.yaml', stages: [{ words: ['k', 'get', 'po', '-o', 'yaml'] }] });
    expect(parse('# nothing')).toEqual([]);
  });

  test.each(['k get |', '| grep x', 'k get >', 'a && && b'])('%s is refused', (line) => {
    expect(() => parse(line)).toThrow(/syntax error/);
  });

  test('an open quote or a trailing backslash asks for more', () => {
    expect(unfinished("echo 'a")).toBe(true);
    expect(unfinished('echo a \\')).toBe(true);
    expect(unfinished('echo a')).toBe(false);
  });
});

describe('flags', () => {
  const table = [text('output', 'o', ''), bool('all-namespaces', 'A', ''), bool('stdin', 'i', ''), bool('tty', 't', ''), list('filename', 'f', '')];

  test('long, short, joined and together', () => {
    const { args, flags, dash } = parseFlags(['pods', '-oyaml', '-A', '-it', '-f', 'a', '--filename=b', '--', 'ls', '-l'], table);
    expect(args).toEqual(['pods', 'ls', '-l']);
    expect(dash).toBe(1);
    expect(flags.text('output')).toBe('yaml');
    expect(flags.on('all-namespaces') && flags.on('stdin') && flags.on('tty')).toBe(true);
    expect(flags.all('filename')).toEqual(['a', 'b']);
  });

  test.each([
    [['--nope'], 'unknown flag: --nope'],
    [['-z'], "unknown shorthand flag: 'z' in -z"],
    [['-o'], "flag needs an argument: 'o' in -o"],
    [['--output'], 'flag needs an argument: --output'],
  ])('%j is refused in kubectl\'s words', (words, message) => {
    expect(() => parseFlags(words, table)).toThrow(message);
  });
});

test('columns are blocks of neighbouring lines', () => {
  expect(align('Name:\tweb\nLabels:\tapp=web\nTemplate:\n  Image:\tnginx\n  Host Port:\t<none>')).toBe(
    'Name:    web\nLabels:  app=web\nTemplate:\n  Image:      nginx\n  Host Port:  <none>',
  );
  expect(align('NAME\tREADY\nweb\t1/1', LIST)).toBe('NAME   READY\nweb    1/1');
});

test.each([
  [32_000, '32s'],
  [119_000, '119s'],
  [185_000, '3m5s'],
  [600_000, '10m'],
  [3 * 3_600_000, '3h'],
  [90 * 60_000, '90m'],
  [26 * 3_600_000, '26h'],
  [50 * 3_600_000, '2d2h'],
  [400 * 86_400_000, '400d'],
  [-5000, '<invalid>'],
])('%d ms is %s', (milliseconds, said) => {
  expect(human(milliseconds)).toBe(said);
});

test('durations of flags', () => {
  expect(parseDuration('1h30m')).toBe(5_400_000);
  expect(parseDuration('10')).toBeNull();
});

describe('filters', () => {
  const run = (name: string, args: string[], input: string) => {
    let out = '';
    const filter = FILTERS[name]!(args, (text) => (out += text), () => undefined);
    filter.write(input.slice(0, 3));
    filter.write(input.slice(3));
    const code = filter.end();
    return { out, code };
  };
  const input = 'web 3\ndb 1\nweb 2\n';

  test.each([
    ['grep', ['web'], 'web 3\nweb 2\n'],
    ['grep', ['-v', 'web'], 'db 1\n'],
    ['grep', ['-ci', 'WEB'], '2\n'],
    ['grep', ['-E', 'web|db'], input],
    ['head', ['-n', '1'], 'web 3\n'],
    ['head', ['-2'], 'web 3\ndb 1\n'],
    ['tail', ['-n', '+2'], 'db 1\nweb 2\n'],
    ['tail', ['-1'], 'web 2\n'],
    ['wc', ['-l'], '3\n'],
    ['sort', ['-k2', '-n'], 'db 1\nweb 2\nweb 3\n'],
    ['cut', ['-d', ' ', '-f', '1'], 'web\ndb\nweb\n'],
  ])('%s %j', (name, args, out) => {
    expect(run(name, args, input).out).toBe(out);
  });

  test('grep says when it found nothing, and refuses a bad pattern', () => {
    expect(run('grep', ['nope'], input).code).toBe(1);
    expect(() => run('grep', ['('], input)).toThrow('invalid pattern');
  });
});
