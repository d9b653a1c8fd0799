/** What a command is: an entry of a table, with its flags, its help, and a function that runs it. */
import type { Discovery } from './kube/discovery';
import type { Kube, Transport } from './kube/client';
import type { Flag, Flags } from './text/flags';

/** A terminal that a command may take over (exec -it, less, watch). */
export interface Tty {
  columns: number;
  rows: number;
  /** Everything typed goes to `typed`, and size changes to `resized`, until the returned function is called. */
  take(typed: (data: string) => void, resized: (columns: number, rows: number) => void): () => void;
  /** Bytes as they are: no newline translation. */
  raw(data: string | Uint8Array): void;
}

export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** What a pipe, `<` or a here-document gave. */
  input: string | null;
  signal: AbortSignal;
  /** null when the output goes into a pipe or a file. */
  tty: Tty | null;
}

/** Text by name: what `>` wrote, what the library holds, and the editor. */
export interface Files {
  read(name: string): Promise<string | null>;
  write(name: string, text: string): Promise<void>;
  list(): Promise<string[]>;
  remove(name: string): Promise<boolean>;
}

export interface Editor {
  text(): string;
  open(text: string, title: string): void;
}

/** A WebSocket of our own origin with the streams of exec and attach. */
export type OpenSocket = (path: string, protocols: string[]) => WebSocket;

/** What outlives a command: where we are, and as whom. */
export interface Session {
  transport: Transport;
  openSocket: OpenSocket;
  discovery: Discovery;
  files: Files;
  editor: Editor;
  /** The namespace of the current context. */
  namespace: string;
  setNamespace(name: string): void;
  user(): string;
  /** Shows an object in the explorer. */
  show(path: string): void;
  now(): number;
  origin: string;
}

export interface Call {
  session: Session;
  io: Io;
  kube: Kube;
  args: string[];
  flags: Flags;
  /** How many arguments came before `--`; -1 without one. */
  dash: number;
  /** --namespace, or that of the context. */
  namespace: string;
  /** Whether --namespace was given. */
  namespaced: boolean;
  /** The words after kubectl: "rollout status". */
  path: string;
  /** Whom --as names, as a WebSocket's subprotocol; empty without it. */
  impersonation: string[];
}

/** What Tab offers for the arguments of a command. */
export type Completes = 'resources' | 'pods' | 'nodes' | 'kinds' | 'workloads' | 'namespaces' | readonly string[];

export interface Command {
  name: string;
  aliases?: readonly string[];
  group: 'Basic' | 'Deploy' | 'Cluster' | 'Troubleshooting' | 'Advanced' | 'Settings' | 'Other';
  short: string;
  usage?: string;
  examples?: string;
  flags?: readonly Flag[];
  completes?: Completes;
  subcommands?: readonly Command[];
  /** The exit code; nothing is 0. */
  run?(call: Call): Promise<number | void>;
}
