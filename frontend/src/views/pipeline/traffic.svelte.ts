/** How busy the lines are: requests and deliveries per second, from what the stream tells, fading over some seconds. */
import { store } from '../../state/store.svelte';
import type { Flow, Journey } from '../../types';

const READS = new Set(['get', 'list', 'watch']);
const PERIOD = 500;
/** How much of a rate is left after a period in which nothing came. */
const FADE = 0.8;

export interface Deliveries {
  loops: number;
  scheduler: number;
  people: number;
  nodes?: Record<string, number>;
  kubelets?: number;
}

export class Traffic {
  write = $state(0);
  read = $state(0);
  watch = $state(0);
  /** What control loops, the scheduler and kubelets ask: it comes in by the return track. */
  inside = $state(0);
  #counts = { write: 0, read: 0, watch: 0, inside: 0 };

  /** Count until the answer is called. `delivered` is told of each fan-out. */
  follow(delivered: (news: Deliveries) => void): () => void {
    const ends = [
      store.listen('journeys', (message) => {
        for (const one of message['journeys'] as Journey[]) this.#add(one.kind, one.verb, one.actor.startsWith('system:'), 1);
      }),
      store.listen('flow', (message) => {
        for (const one of message['flows'] as Flow[]) this.#add(one.kind, one.verb, true, one.n);
      }),
      store.listen('deliveries', (message) => {
        const news = message as unknown as Deliveries;
        const nodes = Object.values(news.nodes ?? {}).reduce((sum, one) => sum + one, news.kubelets ?? 0);
        this.#counts.watch += news.loops + news.scheduler + news.people + nodes;
        delivered(news);
      }),
    ];
    const timer = setInterval(() => {
      for (const name of ['write', 'read', 'watch', 'inside'] as const) {
        const rate = this[name] * FADE + (this.#counts[name] / (PERIOD / 1000)) * (1 - FADE);
        this[name] = rate < 0.05 ? 0 : rate;
        this.#counts[name] = 0;
      }
    }, PERIOD);
    return () => {
      clearInterval(timer);
      for (const end of ends) end();
    };
  }

  #add(kind: string, verb: string, inside: boolean, n: number): void {
    if (kind !== 'request') return;
    this.#counts[READS.has(verb) ? 'read' : 'write'] += n;
    if (inside) this.#counts.inside += n;
  }
}

/** How much thicker a line gets: twice at some ten a second, three times at a thousand. */
export function thickness(base: number, rate: number): number {
  return base * (1 + 0.62 * Math.log10(1 + rate));
}

export function perSecond(rate: number): string {
  return rate >= 10 ? `${Math.round(rate)}/s` : rate > 0 ? `${rate.toFixed(1)}/s` : 'quiet';
}
