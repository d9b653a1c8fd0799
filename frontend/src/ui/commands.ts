/**
 * What the command palette offers. `register` adds one command (and returns how to take it away again); `provide` adds a
 * source that is asked for each query, for things that come and go, as objects do.
 */

export interface Command {
  id: string;
  title: string;
  /** What kind of thing it is, or where it leads: shown quietly beside the title. */
  hint?: string;
  /** Further words by which it is found. */
  keywords?: string;
  icon?: import('./icons').IconName;
  run: () => void;
}

export type Source = (query: string) => Command[];

const commands = new Map<string, Command>();
const sources = new Set<Source>();

export function register(command: Command): () => void {
  commands.set(command.id, command);
  return () => {
    if (commands.get(command.id) === command) commands.delete(command.id);
  };
}

export function provide(source: Source): () => void {
  sources.add(source);
  return () => sources.delete(source);
}

/** How well a text answers a query: all words must occur; at the beginning of a word is better. Null: not at all. */
export function score(query: string, title: string, keywords = ''): number | null {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const [first, rest] = [title.toLowerCase(), keywords.toLowerCase()];
  let total = 0;
  for (const word of words) {
    const at = first.indexOf(word);
    if (at === 0) total += 10;
    else if (at > 0) total += /[\s\-/.]/.test(first[at - 1]!) ? 6 : 3;
    else if (rest.includes(word)) total += 1;
    else return null;
  }
  return total - first.length / 200;
}

/** The best answers, best first; without a query, the commands as they were registered. */
export function find(query: string, most = 12): Command[] {
  const all = [...commands.values(), ...[...sources].flatMap((source) => source(query))];
  if (!query.trim()) return all.slice(0, most);
  return all
    .map((command) => ({ command, points: score(query, command.title, command.keywords) }))
    .filter((one): one is { command: Command; points: number } => one.points !== null)
    .sort((a, b) => b.points - a.points)
    .slice(0, most)
    .map((one) => one.command);
}
