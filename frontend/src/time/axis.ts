/** From revision to time and back: the server's notes of which revision was when, with straight lines between them. Pure. */

/** revision, cluster time, real time (seconds). */
export type Note = [number, number, number];

const REVISION = 0;
const CLUSTER = 1;
const REAL = 2;

/** The value of one column where another has a value; outside the notes, the nearest. */
function between(notes: Note[], from: number, to: number, value: number): number {
  const first = notes[0];
  const last = notes.at(-1);
  if (!first || !last) return value;
  if (value <= first[from]!) return first[to]!;
  if (value >= last[from]!) return last[to]!;
  let low = 0;
  let high = notes.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (notes[middle]![from]! <= value) low = middle;
    else high = middle;
  }
  const [a, b] = [notes[low]!, notes[high]!];
  const width = b[from]! - a[from]!;
  return width > 0 ? a[to]! + ((value - a[from]!) / width) * (b[to]! - a[to]!) : b[to]!;
}

export const realOf = (notes: Note[], revision: number): number => between(notes, REVISION, REAL, revision);
export const clusterOf = (notes: Note[], revision: number): number => between(notes, REVISION, CLUSTER, revision);
export const realOfCluster = (notes: Note[], cluster: number): number => between(notes, CLUSTER, REAL, cluster);
/** The newest revision that was there at that time. */
export const revisionAt = (notes: Note[], real: number): number => Math.floor(between(notes, REAL, REVISION, real));

/** "14:02:31", in the reader's own zone. */
export function hours(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB');
}

/** "3 min" of so many seconds. */
export function lasting(seconds: number): string {
  if (seconds < 90) return `${Math.max(Math.round(seconds), 0)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}
