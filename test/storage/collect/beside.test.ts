import { describe, it } from 'node:test';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';
import { collectBeside } from './beside.ts';

describe('collections beside pushes, mounts, new tags and deletions', () => {
  it('leave every promised tag whole, and nothing of before that no manifest names: in memory', async () => {
    const driver = createMemoryDriver();
    await collectBeside(async () => driver, { pushes: 60, collections: 3 });
  });

  it('the same in a directory', async (t) => {
    const root = await temporaryDirectory(t);
    await collectBeside(() => openFilesystemDriver({ root }), { pushes: 24, collections: 3 });
  });
});
