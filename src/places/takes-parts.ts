import { OciError } from '../model/errors.ts';
import type { Place } from './place.ts';

/**
 * A place that single blobs and manifests are written to. One that takes whole images only is closed.
 *
 * @throws OciError UNSUPPORTED
 */
export async function takesParts(place: Place, word: string): Promise<Place> {
  if (place.readsBack !== false && place.kind.converts !== true) return place;
  await place[Symbol.asyncDispose]();
  throw new OciError('UNSUPPORTED', `${word} takes whole images, not their parts`, {
    hint: 'write to a registry or to a layout (oci:DIR), and copy the image when it is complete',
  });
}
