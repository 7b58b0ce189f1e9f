import type { RequestTrace } from '../transport/transport.ts';

/** One attempt of one request in one line: `GET https://host/v2/ → 200 in 12 ms (attempt 2)`. */
export function formatTrace({ method, url, attempt, durationMs, status, error }: RequestTrace): string {
  const outcome = status === undefined ? (error ?? 'no answer') : `${status}`;
  const again = attempt > 1 ? ` (attempt ${attempt})` : '';
  return `${method} ${url} → ${outcome} in ${Math.round(durationMs)} ms${again}`;
}
