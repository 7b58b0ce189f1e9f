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
  /** What of the query may be shown, percent-encoded: known parameters, none of which is a secret. */
  readonly query?: string;
  /** As `1.1`. */
  readonly httpVersion: string;
  /** The host that the client named, also to a trusted proxy. */
  readonly host?: string;
  /** The route's name for metrics, as in distribution: `manifest`, `blob_upload`. Absent for an unknown route. */
  readonly handler?: string;
  /** 499 if the client disconnected before the response. */
  readonly status: number;
  /** Address of the client, also behind a trusted proxy. */
  readonly remoteAddress: string;
  /** The `User-Agent` header, without hidden characters: `docker/27.3.1 go/go1.22.7 …`. At most 500 characters. */
  readonly userAgent?: string;
  /** The repository in the path. */
  readonly repository?: string;
  /** The user, if the server has authentication and the request was authorised. */
  readonly user?: string;
  /** Media type of the answer. */
  readonly contentType?: string;
  /** Bytes of the request's body. */
  readonly receivedBytes: number;
  /** Bytes of the answer's body. */
  readonly sentBytes: number;
  /** Milliseconds from the request to the end of the answer. */
  readonly durationMs: number;
  /** The full error; the client may have got less. */
  readonly error?: unknown;
}

/** Parameters of the API that hold names, digests and numbers. Not `account`: people type passwords there. */
const shownParameters: ReadonlySet<string> = new Set([
  'artifactType',
  'digest',
  'from',
  'last',
  'mount',
  'n',
  'ns',
  'q',
  'scope',
  'service',
]);
const maxQueryCharacters = 500;

/** The log entry for an exchange whose response is complete. */
export function accessEntryOf(exchange: Exchange, durationMs: number): AccessEntry {
  const { request, context, handler, repository, contentType, failure } = exchange;
  return {
    requestId: context.id,
    method: context.method,
    path: printable(exchange.path),
    ...shownQuery(exchange.query),
    httpVersion: request.httpVersion,
    ...(context.host !== undefined && { host: printable(context.host) }),
    ...(handler !== undefined && { handler }),
    ...(repository !== undefined && { repository }),
    status: statusOf(exchange),
    remoteAddress: context.remoteAddress,
    ...(context.userAgent && { userAgent: printable(context.userAgent) }),
    ...(context.user !== undefined && { user: printable(context.user) }),
    ...(contentType !== undefined && { contentType: printable(contentType) }),
    receivedBytes: exchange.receivedBytes,
    sentBytes: exchange.sentBytes,
    durationMs,
    ...(failure !== undefined && { error: failure }),
  };
}

/** @returns 499 if the client disconnected before the response. */
export function statusOf({ response }: Exchange): number {
  return response.headersSent ? response.statusCode : 499;
}

function shownQuery(query: URLSearchParams): { readonly query?: string } {
  if (query.size === 0) return {};
  const shown = new URLSearchParams([...query].filter(([name]) => shownParameters.has(name)));
  return shown.size === 0 ? {} : { query: shown.toString().slice(0, maxQueryCharacters) };
}
