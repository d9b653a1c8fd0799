/** What a journey's stages said, as lines beneath the picture, each from the moment at which it happened until the next. Pure. */
import type { Run } from '../../time/schedule';
import type { Detail, Span } from '../../types';
import { describe } from '../pipeline/position';

export interface Caption {
  from: number;
  to: number;
  who: string;
  text: string;
  bad: boolean;
}

/** A line stands at least so long, so that it can be read. */
const LEAST = 420;

export function short(text: string, most: number): string {
  const one = text.replace(/\s+/g, ' ').trim();
  return one.length > most ? `${one.slice(0, most - 1)}…` : one;
}

export function tookOf(seconds: number): string {
  const ms = seconds * 1000;
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : ms >= 10 ? `${ms.toFixed(0)} ms` : ms >= 1 ? `${ms.toFixed(1)} ms` : `${Math.round(ms * 1000)} µs`;
}

function value(of: unknown): string {
  if (Array.isArray(of)) return of.map(value).join(', ');
  if (of && typeof of === 'object') return `${Object.keys(of).length}`;
  return String(of);
}

/** A stage's detail in words: what is empty or nested says nothing here. */
export function said(stage: string, detail: Detail): string {
  if (!detail) return '';
  if (stage === 'authz') {
    const by = [detail['binding'], detail['role'] && `role ${value(detail['role'])}`].filter(Boolean).join(', ') || value(detail['authorizer'] ?? '');
    return detail['allowed'] ? `allowed by ${by}` : value(detail['reason'] ?? 'not allowed');
  }
  if (stage === 'score') {
    const totals = Object.entries((detail['nodes'] ?? detail) as Record<string, { total?: number } | null>).flatMap(([node, row]) => (typeof row?.total === 'number' ? [[node, row.total] as const] : []));
    return totals.sort((a, b) => b[1] - a[1]).slice(0, 4).map(([node, total]) => `${node} ${total}`).join(', ');
  }
  return Object.entries(detail)
    .filter(([name, one]) => one !== null && one !== '' && typeof one !== 'boolean' && !name.endsWith('uid') && !(typeof one === 'object' && !Array.isArray(one)))
    .slice(0, 4)
    .map(([name, one]) => `${name.replaceAll('_', ' ')} ${value(one)}`)
    .join(', ');
}

function whoOf(run: Run): string {
  const { journey } = run;
  if (journey.kind !== 'request') return journey.component;
  return journey.actor.replace('system:serviceaccount:kube-system:', '').replace('system:', '');
}

function isBad(span: Span): boolean {
  return span.outcome === 'refused' || span.outcome === 'error';
}

/** Where something is decided, or made: what these say goes before what the others say. */
const DECIDES = new Set(['authz', 'admission', 'etcd', 'filter', 'score', 'bind', 'decide', 'act', 'pull', 'start']);

/** The person's request stage by stage; of all others, what the stages that decide something said. */
export function captionsOf(runs: Run[], length: number): Caption[] {
  const told: (Omit<Caption, 'to'> & { weight: number })[] = [];
  for (const run of runs) {
    const own = run.journey.causes.length === 0;
    run.legs.forEach((leg, index) => {
      const span = run.journey.spans[index];
      if (!span || (run.journey.kind === 'request' && !own && !isBad(span))) return;
      const what = isBad(span) ? run.journey.reason || said(span.stage, span.detail) : said(span.stage, span.detail);
      if (!what && !own) return;
      const subject = own && index === 0 ? `${describe(run.journey)}: ` : run.journey.kind === 'request' ? '' : `${run.journey.name}: `;
      const text = `${subject}${isBad(span) ? 'refused at ' : ''}${span.stage}${what ? `: ${what}` : ''} (${tookOf(span.end - span.start)})`;
      const weight = isBad(span) ? 3 : what ? (DECIDES.has(span.stage) ? 2 : 1) : 0;
      told.push({ from: Math.max(leg.from, 0), who: whoOf(run), text, bad: isBad(span), weight });
    });
  }
  told.sort((a, b) => a.from - b.from);
  const lines: typeof told = [];
  for (const one of told) {
    const last = lines.at(-1);
    // What comes too soon to be read gives way, unless it has more to say than what stands there.
    if (last && one.from - last.from < LEAST) {
      if (one.weight <= last.weight) continue;
      if (one.from - last.from < LEAST / 2) lines.pop();
    }
    lines.push(one);
  }
  return lines.map(({ from, who, text, bad }, index) => ({ from, to: lines[index + 1]?.from ?? length, who, text, bad }));
}
