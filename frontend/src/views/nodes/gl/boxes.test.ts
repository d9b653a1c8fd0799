import { describe, expect, it } from 'vitest';
import { BAR_PARTS, Boxes, RADIUS_PARTS, ROW, WORDS } from './boxes';

describe('boxes', () => {
  it('keep their numbers, and use free ones again', () => {
    const boxes = new Boxes();
    expect([boxes.add(), boxes.add(), boxes.add()]).toEqual([0, 1, 2]);
    boxes.place(1, 5, 6, 7, 8);
    boxes.remove(1);
    expect([...boxes.words.subarray(WORDS, 2 * WORDS)].every((word) => word === 0)).toBe(true);
    expect([boxes.add(), boxes.add(), boxes.count]).toEqual([1, 3, 4]);
  });

  it('lie in the buffer as the shader reads them', () => {
    const boxes = new Boxes();
    const box = boxes.add();
    boxes.place(box, 1.5, -2, 30, 40);
    boxes.look(box, 31, 2.5, [1, 2, 3, 255], [4, 5, 6, 7]);
    boxes.fill(box, 1, 0.5);
    expect([...new Float32Array(boxes.words.buffer, 0, 4)]).toEqual([1.5, -2, 30, 40]);
    const [kind, fill, line, bars] = boxes.words.subarray(4, 8);
    expect([kind! & 255, (kind! >> 8) / RADIUS_PARTS]).toEqual([31, 2.5]);
    expect([fill, line]).toEqual([0xff030201, 0x07060504]);
    expect([bars! & 65535, bars! >>> 16]).toEqual([BAR_PARTS, Math.round(BAR_PARTS / 2)]);
  });

  it('are handed over by the rows that changed, once', () => {
    const boxes = new Boxes(4 * ROW);
    for (let box = 0; box < 4 * ROW; box++) boxes.add();
    boxes.changed();
    for (const box of [0, ROW - 1, ROW, 3 * ROW + 5]) boxes.place(box, 1, 1, 1, 1);
    expect(boxes.changed()).toEqual([[0, 2], [3, 1]]);
    expect(boxes.changed()).toEqual([]);
  });

  it('are another buffer when they grow, and say so', () => {
    const boxes = new Boxes(ROW);
    const [rows, version] = [boxes.rows, boxes.version];
    boxes.place(boxes.add(), 9, 0, 1, 1);
    for (let more = 0; more < ROW; more++) boxes.add();
    expect([boxes.rows, boxes.version]).toEqual([2 * rows, version + 1]);
    expect(new Float32Array(boxes.words.buffer)[0]).toBe(9);
  });
});
