import type { Silence } from '../transport/silence.ts';
import type { RequestTrace } from '../transport/transport.ts';

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

/**
 * `host: nothing has come for 10 seconds, waiting for blob 28cff67c03fa (attempt 2)`, or
 * `host: connection refused, waiting for blob 28cff67c03fa; trying again for up to 15 seconds`.
 */
export function formatSilence({ host, what = 'an answer', silentMs, attempt, outage }: Silence): string {
  if (outage) {
    return `${outage.message}, waiting for ${what}; trying again for up to ${Math.round(outage.patienceMs / 1000)} seconds`;
  }
  const again = attempt > 1 ? ` (attempt ${attempt})` : '';
  return `${host}: nothing has come for ${Math.round(silentMs / 1000)} seconds, waiting for ${what}${again}`;
}
