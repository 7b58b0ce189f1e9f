import { repositoryScope } from '../auth/scopes.ts';
import { monotonicMs } from '../model/clock.ts';
import type { Digest } from '../model/digest.ts';
import { isOciError, OciError, unlessUnknown } from '../model/errors.ts';
import { inOrder } from '../model/in-order.ts';
import { asArray } from '../model/json-fields.ts';
import { type Descriptor, parseDescriptor } from '../model/manifest/descriptor.ts';
import { childrenOf } from '../model/manifest/manifest.ts';
import { RecentMap } from '../model/recent-map.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import { limitOf } from '../registry/options.ts';
import { fallbackTag, orderedReferrers, referrerEntry } from '../registry/referrers.ts';
import type { ReferrerOptions } from '../registry/registry.ts';
import { header } from '../transport/http.ts';
import { headers } from '../wire/headers.ts';
import type { RemoteClient, Subject } from './client.ts';
import { FallbackTags } from './fallback-tags.ts';
import type { ManifestReader } from './manifest-reader.ts';
import { shownName } from './names.ts';
import { pages } from './pages.ts';

/** A list is sorted as a whole, so it is held in memory. This suffices for 200 000 entries. */
const maxListBytes = 64 * 1024 * 1024;

/** How many entries are opened at once. */
const readAtOnce = 8;

/** After so many answers in a row that there is no such API, it is not asked for a while. */
const enoughRefusals = 3;
const refusalsCountMs = 60_000;
const maxRepositories = 100;

interface Page {
  readonly entries: readonly Descriptor[];
  /** Whether the registry gave those of the wanted type alone. */
  readonly filtered: boolean;
  /** Whether clients wrote them, under the fallback tag. */
  readonly tagged: boolean;
}

/**
 * Manifests whose `subject` is another one, from the referrers API or the fallback tag.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export class Referrers {
  readonly #client: RemoteClient;
  readonly #manifests: ManifestReader;
  /** Where clients write the lists. */
  readonly tags: FallbackTags;
  /** By repository, how often in a row there was no API, and since when. */
  readonly #refusals = new RecentMap<RepositoryName, { readonly count: number; readonly sinceMs: number }>(
    maxRepositories,
  );

  constructor(client: RemoteClient, manifests: ManifestReader) {
    this.#client = client;
    this.#manifests = manifests;
    this.tags = new FallbackTags(client, manifests);
  }

  /** All pages are read before the first entry is yielded, because registries may list in any order. */
  async *list(
    repo: RepositoryName,
    subject: Digest,
    { artifactType, checked = false, knownTags, signal, after, limit }: ReferrerOptions = {},
  ): AsyncGenerator<Descriptor, void, undefined> {
    signal?.throwIfAborted();
    let left = limitOf({ limit });
    if (left === 0) return;
    const isWanted = (entry: Descriptor): boolean => artifactType === undefined || entry.artifactType === artifactType;
    const isDoubtful = (entry: Descriptor): boolean => checked && (tagged || entry.artifactType === undefined);
    let tagged = false;
    const found: Descriptor[] = [];
    for await (const page of this.#pages(repo, subject, { artifactType, knownTags, signal })) {
      tagged = page.tagged;
      found.push(...page.entries.filter((entry) => page.filtered || isWanted(entry) || isDoubtful(entry)));
    }
    const settle = async (entry: Descriptor): Promise<Descriptor | undefined> => {
      signal?.throwIfAborted();
      if (!isDoubtful(entry)) return entry;
      const read = await this.#readEntry(repo, entry, signal);
      if (tagged) return read?.subject === subject && isWanted(read.entry) ? read.entry : undefined;
      return read && isWanted(read.entry) ? read.entry : entry;
    };
    for await (const entry of inOrder(orderedReferrers(found, { after }), readAtOnce, settle)) {
      if (entry === undefined) continue;
      yield entry;
      left -= 1;
      if (left === 0) return;
    }
  }

  /** Whether the registry maintains the list itself. */
  async supported(repo: RepositoryName, digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
    const url = this.#client.url({ name: 'referrers', repo, digest });
    const response = await this.#client.send({ method: 'GET', url, scopes: [repositoryScope(repo, 'pull')], signal });
    await response.body.discard();
    return !isMissing(response.status);
  }

  /** An entry as its manifest says, and the manifest's subject; undefined if it is not there, or is no manifest. */
  async #readEntry(
    repo: RepositoryName,
    { digest }: Descriptor,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly entry: Descriptor; readonly subject: Digest | undefined } | undefined> {
    const codes = ['MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'MANIFEST_INVALID'] as const;
    const manifest = await unlessUnknown(this.#manifests.getManifest(repo, digest, { signal }), ...codes);
    if (!manifest) return undefined;
    const { descriptor, view } = manifest;
    return { entry: referrerEntry(descriptor, view), subject: view.subject?.digest };
  }

  async *#pages(
    repo: RepositoryName,
    digest: Digest,
    opts: Pick<ReferrerOptions, 'artifactType' | 'knownTags' | 'signal'>,
  ): AsyncGenerator<Page, void, undefined> {
    if (this.#lacksApi(repo)) return yield await this.#tagged(repo, digest, opts);
    const { artifactType, signal } = opts;
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
        this.#refusals.delete(repo);
        yield { entries: readEntries(document['manifests']), filtered, tagged: false };
      }
    } catch (error) {
      if (!isOciError(error) || error.status === undefined || !isMissing(error.status)) throw error;
      const { count, sinceMs } = this.#refusals.get(repo) ?? { count: 0, sinceMs: monotonicMs() };
      this.#refusals.set(repo, { count: count + 1, sinceMs });
      yield await this.#tagged(repo, digest, opts);
    }
  }

  #lacksApi(repo: RepositoryName): boolean {
    const { count, sinceMs } = this.#refusals.get(repo) ?? { count: 0, sinceMs: 0 };
    if (count < enoughRefusals) return false;
    if (monotonicMs() - sinceMs < refusalsCountMs) return true;
    this.#refusals.delete(repo);
    return false;
  }

  /** The list under the fallback tag. */
  async #tagged(
    repo: RepositoryName,
    subject: Digest,
    { knownTags, signal }: Pick<ReferrerOptions, 'knownTags' | 'signal'>,
  ): Promise<Page> {
    const tag = fallbackTag(subject);
    const asked = (await knownTags?.mayBeThere(tag)) ?? true;
    const list = asked ? await this.tags.read(repo, subject, signal) : undefined;
    if (list) knownTags?.found(tag);
    return { entries: list ? childrenOf(list.view) : [], filtered: false, tagged: true };
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
