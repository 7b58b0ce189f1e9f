import type { Context, Place, ServiceFlags } from '../../app/context.ts';
import { isOciError } from '../../model/errors.ts';
import { isReference } from '../../places/places.ts';

/**
 * Opens an image to save. A name without a prefix is looked for in the local store first, as Docker does.
 *
 * @throws OciError what the place throws.
 */
export async function openSource(
  word: string,
  flags: ServiceFlags & { readonly remote: boolean },
  context: Context,
): Promise<Place> {
  const stored = isReference(word) && !flags.remote ? await openStored(word, context, flags) : undefined;
  return stored ?? (await context.openPlace(word, 'source', flags));
}

/**
 * The word for what the reader of an archive has: an image that the local store has is meant there, as in {@link openSource}.
 * A repository without a tag is one of a registry.
 */
export async function baseWord(word: string, flags: { readonly remote: boolean }, context: Context): Promise<string> {
  const stored = isReference(word) && !flags.remote ? await openStored(word, context) : undefined;
  return stored?.named ? `store:${word}` : word;
}

async function openStored(word: string, context: Context, flags?: ServiceFlags): Promise<Place | undefined> {
  try {
    const place = await context.openPlace(`store:${word}`, 'source', flags);
    await place.registry.statManifest(place.repo, place.reference, { signal: context.signal });
    return place;
  } catch (error) {
    // Not there, not a name that the store could have, or no store: the registry's answer counts.
    if (isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'REFERENCE_INVALID', 'STORAGE')) return undefined;
    throw error;
  }
}
