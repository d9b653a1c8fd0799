/** Line differences in unified form, by Myers' algorithm. */

type Op = { kind: ' ' | '-' | '+'; line: string };

/** The shortest edit from one list of lines to the other. */
function edits(before: string[], after: string[]): Op[] {
  const [n, m] = [before.length, after.length];
  let reach: Record<number, number> = { 1: 0 };
  const trace: Record<number, number>[] = [];
  outer: for (let d = 0; d <= n + m; d++) {
    trace.push({ ...reach });
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach[k - 1] ?? -1) < (reach[k + 1] ?? -1));
      let x = down ? (reach[k + 1] ?? 0) : (reach[k - 1] ?? 0) + 1;
      let y = x - k;
      while (x < n && y < m && before[x] === after[y]) {
        x++;
        y++;
      }
      reach[k] = x;
      if (x >= n && y >= m) break outer;
    }
  }
  const found: Op[] = [];
  let [x, y] = [n, m];
  for (let d = trace.length - 1; d >= 0; d--) {
    reach = trace[d]!;
    const k = x - y;
    const down = k === -d || (k !== d && (reach[k - 1] ?? -1) < (reach[k + 1] ?? -1));
    const from = down ? k + 1 : k - 1;
    const fromX = reach[from] ?? 0;
    const fromY = fromX - from;
    while (x > fromX && y > fromY) {
      found.push({ kind: ' ', line: before[--x]! });
      y--;
    }
    if (d === 0) break;
    if (down) found.push({ kind: '+', line: after[--y]! });
    else found.push({ kind: '-', line: before[--x]! });
  }
  return found.reverse();
}

/** '' when both are the same. */
export function unified(before: string, after: string, from: string, to: string, context = 3): string {
  if (before === after) return '';
  const split = (text: string) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));
  const ops = edits(split(before), split(after));
  const lines: string[] = [`--- ${from}`, `+++ ${to}`];
  const near = ops.map((_, at) => ops.slice(Math.max(0, at - context), at + context + 1).some((one) => one.kind !== ' '));
  let [a, b] = [1, 1];
  for (let at = 0; at < ops.length; ) {
    if (!near[at]) {
      a++;
      b++;
      at++;
      continue;
    }
    let end = at;
    while (end < ops.length && near[end]) end++;
    const hunk = ops.slice(at, end);
    const [ac, bc] = [hunk.filter((one) => one.kind !== '+').length, hunk.filter((one) => one.kind !== '-').length];
    const range = (start: number, count: number) => (count === 1 ? `${start}` : `${count === 0 ? start - 1 : start},${count}`);
    lines.push(`@@ -${range(a, ac)} +${range(b, bc)} @@`, ...hunk.map((one) => `${one.kind}${one.line}`));
    a += ac;
    b += bc;
    at = end;
  }
  return `${lines.join('\n')}\n`;
}
