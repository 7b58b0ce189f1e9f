/** How the failures of endpoints are told: a short clause for each, and a sentence for several. */
import type { ErrorCode, OciError } from '../../../model/errors.ts';
import type { Candidate, FallbackEndpoint } from './candidate.ts';

/** What the wording needs of a failure. */
interface Told {
  readonly candidate: Candidate;
  readonly error: OciError;
}

/** The name of an endpoint in a sentence: `mirror m:5000`, `Docker Hub`. */
export function nameInSentence({ kind, name, title }: FallbackEndpoint): string {
  return `${kind === 'mirror' ? 'mirror ' : ''}${title ?? name}`;
}

/**
 * `mirror m:5000 has no library/alpine:nope`, `Docker Hub cannot be reached (no such host)`.
 *
 * @param subject What was asked for, if the request was for one thing.
 */
export function clauseOf({ candidate, error }: Told, subject: string | undefined): string {
  const { endpoint } = candidate;
  const who = nameInSentence(endpoint);
  const reason = reasonOf(error, endpoint);
  if (isAbsent(error) && subject !== undefined) return `${who} has no ${subject}`;
  if (isRefusal(error)) return `${who} denies access${subject === undefined ? '' : ` to ${subject}`} (${error.status})`;
  if (isOneOf(error, 'TOOMANYREQUESTS')) return `${who} allows no more requests for now`;
  if (error.status !== undefined && error.status >= 500) return `${who} fails with status ${error.status}`;
  if (isOneOf(error, 'TLS')) return `${who} cannot be reached over TLS (${reason})`;
  if (isOneOf(error, 'NETWORK', 'TIMEOUT')) {
    return candidate.answered ? `${who} failed (${reason})` : `${who} cannot be reached (${reason})`;
  }
  return `${who}: ${reason}`;
}

/** Joins clauses to one sentence. */
export function sentence(clauses: readonly string[]): string {
  if (clauses.length < 3) return clauses.join(', and ');
  return `${clauses.slice(0, -1).join(', ')}, and ${clauses.at(-1)}`;
}

/** How much an endpoint said about what was asked for. */
export function knowledgeOf(error: OciError): number {
  if (isAbsent(error)) return 3;
  if (isRefusal(error)) return 2;
  return error.status === undefined ? 0 : 1;
}

/** What the user can do about an endpoint that answered, as far as the user can do something. */
export function adviceOf(error: OciError): string | undefined {
  if (isAbsent(error)) return 'check the spelling';
  return isRefusal(error) || isOneOf(error, 'TOOMANYREQUESTS') ? error.hint : undefined;
}

function isAbsent(error: OciError): boolean {
  return isOneOf(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'BLOB_UNKNOWN');
}

function isOneOf({ code }: OciError, ...codes: readonly ErrorCode[]): boolean {
  return codes.includes(code);
}

function isRefusal(error: OciError): boolean {
  return isOneOf(error, 'UNAUTHORIZED', 'DENIED') && error.status !== undefined;
}

// Most messages begin with the host. The host of an endpoint with a title would not be named otherwise.
function reasonOf({ message }: OciError, { name, title }: FallbackEndpoint): string {
  if (title !== undefined) return message;
  const host = name.replace(/^https?:\/\//, '');
  const rest = message.startsWith(host) ? /^(?:: | )(?<rest>.+)$/s.exec(message.slice(host.length)) : null;
  return rest?.groups?.['rest'] ?? message;
}
