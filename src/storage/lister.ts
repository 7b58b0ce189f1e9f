import type { Digest } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { childrenOf } from '../model/manifest/manifest.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import { limitOf } from '../registry/options.ts';
import { fallbackTag, orderedReferrers, referrerEntry } from '../registry/referrers.ts';
import type { Lister, ListOptions, ReferrerOptions } from '../registry/registry.ts';
import { readLink } from './blobs/links.ts';
import { digestsIn } from './listing.ts';
import { checkedTogether, present } from './manifests/listed-tags.ts';
import { loadManifest, nameUnknown, repositoryExists, tryParseManifest } from './manifests/manifests.ts';
import { walkRepositories } from './manifests/repositories.ts';
import { referrersPath, tagCurrentPath } from './paths.ts';
import type { Store } from './store.ts';

/** The listing part of a storage registry. */
export function createLister(store: Store): Lister {
  const { driver } = store;
  return {
    repositories: (opts) => atMost(opts, walkRepositories(driver, { after: opts?.after })),

    tags: (repo, opts) => atMost(opts, tagsOf(store, repo, opts)),

    referrers: (repo, subject, opts) => atMost(opts, referrersOf(store, repo, subject, opts)),
  };
}

async function* tagsOf(store: Store, repo: RepositoryName, opts: ListOptions = {}): AsyncGenerator<Tag> {
  const { after = '' } = opts;
  const { names, areChecked } = await store.listed.tags(repo, opts);
  if (names.length === 0 && !(await repositoryExists(store, repo))) throw nameUnknown(repo);
  const tags = after === '' ? names : names.filter((tag) => tag > after);
  if (areChecked) return yield* tags;
  const together = Math.min(checkedTogether, limitOf(opts));
  for (let at = 0; at < tags.length; at += together) {
    opts.signal?.throwIfAborted();
    yield* await present(store.driver, repo, tags.slice(at, at + together));
  }
}

async function* atMost<T>(opts: ListOptions | undefined, entries: AsyncIterable<T>): AsyncGenerator<T> {
  let left = limitOf(opts);
  opts?.signal?.throwIfAborted();
  if (left === 0) return;
  for await (const entry of entries) {
    opts?.signal?.throwIfAborted();
    yield entry;
    left -= 1;
    if (left === 0) return;
  }
}

// Manifests are read one by one while the list is read. Links are sorted by digest; entries of the fallback tag are
// merged in.
async function* referrersOf(
  store: Store,
  repo: RepositoryName,
  subject: Digest,
  { after = '', artifactType }: ReferrerOptions = {},
): AsyncGenerator<Descriptor> {
  for await (const { read } of merged(await fallbackReferrers(store, repo, subject, after), linked())) {
    const entry = await read();
    if (entry === undefined) continue;
    if (artifactType === undefined || entry.artifactType === artifactType) yield entry;
  }

  async function* linked(): AsyncGenerator<Linked> {
    for await (const digest of digestsIn(store.driver, referrersPath(repo, subject), after)) {
      yield { digest, read: () => readReferrer(store, repo, digest) };
    }
  }
}

interface Linked {
  readonly digest: Digest;
  /** Undefined if the manifest is missing or damaged, or does not name the subject. */
  read(): Promise<Descriptor | undefined>;
}

/** Merges two sorted lists. For a digest in both, the linked entry is used. */
async function* merged(tagged: readonly Linked[], links: AsyncIterable<Linked>): AsyncGenerator<Linked> {
  let next = 0;
  for await (const link of links) {
    for (let entry = tagged[next]; entry && entry.digest <= link.digest; entry = tagged[next]) {
      if (entry.digest !== link.digest) yield entry;
      next += 1;
    }
    yield link;
  }
  yield* tagged.slice(next);
}

async function readReferrer(store: Store, repo: RepositoryName, digest: Digest): Promise<Descriptor | undefined> {
  return (await readEntry(store, repo, digest))?.entry;
}

interface Entry {
  readonly entry: Descriptor;
  readonly subject: Digest | undefined;
}

async function readEntry(store: Store, repo: RepositoryName, digest: Digest): Promise<Entry | undefined> {
  const raw = await loadManifest(store, repo, digest);
  const view = raw === undefined ? undefined : tryParseManifest(raw);
  if (raw === undefined || view === undefined) return undefined;
  const entry = referrerEntry({ mediaType: raw.mediaType, digest, size: raw.bytes.length }, view);
  return { entry, subject: view.subject?.digest };
}

/**
 * Referrers that clients listed under the fallback tag, as they do for a registry without a referrers API. Their manifests
 * tell whether they are: some clients put the image itself there, and entries may lack their type.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
 */
async function fallbackReferrers(
  store: Store,
  repo: RepositoryName,
  subject: Digest,
  after: string,
): Promise<readonly Linked[]> {
  const digest = await readLink(store, tagCurrentPath(repo, fallbackTag(subject)));
  // The image itself under such a tag is no list.
  const raw = digest === undefined || digest === subject ? undefined : await loadManifest(store, repo, digest);
  const view = raw === undefined ? undefined : tryParseManifest(raw);
  if (view === undefined) return [];
  return orderedReferrers(childrenOf(view), { after }).map((listed) => ({
    digest: listed.digest,
    async read() {
      const found = await readEntry(store, repo, listed.digest);
      return found?.subject === subject ? found.entry : undefined;
    },
  }));
}
