/** What a request and its answer are, whatever carries them. */

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Names in lower case. A field that came several times is a list. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface HttpRequest {
  readonly method: HttpMethod;
  /** Absolute, or relative to the transport's base. */
  readonly url: URL | string;
  /** Kept over redirects, also to other origins: nothing secret belongs here. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The `Authorization` for the origin of `url`; no other origin gets it, nor that one where another led back to it. */
  readonly authorization?: string | undefined;
  /** An iterable is sent once, with `contentBytes` as its length where known. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly contentBytes?: number | undefined;
  /** Whether it may be sent again after a failure. Default: GET and HEAD. Never, when the body is an iterable. */
  readonly idempotent?: boolean | undefined;
  /** A 200 counts when its body has come: one that breaks is asked for again. TOO_LARGE where it is longer than this. */
  readonly wholeBytes?: number | undefined;
  /** Whether an answer of 5xx is taken at once, because the caller then asks in another way. Default false. */
  readonly takesServerErrors?: boolean | undefined;
  /** Whether nothing above repeats it: a server that was well before then gets nearly twice the attempts. */
  readonly persistent?: boolean | undefined;
  /** As a stranger: without the endpoint's headers and its client certificate, also at the base origin. */
  readonly anonymous?: boolean | undefined;
  /** Whether it travels in the cheapest way: for large bodies, and for a HEAD that no upload follows, over another connection. */
  readonly bulk?: boolean | undefined;
  /** Time to the answer's headers beyond the usual, counted from when the body was sent. Default 0. */
  readonly moreTimeMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** Where the answer came from, after redirects. Redact it before it is shown. */
  readonly url: URL;
  readonly body: HttpBody;
}

/** Something bytes are written to; the same shape as the registry's Sink. */
export interface ByteSink {
  write(chunk: Uint8Array): Promise<void>;
}

/** A body is read once: iterated, drained, taken whole, discarded or cancelled. It fails with an OciError. */
export interface HttpBody extends AsyncIterable<Uint8Array> {
  /** Writes the rest into a sink. A chunk is the sink's until its promise resolves; its memory is then used again. */
  drainTo(sink: ByteSink, opts?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** The whole body. @throws OciError TOO_LARGE as soon as it is longer than `maxBytes`. */
  bytes(maxBytes: number): Promise<Uint8Array>;
  /** Reads a short rest so that the connection can be used again; gives up a long one. Never fails. */
  discard(): Promise<void>;
  /** Gives the rest up, and the connection with it. Idempotent. */
  cancel(): Promise<void>;
}

/** One field's value; of several the first. */
export function header(headers: HttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** All lines of a field. */
export function headerLines(headers: HttpHeaders, name: string): readonly string[] {
  const value = headers[name];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

/** `Content-Length`, where there is a valid one. */
export function contentLength(headers: HttpHeaders): number | undefined {
  const value = header(headers, 'content-length')?.trim();
  if (value === undefined || !/^\d{1,15}$/.test(value)) return undefined;
  return Number(value);
}
