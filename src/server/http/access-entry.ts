import { printable } from '../../wire/errors.ts';
import type { Exchange } from './exchange.ts';

/** One line of an access log. */
export interface AccessEntry {
  /** The id that the registry was told with the request, see `RequestContext`. */
  readonly requestId: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** What metrics call the route, as distribution does: `manifest`, `blob_upload`. Absent where there is no route. */
  readonly handler?: string;
  /** 499 where the client went away before there was an answer. */
  readonly status: number;
  readonly remoteAddress: string;
  /** The first word of the client's name: `docker/27.3.1`. */
  readonly userAgent?: string;
  /** Who it was, where that is asked. */
  readonly user?: string;
  /** Bytes of the bodies. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly durationMs: number;
  /** What went wrong, in full; the client may have been told less. */
  readonly error?: unknown;
}

/** What the log says of an exchange whose answer is complete. */
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
