/** Types of HTTP requests and responses, independent of their transport. */
import type { WaitFacts } from '../model/events.ts';

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Names in lower case. A field that occurs several times is a list. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface HttpRequest {
  readonly method: HttpMethod;
  /** Absolute, or relative to the transport's base. */
  readonly url: URL | string;
  /** Kept over redirects, even to other origins: they must not contain secrets. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The `Authorization` for the origin of `url`; not sent to other origins, nor to it after a redirect from another. */
  readonly authorization?: string | undefined;
  /** An iterable is sent once, with `contentBytes` as its length if known. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly contentBytes?: number | undefined;
  /** Whether it may be sent again after a failure. Default: for GET and HEAD. Never if the body is an iterable. */
  readonly idempotent?: boolean | undefined;
  /** Reads the body of a 200 completely, and repeats the request if it breaks. TOO_LARGE if it is longer than this. */
  readonly wholeBytes?: number | undefined;
  /** Whether a 5xx is returned at once, because the caller tries another way. Default false. */
  readonly takesServerErrors?: boolean | undefined;
  /** Whether a redirect is returned as it is. Default false: that of a GET or HEAD is followed. */
  readonly takesRedirects?: boolean | undefined;
  /** Whether no caller repeats it: then a server that worked before gets nearly twice the attempts. */
  readonly persistent?: boolean | undefined;
  /** Sends neither the endpoint's headers nor its client certificate, even to the base origin. */
  readonly anonymous?: boolean | undefined;
  /** Whether a large body is expected: it is read into memory that is used again. */
  readonly large?: boolean | undefined;
  /** The size of a body that a request after this one will have, so that there is a connection for it in time. */
  readonly bodyFollows?: number | undefined;
  /** Additional time until the response's headers, counted from when the body was sent. Default 0. */
  readonly moreTimeMs?: number | undefined;
  /** Called with the reason for a delay, instead of the transport's listener. */
  readonly onWait?: ((reason: string, facts?: WaitFacts) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** The URL of the response, after redirects. Redact it before showing it. */
  readonly url: URL;
  readonly body: HttpBody;
}

/** A destination for bytes, like the registry's Sink. */
export interface ByteSink {
  write(chunk: Uint8Array): Promise<void>;
}

/** A body can be read once: iterated, drained, read as a whole, discarded or cancelled. It fails with an OciError. */
export interface HttpBody extends AsyncIterable<Uint8Array> {
  /** Writes the rest into a sink. The sink may use a chunk until its promise resolves; the memory is reused then. */
  drainTo(sink: ByteSink, opts?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** Reads the whole body. @throws OciError TOO_LARGE as soon as it is longer than `maxBytes`. */
  bytes(maxBytes: number): Promise<Uint8Array>;
  /** Reads a short rest, so that the connection can be reused; cancels a long one. Never fails. */
  discard(): Promise<void>;
  /** Cancels the rest, which closes the connection. Idempotent. */
  cancel(): Promise<void>;
}

/** The value of a field; the first one if there are several. */
export function header(headers: HttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** All values of a field. */
export function headerLines(headers: HttpHeaders, name: string): readonly string[] {
  const value = headers[name];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

/** `Content-Length`, if it is present and valid. */
export function contentLength(headers: HttpHeaders): number | undefined {
  const value = header(headers, 'content-length')?.trim();
  if (value === undefined || !/^\d{1,15}$/.test(value)) return undefined;
  return Number(value);
}
