/**
 * The live stream's connection: it comes back by itself, goes on where it was, and acknowledges what it has taken in.
 * What the messages say is somebody else's business (`receive`).
 */

export type Message = { op: string; seq?: number } & Record<string, unknown>;

/** How far this page has come, told when it subscribes. */
export interface Position {
  /** Which cluster; revisions of another say nothing. */
  cluster: string;
  /** The revision up to which each resource is known. */
  revisions: Map<string, number>;
  /** The last journey, by the process that numbered it. */
  journeys: { instance: string; sequence: number } | null;
}

export interface Handlers {
  receive: (message: Message) => void;
  /** Up, or down with what a person should know. */
  state: (up: boolean, problem: string) => void;
  signIn: () => void;
  /** What was said to be somebody else's may not be seen (any more). Nothing is tried again. */
  refused: () => void;
}

const FIRST_RETRY = 400;
const LONGEST_RETRY = 8000;
/** Why the server ends it for good: to sign in; that may not be. */
const SIGN_IN = 4401;
const REFUSED = 4403;
/** Milliseconds without a word after which the stream is not live any more; the server speaks every second. */
export const SILENCE = 4000;

export class Connection {
  position: Position = { cluster: '', revisions: new Map(), journeys: null };
  heard = -Infinity;
  #socket: WebSocket | null = null;
  #wanted = new Set<string>();
  #retry = FIRST_RETRY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly handlers: Handlers,
    private readonly open: () => WebSocket,
  ) {}

  want(resource: string): void {
    if (this.#wanted.has(resource)) return;
    this.#wanted.add(resource);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#subscribe([resource]);
  }

  send(message: Record<string, unknown>): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  connect(): void {
    const socket = this.open();
    this.#socket = socket;
    socket.onopen = () => {
      this.#retry = FIRST_RETRY;
      this.heard = performance.now();
      this.#subscribe(this.#wanted, this.position.journeys);
      this.handlers.state(true, '');
    };
    socket.onmessage = (event: MessageEvent<string>) => {
      this.heard = performance.now();
      const message = JSON.parse(event.data) as Message;
      this.handlers.receive(message);
      // Said after it was taken in: a page that cannot keep up is sent less.
      if (message.seq) this.send({ op: 'ack', seq: message.seq });
    };
    socket.onclose = (event) => {
      if (event.code === SIGN_IN) return this.handlers.signIn();
      if (event.code === REFUSED) {
        this.heard = -Infinity;
        return this.handlers.refused();
      }
      this.handlers.state(false, 'The live stream is interrupted. What you see is from before; trying again.');
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.connect(), this.#retry);
      this.#retry = Math.min(this.#retry * 2, LONGEST_RETRY);
    };
  }

  /** Try again at once: the network is back, or the person came back to the tab. */
  hurry(): void {
    if (!this.#socket || this.#socket.readyState < WebSocket.CLOSING) return;
    clearTimeout(this.#timer);
    this.connect();
  }

  #subscribe(resources: Iterable<string>, journeys: Position['journeys'] = null): void {
    const known = Object.fromEntries([...resources].map((one) => [one, this.position.revisions.get(one) ?? null]));
    this.send({ op: 'subscribe', resources: known, cluster: this.position.cluster, ...(journeys ? { journeys } : {}) });
  }
}
