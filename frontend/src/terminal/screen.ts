/** The terminal on the screen: xterm.js, the prompt with its line, and the command that runs. One for the page: it moves between the tab and the view. */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal, type ITheme } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import type { Session, Tty } from './command';
import { common, completions, listing } from './complete';
import { run } from './interpreter';
import { complete, fresh, keysOf, press, type Line } from './lineedit';
import { unfinished } from './text/words';

const KEPT = 500;
const [CYAN, SOFT, RED, AMBER, END] = ['\u001b[36m', '\u001b[90m', '\u001b[31m', '\u001b[33m', '\u001b[0m'];

const WELCOME = `kubectl for this cluster, as you. Each command is a real request: watch it on the map.
Try ${CYAN}kubectl get pods -A${END}, or ${CYAN}help${END}. Tab completes, Shift-Tab leaves.
`;

export class Screen {
  readonly host = document.createElement('div');
  private readonly terminal: Terminal;
  private readonly fitting = new FitAddon();
  private history: string[] = [];
  private owner = '';
  private line: Line;
  private running: AbortController | null = null;
  private taken: { typed: (data: string) => void; resized: (columns: number, rows: number) => void } | null = null;
  /** Typed while a command ran that reads nothing. */
  private ahead = '';
  /** How many rows below the prompt's first row the cursor stands. */
  private row = 0;
  private tabbed = '';
  /** Commands that have ended and are drawn: `data-done`, for whoever waits for one. */
  private finished = 0;

  constructor(
    private readonly session: Session,
    private readonly label: () => string,
  ) {
    this.host.className = 'terminal-host';
    this.terminal = new Terminal({ convertEol: true, cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches, fontFamily: 'JetBrains Mono Variable, ui-monospace, monospace', fontSize: 12.5, lineHeight: 1.25, scrollback: 5000, screenReaderMode: true, macOptionIsMeta: true, minimumContrastRatio: 4.5 });
    this.terminal.loadAddon(this.fitting);
    this.line = fresh(this.history);
    this.terminal.open(this.host);
    this.terminal.onData((data) => this.data(data));
    this.terminal.onResize(({ cols, rows }) => this.taken?.resized(cols, rows));
    this.terminal.attachCustomKeyEventHandler((event) => this.keys(event));
    this.paint();
    this.terminal.write(WELCOME);
    // Pasted text comes in brackets, so that its newlines run nothing by themselves.
    this.terminal.write('\u001b[?2004h');
    this.draw();
  }

  // -- the page ---------------------------------------------------------------------------------------------------

  mount(parent: HTMLElement): () => void {
    parent.append(this.host);
    const watching = new ResizeObserver(() => this.fit());
    watching.observe(parent);
    this.fit();
    return () => {
      watching.disconnect();
      if (this.host.parentElement === parent) this.host.remove();
    };
  }

  fit(): void {
    if (this.host.clientWidth <= 40 || this.host.clientHeight <= 20) return;
    // A phone shows more columns in smaller type.
    this.terminal.options.fontSize = this.host.clientWidth < 420 ? 10.5 : 12.5;
    this.fitting.fit();
  }

  focus(): void {
    this.terminal.focus();
  }

  /** The colours of the page's tokens, as they are just now. */
  paint(): void {
    const probe = document.createElement('span');
    document.body.append(probe);
    const token = (name: string) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const [ink, soft, well] = [token('ink'), token('soft'), token('well')];
    const theme: ITheme = {
      background: well,
      foreground: ink,
      cursor: token('amber'),
      cursorAccent: well,
      selectionBackground: token('line'),
      black: ink,
      white: ink,
      brightWhite: ink,
      brightBlack: soft,
      red: token('red'),
      green: token('green-text'),
      yellow: token('amber-text'),
      blue: token('blue'),
      magenta: token('violet-text'),
      cyan: token('teal-text'),
      brightRed: token('red'),
      brightGreen: token('green-text'),
      brightYellow: token('amber-text'),
      brightBlue: token('blue'),
      brightMagenta: token('violet-text'),
      brightCyan: token('teal-text'),
    };
    probe.remove();
    this.terminal.options.theme = theme;
  }

  clear(): void {
    this.terminal.clear();
    this.focus();
  }

  /** Types a command and runs it, as the person would. */
  async enter(command: string): Promise<void> {
    if (this.running) return;
    this.line = { ...fresh(this.history), text: command, cursor: command.length };
    this.draw();
    await this.submit();
  }

  // -- keys -------------------------------------------------------------------------------------------------------

  private keys(event: KeyboardEvent): boolean {
    const copy = event.type === 'keydown' && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'c';
    if (copy && this.terminal.hasSelection() && !event.shiftKey) {
      void navigator.clipboard?.writeText(this.terminal.getSelection());
      this.terminal.clearSelection();
      return false;
    }
    // Ctrl-V pastes as the browser does it; Ctrl-K stays the palette's only outside; Shift-Tab leaves the terminal.
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'v') return false;
    if (event.ctrlKey && event.key.toLowerCase() === 'k') return false;
    if (event.key === 'Tab' && event.shiftKey) return false;
    if (event.key === 'Tab' && !event.ctrlKey) event.preventDefault();
    return true;
  }

  private data(data: string): void {
    if (this.taken) return this.taken.typed(data);
    if (this.running) {
      if (data.includes('\u0003')) {
        this.terminal.write('^C\n');
        this.ahead = '';
        this.running.abort();
      } else this.ahead += data;
      return;
    }
    this.recollect();
    const keys = keysOf(data);
    while (keys.length) {
      const key = keys.shift()!;
      const { line, effect } = press(this.line, key, this.history);
      this.line = line;
      if (key !== '\t') this.tabbed = '';
      if (effect === 'submit') {
        this.ahead = keys.join('');
        return void this.submit();
      }
      if (effect === 'cancel') {
        this.finish('^C');
        this.line = fresh(this.history);
      } else if (effect === 'clear') {
        this.terminal.write('\u001b[2J\u001b[H');
        this.row = 0;
      } else if (effect === 'complete') void this.tab();
    }
    this.draw();
  }

  private async tab(): Promise<void> {
    const before = this.line;
    const written = before.text.slice(0, before.cursor);
    const { from, options } = await completions(written, this.session, new AbortController().signal).catch(() => ({ from: 0, options: [] as string[] }));
    // Something else was typed meanwhile.
    if (this.line !== before || this.running) return;
    if (options.length === 1) {
      const [only] = options as [string];
      this.line = complete(before, from, /[=/]$/.test(only) ? only : `${only} `);
    } else if (options.length > 1) {
      const prefix = common(options);
      if (prefix.length > before.cursor - from) this.line = complete(before, from, prefix);
      else if (this.tabbed === written) {
        this.finish('');
        const most = 120;
        this.terminal.write(`${listing(options.slice(0, most), this.terminal.cols)}${options.length > most ? `\n… and ${options.length - most} more` : ''}\n`);
      }
      this.tabbed = this.line.text.slice(0, this.line.cursor);
    }
    this.draw();
  }

  private async submit(): Promise<void> {
    const text = this.line.text;
    if (unfinished(text)) {
      this.line = { ...this.line, text: `${text}\n`, cursor: text.length + 1 };
      return this.draw();
    }
    this.finish('');
    this.remember(text);
    this.line = fresh(this.history);
    if (text.trim()) {
      this.running = new AbortController();
      this.host.dataset['running'] = 'true';
      let column = 0;
      const write = (said: string, colour = '') => {
        if (said) column = said.endsWith('\n') ? 0 : 1;
        this.terminal.write(colour ? `${colour}${said}${END}` : said);
      };
      const err = (said: string) => write(said, /^(error|Error|The )/.test(said) ? RED : said.startsWith('Warning') ? AMBER : '');
      try {
        await run(text, this.session, { out: (said) => write(said), err, tty: this.tty() }, this.running.signal);
      } finally {
        this.running = null;
        this.taken = null;
        delete this.host.dataset['running'];
      }
      // A last line without its end must not swallow the prompt.
      if (column && !text.startsWith('clear')) this.terminal.write(`${SOFT}⏎${END}\n`);
    }
    await this.written();
    this.draw();
    await this.written();
    requestAnimationFrame(() => requestAnimationFrame(() => (this.host.dataset['done'] = String(++this.finished))));
    const ahead = this.ahead;
    this.ahead = '';
    if (ahead) this.data(ahead);
  }

  /** Until everything written so far stands in the terminal. */
  private written(): Promise<void> {
    return new Promise((done) => this.terminal.write('', done));
  }

  private tty(): Tty {
    const { terminal } = this;
    return {
      get columns() {
        return terminal.cols;
      },
      get rows() {
        return terminal.rows;
      },
      take: (typed, resized) => {
        this.taken = { typed, resized };
        return () => (this.taken = null);
      },
      raw: (data) => terminal.write(data),
    };
  }

  // -- drawing ----------------------------------------------------------------------------------------------------

  private prompt(): { shown: string; width: number } {
    const { search } = this.line;
    if (search) {
      const text = `(${search.found < 0 && search.query ? 'failed ' : ''}reverse-i-search)\`${search.query}': `;
      return { shown: text, width: text.length };
    }
    const name = this.label();
    return { shown: `${CYAN}${name}${END}${SOFT} $${END} `, width: name.length + 3 };
  }

  /** The prompt and the line anew, over what stands there. */
  private draw(): void {
    const { shown, width } = this.prompt();
    const columns = this.terminal.cols;
    const lines = this.line.text.split('\n');
    const text = lines.join(`\n${SOFT}>${END} `);
    this.terminal.write(`${this.row ? `\u001b[${this.row}A` : ''}\r\u001b[J${shown}${text}`);
    // Where everything ends, and where the cursor belongs.
    const rowsOf = (length: number) => Math.floor(length / columns);
    const place = (upTo: string) => {
      const parts = upTo.split('\n');
      let row = 0;
      parts.forEach((part, at) => {
        const length = (at ? 2 : width) + part.length;
        row += at < parts.length - 1 ? rowsOf(Math.max(0, length - 1)) + 1 : rowsOf(length);
      });
      return { row, column: ((parts.length > 1 ? 2 : width) + parts.at(-1)!.length) % columns };
    };
    const end = place(this.line.text);
    const cursor = place(this.line.text.slice(0, this.line.cursor));
    // At the very edge the terminal has not wrapped yet: a newline makes it.
    if (end.column === 0 && end.row > 0 && !this.line.text.endsWith('\n')) this.terminal.write('\r\n');
    const up = end.row - cursor.row;
    this.terminal.write(`${up ? `\u001b[${up}A` : ''}\r${cursor.column ? `\u001b[${cursor.column}C` : ''}`);
    this.row = cursor.row;
  }

  /** Leaves the line as it stands and goes below it. */
  private finish(said: string): void {
    this.line = { ...this.line, cursor: this.line.text.length, search: null };
    this.draw();
    this.terminal.write(`${said}\n`);
    this.row = 0;
  }

  // -- history ----------------------------------------------------------------------------------------------------

  private key(): string {
    return `kubeweb.terminal.${this.session.user()}`;
  }

  /** The history of whoever is signed in: known only once the page's stream has said who that is. */
  private recollect(): void {
    if (this.owner === this.session.user()) return;
    this.owner = this.session.user();
    this.history = this.stored();
    this.line = { ...this.line, at: this.history.length };
  }

  private stored(): string[] {
    try {
      const found: unknown = JSON.parse(localStorage.getItem(this.key()) ?? '[]');
      return Array.isArray(found) ? found.filter((one): one is string => typeof one === 'string') : [];
    } catch {
      return [];
    }
  }

  private remember(text: string): void {
    // What begins with a space is not kept; neither are secrets given on the line.
    if (!text.trim() || text.startsWith(' ') || text === this.history.at(-1)) return;
    this.history = [...this.history, text].slice(-KEPT);
    const kept = this.history.filter((one) => !/--from-literal|--docker-password|create token/.test(one) && one.length < 4000);
    localStorage.setItem(this.key(), JSON.stringify(kept));
  }
}
