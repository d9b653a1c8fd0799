/** A recorder writes WebM as it comes and cannot know how long it will be; players then show no length and cannot seek. Pure. */

const SEGMENT = [0x18, 0x53, 0x80, 0x67];
const INFO = [0x15, 0x49, 0xa9, 0x66];
const DURATION = [0x44, 0x89];
/** One millisecond a tick, which is what browsers write. */
const MILLISECONDS = [0x2a, 0xd7, 0xb1, 0x83, 0x0f, 0x42, 0x40];
/** What is looked for stands at the beginning. */
const WITHIN = 4096;

function find(bytes: Uint8Array, wanted: number[], from: number, until: number): number {
  for (let at = from; at + wanted.length <= until; at++) if (wanted.every((one, index) => bytes[at + index] === one)) return at;
  return -1;
}

/** An EBML size: how many bytes it takes, and what it says (-1: not known). */
function sizeAt(bytes: Uint8Array, at: number): { length: number; value: number } | null {
  const first = bytes[at] ?? 0;
  const length = Math.clz32(first) - 23;
  if (length > 8 || at + length > bytes.length) return null;
  let value = first & ((1 << (8 - length)) - 1);
  let unknown = value === (1 << (8 - length)) - 1;
  for (let i = 1; i < length; i++) {
    unknown &&= bytes[at + i] === 0xff;
    value = value * 256 + bytes[at + i]!;
  }
  return { length, value: unknown ? -1 : value };
}

/** The same recording, with its length in milliseconds written into its head; as it was where that is not safe. */
export function withDuration(bytes: Uint8Array, length: number): Uint8Array {
  const until = Math.min(bytes.length, WITHIN);
  const segment = find(bytes, SEGMENT, 0, until);
  const info = segment < 0 ? -1 : find(bytes, INFO, segment, until);
  if (info < 0) return bytes;
  // A segment that says how long it is must not grow.
  if (sizeAt(bytes, segment + SEGMENT.length)?.value !== -1) return bytes;
  const size = sizeAt(bytes, info + INFO.length);
  if (!size || size.value < 0 || size.value > WITHIN) return bytes;
  const begin = info + INFO.length + size.length;
  const end = begin + size.value;
  if (find(bytes, DURATION, begin, end) >= 0 || find(bytes, MILLISECONDS, begin, end) < 0) return bytes;

  const added = new Uint8Array(DURATION.length + 9);
  added.set([...DURATION, 0x88]);
  new DataView(added.buffer).setFloat64(DURATION.length + 1, length);
  // Two bytes hold up to 16,382.
  const grown = size.value + added.length;
  const found = new Uint8Array(info + INFO.length + 2 + grown + (bytes.length - end));
  found.set(bytes.subarray(0, info + INFO.length));
  found.set([0x40 | (grown >> 8), grown & 0xff], info + INFO.length);
  found.set(bytes.subarray(begin, end), info + INFO.length + 2);
  found.set(added, info + INFO.length + 2 + size.value);
  found.set(bytes.subarray(end), info + INFO.length + 2 + grown);
  return found;
}
