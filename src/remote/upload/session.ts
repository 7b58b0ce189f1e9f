import type { Digest } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { OnWait } from '../../registry/registry.ts';
import { type HttpResponse, header } from '../../transport/http.ts';
import type { Retry } from '../../transport/retry/retry.ts';
import { tellAgain } from '../../transport/waits.ts';
import { headers, parseUploadRange } from '../../wire/headers.ts';
import type { RemoteClient, RemoteRequest, Subject } from '../client.ts';
import { uploadLocation, withDigest } from './location.ts';

/** Some registries hash or move a blob when it is committed, which takes minutes for a large one. */
const committedBytesPerMs = 5000;
/** A chunk is held in memory. Object stores need 5 MiB; without a limit a registry could make us hold a whole layer. */
const maxMinChunkBytes = 64 * 1024 * 1024;

interface UploadSessionOptions {
  readonly client: RemoteClient;
  readonly location: URL;
  readonly scopes: readonly string[];
  readonly subject: Subject;
  /** Told of every wait of its requests. */
  readonly onWait?: OnWait | undefined;
  /** `OCI-Chunk-Min-Length`; 0 if absent. */
  readonly minChunkBytes: number;
}

/** What a session's requests have in common. */
export type SessionOptions = Pick<UploadSessionOptions, 'scopes' | 'subject' | 'onWait'>;

/** An open upload session at a registry. Every response may change its location. */
export class UploadSession {
  readonly minChunkBytes: number;
  #onMoved: ((location: URL) => void) | undefined;
  readonly #client: RemoteClient;
  readonly #scopes: readonly string[];
  readonly #subject: Subject;
  readonly #onWait: OnWait | undefined;
  #location: URL;
  #size = 0;

  constructor(options: UploadSessionOptions) {
    this.#client = options.client;
    this.#location = options.location;
    this.#scopes = options.scopes;
    this.#subject = options.subject;
    this.#onWait = options.onWait;
    this.minChunkBytes = options.minChunkBytes;
  }

  get location(): URL {
    return this.#location;
  }

  /** Told where the session is, at once and whenever that changes. */
  set onMoved(listener: (location: URL) => void) {
    this.#onMoved = listener;
    listener(this.#location);
  }

  /** Bytes that the registry has, as far as is known. */
  get size(): number {
    return this.#size;
  }

  /**
   * Asks the registry how many bytes it has, and continues there.
   *
   * @throws OciError BLOB_UPLOAD_UNKNOWN; UNSUPPORTED if the registry does not answer that.
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
   * Appends a chunk. After an interruption the registry is asked how much it has, and the rest is sent.
   *
   * @throws OciError BLOB_UPLOAD_UNKNOWN if the session is gone, RANGE_INVALID if the registry has another number of
   * bytes than were sent, TOO_LARGE if the chunk is.
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
        if (!wrongPlace) await this.#pause(error, failures, signal, waitAskedFor(error, retry));
        const before = this.#size;
        const held = await this.refresh(signal);
        if (held < startedAt || held > end) throw this.#rangeInvalid(held, before);
        if (held > before) failures = 0;
      }
    }
  }

  /**
   * Turns the session into a blob, with `body` as its last bytes.
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
   * Commits with bytes from memory. If the response is lost, it checks whether the blob exists, and tries again if not.
   *
   * @param exists Whether the blob exists.
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
        await this.#pause(error, failures, signal);
        if (await exists()) return;
        const held = await this.refresh(signal);
        if (held < startedAt || held > startedAt + body.length) throw error;
      }
    }
  }

  /**
   * Cancels the session at the registry. If that fails, the registry expires it, as distribution does with a session
   * that a cut request made longer than its Location says.
   */
  async cancel(timeoutMs = 10_000): Promise<void> {
    try {
      const response = await this.#client.send(this.#request('DELETE', { signal: AbortSignal.timeout(timeoutMs) }));
      await response.body.discard();
    } catch {
      // The session is not used any more in either case.
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
      // The Location of a 416 is where to continue.
      if (response.status === 416) this.#moved(response);
      throw await this.#error(response);
    }
    await response.body.discard();
    this.#moved(response);
    const held = parseUploadRange(header(response.headers, 'range'));
    if (held !== undefined && held !== end && end > 1) throw this.#rangeInvalid(held, end);
    this.#size = end;
  }

  async #pause(error: unknown, failures: number, signal: AbortSignal | undefined, leastMs = 0): Promise<void> {
    if (isOciError(error)) tellAgain({ onWait: this.#onWait }, error, failures, leastMs);
    await this.#client.transport.retry.pause(failures, { signal, leastMs });
  }

  #request(method: RemoteRequest['method'], more: Omit<RemoteRequest, 'method' | 'url' | 'scopes'>): RemoteRequest {
    return { method, url: this.#location, scopes: this.#scopes, onWait: this.#onWait, ...more };
  }

  #moved(response: HttpResponse): void {
    const location = header(response.headers, 'location');
    if (location === undefined) return;
    this.#location = uploadLocation(location, response.url);
    this.#onMoved?.(this.#location);
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

/** Whether a failure is temporary, in the connection or the registry: the same request may succeed later. */
export function isInterruption(error: unknown): error is OciError {
  return isOciError(error, 'NETWORK', 'TIMEOUT', 'UNAVAILABLE', 'UNKNOWN', 'TOOMANYREQUESTS') && error.retryable;
}

/** The wait that a failure asked for, within the limits of the policy. */
export function waitAskedFor(error: unknown, retry: Retry): number {
  const askedMs = isOciError(error) ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(askedMs, retry.maxRetryAfterMs);
}

/**
 * The session that a response opened.
 *
 * @throws OciError PROTOCOL if there is no Location, or the registry requires chunks of more than 64 MiB.
 */
export function openedSession(client: RemoteClient, response: HttpResponse, options: SessionOptions): UploadSession {
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
      `${client.name} requires chunks of more than ${maxMinChunkBytes} bytes for an upload: refused`,
      { endpoint: client.endpoint },
    );
  }
  client.options.facts?.learn({ minChunkBytes: minChunkBytes || undefined });
  return new UploadSession({
    client,
    location: uploadLocation(location, response.url),
    minChunkBytes,
    ...options,
  });
}

/** The session at a location that an earlier response has named. Ask it for its size first. */
export function sessionAt(client: RemoteClient, location: URL, options: SessionOptions): UploadSession {
  const { minChunkBytes = 0 } = client.options.facts?.known ?? {};
  return new UploadSession({ client, location, minChunkBytes: Math.min(minChunkBytes, maxMinChunkBytes), ...options });
}

/** After an abort nobody waits longer than this for a session to be cancelled. */
export const stoppedCancelMs = 2000;

/** Without the cancellation a registry may keep a session for a week to which nothing will be sent. */
export async function cancelling<T>(
  session: UploadSession | undefined,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await session?.cancel(signal?.aborted ? stoppedCancelMs : undefined);
    throw error;
  }
}
