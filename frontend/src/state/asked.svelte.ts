/**
 * A question that is asked again and again as things change, and its latest answer. The answer is about what is asked about now, or there
 * is none: as soon as something else is asked about, what was known of the other is gone, it is asked at once, and what comes late is
 * nobody's. Of another moment of the same the old answer stays until the new one is there.
 */
import { problemOf, type Problem } from '../api/problem';
import { throttled, type Throttled } from '../api/throttle';

export interface Question<T> {
  /** What it is about, as a word that differs when it is another. Empty: nothing is asked. */
  about: () => string;
  /** The past revision that is looked at; null: now. */
  at: () => number | null;
  ask: () => Promise<T>;
  /** Milliseconds between two askings at the least. */
  every: number;
}

interface Known<T> {
  about: string;
  answer: T | null;
  problem: Problem | null;
}

export class Asked<T> {
  #known = $state.raw<Known<T>>({ about: '', answer: null, problem: null });
  #turn = 0;
  #again: Throttled;

  constructor(private readonly question: Question<T>) {
    this.#again = throttled(question.every, () => this.#ask());
  }

  async #ask(): Promise<void> {
    const { about, at, ask } = this.question;
    const [subject, moment] = [about(), at()];
    if (!subject) return;
    const turn = ++this.#turn;
    let known: Known<T>;
    try {
      known = { about: subject, answer: await ask(), problem: null };
    } catch (error) {
      known = { about: subject, answer: null, problem: problemOf(error) };
    }
    if (turn === this.#turn && subject === about() && moment === at()) this.#known = known;
  }

  get #current(): Known<T> | null {
    return this.#known.about === this.question.about() ? this.#known : null;
  }

  get answer(): T | null {
    return this.#current?.answer ?? null;
  }

  /** Why there is no answer. */
  get problem(): Problem | null {
    return this.#current?.problem ?? null;
  }

  /** Something may have changed. */
  soon = (): void => this.#again.soon();
  /** It is about something else. */
  anew = (): void => this.#again.anew();
  stop = (): void => this.#again.stop();
}

/** Ask for as long as the component stands that calls this: at once about something else, soon when `moves` does. */
export function asked<T>(question: Question<T>, moves: () => unknown): Asked<T> {
  const one = new Asked(question);
  // The same word worked out again is the same question.
  const about = $derived(question.about());
  $effect(() => {
    if (about) one.anew();
    else one.stop();
  });
  $effect(() => {
    void [moves(), question.at()];
    if (about) one.soon();
  });
  $effect(() => one.stop);
  return one;
}
