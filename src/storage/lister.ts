import { type Digest, digestAlgorithm, digestHex } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { childrenOf, type ManifestView, type RawManifest } from '../model/manifest/manifest.ts';
import { type RepositoryName, type Tag, tryParseTag } from '../model/reference/reference.ts';
import type { Lister, ListOptions } from '../registry/registry.ts';
import { readLink } from './blobs/links.ts';
import type { Driver } from './driver.ts';
import { digestsIn, entriesIn } from './listing.ts';
import { loadManifest, nameUnknown, repositoryExists, tryParseManifest } from './manifests/manifests.ts';
import { walkRepositories } from './manifests/repositories.ts';
import { referrersPath, tagCurrentPath, tagsPath } from './paths.ts';
import type { Store } from './store.ts';

/** The listing part of a storage registry. */
export function createLister(store: Store): Lister {
  const { driver } = store;
  return {
    repositories: (opts) => atMost(opts, walkRepositories(driver, { after: opts?.after })),

    tags: (repo, opts) =>
      atMost(
        opts,
        (async function* () {
          if (!(await repositoryExists(store, repo))) throw nameUnknown(repo);
          for (const tag of await tagsIn(driver, repo)) {
            if (tag <= (opts?.after ?? '')) continue;
            // A tag that is being written or deleted has a history and no current link.
            if ((await driver.stat(tagCurrentPath(repo, tag))) !== undefined) yield tag;
          }
        })(),
      ),

    async *referrers(repo, subject, opts) {
      opts?.signal?.throwIfAborted();
      for await (const descriptor of allReferrers(store, repo, subject)) {
        opts?.signal?.throwIfAborted();
        if (opts?.artifactType === undefined || descriptor.artifactType === opts.artifactType) yield descriptor;
      }
    },
  };
}

// In the order of names. Keys have another: there `a-b/` comes before `a/`.
async function tagsIn(driver: Driver, repo: RepositoryName): Promise<readonly Tag[]> {
  const tags: Tag[] = [];
  for await (const { name, kind } of entriesIn(driver, tagsPath(repo))) {
    const tag = kind === 'prefix' ? tryParseTag(name) : undefined;
    if (tag !== undefined) tags.push(tag);
  }
  return tags.sort();
}

async function* atMost<T>(opts: ListOptions | undefined, entries: AsyncIterable<T>): AsyncGenerator<T> {
  let left = opts?.limit ?? Number.POSITIVE_INFINITY;
  opts?.signal?.throwIfAborted();
  if (left <= 0) return;
  for await (const entry of entries) {
    opts?.signal?.throwIfAborted();
    yield entry;
    left -= 1;
    if (left <= 0) return;
  }
}

async function* allReferrers(store: Store, repo: RepositoryName, subject: Digest): AsyncGenerator<Descriptor> {
  const seen = new Set<Digest>();
  for await (const digest of digestsIn(store.driver, referrersPath(repo, subject))) {
    seen.add(digest);
    const raw = await loadManifest(store, repo, digest);
    const view = raw === undefined ? undefined : tryParseManifest(raw);
    if (raw !== undefined && view !== undefined) yield describe(digest, raw, view);
  }
  for (const entry of await fallbackReferrers(store, repo, subject)) {
    if (!seen.has(entry.digest)) yield entry;
  }
}

/**
 * What clients of a registry without the referrers API left under a tag.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
 */
async function fallbackReferrers(store: Store, repo: RepositoryName, subject: Digest): Promise<readonly Descriptor[]> {
  const tag = tryParseTag(`${digestAlgorithm(subject).slice(0, 32)}-${digestHex(subject).slice(0, 64)}`);
  const digest = tag === undefined ? undefined : await readLink(store, tagCurrentPath(repo, tag));
  const raw = digest === undefined ? undefined : await loadManifest(store, repo, digest);
  const view = raw === undefined ? undefined : tryParseManifest(raw);
  return view === undefined ? [] : childrenOf(view);
}

function describe(digest: Digest, raw: RawManifest, view: ManifestView): Descriptor {
  const artifactType = view.artifactType ?? (view.kind === 'image' ? view.config.mediaType : undefined);
  return {
    mediaType: raw.mediaType,
    digest,
    size: raw.bytes.length,
    ...(artifactType !== undefined && { artifactType }),
    ...(Object.keys(view.annotations).length > 0 && { annotations: view.annotations }),
  };
}
