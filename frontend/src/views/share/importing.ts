/** Putting an archive back: read in pieces, tried by the server without effect, then applied rank by rank, with an answer for each object. */
import { stringify } from 'yaml';
import { send, type Answer } from '../../api/manifests';
import { MOST_BYTES, MOST_DOCUMENTS, objectsIn, pieces } from './archive';
import { breathe } from './collect';
import { clean, rankOf, RANKS, titleOf, type Thing } from './objects';

export interface Item {
  object: Thing;
  title: string;
  rank: number;
  /** waiting: not asked yet. later: cannot be tried before something else of the archive is there. */
  state: 'waiting' | 'ok' | 'later' | 'refused';
  /** What the server said, or what it waits for. */
  told: string;
}

/** How many requests are under way at a time. */
const HANDS = 6;
/** How often a kind is looked for whose definition was just made, and how long between. */
const LOOKS = 20;
const PAUSE = 250;

/** The objects of a text, in the order in which they are put back, and what could not be read. */
export async function read(text: string): Promise<{ items: Item[]; problems: string[] }> {
  if (text.length > MOST_BYTES) return { items: [], problems: [`The archive is larger than ${MOST_BYTES / 1024 / 1024} MB. kubectl apply --server-side -f takes it.`] };
  const items: Item[] = [];
  const problems: string[] = [];
  let index = 0;
  let since = performance.now();
  for (const piece of pieces(text)) {
    index += 1;
    for (const one of objectsIn(piece)) {
      if ('problem' in one) problems.push(`Document ${index}: ${one.problem}`);
      else items.push({ object: one.object, title: titleOf(one.object), rank: rankOf(one.object.kind), state: 'waiting', told: '' });
    }
    if (items.length > MOST_DOCUMENTS) return { items: [], problems: [`The archive has more than ${MOST_DOCUMENTS.toLocaleString('en')} objects. kubectl apply --server-side -f takes it.`] };
    if (performance.now() - since > 12) {
      await breathe();
      since = performance.now();
    }
  }
  return { items: items.sort((a, b) => a.rank - b.rank), problems };
}

/** What in the same archive must be there first, as the refusal of a dry run tells it; '' when it is refused for another reason. */
export function waitsFor(answer: Pick<Answer, 'code' | 'message'>, object: Thing, all: Thing[]): string {
  const namespace = object.metadata.namespace ?? '';
  if (answer.code === 404 && answer.message.includes(`namespaces "${namespace}" not found`) && all.some((one) => one.kind === 'Namespace' && one.metadata.name === namespace)) {
    return `after Namespace ${namespace}`;
  }
  if (/no matches for kind|could not find the requested resource|404/.test(answer.message)) {
    const definition = all.find((one) => one.kind === 'CustomResourceDefinition' && (one['spec'] as { names?: { kind?: string } } | undefined)?.names?.kind === object.kind);
    if (definition) return `after its definition ${definition.metadata.name}`;
  }
  return '';
}

/** Try or apply everything, rank by rank; `changed` is called after each answer. */
export async function run(items: Item[], action: 'dry-run' | 'apply', namespace: string, signal: AbortSignal, changed: () => void): Promise<void> {
  const all = items.map((one) => one.object);
  for (const item of items) Object.assign(item, { state: 'waiting', told: '' });
  for (let rank = 0; rank < RANKS; rank++) {
    const queue = items.filter((one) => one.rank === rank);
    const hands = Array.from({ length: HANDS }, async () => {
      for (let item = queue.shift(); item && !signal.aborted; item = queue.shift()) {
        await one(item);
        changed();
      }
    });
    await Promise.all(hands);
  }

  async function one(item: Item): Promise<void> {
    const document = { manifest: clean(item.object), source: stringify(clean(item.object), { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false }), problem: '' };
    let answer = await send(action, document, namespace);
    const waits = answer.ok ? '' : waitsFor(answer, item.object, all);
    if (action === 'dry-run' && waits) {
      Object.assign(item, { state: 'later', told: waits });
      return;
    }
    for (let look = 0; look < LOOKS && waits && !answer.ok && !signal.aborted; look++) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      answer = await send(action, document, namespace);
    }
    Object.assign(item, { state: answer.ok ? 'ok' : 'refused', told: answer.ok ? [answer.verb, ...answer.warnings].join(' · ') : answer.message });
  }
}
