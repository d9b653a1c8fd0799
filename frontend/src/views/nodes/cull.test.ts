import { describe, expect, it } from 'vitest';
import { inView, patchOf, type View } from './cull';
import { GAP, layOut, NODE_WIDTH, nodeHeight } from './world';

const nodes = Array.from({ length: 300 }, (_, index) => ({ name: `node-${index}`, zone: `zone-${index % 3}` }));
const layout = layOut(nodes, new Map(), 4, 1.6, 112);
const near = (name: string, scale: number, ratio = 1): View => {
  const place = layout.nodes.get(name)!;
  return { camera: { x: place.x - 10, y: place.y - 10, scale }, width: 600, height: 400, ratio, wide: 600 * ratio, high: 400 * ratio };
};

describe('what lies in the window', () => {
  it('is all of it from afar, the lane too', () => {
    const view: View = { camera: { x: -50, y: -50, scale: 0.01 }, width: 2000, height: 2000, ratio: 1, wide: 2000, high: 2000 };
    expect(inView(layout, view, 150)).toHaveLength(301);
  });
  it('is what stands there near by, at its edges too, and nothing else', () => {
    const view = near('node-40', 1);
    const found = inView(layout, view, 150);
    expect(found).toContain('node-40');
    expect(found.length).toBeLessThan(20);
    for (const place of layout.nodes.values()) {
      const apart = place.x > view.camera.x + 600 || place.y > view.camera.y + 400 || place.x + NODE_WIDTH < view.camera.x || place.y + nodeHeight(4) < view.camera.y;
      expect(found.includes(place.name), place.name).toBe(!apart);
    }
  });
  it('of some that changed is those that can be seen', () => {
    const view = near('node-40', 2);
    expect(inView(layout, view, 150, ['node-40', 'node-299', 'nobody', ''])).toEqual(['node-40']);
  });
});

describe('the pixels of a district', () => {
  it('are those that its boxes may colour, none of a neighbour', () => {
    for (const scale of [0.1, 0.137, 0.33, 1, 2.9]) {
      for (const ratio of [1, 1.5, 2]) {
        const view = near('node-40', scale, ratio);
        const patch = patchOf(layout, 'node-40', view)!;
        const left = 10 * scale * ratio;
        const right = Math.min(left + NODE_WIDTH * scale * ratio, 600 * ratio);
        expect(patch.x).toBeLessThanOrEqual(left);
        expect(patch.x + patch.width).toBeGreaterThanOrEqual(Math.floor(right));
        // A pixel of a neighbour has its middle at most half a pixel of the page from it.
        expect(patch.x + patch.width - 0.5).toBeLessThan(left + (NODE_WIDTH + GAP) * scale * ratio - 0.5 * ratio + 1e-9);
        // Counted from below.
        expect(patch.y + patch.height).toBe(400 * ratio - Math.max(Math.ceil(10 * scale * ratio - 0.5 * ratio - 0.5), 0));
      }
    }
  });
  it('are counted from the lower edge of the canvas, which has whole pixels where the page has none', () => {
    const view = { ...near('node-40', 1), ratio: 1.501, wide: 901, high: 599 };
    const patch = patchOf(layout, 'node-40', view)!;
    expect(patch.y + patch.height).toBe(599 - Math.ceil(10 * 1.501 - 0.5 * 1.501 - 0.5));
  });
  it('are none of one that is nowhere to be seen', () => {
    const view = near('node-40', 2);
    expect(patchOf(layout, 'node-299', view)).toBeNull();
    expect(patchOf(layout, 'nobody', view)).toBeNull();
  });
  it('of the lane are all above the zones', () => {
    const view: View = { camera: { x: 0, y: 0, scale: 1 }, width: 600, height: 400, ratio: 1, wide: 600, high: 400 };
    const patch = patchOf(layout, '', view)!;
    expect([patch.x, patch.width, patch.y + patch.height]).toEqual([0, 600, 400]);
    expect(patch.height - 0.5).toBeLessThanOrEqual(layout.top);
  });
});
