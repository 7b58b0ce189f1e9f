import { type Digest, digestAlgorithm, digestBytes } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { parseManifest, type RawManifest } from '../model/manifest/manifest.ts';
import { bareMediaType } from '../model/manifest/media-types.ts';
import { digestedPart } from '../model/manifest/schema1.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import { digestMismatch } from '../registry/content.ts';
import { referrerEntry } from '../registry/referrers.ts';
import type { PushManifestOptions } from '../registry/registry.ts';
import { type HttpResponse, header, headerLines } from '../transport/http.ts';
import { headers } from '../wire/headers.ts';
import type { RemoteClient } from './client.ts';
import { putManifest } from './manifest-put.ts';
import type { Referrers } from './referrers.ts';

/** Writes the manifests of a remote registry. */
export class ManifestWriter {
  readonly #client: RemoteClient;
  readonly #referrers: Referrers;

  constructor(client: RemoteClient, referrers: Referrers) {
    this.#client = client;
    this.#referrers = referrers;
  }

  /** The registry decides whether children may be missing. */
  async pushManifest(repo: RepositoryName, raw: RawManifest, opts: PushManifestOptions = {}): Promise<Descriptor> {
    const { tags = [], signal } = opts;
    signal?.throwIfAborted();
    const manifest = { mediaType: bareMediaType(raw.mediaType), bytes: raw.bytes };
    const view = parseManifest(manifest);
    const digest = await digestBytes(digestedPart(manifest), opts.digest && digestAlgorithm(opts.digest));
    if (opts.digest && opts.digest !== digest) throw digestMismatch(opts.digest, digest);
    const descriptor = { mediaType: manifest.mediaType, digest, size: raw.bytes.length };
    const answer = await this.#put(repo, manifest, digest, tags, signal);
    const listed = header(answer.headers, headers.subject) !== undefined;
    if (view.subject && !listed) {
      const entry = referrerEntry(descriptor, view);
      await this.#referrers.tags.add(repo, view.subject.digest, entry, signal).catch((error: unknown) => {
        throw isOciError(error) && !signal?.aborted ? notListed(descriptor, view.subject?.digest, error) : error;
      });
    }
    return descriptor;
  }

  /** @returns The response to the last request. */
  async #put(
    repo: RepositoryName,
    manifest: RawManifest,
    digest: Digest,
    tags: readonly Tag[],
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse> {
    const put = (reference: Tag | Digest, query: readonly Tag[] = []): Promise<HttpResponse> =>
      putManifest(this.#client, repo, reference, manifest, { tags: query, signal });
    const [first, ...others] = tags;
    if (first !== undefined && digestAlgorithm(digest) === 'sha256') {
      const answer = await put(first);
      for (const tag of others) await put(tag);
      return answer;
    }
    // If it were pushed by tag only, a registry would store the manifest under its sha256.
    const answer = await put(digest, tags);
    const set = new Set(headerLines(answer.headers, headers.tag).flatMap((line) => line.split(/[\s,]+/)));
    for (const tag of tags) if (!set.has(tag)) await put(tag);
    return answer;
  }
}

/** The error for a manifest that is there, and that nobody finds by its subject. */
function notListed({ digest }: Descriptor, subject: Digest | undefined, cause: OciError): OciError {
  const { code, message, status, endpoint, retryable, retryAfterMs } = cause;
  return new OciError(code, `${digest} was stored, but not listed as referring to ${subject}: ${message}`, {
    hint: cause.hint ?? 'the same command tries to list it again',
    ...{ status, endpoint, retryable, retryAfterMs, cause },
  });
}
