/** The time bar's state: the notes of which revision was when, the window that is shown, and going to a moment. */
import { get } from '../api/http';
import { store } from '../state/store.svelte';
import { clusterOf, realOf, revisionAt, type Note } from './axis';

export const SPANS = [
  { seconds: 600, title: '10 min' },
  { seconds: 3600, title: '1 h' },
  { seconds: 86400, title: '1 day' },
] as const;

const REFRESH = 15_000;
/** Milliseconds between two moments that are fetched while somebody drags. */
const SETTLE = 90;

class Timeline {
  notes = $state.raw<Note[]>([]);
  oldest = $state(1);
  span = $state(600);
  /** The end of the window, in real seconds; it stands while the past is looked at. */
  end = $state(Date.now() / 1000);
  /** Where the cursor is while it is dragged, before the state of that moment is there. */
  dragged = $state<number | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Follow the server's notes, as long as the bar is shown; the answer ends it. */
  follow(): () => void {
    const read = () => {
      if (document.visibilityState !== 'visible') return;
      get<{ oldest: number; points: Note[] }>(`/explorer/timeline/?points=800&since=${Math.floor(Date.now() / 1000 - 86400)}`)
        .then(({ oldest, points }) => {
          this.oldest = Math.max(oldest, points[0]?.[0] ?? 1);
          this.notes = points;
          store.past.compacted(oldest);
        })
        .catch(() => undefined); // The stream tells already that the server is away; the notes stay as they are.
    };
    read();
    const reading = setInterval(read, REFRESH);
    const moving = setInterval(() => {
      if (store.at === null && this.dragged === null) this.end = Date.now() / 1000;
    }, 1000);
    return () => {
      clearInterval(reading);
      clearInterval(moving);
    };
  }

  /** The notes, up to this very moment. */
  all(): Note[] {
    const now: Note = [store.revision, store.liveNow(), Date.now() / 1000];
    return (this.notes.at(-1)?.[0] ?? 0) < now[0] ? [...this.notes, now] : this.notes;
  }

  begin(): number {
    const first = this.notes[0]?.[2] ?? this.end - this.span;
    // A young cluster fills the bar.
    return Math.max(this.end - this.span, Math.min(first, this.end - 60));
  }

  /** 0 at the left end of the window, 1 at its right. */
  share(real: number): number {
    const begin = this.begin();
    return (real - begin) / Math.max(this.end - begin, 1);
  }

  /** The revision that is shown, or dragged to. */
  shown(): number {
    return this.dragged ?? store.at ?? store.revision;
  }

  place(): number {
    return store.at === null && this.dragged === null ? 1 : Math.min(Math.max(this.share(realOf(this.all(), this.shown())), 0), 1);
  }

  /** Go to a share of the window; the right end is now. */
  seek(share: number, settled: boolean): void {
    if (share >= 0.995) {
      this.to(null);
      return;
    }
    const begin = this.begin();
    const real = begin + Math.max(share, 0) * (this.end - begin);
    this.dragged = Math.max(revisionAt(this.all(), real), this.oldest);
    if (settled) {
      this.to(this.dragged);
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.dragged !== null) store.at = this.dragged;
    }, SETTLE);
  }

  /** Go to a revision, and hold there; null: back to now. */
  to(revision: number | null): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.dragged = null;
    if (revision === null || revision >= store.revision) {
      store.live();
      this.end = Date.now() / 1000;
      return;
    }
    store.replay = null;
    store.paused = true;
    store.at = Math.max(revision, this.oldest, 1);
  }
}

export const timeline = new Timeline();
store.timeOf = (revision) => clusterOf(timeline.all(), revision);
