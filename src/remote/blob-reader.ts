import { repositoryScope } from '../auth/scopes.ts';
import { monotonicMs } from '../model/clock.ts';
import { type Digest, digestAlgorithm, tryParseDigest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import { blobDescriptor, type Content, sizeMismatch, verifiedContent } from '../registry/content.ts';
import { inlineContent } from '../registry/inline.ts';
import { checkRange } from '../registry/range.ts';
import type { GetBlobOptions, SignalOption } from '../registry/registry.ts';
import { encodingsOf } from '../transport/encoding/content-encoding.ts';
import { contentLength, type HttpBody, type HttpResponse, header } from '../transport/http.ts';
import { formatRangeRequest, headers, parseContentRange } from '../wire/headers.ts';
import { BlobContent } from './blob-content.ts';
import { bodyAt, type Span } from './blob-span.ts';
import type { RemoteClient, RemoteRequest, Subject } from './client.ts';
import { shownName } from './names.ts';

/** From this size a blob is read over a connection for large answers. */
const largeBytes = 1024 * 1024;
/** From this size it may be read over several. */
const parallelBytes = 16 * 1024 * 1024;

/** Reads the blobs of a remote registry. */
export class BlobReader {
  readonly #client: RemoteClient;
  readonly #verdict: { pays?: boolean } = {};

  constructor(client: RemoteClient) {
    this.#client = client;
  }

  async statBlob(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<Descriptor> {
    const response = await this.head(repo, digest, { scopes: [repositoryScope(repo, 'pull')] }, opts?.signal);
    if (response.status === 404 || response.status === 429) {
      throw await this.#client.error(response, this.#subject(repo, digest));
    }
    await response.body.discard();
    // As for manifests, another failure of HEAD does not mean that GET fails.
    if (response.status !== 200) return blobDescriptor(digest, await this.#sizeByGet(repo, digest, opts?.signal));
    const size = lengthOf(response) ?? (await this.#sizeByGet(repo, digest, opts?.signal));
    this.#compareHeader(response, digest);
    return blobDescriptor(digest, size);
  }

  /** The response to a HEAD, with any status. */
  head(
    repo: RepositoryName,
    digest: Digest,
    more: Pick<RemoteRequest, 'scopes' | 'wider' | 'onWait'>,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse> {
    const url = this.#client.url({ name: 'blob', repo, digest });
    return this.#client.send({ method: 'HEAD', url, ...more, persistent: true, signal });
  }

  async getBlob(repo: RepositoryName, blob: Digest | Descriptor, opts: GetBlobOptions = {}): Promise<Content> {
    opts.signal?.throwIfAborted();
    const { range } = opts;
    const inline = await inlineContent(blob, range);
    if (inline) return inline;
    const { content, response } = await this.#open(repo, blob, opts);
    const isEncoded = encodingsOf(response.headers).length > 0;
    const verify = range === undefined && (isEncoded || (opts.verify ?? true));
    const checked = verify ? await verifiedContent(content) : content;
    return isEncoded ? (await import('./encoded-blob.ts')).namingEncoding(checked, response) : checked;
  }

  async #open(
    repo: RepositoryName,
    blob: Digest | Descriptor,
    { range, onWait, signal }: GetBlobOptions,
  ): Promise<{ readonly content: BlobContent; readonly response: HttpResponse }> {
    const descriptor = typeof blob === 'string' ? undefined : blob;
    const digest = typeof blob === 'string' ? blob : blob.digest;
    const url = this.#client.url({ name: 'blob', repo, digest });
    const scopes = [repositoryScope(repo, 'pull')];
    const start = range?.start ?? 0;
    const end = range?.end;
    // One of unknown size may be large.
    const large = descriptor === undefined || descriptor.size >= largeBytes;
    const openWith = (from: number, to: number | undefined, signal: AbortSignal | undefined): Promise<HttpResponse> =>
      this.#client.send({ method: 'GET', url, scopes, headers: rangeHeader(from, to), large, onWait, signal });
    let openAt: OpenAt = (from, to) => openWith(from, to, signal);
    let open = (from: number): Promise<HttpResponse> => openAt(from, end);
    let response = await open(start);
    // HTTP has no range for an empty blob. For any other blob, a range from the first byte cannot be unsatisfiable.
    if (response.status === 416 && start === 0) {
      await response.body.discard();
      response = await openAt(0, undefined);
    }
    const foreign = response.status === 404 ? await this.#foreign(descriptor, end, start, signal) : undefined;
    if (foreign) {
      await response.body.discard();
      ({ openAt, response } = foreign);
    }
    const first = response;
    if (isContent(response) && encodingsOf(response.headers).length > 0) {
      const { readEncoded } = await import('./encoded-blob.ts');
      const openWhole = async (): Promise<HttpResponse> => openAt(0, undefined);
      const { retry } = this.#client.transport;
      const plain = await readEncoded({ response, digest, descriptor, openWhole, retry, signal });
      if (plain) ({ open, response } = plain);
    }
    if (!isContent(response)) throw await this.#client.error(response, this.#subject(repo, digest));
    try {
      const size = totalBytes(response) ?? descriptor?.size ?? (await this.statBlob(repo, digest, { signal })).size;
      if (descriptor && size !== descriptor.size) throw sizeMismatch(descriptor, size);
      const whole = descriptor ?? blobDescriptor(digest, size);
      if (range) checkRange(range, whole);
      const span = { start, end: Math.min(end ?? size, size) };
      const reopen = async (from: number): Promise<HttpResponse> => {
        const again = await open(from);
        if (isContent(again)) return again;
        throw await this.#client.error(again, this.#subject(repo, digest));
      };
      const { retry } = this.#client.transport;
      const body = bodyAt(response, span, whole);
      const isOwn = response === first && !foreign && encodingsOf(response.headers).length === 0;
      const openPart = (part: Span, stop: AbortSignal): Promise<HttpResponse> =>
        openWith(part.start, part.end, signal ? AbortSignal.any([signal, stop]) : stop);
      const drained = isOwn ? await this.#inParallel(body, { span, descriptor: whole, openPart, reopen }) : body;
      const content = new BlobContent({ descriptor: whole, span, first: drained, reopen, retry, onWait, signal });
      return { content, response: first };
    } catch (error) {
      await response.body.cancel();
      throw error;
    }
  }

  /** The body of a blob, read over several connections if it is large and that proves to be faster. */
  async #inParallel(body: HttpBody, { span, descriptor, openPart, reopen }: ParallelSource): Promise<HttpBody> {
    const { facts } = this.#client.options;
    if (span.end - span.start < parallelBytes || facts?.known.ranges === false) return body;
    const { ParallelBody } = await import('./parallel/parallel-body.ts');
    return new ParallelBody({
      body,
      span,
      async openPart(part, stop) {
        const response = await openPart(part, stop);
        if (isContent(response)) facts?.learn({ ranges: response.status === 206 });
        if (response.status === 206) return bodyAt(response, part, descriptor);
        await response.body.cancel();
        throw new OciError('UNSUPPORTED', `no part of a blob, but status ${response.status}`);
      },
      openRest: async (start) => bodyAt(await reopen(start), { start, end: span.end }, descriptor),
      verdict: this.#verdict,
      now: monotonicMs,
    });
  }

  /**
   * Fetches a layer that the registry may not serve from the URLs in its descriptor. Without credentials, because the author
   * of the manifest chose the address (CVE-2020-15157). The transport refuses addresses inside the user's network.
   */
  async #foreign(
    descriptor: Descriptor | undefined,
    end: number | undefined,
    start: number,
    signal: AbortSignal | undefined,
  ): Promise<{ openAt: OpenAt; response: HttpResponse } | undefined> {
    const { transport } = this.#client;
    let refusal: OciError | undefined;
    for (const text of descriptor?.urls ?? []) {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') continue;
      const openAt: OpenAt = (from, to) =>
        transport.request({ method: 'GET', url, headers: rangeHeader(from, to), anonymous: true, signal });
      try {
        const response = await openAt(start, end);
        if (isContent(response)) return { openAt, response };
        await response.body.discard();
      } catch (error) {
        signal?.throwIfAborted();
        if (!isOciError(error)) throw error;
        if (error.code === 'PROTOCOL') refusal ??= error;
      }
    }
    // A refused URL explains more than the registry's 404.
    if (refusal) throw refusal;
    return undefined;
  }

  async #sizeByGet(repo: RepositoryName, digest: Digest, signal: AbortSignal | undefined): Promise<number> {
    const url = this.#client.url({ name: 'blob', repo, digest });
    const scopes = [repositoryScope(repo, 'pull')];
    const response = await this.#client.expect(
      { method: 'GET', url, scopes, signal },
      [200],
      this.#subject(repo, digest),
    );
    await response.body.cancel();
    const size = lengthOf(response);
    if (size !== undefined) return size;
    if (encodingsOf(response.headers).length > 0) {
      // Whether the encoding is part of the blob, only its digest tells.
      const content = await this.getBlob(repo, digest, { signal });
      await content.cancel();
      return content.descriptor.size;
    }
    throw new OciError('PROTOCOL', `${this.#client.name} does not say how large blob ${digest} is`, {
      endpoint: this.#client.endpoint,
    });
  }

  #compareHeader(response: HttpResponse, digest: Digest): void {
    const said = tryParseDigest(header(response.headers, headers.contentDigest));
    if (!said || said === digest || digestAlgorithm(said) !== digestAlgorithm(digest)) return;
    throw new OciError('DIGEST_MISMATCH', `${this.#client.name} answered for blob ${said}, not for ${digest}`, {
      endpoint: this.#client.endpoint,
    });
  }

  #subject(repo: RepositoryName, digest: Digest): Subject {
    return { what: `blob ${digest}`, repository: shownName(this.#client.name, repo), notFound: 'BLOB_UNKNOWN' };
  }
}

interface ParallelSource {
  readonly span: Span;
  readonly descriptor: Descriptor;
  readonly openPart: (part: Span, stop: AbortSignal) => Promise<HttpResponse>;
  readonly reopen: (start: number) => Promise<HttpResponse>;
}

/** Requests a blob from a byte on, up to another byte or its end. */
type OpenAt = (from: number, to: number | undefined) => Promise<HttpResponse>;

function isContent({ status }: HttpResponse): boolean {
  return status === 200 || status === 206;
}

/** The blob's length, where the answer tells it: of encoded content it is not that of the blob. */
function lengthOf({ headers }: HttpResponse): number | undefined {
  return encodingsOf(headers).length > 0 ? undefined : contentLength(headers);
}

function rangeHeader(start: number, end: number | undefined): Readonly<Record<string, string>> {
  return start === 0 && end === undefined ? {} : { range: formatRangeRequest(start, end) };
}

/** Size of the whole blob, if the response tells it. */
function totalBytes(response: HttpResponse): number | undefined {
  if (response.status === 200) return contentLength(response.headers);
  return parseContentRange(header(response.headers, 'content-range'))?.size;
}
