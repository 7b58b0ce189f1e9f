import type { Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { unlessUnknown } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { isIndexType } from '../../model/manifest/media-types.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { forEveryTag } from '../moving/every-tag.ts';

interface NeededDigests {
  /** The digest that each tag points at. */
  readonly digests: ReadonlyMap<Tag, Digest>;
  /** Manifests that must not be deleted, and why. */
  readonly needed: ReadonlyMap<Digest, string>;
}

/**
 * Looks up the digest of every tag of a repository, and the manifests that the tags which stay need: their own, and all that
 * their indexes contain, at any depth.
 *
 * @param goes Whether a tag that points at this digest is to be deleted.
 * @throws OciError if a tag or an index cannot be read: deleting anything would then be unsafe.
 */
export async function neededDigests(
  { registry, repo, repository }: Place,
  goes: (tag: Tag, digest: Digest) => boolean,
  signal: AbortSignal,
): Promise<NeededDigests> {
  const digests = new Map<Tag, Digest>();
  const needed = new Map<Digest, string>();
  const stat = (tag: Tag): Promise<Descriptor | undefined> =>
    unlessUnknown(registry.statManifest(repo, tag, { signal }));
  const need = async ({ digest, mediaType }: Descriptor, why: string, inside: string): Promise<void> => {
    if (needed.has(digest)) return;
    needed.set(digest, why);
    if (!isIndexType(mediaType)) return;
    const index = await unlessUnknown(registry.getManifest(repo, digest, { signal }));
    if (index?.view.kind !== 'index') return;
    for (const entry of index.view.manifests) await need(entry, inside, inside);
  };
  const kept: (readonly [Tag, Descriptor])[] = [];
  for await (const outcome of forEveryTag(registry.tags(repo, { signal }), stat)) {
    if (outcome.error) throw outcome.error;
    const { tag, result } = outcome;
    if (!result) continue;
    digests.set(tag, result.digest);
    if (!goes(tag, result.digest)) kept.push([tag, result]);
  }
  for (const [tag, descriptor] of kept) {
    const name = `${repository}:${tag}`;
    await need(descriptor, `${name}, which stays, is the same image`, `${name}, which stays, needs it`);
  }
  return { digests, needed };
}
