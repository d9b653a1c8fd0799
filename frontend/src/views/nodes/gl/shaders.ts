/**
 * The programs. All fetch the box they draw from a texture, four vertices a box. There are several because without a graphics card every
 * pixel pays for all that a program can do, whichever branch it takes: most are of cells, of cards and of pods that run, and those have a
 * program that can do little. What moves is drawn elsewhere (over.ts).
 */
import { BAR_HEIGHT, BARS_HEIGHT, GAP } from '../world';
import { BAR_PARTS, RADIUS_PARTS, ROW } from './boxes';

/** Eight words a box, as `Boxes` writes them. */
const FETCH = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D boxes;
uniform vec4 camera; // x, y, scale, pixels of the card a pixel of the page
uniform vec2 view;   // pixels of the page
uvec4 word(int half_of_it) {
  int box = gl_VertexID >> 2;
  return texelFetch(boxes, ivec2((box % ${ROW}) * 2 + half_of_it, box / ${ROW}), 0);
}
vec2 corner() {
  return vec2(float(gl_VertexID & 1), float((gl_VertexID >> 1) & 1)) * 2.0 - 1.0;
}
vec4 colour_of(uint packed) {
  return vec4(uvec4(packed, packed >> 8, packed >> 16, packed >> 24) & 255u) / 255.0;
}
vec4 on_screen(vec2 at) {
  return vec4(at.x / view.x * 2.0 - 1.0, 1.0 - at.y / view.y * 2.0, 0.0, 1.0);
}
// What has no size is not there: not even one pixel of it.
const vec4 NOWHERE = vec4(2.0, 2.0, 2.0, 1.0);
`;

/** From afar: plain rectangles, one colour each. */
const CELL_VERTEX = `${FETCH}
const float gap = ${GAP}.0;
out vec4 fill_colour;
void main() {
  vec4 place = uintBitsToFloat(word(0));
  // To whole pixels, with one pixel between neighbours: the same everywhere, whatever the scale.
  vec2 low = floor((place.xy - place.zw * 0.5 - camera.xy) * camera.z * camera.w + 0.5);
  vec2 high = floor((place.xy + place.zw * 0.5 + gap - camera.xy) * camera.z * camera.w + 0.5);
  high -= step(3.0, high - low);
  high = max(high, low + 1.0);
  gl_Position = place.z <= 0.0 ? NOWHERE : on_screen(mix(low, high, corner() * 0.5 + 0.5) / camera.w);
  vec4 fill = colour_of(word(1).y);
  fill_colour = vec4(fill.rgb * fill.a, fill.a);
}`;

const CELL_FRAGMENT = `#version 300 es
precision mediump float;
in vec4 fill_colour;
out vec4 colour;
void main() {
  colour = fill_colour;
}`;

const BOX_VERTEX = `${FETCH}
out vec2 at;
out vec4 fill_colour;
out vec4 line_colour;
flat out vec2 half_size;
flat out vec4 shape; // kind, radius, a pixel, nothing
flat out vec2 bars;
void main() {
  vec4 place = uintBitsToFloat(word(0)); // x, y of the middle, width, height
  uvec4 look = word(1);                  // kind and radius, fill, line, how full two bars are
  bars = vec2(uvec2(look.w, look.w >> 16) & 65535u) / ${BAR_PARTS}.0;
  float pixel = 1.0 / camera.z;
  // A pixel around it for smooth edges; never smaller than a pixel and a bit, so that far tiles do not flicker.
  half_size = max(place.zw * 0.5, vec2(0.65 * pixel));
  at = corner() * (half_size + pixel);
  gl_Position = place.z <= 0.0 ? NOWHERE : on_screen((place.xy + at - camera.xy) * camera.z);
  fill_colour = colour_of(look.y);
  line_colour = colour_of(look.z);
  shape = vec4(look.x & 255u, min(float(look.x >> 8) / ${RADIUS_PARTS}.0, min(half_size.x, half_size.y)), pixel, 0.0);
}`;

const BOX = `#version 300 es
precision mediump float;
in vec2 at;
in vec4 fill_colour;
in vec4 line_colour;
flat in vec2 half_size;
flat in vec4 shape;
flat in vec2 bars;
out vec4 colour;
float box(vec2 p, vec2 b, float r) {
  vec2 q = abs(p) - b + r;
  return length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - r;
}
`;

/** Cards, discs, pods that run: a ground, and a line around it. */
const SOLID_FRAGMENT = `${BOX}
void main() {
  float pixel = shape.z;
  float distance = box(at, half_size, shape.y) / pixel;
  vec4 c = mix(fill_colour, line_colour, clamp(0.5 + distance + 1.6 * max(1.0, 1.0 / pixel), 0.0, 1.0) * line_colour.a);
  colour = vec4(c.rgb * c.a, c.a) * clamp(0.5 - distance, 0.0, 1.0);
}`;

/** The two bars in the head of a card: how much of its CPU and its memory is asked for. */
const BARS_FRAGMENT = `${BOX}
uniform vec4 inks[4]; // what is free, the first, the second, what is nearly full
const float thick = ${(BAR_HEIGHT / 2).toFixed(1)};
vec4 bar(float below, float share, vec4 ink) {
  float pixel = shape.z;
  vec2 from_middle = vec2(at.x, at.y - below);
  float track = clamp(0.5 - box(from_middle, vec2(half_size.x, thick), thick) / pixel, 0.0, 1.0);
  float full = max(share * half_size.x, thick);
  float filled = share > 0.0 ? clamp(0.5 - box(from_middle + vec2(half_size.x - full, 0.0), vec2(full, thick), thick) / pixel, 0.0, 1.0) : 0.0;
  return vec4(mix(inks[0], share > 0.9 ? inks[3] : ink, filled).rgb, 1.0) * track;
}
void main() {
  const float apart = ${(BARS_HEIGHT / 2).toFixed(1)} - thick;
  vec4 first = bar(-apart, bars.x, inks[1]);
  colour = first + bar(apart, bars.y, inks[2]) * (1.0 - first.a);
}`;

/** All other shapes of pods, and fences. */
const SHAPED_FRAGMENT = `${BOX}
void main() {
  float kind = shape.x;
  float pixel = shape.z;
  float distance = box(at, half_size, shape.y);
  float inside = clamp(0.5 - distance / pixel, 0.0, 1.0);
  bool tiny = half_size.x < 2.5 * pixel;
  float width = max(half_size.x * 0.17, pixel);
  float rim = clamp(0.5 + (distance + width) / pixel, 0.0, 1.0);
  vec4 c = fill_colour;
  if (kind < 1.5) {                       // pending: an outline
    c = tiny ? vec4(fill_colour.rgb, 0.55) : vec4(fill_colour.rgb, fill_colour.a * rim);
  } else if (kind < 2.5) {                // creating: fills from below
    float wet = clamp(0.5 + (at.y - half_size.y * 0.1) / pixel, 0.0, 1.0);
    c = vec4(fill_colour.rgb, fill_colour.a * max(mix(0.25, 1.0, wet), rim * 0.8));
  } else if (kind < 4.5) {                // not ready: half of it
    float side = clamp(0.5 + (at.y - at.x) / pixel, 0.0, 1.0);
    c = vec4(fill_colour.rgb, fill_colour.a * max(mix(0.22, 1.0, side), rim));
  } else if (kind < 5.5) {                // terminating, and its time is over: pale
    c = vec4(fill_colour.rgb, fill_colour.a * (tiny ? 0.4 : 0.28));
  } else if (kind < 6.5) {                // failed: a cross
    float arm = half_size.x * 0.2;
    float cross = min(abs(at.x - at.y), abs(at.x + at.y)) * 0.7071;
    float on = clamp(0.5 - (cross - max(arm, pixel)) / pixel, 0.0, 1.0);
    c = vec4(fill_colour.rgb, fill_colour.a * (tiny ? 1.0 : max(max(on, rim), 0.12)));
  } else if (kind < 7.5) {                // done
    c = vec4(fill_colour.rgb, fill_colour.a * max(0.3, rim));
  } else {                                // fenced: a broken line around it
    float edge = clamp(0.5 + (distance + 2.0 * max(pixel, 1.0)) / pixel, 0.0, 1.0);
    c = mix(fill_colour, line_colour, edge * step(0.5, fract((at.x + at.y) / 14.0)) * line_colour.a);
  }
  colour = vec4(c.rgb * c.a, c.a) * inside;
}`;

export type Drawn = 'cell' | 'solid' | 'bars' | 'shaped';

export const PROGRAMS: Record<Drawn, [vertex: string, fragment: string]> = {
  cell: [CELL_VERTEX, CELL_FRAGMENT],
  solid: [BOX_VERTEX, SOLID_FRAGMENT],
  bars: [BOX_VERTEX, BARS_FRAGMENT],
  shaped: [BOX_VERTEX, SHAPED_FRAGMENT],
};
