import type { Waiting } from '../model/events.ts';
import type { RequestTrace } from '../transport/request-trace.ts';
import { reasonOf, type Wait, waitFacts } from '../transport/waits.ts';

interface TraceFormat {
  /** Whether the headers of the request and the response follow, one per line. */
  readonly headers: boolean;
}

/** One attempt of a request: `GET https://host/v2/ → 200 in 12 ms (attempt 2, through proxy:3128)`, and its headers. */
function* formatTrace(event: RequestTrace, { headers }: TraceFormat): Generator<string> {
  const { method, url, attempt, durationMs, proxy, status, error, requestHeaders, responseHeaders = {} } = event;
  const outcome = status === undefined ? (error ?? 'no answer') : `${status}`;
  const how = [attempt > 1 && `attempt ${attempt}`, proxy !== undefined && `through ${proxy}`].filter(Boolean);
  const more = how.length > 0 ? ` (${how.join(', ')})` : '';
  yield `${method} ${url} → ${outcome} in ${Math.round(durationMs)} ms${more}`;
  if (!headers) return;
  for (const [name, value] of Object.entries(requestHeaders)) yield `  > ${name}: ${value}`;
  for (const [name, value] of Object.entries(responseHeaders)) yield `  < ${name}: ${value}`;
}

/** Tells of each attempt of a request, as {@link formatTrace} writes it, a line at a time. */
export function traceLines(trace: (line: string) => void, format: TraceFormat): (event: RequestTrace) => void {
  return (event) => {
    for (const line of formatTrace(event, format)) trace(line);
  };
}

/** What is told of a wait. The reason is as {@link formatWait} writes it. */
export function describeWait(wait: Wait): Waiting {
  return { reason: formatWait(wait), ...waitFacts(wait) };
}

/**
 * `host: nothing has come for 10 seconds, waiting for blob 28cff67c03fa (attempt 2)`,
 * `host: connection refused, waiting for blob 28cff67c03fa; trying again for up to 15 seconds`, or
 * `host asks to wait 30 seconds (429), waiting for manifest 3 of library/alpine`.
 */
function formatWait({ what = 'an answer', attempt, ...wait }: Wait): string {
  const { outage, again } = wait;
  if (outage) {
    return `${outage.message}, waiting for ${what}; trying again for up to ${Math.round(outage.patienceMs / 1000)} seconds`;
  }
  return `${reasonOf(wait)}, waiting for ${what}${attempt > 1 && !again ? ` (attempt ${attempt})` : ''}`;
}
