import { repositoryScope } from '../auth/scopes.ts';
import type { Digest } from '../model/digest.ts';
import { isOciError, OciError, unlessUnknown } from '../model/errors.ts';
import { asArray } from '../model/json-fields.ts';
import { type Descriptor, parseDescriptor } from '../model/manifest/descriptor.ts';
import { mediaTypes } from '../model/manifest/media-types.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import { limitOf } from '../registry/options.ts';
import { fallbackTag, orderedReferrers } from '../registry/referrers.ts';
import type { ReferrerOptions } from '../registry/registry.ts';
import { header } from '../transport/http.ts';
import { headers } from '../wire/headers.ts';
import type { RemoteClient, Subject } from './client.ts';
import { putManifest } from './manifest-put.ts';
import type { ManifestReader } from './manifest-reader.ts';
import { shownName } from './names.ts';
import { pages } from './pages.ts';

/** A list is sorted as a whole, so it is held in memory. This suffices for 200 000 entries. */
const maxListBytes = 64 * 1024 * 1024;

/**
 * Manifests whose `subject` is another one, from the referrers API or the fallback tag.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export class Referrers {
  readonly #client: RemoteClient;
  readonly #manifests: ManifestReader;
  /**
   * The last change of each fallback tag. Changes of one tag run one after the other, or they would overwrite each other.
   */
  readonly #changes = new Map<string, Promise<void>>();

  constructor(client: RemoteClient, manifests: ManifestReader) {
    this.#client = client;
    this.#manifests = manifests;
  }

  /** All pages are read before the first entry is yielded, because registries may list in any order. */
  async *list(
    repo: RepositoryName,
    digest: Digest,
    { artifactType, signal, ...part }: ReferrerOptions = {},
  ): AsyncGenerator<Descriptor, void, undefined> {
    signal?.throwIfAborted();
    if (limitOf(part) === 0) return;
    const found: Descriptor[] = [];
    for await (const { entries, filtered } of this.#pages(repo, digest, artifactType, signal)) {
      const asked = artifactType === undefined || filtered;
      found.push(...(asked ? entries : entries.filter((entry) => entry.artifactType === artifactType)));
    }
    for (const entry of orderedReferrers(found, part)) {
      signal?.throwIfAborted();
      yield entry;
    }
  }

  /** Whether the registry maintains the list itself. */
  async supported(repo: RepositoryName, digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
    const url = this.#client.url({ name: 'referrers', repo, digest });
    const response = await this.#client.send({ method: 'GET', url, scopes: [repositoryScope(repo, 'pull')], signal });
    await response.body.discard();
    return !isMissing(response.status);
  }

  /** Adds a manifest to the list of its subject, for a registry that does not do so itself. */
  add(repo: RepositoryName, subject: Digest, entry: Descriptor, signal: AbortSignal | undefined): Promise<void> {
    return this.#change(repo, subject, signal, (entries) =>
      entries.some(({ digest }) => digest === entry.digest) ? undefined : [...entries, entry],
    );
  }

  /** Removes a manifest from the list of its subject. */
  remove(repo: RepositoryName, subject: Digest, digest: Digest, signal: AbortSignal | undefined): Promise<void> {
    return this.#change(repo, subject, signal, (entries) => {
      const left = entries.filter((entry) => entry.digest !== digest);
      return left.length === entries.length ? undefined : left;
    });
  }

  async *#pages(
    repo: RepositoryName,
    digest: Digest,
    artifactType: string | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ readonly entries: readonly Descriptor[]; readonly filtered: boolean }, void, undefined> {
    const url = this.#client.url({ name: 'referrers', repo, digest }, { artifactType });
    const subject: Subject = { what: `referrers of ${digest}`, repository: shownName(this.#client.name, repo) };
    try {
      const list = { field: 'manifests', scopes: [repositoryScope(repo, 'pull')], subject, signal };
      let left = maxListBytes;
      for await (const { document, response, bytes } of pages(this.#client, url, list)) {
        left -= bytes;
        if (left < 0) {
          throw new OciError('TOO_LARGE', `${subject.what}: there is no end to the list after ${maxListBytes} bytes`, {
            endpoint: this.#client.endpoint,
          });
        }
        const applied = header(response.headers, headers.filtersApplied) ?? '';
        const filtered = applied.split(',').some((word) => word.trim() === 'artifactType');
        yield { entries: readEntries(document['manifests']), filtered };
      }
    } catch (error) {
      if (!isOciError(error) || error.status === undefined || !isMissing(error.status)) throw error;
      yield { entries: (await this.#fallback(repo, digest, signal)) ?? [], filtered: false };
    }
  }

  /** The entries of the list under the fallback tag; undefined if it holds no such list. */
  async #fallback(
    repo: RepositoryName,
    subject: Digest,
    signal: AbortSignal | undefined,
  ): Promise<readonly Descriptor[] | undefined> {
    const found = await unlessUnknown(this.#manifests.getManifest(repo, fallbackTag(subject), { signal }));
    // GitLab reads such a tag as the digest, and shows the image itself.
    if (found === undefined || found.descriptor.digest === subject) return [];
    return found.view.kind === 'index' && found.mediaType === mediaTypes.ociIndex ? found.view.manifests : undefined;
  }

  #change(
    repo: RepositoryName,
    subject: Digest,
    signal: AbortSignal | undefined,
    edit: (entries: readonly Descriptor[]) => readonly Descriptor[] | undefined,
  ): Promise<void> {
    const tag = fallbackTag(subject);
    const key = `${repo}:${tag}`;
    const before = this.#changes.get(key) ?? Promise.resolve();
    const change = before
      .catch(() => {})
      .then(async () => {
        const entries = await this.#fallback(repo, subject, signal);
        if (!entries) throw new OciError('MANIFEST_INVALID', `the tag ${tag} of ${repo} is not the index it should be`);
        const edited = edit(entries);
        if (!edited) return;
        const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: edited };
        const manifest = { mediaType: mediaTypes.ociIndex, bytes: Buffer.from(JSON.stringify(index)) };
        await putManifest(this.#client, repo, tag, manifest, { signal });
      })
      .finally(() => {
        if (this.#changes.get(key) === change) this.#changes.delete(key);
      });
    this.#changes.set(key, change);
    return change;
  }
}

// Older registries: most do not know the path, and some answer as if the method were wrong.
function isMissing(status: number): boolean {
  return status === 404 || status === 405 || status === 501;
}

function readEntries(value: unknown): readonly Descriptor[] {
  const items = value === null || value === undefined ? [] : asArray(value, 'manifests');
  return items.flatMap((item, i) => {
    try {
      return [parseDescriptor(item, `manifests[${i}]`)];
    } catch {
      return [];
    }
  });
}
