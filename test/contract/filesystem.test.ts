import { openFilesystemDriver } from '../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../src/storage/storage.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { registryContract } from './registry.ts';

registryContract('storage over a directory', async (t) => {
  const driver = await openFilesystemDriver({ root: await temporaryDirectory(t) });
  return { registry: createStorage({ driver, name: 'directory', sparseIndexes: true }) };
});
