/** What is selected, as it stands in a link: `pod:<uid>`, `node:<name>`, `journey:<place>`. Pure. */
import { placeOf } from './place';
import type { Subject } from '../types';

/** Empty for nothing. */
export function written(subject: Subject): string {
  switch (subject.kind) {
    case 'none':
      return '';
    case 'journey':
      return `journey:${subject.id}${subject.span === undefined ? '' : `:${subject.span}`}`;
    case 'pod':
    case 'workload':
      return `${subject.kind}:${subject.uid}`;
    default:
      return `${subject.kind}:${subject.name}`;
  }
}

/** Nothing for what makes no sense: a link may come from anywhere. */
export function read(text: string): Subject {
  const at = text.indexOf(':');
  const [kind, value] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 0 || !value) return { kind: 'none' };
  switch (kind) {
    case 'journey':
      return { kind, ...placeOf(value) };
    case 'pod':
    case 'workload':
      return { kind, uid: value };
    case 'node':
    case 'station':
    case 'loop':
      return { kind, name: value };
    default:
      return { kind: 'none' };
  }
}
