import { OciError } from '../../model/errors.ts';
import { parseRetryAfter } from '../../wire/headers.ts';
import type { Answer } from '../exchange.ts';
import { header } from '../http.ts';
import { endpointOf } from '../redact.ts';
import type { Retry } from './retry.ts';

/**
 * The wait that a response requests, in milliseconds; 0 if it requests none.
 *
 * @throws OciError TOOMANYREQUESTS or UNAVAILABLE if it is longer than the policy allows.
 */
export function retryAfterMs(answer: Answer, url: URL, retry: Retry): number {
  const askedMs = parseRetryAfter(header(answer.headers, 'retry-after'), Date.now()) ?? 0;
  if (askedMs <= retry.maxRetryAfterMs) return askedMs;
  void answer.body.cancel();
  const tooMany = answer.status === 429;
  throw new OciError(
    tooMany ? 'TOOMANYREQUESTS' : 'UNAVAILABLE',
    `${tooMany ? 'toomanyrequests: ' : ''}${url.host} asks to wait ${duration(askedMs)} before the next request`,
    { status: answer.status, endpoint: endpointOf(url), retryAfterMs: askedMs, hint: waitHint(tooMany, url) },
  );
}

/** Whether a failure is that of {@link retryAfterMs}. */
export function isTooMany(error: unknown): boolean {
  return error instanceof OciError && error.retryAfterMs !== undefined;
}

function waitHint(tooMany: boolean, url: URL): string {
  return tooMany ? `wait, or log in with 'ocictl login ${url.host}' for a higher limit` : 'try again later';
}

function duration(ms: number): string {
  if (ms < 120_000) return `${Math.ceil(ms / 1000)} seconds`;
  return ms < 7_200_000 ? `${Math.ceil(ms / 60_000)} minutes` : `${Math.ceil(ms / 3_600_000)} hours`;
}
