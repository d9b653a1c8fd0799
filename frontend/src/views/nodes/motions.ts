/** Who on the board moves by itself: flies to a place, counts down, or fades because it is gone. */
import type { Look } from '../../state/reduce';
import type { Pod } from '../../types';
import type { Standing } from './district';
import type { Colour } from './gl/boxes';
import type { Mover } from './over';
import type { Point } from './world';

/** Seconds in which a pod flies to its place, and in which one that is gone fades. */
const FLIGHT = 0.45;
const FADE = 0.35;

/** One that is being put down: how it looks, where, and where it comes from (null: it stood there before, or nobody is to see it come). */
export interface Coming {
  pod: Pod;
  look: Look;
  colour: Colour;
  to: Point;
  from: Point | null;
  had: Standing | undefined;
}

export class Motions {
  #moving = new Set<Standing>();
  #fading: Mover[] = [];
  /** It is not what it was when it was last drawn. */
  stirred = false;
  /** Until when (renderer's seconds) something flies or fades; until when a countdown runs. */
  busyUntil = 0;
  countsUntil = 0;

  get none(): boolean {
    return this.#moving.size === 0 && this.#fading.length === 0;
  }

  /** All of it. */
  *all(): IterableIterator<Mover> {
    yield* this.#fading;
    for (const one of this.#moving) yield one.mover!;
  }

  /** How one that is put down moves, if it does; `offset` turns the server's seconds into the renderer's. */
  of({ pod, look, colour, to, from, had }: Coming, now: number, offset: number): Mover | null {
    let mover: Mover | null = null;
    if (look === 'terminating' && pod.deleting !== null) {
      // The countdown is the object's own: from the request to the end of its grace period.
      const ends = pod.deleting + offset;
      mover = { look, colour, from: to, to, begins: ends - (pod.grace ?? 30), ends };
      if (ends > now) this.countsUntil = Math.max(this.countsUntil, Math.min(ends, now + 120));
    } else if (from) {
      mover = { look, colour, from, to, begins: now, ends: now + FLIGHT };
      this.busyUntil = Math.max(this.busyUntil, mover.ends);
    } else if (had?.mover && had.pod.deleting === null) mover = { ...had.mover, look, colour };
    return mover && mover.ends > now ? mover : null;
  }

  start(one: Standing, mover: Mover): void {
    one.mover = mover;
    this.#moving.add(one);
    this.stirred = true;
  }

  stop(one: Standing): void {
    if (one.mover) this.stirred = true;
    one.mover = null;
    this.#moving.delete(one);
  }

  fade(at: Point, colour: Colour, now: number): void {
    this.#fading.push({ look: 'gone', colour, from: at, to: at, begins: now, ends: now + FADE });
    this.stirred = true;
    this.busyUntil = Math.max(this.busyUntil, now + FADE);
  }

  /** Those who have come to rest; who has faded is forgotten. */
  arrived(now: number): Standing[] {
    while (this.#fading.length > 0 && this.#fading[0]!.ends <= now) {
      this.#fading.shift();
      this.stirred = true;
    }
    return [...this.#moving].filter((one) => one.mover!.ends <= now);
  }

  clear(): void {
    this.#moving.clear();
    this.#fading = [];
    this.stirred = true;
  }
}
