import type { Context, Place, ServiceFlags } from '../../app/context.ts';
import { takesParts } from '../../places/takes-parts.ts';

/**
 * Opens a place that single blobs and manifests are written to.
 *
 * @throws OciError UNSUPPORTED for a place that takes whole images only
 */
export async function openTarget(word: string, flags: ServiceFlags, context: Context): Promise<Place> {
  return takesParts(await context.openPlace(word, 'destination', flags), word);
}
