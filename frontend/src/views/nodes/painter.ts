/** The board on two canvases: what stands, of which only what changed is drawn again; and over it what moves, drawn each frame. */
import type { Board } from './board';
import { inView, patchOf, type View } from './cull';
import { Boxes } from './gl/boxes';
import { Renderer, type Patch } from './gl/renderer';
import { drawOver } from './over';
import { inksOf } from './paint';
import type { Dot } from './traffic';

/** Districts beyond which drawing everything costs less than wiping each. */
const MOST_PATCHES = 300;

export class Painter {
  /** Clients, Services and the track that they stand on. */
  readonly lanes = new Boxes();
  readonly #renderer: Renderer;

  constructor(below: HTMLCanvasElement, private readonly above: HTMLCanvasElement) {
    this.#renderer = new Renderer(below);
  }

  /** What stands: all of it in the window, or what changed there. */
  board(what: 'all' | 'changed', board: Board, view: View, afar: boolean): void {
    const changed = afar ? board.repainted : board.touched;
    const crowded = board.laneEnds > board.layout.top;
    let names = what === 'all' || (changed.has('') && crowded) ? null : inView(board.layout, view, board.laneEnds, changed);
    if (names && !afar && names.length > MOST_PATCHES) names = null;
    board.drawn(afar);
    if (names?.length === 0) return;
    // A cell is drawn over the one that was there before.
    if (!names || !afar) this.#renderer.wipe(names?.map((name) => patchOf(board.layout, name, view)).filter((one): one is Patch => one !== null) ?? null);
    const shown = names ?? inView(board.layout, view, board.laneEnds);
    const lanes = !names || names.includes('') ? [{ boxes: this.lanes, by: 'solid' as const }] : [];
    this.#renderer.draw([...lanes, ...board.passes(shown, afar)], view.camera, view.ratio, inksOf(board.palette));
  }

  /** What moves; from afar no pod is seen. */
  over(board: Board, dots: Iterable<Dot>, view: View, afar: boolean, now: number): void {
    board.motions.stirred = false;
    drawOver(this.above, afar ? [] : board.motions.all(), dots, view, now);
  }

  destroy(): void {
    this.#renderer.destroy();
  }
}
