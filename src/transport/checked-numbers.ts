import { checkBounds } from '../model/number-options.ts';
import type { TransportLimits } from './origins.ts';
import type { RetryPolicy } from './retry/retry.ts';

/** Checks the numbers for retries and time limits. @throws OciError USAGE, as {@link checkBounds}. */
export function checkTransportNumbers(options: {
  readonly retry?: RetryPolicy | undefined;
  readonly limits?: TransportLimits | undefined;
}): void {
  checkBounds(options.retry ?? {}, { attempts: 1, baseDelayMs: 0, maxDelayMs: 0, maxRetryAfterMs: 0, outageMs: 0 }, [
    'wait',
  ]);
  checkBounds(options.limits ?? {}, {
    connectTimeoutMs: 0,
    headersTimeoutMs: 0,
    idleTimeoutMs: 0,
    silenceMs: 0,
    keepAliveMs: 0,
    headerBytes: 1,
  });
}
