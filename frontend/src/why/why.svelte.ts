/** Asks why, and asks again when the object changes: what follows from a change takes a moment. */
import { get, moment } from '../api/http';
import { problemOf, type Problem } from '../api/problem';
import type { Why } from './told';

/** When to look again after a change, in milliseconds. */
const AGAIN = [150, 1200, 4000];

export class Reasons {
  why = $state.raw<Why | null>(null);
  problem = $state.raw<Problem | null>(null);
  #path: string;
  #timers: ReturnType<typeof setTimeout>[] = [];
  #asked = 0;

  /** `at`: as it could be told at that revision; null: now. */
  constructor(resource: string, namespace: string, name: string, at: number | null) {
    this.#path = `/explorer/why/?${new URLSearchParams({ resource, namespace, name, ...moment(at) }).toString()}`;
  }

  async ask(): Promise<void> {
    const turn = ++this.#asked;
    try {
      const why = await get<Why>(this.#path);
      if (turn === this.#asked) [this.why, this.problem] = [why, null];
    } catch (error) {
      if (turn === this.#asked) this.problem = problemOf(error);
    }
  }

  /** The object has changed. */
  changed(): void {
    this.stop();
    this.#timers = AGAIN.map((delay) => setTimeout(() => void this.ask(), delay));
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }
}
