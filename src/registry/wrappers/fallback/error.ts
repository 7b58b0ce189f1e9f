/** Combines the failures of several endpoints into one error. */
import { isOciError, OciError } from '../../../model/errors.ts';
import type { Candidate } from './candidate.ts';
import { adviceOf, clauseOf, knowledgeOf, nameInSentence, sentence } from './wording.ts';

export interface Failure {
  readonly candidate: Candidate;
  readonly error: unknown;
  /** False if it was skipped, because it could not be reached before. */
  readonly asked: boolean;
}

/**
 * The error of the endpoint whose answer counts most: the last one if it was final, otherwise the origin. If the origin
 * could not tell, the message is a sentence that begins with the endpoint that knew most, and the hint is for both.
 * https and plain http of one host do not count as two attempts.
 */
export function combinedError(failures: readonly Failure[], { subject, isFinal }: CombinedErrorOptions = {}): unknown {
  const telling = failures.filter((failure) => isTelling(failure, failures));
  const main = isFinal ? failures.at(-1) : mainOf(telling, failures);
  if (main === undefined) return new OciError('NAME_UNKNOWN', 'no endpoint is configured for this request');
  if (failures.length === 1 || !isOciError(main.error) || main.error.code === 'CANCELLED') return main.error;
  const { code, detail, status, endpoint, retryAfterMs, retryable } = main.error;
  const others = telling
    .filter((failure) => failure !== main)
    .map(told)
    .sort(byKnowledge);
  const tried = failures.filter((failure) => failure !== main).map(described);
  return new OciError(code, messageOf(told(main), others, subject), {
    hint: hintOf(told(main), others),
    cause: main.error,
    detail: { tried, ...(detail !== undefined && { registry: detail }) },
    status,
    endpoint,
    retryAfterMs,
    retryable,
  });
}

interface CombinedErrorOptions {
  /** What was asked for, if the request was for one thing. */
  readonly subject?: string | undefined;
  /** Whether no endpoint could change the last failure. */
  readonly isFinal?: boolean;
}

interface ToldFailure extends Failure {
  readonly error: OciError;
}

const told = (failure: Failure): ToldFailure => ({ ...failure, error: asOciError(failure.error) });

function mainOf(telling: readonly Failure[], all: readonly Failure[]): Failure | undefined {
  const own = telling.filter((failure) => secureSide(failure, telling) === undefined);
  return (
    own.findLast(({ candidate }) => candidate.endpoint.kind === 'origin') ??
    own.findLast(({ asked }) => asked) ??
    own.at(-1) ??
    all.at(-1)
  );
}

const byKnowledge = (a: ToldFailure, b: ToldFailure): number => knowledgeOf(b.error) - knowledgeOf(a.error);

function messageOf(main: ToldFailure, others: readonly ToldFailure[], subject: string | undefined): string {
  const clauses = others.map((failure) => clauseOf(failure, subject));
  if (couldNotTell(main, others)) return sentence([...clauses, clauseOf(main, subject)]);
  return [main.error.message, ...clauses].join('; ');
}

function hintOf(main: ToldFailure, others: readonly ToldFailure[]): string | undefined {
  const { hint } = main.error;
  const advice = couldNotTell(main, others) ? others.map(({ error }) => adviceOf(error)).find(Boolean) : undefined;
  if (advice === undefined) return hint;
  return `${advice}; ${nameInSentence(main.candidate.endpoint)} may have it: ${hint ?? 'try again later'}`;
}

/** Whether the answer is missing, and endpoints of other hosts were asked. */
function couldNotTell({ candidate, error }: ToldFailure, others: readonly Failure[]): boolean {
  const { name } = candidate.endpoint;
  return knowledgeOf(error) < 2 && others.some((other) => other.candidate.endpoint.twinOf !== name);
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
