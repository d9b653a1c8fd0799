/** Errors, said as kubectl says them. */
import type { Status } from './types';

/** The server refused: carries its Status. */
export class StatusError extends Error {
  constructor(readonly status: Status) {
    super(status.message);
  }
}

/** The command itself refuses; the text is what kubectl prints, with "error: " in front unless `bare`. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly code = 1,
    readonly bare = false,
  ) {
    super(message);
  }
}

/** The person pressed Ctrl-C. */
export class Interrupted extends Error {}

export function isNotFound(error: unknown): boolean {
  return error instanceof StatusError && error.status.code === 404;
}

/** What is printed for an error, without the final newline. `doing` stands before the server's message, as with files. */
export function said(error: unknown, doing = ''): string {
  if (error instanceof StatusError) {
    const { status } = error;
    const context = doing ? `${doing}: ` : '';
    if (status.reason === 'Unauthorized') return `error: You must be logged in to the server (${status.message})`;
    if (status.reason === 'Invalid' && !doing) return invalid(status);
    if (status.reason === 'Invalid') return `${invalid(status)}`;
    return status.reason ? `Error from server (${status.reason}): ${context}${status.message}` : `Error from server: ${context}${status.message}`;
  }
  if (error instanceof CommandError) return error.bare ? error.message : `error: ${error.message}`;
  if (error instanceof TypeError && /fetch|network/i.test(error.message)) {
    return `The connection to the server ${globalThis.location?.host ?? ''} was refused - did you specify the right host or port?`;
  }
  return `error: ${error instanceof Error ? error.message : String(error)}`;
}

function invalid(status: Status): string {
  const { details } = status;
  const causes = (details?.causes ?? []).map((one) => [one.field, one.message].filter(Boolean).join(': '));
  const about = details?.kind || details?.name ? `The ${details.kind ?? ''} "${details.name ?? ''}" is invalid` : 'The request is invalid';
  if (causes.length === 0) return details?.kind || details?.name ? about : `${about}: ${status.message}`;
  if (causes.length === 1) return `${about}: ${causes[0]}`;
  return `${about}: \n${[...new Set(causes)].map((one) => `* ${one}`).join('\n')}`;
}
