import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { compressionOf, decompressed, magicBytes } from './compression.ts';
import { invalidArchive } from './errors.ts';

const hint = 'if you trust it, copy it as it is: layers that are not unpacked have no such limit';

/**
 * The uncompressed bytes of a layer. Its first bytes say how it is compressed: its type may be wrong.
 *
 * @throws OciError ARCHIVE_INVALID for a damaged or unknown compression, TOO_LARGE for a bomb, what the content throws.
 */
export async function* unpackedLayer(
  content: AsyncIterable<Uint8Array>,
  { digest }: Descriptor,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = content[Symbol.asyncIterator]();
  let first = new Uint8Array(0);
  let ended = false;
  while (first.length < magicBytes && !ended) {
    const { value, done } = await chunks.next();
    if (done) ended = true;
    else first = Buffer.concat([first, value]);
  }
  const whole = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield first;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  };
  const compression = compressionOf(first);
  const shown = `layer ${digest}`;
  if (compression === 'none') return yield* whole();
  if (compression === 'gzip' || compression === 'zstd')
    return yield* decompressed(whole(), compression, { shown, hint });
  await chunks.return?.();
  throw invalidArchive(shown, `is compressed with ${compression}, which no program unpacks in an image`);
}
