/**
 * Boxes (cards, cells, tiles), each with a number of its own. They are kept as the card reads them: eight words of 32 bits a box, so many
 * boxes a row of a texture, from which the shader fetches what it draws. An instance a box would be the usual way; without a graphics card
 * each instance costs as much as ten boxes fetched so.
 */

/** Red, green, blue, alpha: 0 to 255. */
export type Colour = readonly [number, number, number, number];

/** Place (4 floats); kind and radius, fill, line, how full two bars are. */
export const WORDS = 8;
/** Boxes in a row of the texture: what is handed to the card at a time. */
export const ROW = 256;
/** Parts of a unit that a radius counts; and of the whole that a bar does. */
export const RADIUS_PARTS = 16;
export const BAR_PARTS = 65535;

const packed = ([red, green, blue, alpha]: Colour) => (red | (green << 8) | (blue << 16) | (alpha << 24)) >>> 0;

/** Boxes to be changed one by one. Numbers are kept; free ones are used again. */
export class Boxes {
  #words: Uint32Array<ArrayBuffer>;
  #floats: Float32Array;
  #free: number[] = [];
  #dirty = new Set<number>();
  /** Boxes that have a number, free ones among them. */
  count = 0;
  /** Moves when the buffer is another one: all of it is to be handed over. */
  version = 0;

  constructor(capacity = ROW) {
    this.#words = new Uint32Array(Math.ceil(capacity / ROW) * ROW * WORDS);
    this.#floats = new Float32Array(this.#words.buffer);
  }

  get words(): Uint32Array<ArrayBuffer> {
    return this.#words;
  }

  /** Rows of the texture. */
  get rows(): number {
    return this.#words.length / (ROW * WORDS);
  }

  add(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if ((this.count + 1) * WORDS > this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
      this.#floats = new Float32Array(larger.buffer);
      this.version++;
    }
    return this.count++;
  }

  remove(index: number): void {
    this.#words.fill(0, index * WORDS, (index + 1) * WORDS);
    this.#touch(index);
    this.#free.push(index);
  }

  clear(): void {
    this.#words.fill(0);
    this.#free = [];
    this.count = 0;
    this.version++;
  }

  /** By its middle. */
  place(index: number, x: number, y: number, width: number, height: number): void {
    const at = index * WORDS;
    this.#floats[at] = x;
    this.#floats[at + 1] = y;
    this.#floats[at + 2] = width;
    this.#floats[at + 3] = height;
    this.#touch(index);
  }

  look(index: number, kind: number, radius: number, fill: Colour, line: Colour = fill): void {
    const at = index * WORDS + 4;
    this.#words[at] = kind | (Math.round(radius * RADIUS_PARTS) << 8);
    this.#words[at + 1] = packed(fill);
    this.#words[at + 2] = packed(line);
    this.#touch(index);
  }

  /** How full a card's two bars are, 0 to 1. */
  fill(index: number, first: number, second: number): void {
    this.#words[index * WORDS + 7] = (Math.round(first * BAR_PARTS) | (Math.round(second * BAR_PARTS) << 16)) >>> 0;
    this.#touch(index);
  }

  #touch(index: number): void {
    this.#dirty.add((index / ROW) | 0);
  }

  /** Runs of rows that have changed since this was last asked: the first, and how many. */
  changed(): [number, number][] {
    const rows = [...this.#dirty].sort((a, b) => a - b);
    this.#dirty.clear();
    const runs: [number, number][] = [];
    for (const row of rows) {
      const last = runs.at(-1);
      if (last && last[0] + last[1] === row) last[1]++;
      else runs.push([row, 1]);
    }
    return runs;
  }
}
