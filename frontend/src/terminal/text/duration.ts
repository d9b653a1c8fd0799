/** Durations as Kubernetes prints them (duration.HumanDuration) and as its flags read them (time.ParseDuration). */

/** Milliseconds → "32s", "3m5s", "2d4h", at most two units, fewer the older it gets. */
export function human(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return seconds % 60 ? `${minutes}m${seconds % 60}s` : `${minutes}m`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return minutes % 60 ? `${hours}h${minutes % 60}m` : `${hours}h`;
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 24 * 8) return hours % 24 ? `${days}d${hours % 24}h` : `${days}d`;
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (hours < 24 * 365 * 8) return days % 365 ? `${years}y${days % 365}d` : `${years}y`;
  return `${years}y`;
}

/** A time's age; what has no time is unknown. */
export function age(time: string | null | undefined, now: number): string {
  return time ? human(now - Date.parse(time)) : '<unknown>';
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** "1h30m", "90s" → milliseconds; null when it is no duration. */
export function parse(text: string): number | null {
  if (text === '0') return 0;
  const match = /^(-?)((?:\d+(?:\.\d+)?(?:ms|s|m|h))+)$/.exec(text);
  if (!match) return null;
  let total = 0;
  for (const [, number, unit] of match[2]!.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) total += Number(number) * UNITS[unit!]!;
  return match[1] ? -total : total;
}

/** RFC 1123 with a numeric zone, as describe prints times. */
export function stamp(time: string | null | undefined): string {
  if (!time) return '<unset>';
  const found = new Date(time);
  return found.toUTCString().replace(/GMT$/, '+0000');
}
