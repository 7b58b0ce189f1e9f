import { drainFile } from '../../files/file-content.ts';
import { createHasher, type DigestAlgorithm, type Hasher } from '../../model/digest.ts';
import type { CheckBlobOptions } from '../../registry/extensions.ts';
import type { ObjectReader } from '../driver.ts';

/** Hashes the rest of an object, and closes it. */
export async function hashReader(
  object: ObjectReader,
  algorithm: DigestAlgorithm,
  opts?: CheckBlobOptions,
): Promise<Hasher> {
  try {
    const hasher = await createHasher(algorithm);
    const write = async (chunk: Uint8Array): Promise<void> => {
      hasher.update(chunk);
      opts?.onBytes?.(chunk.length);
    };
    await drainFile(object, { write }, [opts?.signal]);
    return hasher;
  } finally {
    await object.close();
  }
}
