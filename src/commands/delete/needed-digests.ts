import type { Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { unlessUnknown } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { isIndexType } from '../../model/manifest/media-types.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { forEveryTag } from '../moving/every-tag.ts';

/** What tags of a repository point at. */
export type TagDescriptors = ReadonlyMap<Tag, Descriptor>;

/** Looks up every tag of a repository. @throws OciError if one cannot be read: deleting anything would then be unsafe. */
export async function describeTags({ registry, repo }: Place, signal: AbortSignal): Promise<TagDescriptors> {
  const tags = new Map<Tag, Descriptor>();
  const stat = (tag: Tag): Promise<Descriptor | undefined> =>
    unlessUnknown(registry.statManifest(repo, tag, { signal }));
  for await (const outcome of forEveryTag(registry.tags(repo, { signal }), stat)) {
    if (outcome.error) throw outcome.error;
    if (outcome.result) tags.set(outcome.tag, outcome.result);
  }
  return tags;
}

/**
 * The manifests that tags need: their own, and all that their indexes contain, at any depth.
 *
 * @param staying The tags that stay.
 * @returns Why each must not be deleted.
 * @throws OciError if an index cannot be read: deleting anything would then be unsafe.
 */
export async function neededBy(
  { registry, repo, repository }: Place,
  staying: Iterable<readonly [Tag, Descriptor]>,
  signal: AbortSignal,
): Promise<ReadonlyMap<Digest, string>> {
  const needed = new Map<Digest, string>();
  const need = async ({ digest, mediaType }: Descriptor, why: string, inside: string): Promise<void> => {
    if (needed.has(digest)) return;
    needed.set(digest, why);
    if (!isIndexType(mediaType)) return;
    const index = await unlessUnknown(registry.getManifest(repo, digest, { signal }));
    if (index?.view.kind !== 'index') return;
    for (const entry of index.view.manifests) await need(entry, inside, inside);
  };
  for (const [tag, descriptor] of staying) {
    const name = `${repository}:${tag}`;
    await need(descriptor, `${name}, which stays, is the same image`, `${name}, which stays, needs it`);
  }
  return needed;
}
