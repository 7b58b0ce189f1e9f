/** Opens what a command reads or writes. Part of the composition root. */
import { refuseMisread } from './misread.ts';
import type { Place, PlaceRole, PlaceSources } from './place.ts';
import { isReference, kindOf } from './places.ts';

/**
 * @param word A reference, or a place of another kind, as {@link kindOf} distinguishes them.
 * @throws OciError REFERENCE_INVALID
 */
export async function openPlace(word: string, role: PlaceRole, sources: PlaceSources): Promise<Place> {
  const kind = kindOf(word);
  if (!isReference(word)) return kind.open(word.slice(kind.prefix.length), role, sources);
  const isRead = role === 'source' || role === 'repository';
  const name = isRead ? await sources.imageName(word) : word;
  refuseMisread(name, 'place');
  return kind.open(name, role, sources);
}
