/** Why there is no answer: what the server said, or that nothing came of it at all. Pure. */

export interface Problem {
  /** HTTP's; 0: nobody answered. */
  code: number;
  message: string;
}

/** An answer that is none of what was asked for. */
export class Unanswered extends Error {
  constructor(
    message: string,
    readonly code: number,
  ) {
    super(message);
  }
}

/** Of whatever was thrown on the way to an answer. */
export function problemOf(error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof Unanswered ? error.code : 0, message };
}

/** Whether it is RBAC that said no: then there may be something, and a right is missing. */
export const isRefusal = ({ code }: Problem): boolean => code === 403;

/** What a person can do about it. */
export function remedy({ code }: Problem): string {
  if (code === 0) return 'The server could not be reached.';
  if (code === 403) return 'It takes a right that you do not have.';
  if (code === 404) return 'The server knows of no such thing: it may have been deleted, or is not served here.';
  if (code === 410) return 'That moment has been forgotten: choose a later one.';
  if (code === 429) return 'The server is asked for too much at a time: wait a moment.';
  if (code >= 500) return 'The server failed; its log says why.';
  return 'Ask otherwise, or look at another place.';
}

/** What was said of it, as a sentence; nothing where only the browser spoke, each in words of its own. */
export function said({ code, message }: Problem): string {
  return code === 0 && /fetch|network|load failed/i.test(message) ? '' : message.replace(/\.?$/, '.');
}

/** What was said, and what to do, in one line. */
export function told(problem: Problem): string {
  return [said(problem), remedy(problem)].filter(Boolean).join(' ');
}
