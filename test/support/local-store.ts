import { parseReference, type StoreName, toStoreName, withDefaultTag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { openFilesystemDriver } from '../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../src/storage/storage.ts';
import { type Built, type PushOptions, pushImage } from './images.ts';
import { type Scope, sandbox } from './sandbox.ts';

/** The local store of the sandbox, which the commands of a test read and write. */
export async function localStore(t: Scope): Promise<Registry> {
  const driver = await openFilesystemDriver({ root: (await sandbox(t)).store });
  return createStorage({ driver, name: 'the local store', sparseIndexes: true });
}

/** Puts an image into the local store, as a pull of this name would. @returns The repository's name there. */
export async function keepImage(t: Scope, name: string, built: Built, options: PushOptions = {}): Promise<StoreName> {
  const reference = withDefaultTag(parseReference(name));
  const repo = toStoreName(reference);
  await pushImage(await localStore(t), repo, reference.tag, built, options);
  return repo;
}
