/**
 * Draws boxes with WebGL 2. What is drawn stays until it is drawn over: a caller that changed a few districts wipes and draws those alone,
 * so that the others cost nothing. Only rows of boxes that changed are handed to the card.
 */
import type { Camera } from '../camera';
import { ROW, WORDS, type Boxes, type Colour } from './boxes';
import { compile, type Program } from './program';
import { PROGRAMS, type Drawn } from './shaders';

/** Some boxes, and by which program they are drawn. */
export interface Pass {
  boxes: Boxes;
  by: Drawn;
  /** Which; none: all. */
  picks?: readonly number[];
}

/** In pixels of the card, from its lower left corner, as it counts them. */
export interface Patch {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Runs of changed rows beyond which one large upload is cheaper than many small ones. */
const MOST_RUNS = 96;
const TEXELS = WORDS / 4;

export class Renderer {
  readonly gl: WebGL2RenderingContext;
  #programs: Record<Drawn, Program>;
  #textures = new Map<Boxes, { texture: WebGLTexture; version: number }>();
  #corners = new Uint32Array(6 * 1024);

  constructor(canvas: HTMLCanvasElement) {
    const gl = canvas.getContext('webgl2', { antialias: false, alpha: true, premultipliedAlpha: true, preserveDrawingBuffer: true, powerPreference: 'high-performance' });
    if (!gl) throw new Error('This browser has no WebGL 2; the list beside the map shows the same.');
    this.gl = gl;
    this.#programs = Object.fromEntries(Object.entries(PROGRAMS).map(([name, [vertex, fragment]]) => [name, compile(gl, vertex, fragment)])) as Record<Drawn, Program>;
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.clearColor(0, 0, 0, 0);
  }

  /** Wipe everything, or these patches. */
  wipe(patches: readonly Patch[] | null): void {
    const { gl } = this;
    if (!patches) {
      gl.clear(gl.COLOR_BUFFER_BIT);
      return;
    }
    gl.enable(gl.SCISSOR_TEST);
    for (const { x, y, width, height } of patches) {
      gl.scissor(x, y, width, height);
      gl.clear(gl.COLOR_BUFFER_BIT);
    }
    gl.disable(gl.SCISSOR_TEST);
  }

  /** `inks`: of a card's bars: what is free, the first, the second, what is nearly full. `ratio`: the card's pixels in one of the page. */
  draw(passes: readonly Pass[], camera: Camera, ratio: number, inks: readonly Colour[]): void {
    const { gl } = this;
    const { width, height } = gl.canvas;
    gl.viewport(0, 0, width, height);
    for (const { boxes, by, picks } of passes) {
      this.#bring(boxes);
      const count = picks ? picks.length : boxes.count;
      if (count === 0) continue;
      const { program, at } = this.#programs[by];
      gl.useProgram(program);
      gl.uniform4f(at('camera'), camera.x, camera.y, camera.scale, ratio);
      gl.uniform2f(at('view'), width / ratio, height / ratio);
      if (by === 'bars') gl.uniform4fv(at('inks'), inks.flatMap((ink) => ink.map((part) => part / 255)));
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, this.#index(count, picks), gl.STREAM_DRAW);
      gl.drawElements(gl.TRIANGLES, count * 6, gl.UNSIGNED_INT, 0);
    }
  }

  /** Two triangles a box, by the numbers of its corners. */
  #index(count: number, picks: readonly number[] | undefined): Uint32Array {
    if (this.#corners.length < count * 6) this.#corners = new Uint32Array(2 ** Math.ceil(Math.log2(count * 6)));
    const corners = this.#corners;
    for (let one = 0, at = 0; one < count; one++) {
      const first = (picks ? picks[one]! : one) * 4;
      corners[at++] = first;
      corners[at++] = first + 1;
      corners[at++] = first + 2;
      corners[at++] = first + 2;
      corners[at++] = first + 1;
      corners[at++] = first + 3;
    }
    return corners.subarray(0, count * 6);
  }

  /** Bring the card's copy up to date, and have it at hand. */
  #bring(boxes: Boxes): void {
    const { gl } = this;
    const had = this.#textures.get(boxes);
    const runs = boxes.changed();
    const width = ROW * TEXELS;
    if (had?.version === boxes.version) {
      gl.bindTexture(gl.TEXTURE_2D, had.texture);
      if (runs.length > MOST_RUNS) runs.splice(0, runs.length, [0, boxes.rows]);
      for (const [row, rows] of runs) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, row, width, rows, gl.RGBA_INTEGER, gl.UNSIGNED_INT, boxes.words, row * ROW * WORDS);
      return;
    }
    if (had) gl.deleteTexture(had.texture);
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32UI, width, boxes.rows);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, boxes.rows, gl.RGBA_INTEGER, gl.UNSIGNED_INT, boxes.words, 0);
    this.#textures.set(boxes, { texture, version: boxes.version });
  }

  destroy(): void {
    this.gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}
