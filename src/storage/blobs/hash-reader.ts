import { drainFile } from '../../files/file-content.ts';
import { createHasher, type DigestAlgorithm, type Hasher } from '../../model/digest.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { ObjectReader } from '../driver.ts';

/** Hashes the rest of an object, and closes it. */
export async function hashReader(
  object: ObjectReader,
  algorithm: DigestAlgorithm,
  opts?: SignalOption,
): Promise<Hasher> {
  try {
    const hasher = await createHasher(algorithm);
    await drainFile(object, { write: async (chunk) => hasher.update(chunk) }, [opts?.signal]);
    return hasher;
  } finally {
    await object.close();
  }
}
