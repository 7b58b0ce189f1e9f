import type { Digest } from '../model/digest.ts';
import { unlessUnknown } from '../model/errors.ts';
import type { Tag } from '../model/reference/reference.ts';
import type { TransferEnd } from './options.ts';

/**
 * The digest that a name has at a destination; undefined if there is none, or if it is damaged and must be written again.
 *
 * @throws OciError as {@link Reader.statManifest}, except for unknown names.
 */
export async function digestAt(
  { registry, repo }: TransferEnd,
  reference: Tag | Digest,
  signal?: AbortSignal,
): Promise<Digest | undefined> {
  const look = registry.statManifest(repo, reference, { signal, mayBeAbsent: true });
  return (await unlessUnknown(look, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'STORAGE_DAMAGED'))?.digest;
}
