/**
 * Draws boxes and dots with WebGL 2: an instance each, position and shape worked out in the shader from the time, so that fifty thousand
 * pods cost the processor nothing while nothing changes. Only what changed since the last frame is handed to the graphics card.
 */
import type { Camera } from '../camera';
import { BOX_FRAGMENT, BOX_VERTEX, CELL_FRAGMENT, CELL_VERTEX, DOT_FRAGMENT, DOT_VERTEX } from './shaders';

/** Red, green, blue, alpha: 0 to 255. */
export type Colour = readonly [number, number, number, number];

const FLOATS = 12;
const BYTES = FLOATS * 4 + 8;

/** Boxes that are handed to the card together; and pages beyond which one large upload is cheaper than many small ones. */
const PAGE = 64;
const MOST_PAGES = 256;

/** Instances of boxes in one buffer, to be changed one by one. Numbers are kept; free ones are used again. */
export class Boxes {
  #data: ArrayBuffer;
  #floats: Float32Array;
  #bytes: Uint8Array;
  #free: number[] = [];
  count = 0;
  /** Pages of the buffer in which something changed. */
  #dirty = new Set<number>();
  grown = true;

  /** `plain`: rectangles of one colour, quickly. */
  constructor(capacity = 256, readonly plain = false) {
    this.#data = new ArrayBuffer(capacity * BYTES);
    this.#floats = new Float32Array(this.#data);
    this.#bytes = new Uint8Array(this.#data);
  }

  add(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if ((this.count + 1) * BYTES > this.#data.byteLength) {
      const larger = new ArrayBuffer(this.#data.byteLength * 2);
      new Uint8Array(larger).set(this.#bytes);
      this.#data = larger;
      this.#floats = new Float32Array(larger);
      this.#bytes = new Uint8Array(larger);
      this.grown = true;
    }
    return this.count++;
  }

  remove(index: number): void {
    this.#floats.fill(0, (index * BYTES) / 4, (index * BYTES) / 4 + FLOATS);
    this.#bytes.fill(0, index * BYTES + FLOATS * 4, (index + 1) * BYTES);
    this.#touch(index);
    this.#free.push(index);
  }

  clear(): void {
    this.#floats.fill(0);
    this.#free = [];
    this.count = 0;
    this.grown = true;
  }

  place(index: number, x: number, y: number, width: number, height: number): void {
    const at = (index * BYTES) / 4;
    this.#floats[at] = x;
    this.#floats[at + 1] = y;
    this.#floats[at + 2] = width;
    this.#floats[at + 3] = height;
    this.#touch(index);
  }

  /** Where it comes from, and between which moments (seconds of the renderer's clock) its motion or its countdown runs. */
  move(index: number, fromX: number, fromY: number, begins: number, ends: number): void {
    const at = (index * BYTES) / 4 + 4;
    this.#floats[at] = fromX;
    this.#floats[at + 1] = fromY;
    this.#floats[at + 2] = begins;
    this.#floats[at + 3] = ends;
    this.#touch(index);
  }

  look(index: number, kind: number, radius: number, fill: Colour, line: Colour = fill): void {
    const at = (index * BYTES) / 4 + 8;
    this.#floats[at] = kind;
    this.#floats[at + 1] = radius;
    const bytes = index * BYTES + FLOATS * 4;
    this.#bytes.set(fill, bytes);
    this.#bytes.set(line, bytes + 4);
    this.#touch(index);
  }

  #touch(index: number): void {
    this.#dirty.add((index / PAGE) | 0);
  }

  /** Bring the buffer on the card up to date: only the pages that changed. */
  upload(gl: WebGL2RenderingContext, buffer: WebGLBuffer): boolean {
    if (!this.grown && this.#dirty.size === 0) return false;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    if (this.grown || this.#dirty.size > MOST_PAGES) gl.bufferData(gl.ARRAY_BUFFER, this.#bytes, gl.DYNAMIC_DRAW);
    else
      for (const page of this.#dirty) {
        const from = page * PAGE * BYTES;
        gl.bufferSubData(gl.ARRAY_BUFFER, from, this.#bytes, from, Math.min(PAGE * BYTES, this.#bytes.length - from));
      }
    this.grown = false;
    this.#dirty.clear();
    return true;
  }
}

export interface Dot {
  fromX: number;
  fromY: number;
  toX: number;
  toY: number;
  begins: number;
  ends: number;
  radius: number;
  failed: boolean;
  colour: Colour;
}

const DOT_FLOATS = 8;
const DOT_BYTES = DOT_FLOATS * 4 + 4;
const MOST_DOTS = 2048;

interface Layer {
  boxes: Boxes;
  buffer: WebGLBuffer;
  vertices: WebGLVertexArrayObject;
}

function compile(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(type);
    if (!shader) throw new Error('no shader');
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? 'a shader does not compile');
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? 'a program does not link');
  return program;
}

function attribute(gl: WebGL2RenderingContext, program: WebGLProgram, name: string, size: number, type: number, stride: number, offset: number, normalized: boolean): void {
  const location = gl.getAttribLocation(program, name);
  if (location < 0) return;
  gl.enableVertexAttribArray(location);
  gl.vertexAttribPointer(location, size, type, normalized, stride, offset);
  gl.vertexAttribDivisor(location, 1);
}

export class Renderer {
  readonly gl: WebGL2RenderingContext;
  #box: WebGLProgram;
  #cell: WebGLProgram;
  #dot: WebGLProgram;
  #corner: WebGLBuffer;
  #layers = new Map<Boxes, Layer>();
  #dots: { buffer: WebGLBuffer; vertices: WebGLVertexArrayObject; bytes: Uint8Array; floats: Float32Array; next: number; count: number };
  #uniforms: { box: (WebGLUniformLocation | null)[]; cell: (WebGLUniformLocation | null)[]; dot: (WebGLUniformLocation | null)[] };

  constructor(canvas: HTMLCanvasElement) {
    const gl = canvas.getContext('webgl2', { antialias: false, alpha: true, premultipliedAlpha: true, powerPreference: 'high-performance' });
    if (!gl) throw new Error('This browser has no WebGL 2; the list beside the map shows the same.');
    this.gl = gl;
    this.#box = compile(gl, BOX_VERTEX, BOX_FRAGMENT);
    this.#cell = compile(gl, CELL_VERTEX, CELL_FRAGMENT);
    this.#dot = compile(gl, DOT_VERTEX, DOT_FRAGMENT);
    this.#corner = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#corner);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const names = ['camera', 'view', 'now'];
    this.#uniforms = { box: names.map((name) => gl.getUniformLocation(this.#box, name)), cell: names.map((name) => gl.getUniformLocation(this.#cell, name)), dot: names.map((name) => gl.getUniformLocation(this.#dot, name)) };
    this.#dots = this.#makeDots();
  }

  #corners(program: WebGLProgram): void {
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#corner);
    const location = gl.getAttribLocation(program, 'corner');
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, 2, gl.FLOAT, false, 0, 0);
  }

  #makeDots() {
    const gl = this.gl;
    const buffer = gl.createBuffer();
    const vertices = gl.createVertexArray();
    gl.bindVertexArray(vertices);
    this.#corners(this.#dot);
    const bytes = new Uint8Array(MOST_DOTS * DOT_BYTES);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, bytes, gl.DYNAMIC_DRAW);
    attribute(gl, this.#dot, 'path', 4, gl.FLOAT, DOT_BYTES, 0, false);
    attribute(gl, this.#dot, 'timing', 4, gl.FLOAT, DOT_BYTES, 16, false);
    attribute(gl, this.#dot, 'fill', 4, gl.UNSIGNED_BYTE, DOT_BYTES, 32, true);
    gl.bindVertexArray(null);
    return { buffer, vertices, bytes, floats: new Float32Array(bytes.buffer), next: 0, count: 0 };
  }

  #layer(boxes: Boxes): Layer {
    const had = this.#layers.get(boxes);
    if (had) return had;
    const gl = this.gl;
    const layer = { boxes, buffer: gl.createBuffer(), vertices: gl.createVertexArray() };
    const program = boxes.plain ? this.#cell : this.#box;
    gl.bindVertexArray(layer.vertices);
    this.#corners(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, layer.buffer);
    attribute(gl, program, 'place', 4, gl.FLOAT, BYTES, 0, false);
    attribute(gl, program, 'motion', 4, gl.FLOAT, BYTES, 16, false);
    attribute(gl, program, 'shape', 2, gl.FLOAT, BYTES, 32, false);
    // Two floats are spare: the colours begin behind them.
    attribute(gl, program, 'fill', 4, gl.UNSIGNED_BYTE, BYTES, FLOATS * 4, true);
    attribute(gl, program, 'line', 4, gl.UNSIGNED_BYTE, BYTES, FLOATS * 4 + 4, true);
    gl.bindVertexArray(null);
    this.#layers.set(boxes, layer);
    return layer;
  }

  /** One more dot; the oldest gives way when there are too many. */
  add(dot: Dot): void {
    const dots = this.#dots;
    const index = dots.next;
    dots.next = (dots.next + 1) % MOST_DOTS;
    dots.count = Math.max(dots.count, index + 1);
    dots.floats.set([dot.fromX, dot.fromY, dot.toX, dot.toY, dot.begins, dot.ends, dot.radius, dot.failed ? 1 : 0], (index * DOT_BYTES) / 4);
    dots.bytes.set(dot.colour, index * DOT_BYTES + 32);
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, dots.buffer);
    gl.bufferSubData(gl.ARRAY_BUFFER, index * DOT_BYTES, dots.bytes, index * DOT_BYTES, DOT_BYTES);
  }

  draw(layers: Boxes[], camera: Camera, now: number, ratio: number, dots: boolean): void {
    const gl = this.gl;
    const { width, height } = gl.canvas;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const set = ([cameraAt, viewAt, nowAt]: (WebGLUniformLocation | null)[]) => {
      gl.uniform4f(cameraAt ?? null, camera.x, camera.y, camera.scale, ratio);
      gl.uniform2f(viewAt ?? null, width / ratio, height / ratio);
      gl.uniform1f(nowAt ?? null, now);
    };
    for (const boxes of layers) {
      const layer = this.#layer(boxes);
      boxes.upload(gl, layer.buffer);
      if (boxes.count === 0) continue;
      gl.useProgram(boxes.plain ? this.#cell : this.#box);
      set(boxes.plain ? this.#uniforms.cell : this.#uniforms.box);
      gl.bindVertexArray(layer.vertices);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, boxes.count);
    }
    if (dots && this.#dots.count > 0) {
      gl.useProgram(this.#dot);
      set(this.#uniforms.dot);
      gl.bindVertexArray(this.#dots.vertices);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.#dots.count);
    }
    gl.bindVertexArray(null);
  }

  destroy(): void {
    this.gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}
