/** exec and attach: the streams of a container over a WebSocket (v5.channel.k8s.io), as kubectl speaks it. */
import type { Call, Command } from '../command';
import { CONTAINER } from '../globals';
import { pathOf, query } from '../kube/client';
import { CommandError, Interrupted, StatusError } from '../kube/errors';
import type { Status, Thing } from '../kube/types';
import { bool, text } from '../text/flags';
import { podOf } from './pods';

const PROTOCOL = 'v5.channel.k8s.io';
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 };

export const execFlags = [bool('stdin', 'i', 'Pass stdin to the container'), bool('tty', 't', 'Stdin is a TTY'), bool('quiet', 'q', 'Only print output from the remote session')];

/** The container that is meant; says so when there are others and none was named. */
export function containerOf(call: Call, pod: Thing): string {
  const all = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? []), ...(pod.spec.ephemeralContainers ?? [])] as { name: string }[];
  const asked = call.flags.text('container');
  if (asked) {
    if (!all.some((one) => one.name === asked)) throw new CommandError(`container ${asked} not found in pod ${pod.metadata.name}`);
    return asked;
  }
  const preferred = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  const found = all.find((one) => one.name === preferred) ?? all[0];
  if (!found) throw new CommandError(`pod ${pod.metadata.name} has no containers`);
  const own = (pod.spec.containers as { name: string }[]).length;
  if (own > 1 && !preferred && !call.flags.on('quiet')) call.io.err(`Defaulted container "${found.name}" out of: ${all.map((one, at) => one.name + (at >= own ? ' (init)' : '')).join(', ')}\n`);
  return found.name;
}

interface Stream {
  stdin: boolean;
  tty: boolean;
}

/** Runs the streams of one WebSocket to their end; returns the exit code. */
function stream(call: Call, path: string, { stdin, tty }: Stream): Promise<number> {
  const { io, session } = call;
  const screen = io.tty;
  const useTty = tty && stdin && screen !== null;
  if (tty && !useTty) io.err('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  const socket = session.openSocket(path, [PROTOCOL, ...call.impersonation]);
  socket.binaryType = 'arraybuffer';
  const decoders = { [CHANNEL.stdout]: new TextDecoder(), [CHANNEL.stderr]: new TextDecoder() };
  const encoder = new TextEncoder();
  return new Promise((done, failed) => {
    let opened = false;
    let status: Status | null = null;
    let give: () => void = () => undefined;
    const send = (channel: number, data: Uint8Array) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      const frame = new Uint8Array(data.length + 1);
      frame[0] = channel;
      frame.set(data, 1);
      socket.send(frame);
    };
    const resize = (columns: number, rows: number) => send(CHANNEL.resize, encoder.encode(JSON.stringify({ Width: columns, Height: rows })));
    const stop = () => {
      socket.close();
      give();
      failed(new Interrupted());
    };
    io.signal.addEventListener('abort', stop, { once: true });
    socket.onopen = () => {
      opened = true;
      if (useTty) {
        resize(screen.columns, screen.rows);
        give = screen.take((typed) => send(CHANNEL.stdin, encoder.encode(typed)), resize);
      } else if (stdin && io.input !== null) {
        send(CHANNEL.stdin, encoder.encode(io.input));
        send(CHANNEL.close, new Uint8Array([CHANNEL.stdin]));
      } else if (stdin && screen) {
        // Without a TTY lines are echoed here, and Ctrl-D ends the input.
        give = screen.take((typed) => {
          if (typed === '\u0003') return stop();
          if (typed === '\u0004') return send(CHANNEL.close, new Uint8Array([CHANNEL.stdin]));
          const text = typed.replace(/\r/g, '\n');
          io.out(text);
          send(CHANNEL.stdin, encoder.encode(text));
        }, () => undefined);
      }
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      const bytes = new Uint8Array(event.data);
      const channel = bytes[0] ?? -1;
      const data = bytes.subarray(1);
      if (channel === CHANNEL.error) status = JSON.parse(new TextDecoder().decode(data)) as Status;
      else if (channel === CHANNEL.stdout && useTty) screen.raw(data.slice());
      else if (channel === CHANNEL.stdout) io.out(decoders[CHANNEL.stdout]!.decode(data, { stream: true }));
      else if (channel === CHANNEL.stderr) io.err(decoders[CHANNEL.stderr]!.decode(data, { stream: true }));
    };
    socket.onclose = () => {
      io.signal.removeEventListener('abort', stop);
      give();
      if (!opened) return void refused(call, path).then(failed, failed);
      const ended = status as Status | null;
      if (!ended || ended.status === 'Success') return done(0);
      const code = ended.details?.causes?.find((one) => one.reason === 'ExitCode')?.message;
      if (code) {
        io.err(`command terminated with exit code ${code}\n`);
        return done(Number(code));
      }
      failed(ended.reason === 'InternalError' || !ended.reason ? new CommandError(`Internal error occurred: ${ended.message}`) : new StatusError(ended));
    };
  });
}

/** A browser hides why a WebSocket was refused; the same request without the upgrade tells. */
async function refused(call: Call, path: string): Promise<Error> {
  try {
    await call.kube.send('GET', path);
  } catch (error) {
    if (error instanceof StatusError && !/upgrade/i.test(error.status.message)) return error;
  }
  return new CommandError('the connection for exec was refused by the server');
}

function streamPath(call: Call, pod: Thing, subresource: string, container: string, words: string[], { stdin, tty }: Stream): Promise<string> {
  return call.session.discovery.named(call.kube, 'pods').then((resource) => {
    const path = query(pathOf(resource, pod.metadata.namespace ?? call.namespace, pod.metadata.name, subresource), {
      container,
      stdin: stdin || undefined,
      stdout: true,
      stderr: !tty,
      tty: tty || undefined,
    });
    return path + words.map((one) => `&command=${encodeURIComponent(one)}`).join('');
  });
}

export async function attachTo(call: Call, pod: Thing, container: string, stdin: boolean, tty: boolean): Promise<number> {
  const mode = { stdin, tty: tty && stdin && call.io.tty !== null };
  if (mode.tty) call.io.err("If you don't see a command prompt, try pressing enter.\n");
  return stream(call, await streamPath(call, pod, 'attach', container, [], mode), mode);
}

async function exec(call: Call): Promise<number> {
  const { flags } = call;
  const dash = call.dash;
  const words = dash < 0 ? call.args.slice(1) : call.args.slice(dash);
  const target = dash === 0 ? undefined : call.args[0];
  if (!target) throw new CommandError("pod, type/name or --filename must be specified");
  if (dash < 0 && words.length) throw new CommandError('exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee \'kubectl exec -h\' for help and examples');
  if (!words.length) throw new CommandError('you must specify at least one command for the container');
  const pod = await podOf(call, target);
  const phase = pod.status?.phase as string;
  if (phase === 'Succeeded' || phase === 'Failed') throw new CommandError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  const mode = { stdin: flags.on('stdin'), tty: flags.on('tty') && flags.on('stdin') && call.io.tty !== null };
  const path = await streamPath(call, pod, 'exec', containerOf(call, pod), words, mode);
  return stream(call, path, { stdin: mode.stdin, tty: mode.tty || flags.on('tty') });
}

async function attach(call: Call): Promise<number> {
  const target = call.args[0];
  if (!target) throw new CommandError('at least 1 argument is required for attach');
  const pod = await podOf(call, target);
  if (pod.status?.phase !== 'Running') throw new CommandError(`cannot attach a container in a completed pod; current phase is ${pod.status?.phase}`);
  return attachTo(call, pod, containerOf(call, pod), call.flags.on('stdin'), call.flags.on('tty'));
}

function notHere(name: string, why: string): Command {
  return {
    name,
    group: 'Troubleshooting',
    short: `${name === 'cp' ? 'Copy files and directories to and from containers' : name === 'proxy' ? 'Run a proxy to the Kubernetes API server' : 'Forward one or more local ports to a pod'} (not in a browser)`,
    completes: 'pods',
    run: async () => {
      throw new CommandError(why);
    },
  };
}

export const EXEC: readonly Command[] = [
  {
    name: 'exec',
    group: 'Troubleshooting',
    short: 'Execute a command in a container',
    usage: 'kubectl exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...] [options]',
    examples: `  # A shell in a pod
  kubectl exec -it web-0 -- sh

  # One command in the first pod of a deployment
  kubectl exec deploy/web -- ls /`,
    completes: 'pods',
    flags: [CONTAINER, ...execFlags, text('pod-running-timeout', '', 'The length of time to wait until at least one pod is running', { default: '1m0s' })],
    run: exec,
  },
  { name: 'attach', group: 'Troubleshooting', short: 'Attach to a running container', usage: 'kubectl attach (POD | TYPE/NAME) [options]', completes: 'pods', flags: [CONTAINER, ...execFlags], run: attach },
  notHere('port-forward', 'a browser cannot open a local port. Download the kubeconfig and run: kubectl port-forward …\nOr look at a pod from inside: kubectl exec deploy/web -- wget -qO- http://localhost'),
  notHere('cp', 'a browser has no files to copy to or from. Use: kubectl exec POD -- cat FILE > NAME'),
  notHere('proxy', 'this page already speaks to the API server as you: try kubectl get --raw /api'),
];
