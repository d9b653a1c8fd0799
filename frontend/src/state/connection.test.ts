import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connection, type Message } from './connection';

class Socket {
  static OPEN = 1;
  static CLOSING = 2;
  readyState = 0;
  sent: Record<string, unknown>[] = [];
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { code: number }) => void;
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  begin() {
    this.readyState = 1;
    this.onopen?.();
  }
  say(message: Message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  end(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

describe('the connection', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('WebSocket', Socket);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  function make() {
    const sockets: Socket[] = [];
    const states: boolean[] = [];
    const heard: Message[] = [];
    const [signIn, refused] = [vi.fn(), vi.fn()];
    const connection = new Connection({ receive: (message) => heard.push(message), state: (up) => states.push(up), signIn, refused }, () => {
      const socket = new Socket();
      sockets.push(socket);
      return socket as unknown as WebSocket;
    });
    return { connection, sockets, states, heard, signIn, refused };
  }

  it('has heard nothing before it is open, however young the page is', () => {
    const { connection, sockets } = make();
    connection.connect();
    expect(performance.now() - connection.heard).toBe(Infinity);
    sockets[0]!.begin();
    expect(performance.now() - connection.heard).toBeLessThan(1000);
  });

  it('comes back and says how far it had come', () => {
    const { connection, sockets, states } = make();
    connection.want('v1/pods');
    connection.connect();
    sockets[0]!.begin();
    expect(sockets[0]!.sent).toEqual([{ op: 'subscribe', resources: { 'v1/pods': null }, cluster: '' }]);
    connection.position = { cluster: 'c', revisions: new Map([['v1/pods', 42]]), journeys: { instance: 'i', sequence: 7 } };
    sockets[0]!.end();
    expect(states).toEqual([true, false]);
    vi.advanceTimersByTime(500);
    sockets[1]!.begin();
    expect(sockets[1]!.sent).toEqual([{ op: 'subscribe', resources: { 'v1/pods': 42 }, cluster: 'c', journeys: { instance: 'i', sequence: 7 } }]);
  });

  it('acknowledges what it has taken in', () => {
    const { connection, sockets, heard } = make();
    connection.connect();
    sockets[0]!.begin();
    sockets[0]!.say({ op: 'stats', seq: 3 });
    expect(heard).toHaveLength(1);
    expect(sockets[0]!.sent.at(-1)).toEqual({ op: 'ack', seq: 3 });
  });

  it('asks to sign in rather than to try again', () => {
    const { connection, sockets, signIn } = make();
    connection.connect();
    sockets[0]!.end(4401);
    vi.advanceTimersByTime(60_000);
    expect(signIn).toHaveBeenCalledOnce();
    expect(sockets).toHaveLength(1);
  });

  it('does not come back as somebody whom one may not be', () => {
    const { connection, sockets, signIn, refused } = make();
    connection.connect();
    sockets[0]!.begin();
    sockets[0]!.end(4403);
    vi.advanceTimersByTime(60_000);
    expect(refused).toHaveBeenCalledOnce();
    expect(signIn).not.toHaveBeenCalled();
    expect(sockets).toHaveLength(1);
  });
});
