import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { type HttpResponse, header } from '../transport/http.ts';
import type { Retry } from '../transport/retry/retry.ts';
import { headers, parseUploadRange } from '../wire/headers.ts';
import type { RemoteClient, RemoteRequest, Subject } from './client.ts';
import { uploadLocation, withDigest } from './upload-location.ts';

/** Registries that hash a blob, or move it to its place, when it is committed take minutes for a large one. */
const committedBytesPerMs = 5000;
/** A chunk is held in memory. Object stores want 5 MiB; without a bound, a registry could have us hold a whole layer. */
const maxMinChunkBytes = 64 * 1024 * 1024;

interface UploadSessionOptions {
  readonly client: RemoteClient;
  readonly location: URL;
  readonly scopes: readonly string[];
  readonly subject: Subject;
  /** `OCI-Chunk-Min-Length`; 0 where none was named. */
  readonly minChunkBytes: number;
}

/** An upload that is open at a registry. Every answer may move it to another place. */
export class UploadSession {
  readonly minChunkBytes: number;
  readonly #client: RemoteClient;
  readonly #scopes: readonly string[];
  readonly #subject: Subject;
  #location: URL;
  #size = 0;

  constructor(options: UploadSessionOptions) {
    this.#client = options.client;
    this.#location = options.location;
    this.#scopes = options.scopes;
    this.#subject = options.subject;
    this.minChunkBytes = options.minChunkBytes;
  }

  get location(): URL {
    return this.#location;
  }

  /** Bytes the registry holds, as far as it is known. */
  get size(): number {
    return this.#size;
  }

  /**
   * Asks how many bytes are there, and goes on from them.
   *
   * @throws OciError BLOB_UPLOAD_UNKNOWN; UNSUPPORTED where sessions cannot be asked about.
   */
  async refresh(signal: AbortSignal | undefined): Promise<number> {
    const response = await this.#client.send(this.#request('GET', { signal }));
    if (![200, 202, 204].includes(response.status)) throw await this.#error(response);
    await response.body.discard();
    this.#moved(response);
    this.#size = parseUploadRange(header(response.headers, 'range')) ?? 0;
    return this.#size;
  }

  /**
   * Adds a chunk. When the way breaks, the registry is asked what it has, and gets the rest.
   *
   * @throws OciError BLOB_UPLOAD_UNKNOWN when the session has gone, RANGE_INVALID when it holds other bytes than were
   *   sent, TOO_LARGE when the chunk is.
   */
  async append(chunk: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const { retry } = this.#client.transport;
    const startedAt = this.#size;
    const end = startedAt + chunk.length;
    for (let failures = 0; this.#size < end; ) {
      try {
        await this.#patch(chunk.subarray(this.#size - startedAt), signal);
      } catch (error) {
        signal?.throwIfAborted();
        failures += 1;
        const wrongPlace = isOciError(error, 'RANGE_INVALID');
        if ((!wrongPlace && !isInterruption(error)) || failures >= retry.attempts) throw error;
        if (!wrongPlace) await retry.pause(failures, { signal, leastMs: waitAskedFor(error, retry) });
        const before = this.#size;
        const held = await this.refresh(signal);
        if (held < startedAt || held > end) throw this.#rangeInvalid(held, before);
        if (held > before) failures = 0;
      }
    }
  }

  /**
   * Makes the session a blob, with `body` as its last bytes.
   *
   * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH, BLOB_UPLOAD_UNKNOWN
   */
  async commit(
    digest: Digest,
    body: { readonly body?: RemoteRequest['body']; readonly contentBytes?: number },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const request = this.#request('PUT', {
      signal,
      moreTimeMs: (this.#size + (body.contentBytes ?? 0)) / committedBytesPerMs,
      body: new Uint8Array(0),
      ...body,
    });
    const url = withDigest(this.#location, digest);
    const response = await this.#client.send({ ...request, url });
    if (![200, 201, 204].includes(response.status)) throw await this.#error(response);
    await response.body.discard();
  }

  /**
   * Commits bytes in memory, again where the answer was lost: the blob may be there all the same.
   *
   * @param exists Asks whether it is.
   */
  async commitSurely(
    digest: Digest,
    body: Uint8Array,
    exists: () => Promise<boolean>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { retry } = this.#client.transport;
    const startedAt = this.#size;
    for (let failures = 1; ; failures += 1) {
      try {
        return await this.commit(digest, { body: body.subarray(this.#size - startedAt) }, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (!isInterruption(error) || failures >= retry.attempts) throw error;
        await retry.pause(failures, { signal });
        if (await exists()) return;
        const held = await this.refresh(signal);
        if (held < startedAt || held > startedAt + body.length) throw error;
      }
    }
  }

  /**
   * Tells the registry that nothing more comes. One that cannot be told forgets the session in time, as does distribution,
   * which knows no session that a cut request has made longer than its Location says.
   */
  async cancel(timeoutMs = 10_000): Promise<void> {
    try {
      const response = await this.#client.send(this.#request('DELETE', { signal: AbortSignal.timeout(timeoutMs) }));
      await response.body.discard();
    } catch {
      // It was given up before this.
    }
  }

  async #patch(chunk: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const end = this.#size + chunk.length;
    const response = await this.#client.send(
      this.#request('PATCH', {
        body: chunk,
        headers: { 'content-type': 'application/octet-stream', 'content-range': `${this.#size}-${end - 1}` },
        signal,
      }),
    );
    if (![201, 202, 204].includes(response.status)) {
      // The Location of a 416 is where to go on.
      if (response.status === 416) this.#moved(response);
      throw await this.#error(response);
    }
    await response.body.discard();
    this.#moved(response);
    const held = parseUploadRange(header(response.headers, 'range'));
    if (held !== undefined && held !== end && end > 1) throw this.#rangeInvalid(held, end);
    this.#size = end;
  }

  #request(method: RemoteRequest['method'], more: Omit<RemoteRequest, 'method' | 'url' | 'scopes'>): RemoteRequest {
    return { method, url: this.#location, scopes: this.#scopes, ...more };
  }

  #moved(response: HttpResponse): void {
    const location = header(response.headers, 'location');
    if (location !== undefined) this.#location = uploadLocation(location, response.url);
  }

  async #error(response: HttpResponse): Promise<OciError> {
    const error = await this.#client.error(response, { ...this.#subject, notFound: 'BLOB_UPLOAD_UNKNOWN' });
    const { message, hint, status, endpoint } = error;
    if (error.code === 'DIGEST_INVALID') return new OciError('DIGEST_MISMATCH', message, { hint, status, endpoint });
    if (error.code === 'SIZE_INVALID') {
      return new OciError('SIZE_MISMATCH', message, { hint, status, endpoint });
    }
    if (error.code === 'BLOB_UPLOAD_INVALID' || error.code === 'NAME_UNKNOWN') {
      return new OciError('BLOB_UPLOAD_UNKNOWN', message, { hint, status, endpoint });
    }
    return error;
  }

  #rangeInvalid(held: number, expected: number): OciError {
    return new OciError(
      'RANGE_INVALID',
      `${this.#subject.what}: ${this.#client.name} holds ${held} bytes of the upload, not ${expected}`,
      { endpoint: this.#client.endpoint },
    );
  }
}

/** Whether a failure lies on the way, or in the registry's state of the moment: the same may work the next time. */
export function isInterruption(error: unknown): boolean {
  return isOciError(error, 'NETWORK', 'TIMEOUT', 'UNAVAILABLE', 'UNKNOWN', 'TOOMANYREQUESTS') && error.retryable;
}

/** The wait that came with a failure, as far as the policy goes along. */
export function waitAskedFor(error: unknown, retry: Retry): number {
  const askedMs = isOciError(error) ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(askedMs, retry.maxRetryAfterMs);
}

/**
 * The session that an answer opened.
 *
 * @throws OciError PROTOCOL where it does not say where, or demands chunks of more than 64 MiB.
 */
export function openedSession(
  client: RemoteClient,
  response: HttpResponse,
  scopes: readonly string[],
  subject: Subject,
): UploadSession {
  const location = header(response.headers, 'location');
  if (location === undefined) {
    throw new OciError('PROTOCOL', `${client.name} opened an upload without saying where`, {
      endpoint: client.endpoint,
    });
  }
  const minimum = header(response.headers, headers.chunkMinLength) ?? '';
  const minChunkBytes = /^\d+$/.test(minimum) ? Number(minimum) : 0;
  if (minChunkBytes > maxMinChunkBytes) {
    throw new OciError(
      'PROTOCOL',
      `${client.name} demands that an upload comes in chunks of more than ${maxMinChunkBytes} bytes: refused`,
      { endpoint: client.endpoint },
    );
  }
  return new UploadSession({
    client,
    location: uploadLocation(location, response.url),
    scopes,
    subject,
    minChunkBytes,
  });
}
