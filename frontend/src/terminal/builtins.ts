/** What the shell around kubectl knows itself. */
import type { Io, Session } from './command';
import { isNotFound } from './kube/errors';

export interface Builtin {
  name: string;
  short: string;
  run(args: string[], session: Session, io: Io): Promise<number | void>;
}

const HELP = `This is kubectl, in your browser. Each command is a request to this cluster as you, and travels on the map like any other.

  kubectl get pods -A            what is running (k is short for kubectl)
  kubectl apply -f editor        apply what stands in the YAML editor
  kubectl describe pod NAME      everything about it, with its events
  kubectl help                   all commands; kubectl COMMAND --help for one

Pipes: grep head tail wc sort uniq cut cat less. Files: > name, -f name, ls, rm. && || ; and <<EOF work.
Keys: Tab completes, Shift-Tab leaves the terminal, Up and Down go through history, Ctrl-R searches it, Ctrl-C stops, Ctrl-L clears.
`;

export const BUILTINS: readonly Builtin[] = [
  { name: 'help', short: 'what this terminal can do', run: async (_, __, io) => io.out(HELP) },
  { name: 'clear', short: 'clear the screen', run: async (_, __, io) => io.out('\u001b[2J\u001b[3J\u001b[H') },
  { name: 'echo', short: 'print words', run: async (args, _, io) => io.out(args[0] === '-n' ? args.slice(1).join(' ') : `${args.join(' ')}\n`) },
  { name: 'true', short: 'succeed', run: async () => 0 },
  { name: 'false', short: 'fail', run: async () => 1 },
  { name: 'whoami', short: 'who is signed in', run: async (_, session, io) => io.out(`${session.user()}\n`) },
  { name: 'date', short: 'the time', run: async (_, session, io) => io.out(`${new Date(session.now()).toUTCString()}\n`) },
  {
    name: 'ls',
    short: 'the files of this terminal and of your library',
    run: async (_, session, io) => io.out((await session.files.list()).map((one) => `${one}\n`).join('')),
  },
  {
    name: 'rm',
    short: 'remove a file',
    run: async (args, session, io) => {
      let code = 0;
      for (const name of args.filter((one) => !one.startsWith('-'))) {
        const gone = await session.files.remove(name).catch((error: unknown) => (isNotFound(error) ? false : Promise.reject(error)));
        if (gone) continue;
        io.err(`rm: ${name}: No such file\n`);
        code = 1;
      }
      return code;
    },
  },
  {
    name: 'less',
    short: 'page through text',
    run: async (args, session, io) => {
      const text = args[0] ? await session.files.read(args[0]) : io.input;
      if (text === null) {
        io.err(args[0] ? `less: ${args[0]}: No such file\n` : 'less: nothing is piped in\n');
        return 1;
      }
      if (!io.tty) return io.out(text);
      await page(text, io);
      return 0;
    },
  },
];

/** A screen at a time: space or f forward, b back, j and k by line, q ends. */
function page(text: string, io: Io): Promise<void> {
  const tty = io.tty!;
  const lines = text.replace(/\n$/, '').split('\n');
  let height = tty.rows - 1;
  if (lines.length <= height) {
    io.out(text);
    return Promise.resolve();
  }
  let top = 0;
  const last = () => Math.max(0, lines.length - height);
  const draw = () => {
    const shown = lines.slice(top, top + height).map((line) => line.slice(0, tty.columns));
    tty.raw(`\u001b[H\u001b[2J${shown.join('\r\n')}\r\n\u001b[7m${top >= last() ? '(END)' : `line ${top + 1} of ${lines.length}`}\u001b[0m q to quit`);
  };
  return new Promise((done) => {
    tty.raw('\u001b[?1049h');
    const moves: Record<string, () => number> = {
      ' ': () => top + height,
      f: () => top + height,
      '\u001b[6~': () => top + height,
      b: () => top - height,
      '\u001b[5~': () => top - height,
      j: () => top + 1,
      '\r': () => top + 1,
      '\u001b[B': () => top + 1,
      k: () => top - 1,
      '\u001b[A': () => top - 1,
      g: () => 0,
      G: () => last(),
    };
    const give = tty.take(
      (data) => {
        if (data === 'q' || data === '\u0003') {
          give();
          tty.raw('\u001b[?1049l');
          done();
          return;
        }
        const move = moves[data];
        if (!move) return;
        top = Math.min(last(), Math.max(0, move()));
        draw();
      },
      (_, rows) => {
        height = rows - 1;
        draw();
      },
    );
    draw();
  });
}
