/** The hand on the map: fingers, mouse, wheel and keys, told as what they mean. */

export interface Point {
  x: number;
  y: number;
}

interface Meanings {
  pan: (dx: number, dy: number) => void;
  /** Nearer (above 1) or further, around a point. */
  zoom: (at: Point, factor: number) => void;
  press: (at: Point) => void;
  /** The pointer lies there; null: nowhere any more. */
  rest: (at: Point | null) => void;
}

/** Pixels within which a press is no pull. */
const STILL = 4;

export class Hand {
  #pointers = new Map<number, Point>();
  #pressed: Point | null = null;

  constructor(private readonly host: HTMLElement, private readonly means: Meanings) {}

  #at(event: { clientX: number; clientY: number }): Point {
    const box = this.host.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  down(event: PointerEvent): void {
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    const here = this.#at(event);
    this.#pointers.set(event.pointerId, here);
    this.#pressed = this.#pointers.size === 1 ? here : null;
    this.means.rest(null);
  }

  move(event: PointerEvent): void {
    const here = this.#at(event);
    const before = this.#pointers.get(event.pointerId);
    if (!before) {
      this.means.rest(here);
      return;
    }
    if (this.#pointers.size === 2) {
      const other = [...this.#pointers].find(([id]) => id !== event.pointerId)![1];
      const factor = Math.hypot(here.x - other.x, here.y - other.y) / Math.max(Math.hypot(before.x - other.x, before.y - other.y), 1);
      this.means.zoom({ x: (here.x + other.x) / 2, y: (here.y + other.y) / 2 }, factor);
    } else if (!this.#pressed || Math.hypot(here.x - this.#pressed.x, here.y - this.#pressed.y) > STILL) {
      this.#pressed = null;
      this.means.pan(here.x - before.x, here.y - before.y);
    }
    this.#pointers.set(event.pointerId, here);
  }

  up(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    if (!this.#pressed) return;
    this.#pressed = null;
    this.means.press(this.#at(event));
  }

  wheel(event: WheelEvent): void {
    event.preventDefault();
    this.means.zoom(this.#at(event), Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)));
  }
}
