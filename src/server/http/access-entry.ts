import { printable } from '../../wire/errors.ts';
import type { Exchange } from './exchange.ts';

/** One line of an access log. */
export interface AccessEntry {
  /** The ID that the registry gets with the request, see `RequestContext`. */
  readonly requestId: string;
  /** Of the request. */
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The route's name for metrics, as in distribution: `manifest`, `blob_upload`. Absent for an unknown route. */
  readonly handler?: string;
  /** 499 if the client disconnected before the response. */
  readonly status: number;
  /** Address of the client, also behind a trusted proxy. */
  readonly remoteAddress: string;
  /** The first word of the `User-Agent` header: `docker/27.3.1`. */
  readonly userAgent?: string;
  /** The user, if the server has authentication and the request was authorised. */
  readonly user?: string;
  /** Bytes of the bodies. */
  readonly receivedBytes: number;
  /** Bytes of the answer's body. */
  readonly sentBytes: number;
  /** Milliseconds from the request to the end of the answer. */
  readonly durationMs: number;
  /** The full error; the client may have got less. */
  readonly error?: unknown;
}

/** The log entry for an exchange whose response is complete. */
export function accessEntryOf(exchange: Exchange, startedMs: number): AccessEntry {
  const { response, context, handler, failure } = exchange;
  return {
    requestId: context.id,
    method: context.method,
    path: printable(exchange.path),
    ...(handler !== undefined && { handler }),
    status: response.headersSent ? response.statusCode : 499,
    remoteAddress: context.remoteAddress,
    ...shortAgent(context.userAgent),
    ...(context.user !== undefined && { user: printable(context.user) }),
    receivedBytes: exchange.receivedBytes,
    sentBytes: exchange.sentBytes,
    durationMs: performance.now() - startedMs,
    ...(failure !== undefined && { error: failure }),
  };
}

function shortAgent(header: string | undefined): { readonly userAgent?: string } {
  const word = printable(header ?? '').split(' ', 1)[0];
  return word ? { userAgent: word.slice(0, 64) } : {};
}
