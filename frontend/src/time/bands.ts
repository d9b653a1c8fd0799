/** Stretches of the time bar in which something was broken on purpose; those that overlap are one, with a count. Pure. */

export interface Stretch { name: string; type: string; from: number; to: number }

export interface Band { key: string; title: string; from: number; width: number }

/** So that what was over in a moment can still be seen: shares of the bar. */
const THINNEST = 0.002;

/** The bands of what is in sight, by where they begin; `from` and `to` are shares of the bar, which may lie outside of it. */
export function bandsOf(stretches: Stretch[]): Band[] {
  const seen = stretches
    .filter(({ from, to }) => to > 0 && from < 1)
    .map((one) => ({ ...one, from: Math.max(one.from, 0), to: Math.max(Math.min(one.to, 1), Math.max(one.from, 0) + THINNEST) }))
    .sort((a, b) => a.from - b.from);
  const groups: { from: number; to: number; of: Stretch[] }[] = [];
  for (const one of seen) {
    const last = groups.at(-1);
    if (last && one.from < last.to) {
      last.to = Math.max(last.to, one.to);
      last.of.push(one);
    } else groups.push({ from: one.from, to: one.to, of: [one] });
  }
  return groups.map(({ from, to, of }) => ({ key: of[0]!.name, title: titleOf(of), from, width: to - from }));
}

function titleOf(of: Stretch[]): string {
  const [first] = of;
  if (of.length === 1) return `fault: ${first!.type} ${first!.name}`;
  const types = [...new Set(of.map((one) => one.type))];
  return `${of.length} faults: ${types.slice(0, 2).join(', ')}${types.length > 2 ? ', …' : ''}`;
}
