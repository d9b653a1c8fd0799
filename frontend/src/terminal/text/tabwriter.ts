/** Go's text/tabwriter, as kubectl uses it: columns are blocks of neighbouring lines whose cells end in a tab. */

export interface Tabs {
  /** The least width of a column, padding included. */
  min: number;
  padding: number;
}

export const LIST: Tabs = { min: 6, padding: 3 };
export const DESCRIBE: Tabs = { min: 0, padding: 2 };

/** Lines with tabs in, aligned lines out. The last cell of a line is never padded. */
export function align(text: string, { min, padding }: Tabs = DESCRIBE): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const out: string[] = [];
  const widths: number[] = [];
  const write = (from: number, to: number) => {
    for (const cells of lines.slice(from, to)) {
      out.push(cells.map((cell, at) => (at < widths.length ? cell.padEnd(widths[at] ?? 0) : cell)).join(''));
    }
  };
  const has = (at: number, column: number) => column < (lines[at]?.length ?? 0) - 1;
  const format = (start: number, end: number) => {
    const column = widths.length;
    let from = start;
    for (let at = start; at < end; at++) {
      if (!has(at, column)) continue;
      write(from, at);
      from = at;
      let width = min;
      for (; at < end && has(at, column); at++) width = Math.max(width, [...(lines[at]?.[column] ?? '')].length + padding);
      widths.push(width);
      format(from, at);
      widths.pop();
      from = at;
    }
    write(from, end);
  };
  format(0, lines.length);
  return out.join('\n');
}

/** Widths of the columns of a list, at least those that were already used (a watch keeps its columns). */
export function columnWidths(rows: string[][], known: number[] = []): number[] {
  const widths = [...known];
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? LIST.min, [...cell].length + LIST.padding)));
  }
  return widths;
}

export function padRow(row: string[], widths: number[]): string {
  return row.map((cell, at) => (at < row.length - 1 ? cell.padEnd(widths[at] ?? 0) : cell)).join('');
}
