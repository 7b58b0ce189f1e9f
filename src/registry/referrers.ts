/** Lists of referrers: the manifests whose `subject` is another manifest. Every registry here gives them in this form. */
import { type Digest, digestAlgorithm, digestHex } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { ManifestView } from '../model/manifest/manifest.ts';
import { parseTag, type Tag } from '../model/reference/reference.ts';
import { limitOf, type ReferrerOptions } from './options.ts';

/**
 * The entry of a manifest in a list of referrers: with its artifact type, or the type of its config, and its annotations.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export function referrerEntry({ mediaType, digest, size }: Descriptor, view: ManifestView): Descriptor {
  const artifactType = view.artifactType ?? (view.kind === 'image' ? view.config.mediaType : undefined);
  return {
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(Object.keys(view.annotations).length > 0 && { annotations: view.annotations }),
  };
}

/**
 * `sha256-<64 hex>`: the tag of the index that lists the referrers of a digest in registries without a referrers API.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
 */
export function fallbackTag(subject: Digest): Tag {
  return parseTag(`${digestAlgorithm(subject).slice(0, 32)}-${digestHex(subject).slice(0, 64)}`);
}

/** Entries sorted by digest. Of several entries with the same digest the first is kept. */
export function orderedReferrers(
  entries: Iterable<Descriptor>,
  { after = '', artifactType, ...part }: ReferrerOptions = {},
): readonly Descriptor[] {
  const byDigest = new Map<Digest, Descriptor>();
  for (const entry of entries) {
    if (entry.digest > after && !byDigest.has(entry.digest)) byDigest.set(entry.digest, entry);
  }
  return [...byDigest.values()]
    .filter((entry) => artifactType === undefined || entry.artifactType === artifactType)
    .sort((a, b) => (a.digest < b.digest ? -1 : 1))
    .slice(0, limitOf(part));
}
