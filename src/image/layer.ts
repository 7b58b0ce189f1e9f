import { unpackedLayer } from '../archive/envelope/unpacked-layer.ts';
import { createHasher, type Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { quote } from '../model/quote.ts';
import { readTar } from './tar/read.ts';
import type { TarReading } from './tar/reading.ts';

/** A layer that is being read. It can be iterated once. */
interface LayerReading extends AsyncIterable<TarReading> {
  /** The digest of the uncompressed bytes, which an image's config names. @throws OciError USAGE before all was read. */
  diffId(): Digest;
}

/**
 * Opens a layer: gzip, zstd or plain, by its first bytes, whatever its media type says.
 *
 * @param content The bytes of the blob. They are read only as far as entries are asked for.
 * @returns Its entries. Iterating throws OciError ARCHIVE_INVALID for what is damaged or no tar archive, TOO_LARGE for what unpacks to a
 *   disproportionate size, and what the content throws.
 * @throws OciError UNSUPPORTED for encrypted layers and those that are no tar archive by their type.
 */
export async function openLayer(
  descriptor: Descriptor,
  content: AsyncIterable<Uint8Array>,
  opts: { readonly signal?: AbortSignal | undefined } = {},
): Promise<LayerReading> {
  refuseEncrypted(descriptor);
  const hasher = await createHasher();
  let diffId: Digest | undefined;
  const unpacked = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of unpackedLayer(content, descriptor)) {
      hasher.update(chunk);
      yield chunk;
    }
    diffId = hasher.digest();
  };
  return {
    [Symbol.asyncIterator]: () => readTar(unpacked(), { shown: `layer ${descriptor.digest}`, ...opts }),
    diffId() {
      if (diffId !== undefined) return diffId;
      throw new OciError('USAGE', `layer ${descriptor.digest} was not read to its end`);
    },
  };
}

/** @throws OciError UNSUPPORTED for a layer that only the holder of a key can read. */
function refuseEncrypted({ mediaType, digest }: Descriptor): void {
  if (!mediaType.endsWith('+encrypted')) return;
  throw new OciError('UNSUPPORTED', `layer ${digest} is encrypted: its type is ${quote(mediaType)}`, {
    hint: 'it can be copied as it is; to read or edit it, decrypt the image first with the program that encrypted it',
  });
}
