import { repositoryScope } from '../auth/scopes.ts';
import { type Digest, digestAlgorithm, digestBytes, tryParseDigest } from '../model/digest.ts';
import { isOciError, OciError, unlessUnknown } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { type Manifest, receiveManifest } from '../model/manifest/manifest.ts';
import {
  bareMediaType,
  isMediaType,
  manifestAcceptHeader,
  manifestMediaTypes,
  mediaTypes,
} from '../model/manifest/media-types.ts';
import { digestedPart } from '../model/manifest/schema1.ts';
import { RecentMap } from '../model/recent-map.ts';
import { isDigestReference, type RepositoryName, type Tag } from '../model/reference/reference.ts';
import { digestMismatch } from '../registry/content.ts';
import type { PullLimit } from '../registry/extensions.ts';
import type { GetManifestOptions, SignalOption, StatManifestOptions } from '../registry/registry.ts';
import { encodingsOf, namingEncodings } from '../transport/encoding/content-encoding.ts';
import { contentLength, type HttpResponse, header } from '../transport/http.ts';
import { endpointOf } from '../transport/redact.ts';
import { headers } from '../wire/headers.ts';
import type { RemoteClient, RemoteRequest, Subject } from './client.ts';
import { shownName, shownReference } from './names.ts';
import { pullLimitOf } from './pull-limit.ts';

const defaultMaxManifestBytes = 4 * 1024 * 1024;
const maxRemembered = 1000;

/** Reads the manifests of a remote registry. */
export class ManifestReader {
  readonly #client: RemoteClient;
  /** The tag by which a digest was found, by repository and digest. */
  readonly #tags = new RecentMap<string, Tag>(maxRemembered);
  #pullLimit: PullLimit | undefined;

  constructor(client: RemoteClient) {
    this.#client = client;
  }

  /** The limit on pulls that the last answer named, if one did. */
  get pullLimit(): PullLimit | undefined {
    return this.#pullLimit;
  }

  /**
   * Uses HEAD, then GET if that response is incomplete or a failure. Registries and proxies answer HEAD with almost any
   * status although GET works, and only a response to GET tells the reason.
   */
  async statManifest(
    repo: RepositoryName,
    reference: Tag | Digest,
    opts: StatManifestOptions = {},
  ): Promise<Descriptor> {
    const descriptor = await this.#statByHead(repo, reference, opts);
    if (!isDigestReference(reference)) this.#tags.set(`${repo}@${descriptor.digest}`, reference);
    return descriptor;
  }

  async #statByHead(
    repo: RepositoryName,
    reference: Tag | Digest,
    { mayBeAbsent = false, signal }: StatManifestOptions,
  ): Promise<Descriptor> {
    const opts = { signal };
    const { facts } = this.#client.options;
    if (facts?.known.heads === false) return this.#statByGet(repo, reference, opts);
    // What a GET tells after a HEAD did not. The next run asks by GET only if it is the method that is not served.
    const getInstead = async (status: number): Promise<Descriptor> => {
      const descriptor = await this.#statByGet(repo, reference, { signal, settled: status === 401 });
      if ([200, 400, 405, 501].includes(status)) facts?.learn({ heads: false });
      return descriptor;
    };
    const accept = manifestAcceptHeader();
    const response = await this.#request('HEAD', repo, reference, { accept }, { signal }).catch((error: unknown) => {
      // GET may be allowed although HEAD requires a login.
      if (isOciError(error, 'UNAUTHORIZED', 'DENIED')) return undefined;
      throw error;
    });
    if (response === undefined) return this.#statByGet(repo, reference, opts);
    await response.body.discard();
    if (response.status === 429 || (response.status === 404 && mayBeAbsent)) {
      throw await this.#client.error(response, this.#subject(repo, reference));
    }
    if (response.status >= 500) return this.#statByGet(repo, reference, opts);
    if (response.status !== 200) return getInstead(response.status);
    const said = tryParseDigest(header(response.headers, headers.contentDigest));
    const digest = isDigestReference(reference) ? reference : said;
    // The Content-Length of an encoded manifest is not that of the manifest.
    const size = encodingsOf(response.headers).length > 0 ? undefined : contentLength(response.headers);
    const mediaType = declaredType(response);
    if (!digest || !size || mediaType === undefined) return getInstead(200);
    // If a digest was requested and the header has another, the body decides.
    if (said && said !== digest && digestAlgorithm(said) === digestAlgorithm(digest)) {
      return this.#statByGet(repo, reference, opts);
    }
    return { mediaType, digest, size };
  }

  getManifest(repo: RepositoryName, reference: Tag | Digest, opts: GetManifestOptions = {}): Promise<Manifest> {
    return this.#get(repo, reference, opts);
  }

  async #get(
    repo: RepositoryName,
    reference: Tag | Digest,
    opts: GetManifestOptions & Pick<RemoteRequest, 'settled'>,
  ): Promise<Manifest> {
    const { accept = manifestMediaTypes(), ifNoneMatch, settled, beforePush, signal } = opts;
    const condition = ifNoneMatch === undefined ? {} : { 'if-none-match': `"${ifNoneMatch}"` };
    const name = shownReference(this.#client.name, repo, reference);
    const asked = { accept: accept.join(', '), ...condition };
    const wider = beforePush ? [repositoryScope(repo, 'pull', 'push')] : [];
    const response = await this.#request('GET', repo, reference, asked, { signal, settled, wider }).catch(
      (error: unknown) => {
        throw isOciError(error, 'TOO_LARGE') ? this.#tooLarge(name) : error;
      },
    );
    const said = tryParseDigest(header(response.headers, headers.contentDigest));
    if (ifNoneMatch !== undefined && (response.status === 304 || (response.status === 200 && said === ifNoneMatch))) {
      await response.body.discard();
      throw new OciError('NOT_MODIFIED', `${name} has not changed: it is ${ifNoneMatch}`, { status: response.status });
    }
    if (response.status !== 200) {
      const error = await this.#client.error(response, this.#subject(repo, reference));
      const tagged = response.status === 404 && (await this.#getByTag(repo, reference, opts));
      if (tagged) return tagged;
      throw error;
    }
    const bytes = await this.#readBody(response, name);
    const expected = isDigestReference(reference) ? reference : undefined;
    const declared = declaredType(response);
    const part = digestedPart({ mediaType: declared ?? '', bytes });
    const digest = await verifiedDigest(part, expected, said).catch((error: unknown) => {
      throw namingEncodings(error, response.url, encodingsOf(response.headers));
    });
    if (digest === ifNoneMatch) throw new OciError('NOT_MODIFIED', `${name} has not changed: it is ${ifNoneMatch}`);
    const { mediaType, view } = receiveManifest(declared, bytes);
    return { mediaType, bytes, view, descriptor: { mediaType, digest, size: bytes.length } };
  }

  /** Some proxies know a manifest by its tag only. That response is used if it has the digest. */
  async #getByTag(
    repo: RepositoryName,
    digest: Tag | Digest,
    { accept, signal }: GetManifestOptions,
  ): Promise<Manifest | undefined> {
    const tag = isDigestReference(digest) ? this.#tags.get(`${repo}@${digest}`) : undefined;
    const found = tag && (await unlessUnknown(this.getManifest(repo, tag, { accept, signal })));
    return found?.descriptor.digest === digest ? found : undefined;
  }

  async #statByGet(
    repo: RepositoryName,
    reference: Tag | Digest,
    opts: SignalOption & Pick<RemoteRequest, 'settled'>,
  ): Promise<Descriptor> {
    return (await this.#get(repo, reference, opts)).descriptor;
  }

  async #readBody(response: HttpResponse, name: string): Promise<Uint8Array> {
    if ((contentLength(response.headers) ?? 0) > this.#maxBytes) {
      await response.body.cancel();
      throw this.#tooLarge(name);
    }
    if (bareMediaType(header(response.headers, 'content-type') ?? '') === 'text/html') {
      await response.body.cancel();
      throw new OciError('PROTOCOL', `${this.#client.name} answered with a web page, not with manifest ${name}`, {
        endpoint: this.#client.endpoint,
        hint: 'a proxy or a login page of the network may be in between, or there is no registry',
      });
    }
    return response.body.bytes(this.#maxBytes);
  }

  get #maxBytes(): number {
    return this.#client.options.maxManifestBytes ?? defaultMaxManifestBytes;
  }

  #tooLarge(name: string): OciError {
    return new OciError('TOO_LARGE', `manifest for ${name} is larger than the ${this.#maxBytes} bytes allowed`, {
      endpoint: this.#client.endpoint,
    });
  }

  async #request(
    method: 'GET' | 'HEAD',
    repo: RepositoryName,
    reference: Tag | Digest,
    requestHeaders: Readonly<Record<string, string>>,
    { signal, settled = false, wider }: Pick<RemoteRequest, 'signal' | 'settled' | 'wider'>,
  ): Promise<HttpResponse> {
    const url = this.#client.url({ name: 'manifest', repo, reference });
    const scopes = [repositoryScope(repo, 'pull')];
    const wholeBytes = method === 'GET' ? this.#maxBytes : undefined;
    const takesServerErrors = method === 'HEAD';
    const how = {
      scopes,
      wider,
      headers: requestHeaders,
      persistent: true,
      takesServerErrors,
      settled,
      wholeBytes,
      signal,
    };
    const response = await this.#client.send({ method, url, ...how });
    this.#pullLimit = pullLimitOf(response.headers) ?? this.#pullLimit;
    return response;
  }

  #subject(repo: RepositoryName, reference: Tag | Digest): Subject {
    const { name } = this.#client;
    return {
      what: `manifest for ${shownReference(name, repo, reference)}`,
      repository: shownName(name, repo),
      notFound: 'MANIFEST_UNKNOWN',
    };
  }
}

/**
 * The digest of the bytes, with the algorithm of the request, or else that of the header.
 *
 * @throws OciError DIGEST_MISMATCH if they differ from the requested digest or from the header. A header with another
 * algorithm is ignored: distribution reports a sha512 manifest by its sha256.
 */
async function verifiedDigest(
  bytes: Uint8Array,
  expected: Digest | undefined,
  said: Digest | undefined,
): Promise<Digest> {
  const claim = expected ?? said;
  const digest = await digestBytes(bytes, claim && digestAlgorithm(claim));
  if (claim && claim !== digest) throw digestMismatch(claim, digest);
  if (said && said !== digest && digestAlgorithm(said) === digestAlgorithm(digest)) throw digestMismatch(said, digest);
  return digest;
}

/**
 * The Content-Type, unless it is a generic one that some servers send for everything.
 *
 * @throws OciError PROTOCOL if it is not a media type: it would be stored, and later shown as the type of an image.
 */
function declaredType(response: HttpResponse): string | undefined {
  const type = bareMediaType(header(response.headers, 'content-type') ?? '');
  if (type !== '' && !isMediaType(type)) {
    throw new OciError(
      'PROTOCOL',
      `${response.url.host} answered with a Content-Type that is not a media type: refused`,
      {
        endpoint: endpointOf(response.url),
      },
    );
  }
  return ['', 'text/plain', 'application/json', mediaTypes.octetStream].includes(type) ? undefined : type;
}
