import type { Digest } from '../../model/digest.ts';
import type { StoreName, Tag } from '../../model/reference/reference.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import { findImagesOrDamage, noSuchImage } from '../find.ts';
import type { Chosen } from './survey.ts';

/**
 * The images of the store that words name.
 *
 * @param words Names, digests and image IDs.
 * @throws OciError IMAGE_UNKNOWN, REFERENCE_INVALID
 */
export async function chooseImages(registry: Registry, words: readonly string[], opts: SignalOption): Promise<Chosen> {
  const chosen = new Map<StoreName, { readonly digests: Set<Digest>; readonly tags: Set<Tag> }>();
  for (const word of words) {
    const found = await findImagesOrDamage(registry, word, opts);
    if (found.length === 0) throw noSuchImage(word);
    for (const { repo, tag, digest } of found) {
      const of = chosen.get(repo) ?? { digests: new Set(), tags: new Set() };
      chosen.set(repo, of);
      if (digest !== undefined) of.digests.add(digest);
      if (tag !== undefined) of.tags.add(tag);
    }
  }
  return chosen;
}
