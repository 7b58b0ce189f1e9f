import { drainFile } from '../../files/file-content.ts';
import { createHasher, type DigestAlgorithm, type Hasher } from '../../model/digest.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { Driver, StorePath } from '../driver.ts';

/** Feeds a file's bytes to a hash. @returns The hasher, or undefined when the file is absent. */
export async function hashFile(
  driver: Driver,
  path: StorePath,
  algorithm: DigestAlgorithm,
  opts?: SignalOption,
): Promise<Hasher | undefined> {
  const file = await driver.openRead(path);
  if (file === undefined) return undefined;
  try {
    const hasher = await createHasher(algorithm);
    await drainFile(file, { write: async (chunk) => hasher.update(chunk) }, [opts?.signal]);
    return hasher;
  } finally {
    await file.close();
  }
}
