/**
 * The archive: YAML documents that kubectl applies as they stand. Journeys travel along as comments, one line of JSON each, which every
 * other reader passes over. Pure.
 */
import { parseAllDocuments, stringify } from 'yaml';
import type { Journey } from '../../types';
import type { Thing } from './objects';

/** Bytes and documents of an archive that the page takes in. */
export const MOST_BYTES = 8 * 1024 * 1024;
export const MOST_DOCUMENTS = 5000;
const JOURNEY = '# journey ';

export function header(told: { server: string; when: string; revision: number; person: string }): string {
  const line = (text: string) => `# ${text.replace(/[^\x20-\x7e]/g, '?')}\n`;
  return line(`A cluster of KubeWeb, as ${told.person} saw it at ${told.when}, revision ${told.revision} (${told.server}).`) + line('Put it back with "kubectl apply --server-side -f" or in the page under Share.');
}

export function documentOf(object: Thing): string {
  return `---\n${stringify(object, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })}`;
}

/** A line break of any YAML version would end the comment. */
export function journeyLine(journey: Journey): string {
  return JOURNEY + JSON.stringify(journey).replace(/[\u0085\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`) + '\n';
}

/** The journeys of an archive; lines that are none are passed over. */
export function journeysOf(text: string): Journey[] {
  const found: Journey[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith(JOURNEY)) continue;
    try {
      const one = JSON.parse(line.slice(JOURNEY.length)) as Partial<Journey>;
      if (typeof one.id === 'string' && Array.isArray(one.spans) && Array.isArray(one.causes)) found.push(one as Journey);
    } catch {
      continue;
    }
  }
  return found;
}

/** The texts of the single documents: each can be parsed on its own, so that a large archive does not hold up the page. */
export function pieces(text: string): string[] {
  return text
    .split(/^---(?=\s|$)/m)
    .filter((piece) => piece.split('\n').some((line) => line.trim() && !line.trimStart().startsWith('#')));
}

export type Read = { object: Thing } | { problem: string };

/** The objects in the text of one document; a List is taken apart. */
export function objectsIn(piece: string): Read[] {
  const found: Read[] = [];
  for (const document of parseAllDocuments(piece, { version: '1.1' })) {
    const error = document.errors[0]?.message.split('\n')[0];
    if (error) {
      found.push({ problem: error });
      continue;
    }
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (problem) {
      found.push({ problem: problem instanceof Error ? problem.message : String(problem) });
      continue;
    }
    if (value === null || value === undefined) continue;
    const list = value as { kind?: unknown; items?: unknown };
    const many = typeof list.kind === 'string' && list.kind.endsWith('List') && Array.isArray(list.items) ? list.items : [value];
    for (const one of many) found.push(check(one));
  }
  return found;
}

function check(value: unknown): Read {
  const one = value as Partial<Thing> | null;
  if (!one || typeof one !== 'object' || Array.isArray(one)) return { problem: 'a document is no object' };
  if (typeof one.apiVersion !== 'string' || typeof one.kind !== 'string') return { problem: 'apiVersion and kind must be set' };
  if (!one.metadata || typeof one.metadata !== 'object' || typeof one.metadata.name !== 'string') return { problem: `${one.kind}: metadata.name must be set` };
  return { object: one as Thing };
}

export function fileName(when: Date): string {
  return `kubeweb-${when.toISOString().slice(0, 19).replaceAll(':', '')}.yaml`;
}
