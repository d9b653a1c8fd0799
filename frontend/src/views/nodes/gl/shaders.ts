import { GAP } from '../world';

/** The two programs: boxes (cards, bars, tiles: one quad each, shaped by a distance function) and dots that travel. */

/** From afar: plain rectangles, one colour each. Without a graphics card a pixel of these costs a tenth of one that is shaped. */
export const CELL_VERTEX = `#version 300 es
in vec2 corner;
in vec4 place;
in vec4 fill;
uniform vec4 camera; // x, y, scale, pixels of the card a pixel of the page
uniform vec2 view;
const float gap = ${GAP}.0;
out vec4 fill_colour;
void main() {
  // To whole pixels, with one pixel between neighbours: the same everywhere, whatever the scale.
  vec2 low = floor((place.xy - place.zw * 0.5 - camera.xy) * camera.z * camera.w + 0.5);
  vec2 high = floor((place.xy + place.zw * 0.5 + gap - camera.xy) * camera.z * camera.w + 0.5);
  high -= step(3.0, high - low);
  high = max(high, low + 1.0);
  vec2 screen = mix(low, high, corner * 0.5 + 0.5) / camera.w;
  gl_Position = vec4(screen.x / view.x * 2.0 - 1.0, 1.0 - screen.y / view.y * 2.0, 0.0, 1.0);
  fill_colour = vec4(fill.rgb * fill.a, fill.a);
}`;

export const CELL_FRAGMENT = `#version 300 es
precision mediump float;
in vec4 fill_colour;
out vec4 colour;
void main() {
  colour = fill_colour;
}`;

export const BOX_VERTEX = `#version 300 es
in vec2 corner;
in vec4 place;    // x, y of the middle, width, height
in vec4 motion;   // x, y it comes from, when it began, when it ends (seconds)
in vec4 fill;
in vec4 line;
in vec2 shape;    // kind, radius
uniform vec4 camera; // x, y, scale, -
uniform vec2 view;   // pixels
uniform float now;
out vec2 at;
out vec2 half_size;
out vec4 fill_colour;
out vec4 line_colour;
flat out float kind;
flat out float radius;
flat out float progress;
flat out float pixel;
void main() {
  kind = shape.x;
  float arrival = clamp((now - motion.z) / 0.45, 0.0, 1.0);
  float eased = 1.0 - pow(1.0 - arrival, 3.0);
  bool flies = kind > 0.5 && kind < 20.0 && motion.w <= motion.z;
  vec2 middle = flies ? mix(motion.xy, place.xy, eased) : place.xy;
  progress = motion.w > motion.z ? clamp((now - motion.z) / (motion.w - motion.z), 0.0, 1.0) : arrival;
  half_size = place.zw * 0.5;
  pixel = 1.0 / camera.z;
  // A pixel around it for smooth edges; never smaller than a pixel and a bit, so that far tiles do not flicker.
  vec2 shown = max(half_size, vec2(0.65 * pixel));
  vec2 grown = shown + pixel;
  at = corner * grown;
  vec2 screen = (middle + at - camera.xy) * camera.z;
  gl_Position = vec4(screen.x / view.x * 2.0 - 1.0, 1.0 - screen.y / view.y * 2.0, 0.0, 1.0);
  half_size = shown;
  fill_colour = fill;
  line_colour = line;
  radius = min(shape.y, min(shown.x, shown.y));
  // What has no size is not there: not even one pixel of it.
  if (place.z <= 0.0) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}`;

export const BOX_FRAGMENT = `#version 300 es
precision mediump float;
in vec2 at;
in vec2 half_size;
in vec4 fill_colour;
in vec4 line_colour;
flat in float kind;
flat in float radius;
flat in float progress;
flat in float pixel;
out vec4 colour;
float box(vec2 p, vec2 b, float r) {
  vec2 q = abs(p) - b + r;
  return length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - r;
}
void main() {
  float distance = box(at, half_size, radius);
  float inside = clamp(0.5 - distance / pixel, 0.0, 1.0);
  if (inside <= 0.0) discard;
  bool tiny = half_size.x < 2.5 * pixel;
  float width = max(half_size.x * 0.17, pixel);
  float rim = clamp(0.5 + (distance + width) / pixel, 0.0, 1.0);
  vec4 c = fill_colour;
  if (kind < 0.5) {                       // card: fill and line
    float edge = clamp(0.5 + (distance + 1.6 * max(pixel, 1.0)) / pixel, 0.0, 1.0);
    c = mix(fill_colour, line_colour, edge * line_colour.a);
  } else if (kind < 1.5) {                // pending: an outline
    c = tiny ? vec4(fill_colour.rgb, 0.55) : vec4(fill_colour.rgb, fill_colour.a * rim);
  } else if (kind < 2.5) {                // creating: fills from below
    float level = mix(0.55, -0.1, 0.0);
    float wet = clamp(0.5 + (at.y - half_size.y * (level * 2.0 - 1.0)) / pixel, 0.0, 1.0);
    c = vec4(fill_colour.rgb, fill_colour.a * max(mix(0.25, 1.0, wet), rim * 0.8));
  } else if (kind < 3.5) {                // running
    c = fill_colour;
  } else if (kind < 4.5) {                // not ready: half of it
    float side = clamp(0.5 + (at.y - at.x) / pixel, 0.0, 1.0);
    c = vec4(fill_colour.rgb, fill_colour.a * max(mix(0.22, 1.0, side), rim));
  } else if (kind < 5.5) {                // terminating: pale, with a ring that runs out
    float angle = atan(at.x, -at.y) / 6.2831853 + (at.x < 0.0 ? 1.0 : 0.0);
    float left = step(angle, 1.0 - progress);
    c = vec4(fill_colour.rgb, fill_colour.a * (tiny ? 0.4 : max(0.28, rim * mix(0.3, 1.0, left))));
  } else if (kind < 6.5) {                // failed: a cross
    float arm = half_size.x * 0.2;
    float cross = min(abs(at.x - at.y), abs(at.x + at.y)) * 0.7071;
    float on = clamp(0.5 - (cross - max(arm, pixel)) / pixel, 0.0, 1.0);
    c = vec4(fill_colour.rgb, fill_colour.a * (tiny ? 1.0 : max(max(on, rim), 0.12)));
  } else if (kind < 7.5) {                // done
    c = vec4(fill_colour.rgb, fill_colour.a * max(0.3, rim));
  } else if (kind < 8.5) {                // gone: fades
    c = vec4(fill_colour.rgb, fill_colour.a * (1.0 - progress));
  } else if (kind > 29.5) {               // fenced: a broken line
    float edge = clamp(0.5 + (distance + 2.0 * max(pixel, 1.0)) / pixel, 0.0, 1.0);
    float dash = step(0.5, fract((at.x + at.y) / 14.0));
    c = mix(fill_colour, line_colour, edge * dash * line_colour.a);
  }
  colour = vec4(c.rgb * c.a, c.a) * inside;
}`;

export const DOT_VERTEX = `#version 300 es
in vec2 corner;
in vec4 path;    // from x, y, to x, y
in vec4 timing;  // begins, ends, radius in pixels, 1 when it failed
in vec4 fill;
uniform vec4 camera;
uniform vec2 view;
uniform float now;
out vec2 at;
out vec4 fill_colour;
flat out float failed;
flat out float size;
void main() {
  float t = (now - timing.x) / max(timing.y - timing.x, 0.001);
  bool there = t >= 0.0 && t <= 1.0;
  // A slight bow, so that there and back do not lie on one another.
  vec2 way = path.zw - path.xy;
  vec2 bow = vec2(-way.y, way.x) * 0.06 * sin(3.14159 * clamp(t, 0.0, 1.0));
  vec2 middle = mix(path.xy, path.zw, clamp(t, 0.0, 1.0)) + bow;
  size = timing.z;
  failed = timing.w;
  at = corner * (size + 1.0);
  vec2 screen = (middle - camera.xy) * camera.z + at;
  gl_Position = there ? vec4(screen.x / view.x * 2.0 - 1.0, 1.0 - screen.y / view.y * 2.0, 0.0, 1.0) : vec4(2.0, 2.0, 0.0, 1.0);
  fill_colour = fill;
}`;

export const DOT_FRAGMENT = `#version 300 es
precision mediump float;
in vec2 at;
in vec4 fill_colour;
flat in float failed;
flat in float size;
out vec4 colour;
void main() {
  float distance = length(at);
  float alpha = clamp(size + 0.5 - distance, 0.0, 1.0);
  if (failed > 0.5) {
    float cross = min(abs(at.x - at.y), abs(at.x + at.y)) * 0.7071;
    alpha *= clamp(1.9 - cross, 0.0, 1.0);
  }
  if (alpha <= 0.0) discard;
  colour = vec4(fill_colour.rgb, 1.0) * fill_colour.a * alpha;
}`;
