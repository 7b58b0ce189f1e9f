/** The local store, for commands that use it: the others start without this file and what it needs. */

import type { Registry } from '../registry/registry.ts';
import { openFilesystemDriver } from '../storage/drivers/filesystem.ts';
import { createStorage } from '../storage/storage.ts';

export { listImages } from '../local-store/list.ts';

export async function openLocalStore(root: string): Promise<Registry> {
  return createStorage({ driver: await openFilesystemDriver({ root }), name: 'the local store', sparseIndexes: true });
}
