import type { Digest } from '../../model/digest.ts';
import { childrenOf, type Manifest } from '../../model/manifest/manifest.ts';
import type { Tag } from '../../model/reference/reference.ts';

/** A tag of the store; its digest is undefined if its file holds none. */
export interface SurveyedTag {
  readonly tag: Tag;
  readonly digest: Digest | undefined;
}

/** Which images the manifests of a repository belong to. */
export interface ImageNames {
  /** The names of each image, by the digest of its manifest or index. */
  readonly roots: ReadonlyMap<Digest, readonly string[]>;
  /** Names of tags that hold no digest. */
  readonly damagedTags: readonly string[];
  /** The images that a manifest is a part of. Empty if the names are limited to other images. */
  rootsOf(digest: Digest): ReadonlySet<Digest>;
  /** The names of these images. */
  of(digest: Digest): readonly string[];
}

interface Wanted {
  readonly digests: ReadonlySet<Digest>;
  readonly tags: ReadonlySet<Tag>;
}

/**
 * Finds the images of a repository: what tags point at, and manifests that nothing leads to. Images of an index and
 * referrers belong to the image above them.
 *
 * @param name The repository's familiar name.
 * @param only Leaves out all other images.
 */
export function nameManifests(
  name: string,
  {
    manifests,
    tags,
  }: { readonly manifests: ReadonlyMap<Digest, Manifest | undefined>; readonly tags: readonly SurveyedTag[] },
  only?: Wanted,
): ImageNames {
  const below = belowEach(manifests);
  const roots = new Map<Digest, string[]>();
  const damagedTags: string[] = [];
  for (const { tag, digest } of tags) {
    if (digest === undefined) {
      if (only === undefined || only.tags.has(tag)) damagedTags.push(`${name}:${tag}`);
    } else roots.set(digest, [...(roots.get(digest) ?? []), `${name}:${tag}`]);
  }
  const led = new Set([...below.values()].flat());
  for (const digest of manifests.keys()) {
    if (!roots.has(digest) && (!led.has(digest) || only?.digests.has(digest))) roots.set(digest, [`${name}@${digest}`]);
  }
  if (only !== undefined) for (const root of roots.keys()) if (!only.digests.has(root)) roots.delete(root);
  const reached = new Map<Digest, Set<Digest>>();
  for (const root of roots.keys()) {
    const queue = [root];
    for (let digest = queue.pop(); digest !== undefined; digest = queue.pop()) {
      const known = reached.get(digest) ?? new Set();
      if (known.has(root)) continue;
      reached.set(digest, known.add(root));
      queue.push(...(below.get(digest) ?? []));
    }
  }
  const rootsOf = (digest: Digest): ReadonlySet<Digest> => reached.get(digest) ?? new Set();
  return {
    roots,
    damagedTags,
    rootsOf,
    of: (digest) => [...rootsOf(digest)].flatMap((root) => roots.get(root) ?? []),
  };
}

/** The images of each index, and the referrers of each manifest. */
function belowEach(manifests: ReadonlyMap<Digest, Manifest | undefined>): ReadonlyMap<Digest, readonly Digest[]> {
  const below = new Map<Digest, Digest[]>();
  const add = (above: Digest, digest: Digest): void => {
    const known = below.get(above);
    if (known === undefined) below.set(above, [digest]);
    else known.push(digest);
  };
  for (const [digest, manifest] of manifests) {
    if (manifest === undefined) continue;
    for (const child of childrenOf(manifest.view)) if (manifests.has(child.digest)) add(digest, child.digest);
    const subject = manifest.view.subject?.digest;
    if (subject !== undefined && manifests.has(subject)) add(subject, digest);
  }
  return below;
}
