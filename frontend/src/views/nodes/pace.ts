/** What a frame has to draw. Pure: an unchanged frame draws nothing, and a changed one what changed. */
import type { Detail } from './camera';

export interface Signs {
  /** Another camera, another size, another theme, another thing selected. */
  moved: boolean;
  detail: Detail;
  /** Everything on the board is to be drawn anew. */
  whole: boolean;
  /** Districts that changed, as they are drawn at this distance. */
  changed: number;
  nodes: number;
  /** What moves by itself has changed; and until when (seconds) something does. */
  stirred: boolean;
  moving: number;
  /** What the words say has changed: names and states; sums, which are written from afar; pods' names, which are written near by. */
  worded: boolean;
  summed: boolean;
  named: boolean;
}

export interface Work {
  /** What stands: all of it, the districts that changed, or nothing. */
  board: 'all' | 'changed' | null;
  /** What moves over it. */
  over: boolean;
  words: boolean;
}

/** Nodes beyond which cells are painted at most four times a second, and sums written once: more cannot be read from there. */
const MANY_NODES = 200;
export const REPAINT = 0.25;
export const RESUM = 1;

export class Pace {
  #painted = -Infinity;
  #written = -Infinity;
  #shown: Detail | null = null;
  #moving = false;

  /** `clock`: the renderer's, which may be held; `now`: seconds that pass in any case. */
  next(signs: Signs, clock: number, now: number): Work {
    const afar = signs.detail === 'heat';
    const all = signs.moved || signs.whole || signs.detail !== this.#shown;
    this.#shown = signs.detail;
    const due = !afar || signs.nodes < MANY_NODES || now - this.#painted >= REPAINT;
    const board = all ? 'all' : signs.changed > 0 && due ? 'changed' : null;
    if (board) this.#painted = now;
    const moves = clock < signs.moving;
    // Once more when it has come to an end.
    const over = all || moves || this.#moving || (signs.stirred && !afar);
    this.#moving = moves;
    const words = all || signs.worded || (signs.named && signs.changed > 0) || (afar && signs.summed && (signs.nodes < MANY_NODES || now - this.#written >= RESUM));
    if (words) this.#written = now;
    return { board, over, words };
  }
}
