/** Combines the failures of several endpoints into one error. */
import { isOciError, OciError } from '../../../model/errors.ts';
import type { Candidate } from './candidate.ts';

export interface Failure {
  readonly candidate: Candidate;
  readonly error: unknown;
  /** False if it was skipped, because it could not be reached before. */
  readonly asked: boolean;
}

/**
 * The error of the endpoint that was asked last. The message also names the others, if they add something: https and
 * plain http of one host do not count as two attempts.
 */
export function combinedError(failures: readonly Failure[]): unknown {
  const telling = failures.filter((failure) => isTelling(failure, failures));
  const behind = (failure: Failure): boolean => secureSide(failure, telling) !== undefined;
  const main =
    telling.findLast((failure) => failure.asked && !behind(failure)) ??
    telling.findLast((failure) => !behind(failure)) ??
    failures.at(-1);
  if (main === undefined) return new OciError('NAME_UNKNOWN', 'no endpoint is configured for this request');
  if (failures.length === 1 || !isOciError(main.error) || main.error.code === 'CANCELLED') return main.error;
  const { code, message, hint, detail, status, endpoint, retryAfterMs, retryable } = main.error;
  const others = telling.filter((failure) => failure !== main).map(named);
  const tried = failures.filter((failure) => failure !== main).map(described);
  return new OciError(code, others.length === 0 ? message : `${message} (also tried: ${others.join('; ')})`, {
    hint,
    cause: main.error,
    detail: { tried, ...(detail !== undefined && { registry: detail }) },
    status,
    endpoint,
    retryAfterMs,
    retryable,
  });
}

export function asOciError(error: unknown): OciError {
  if (isOciError(error)) return error;
  return new OciError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
}

function isTelling(failure: Failure, all: readonly Failure[]): boolean {
  const clear = all.find(({ candidate }) => candidate.endpoint.twinOf === failure.candidate.endpoint.name);
  if (clear !== undefined) return !speaksPlainHttp(clear, failure);
  const secure = secureSide(failure, all);
  if (secure === undefined || speaksPlainHttp(failure, secure)) return true;
  // Plain http adds nothing if it failed with TLS or with the same message as https.
  return !isOciError(failure.error, 'TLS') && !saysSame(failure, secure);
}

/** The failure of the same host over TLS, for a failure over plain http. */
function secureSide({ candidate }: Failure, all: readonly Failure[]): Failure | undefined {
  const { twinOf } = candidate.endpoint;
  return twinOf === undefined ? undefined : all.find((other) => other.candidate.endpoint.name === twinOf);
}

function speaksPlainHttp(clear: Failure, secure: Failure): boolean {
  return clear.candidate.answered || isPlainHttp(secure.error);
}

/** Whether the server of an https endpoint speaks plain http: the transport reports that in `detail`. */
function isPlainHttp(error: unknown): boolean {
  const detail: unknown = isOciError(error, 'TLS') ? error.detail : undefined;
  return typeof detail === 'object' && detail !== null && 'plainHttp' in detail && detail.plainHttp === true;
}

function saysSame(one: Failure, other: Failure): boolean {
  return asOciError(one.error).message === asOciError(other.error).message;
}

function described({ candidate, error }: Failure): { endpoint: string; code: string; message: string } {
  const { code, message } = asOciError(error);
  return { endpoint: candidate.endpoint.name, code, message };
}

// The message often begins with the host already. Only the endpoint's name has the scheme, which tells twins apart.
function named(failure: Failure): string {
  const { endpoint, message } = described(failure);
  const host = endpoint.replace(/^https?:\/\//, '');
  const text = message.startsWith(`${host}: `) ? message.slice(host.length + 2) : message;
  return `${endpoint}: ${text}`;
}
