import assert from 'node:assert/strict';
import fs from 'node:fs';
import { symlink } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isRemote } from '../../src/files/file-systems.ts';
import { expectWaits } from '../../src/files/quick-calls.ts';
import type { StorePath } from '../../src/storage/driver.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

/** Of an open file they wait for nobody. */
const harmless = ['closeSync', 'fstatSync'];

describe('the file system of a store', () => {
  it('is one on which calls wait for others, or none', () => {
    const [nfs, smb2, fuse] = [0x6969, 0xfe534d42, 0x65735546];
    const [ext4, tmpfs, overlay, btrfs] = [0xef53, 0x01021994, 0x794c7630, 0x9123683e];
    assert.deepEqual([nfs, smb2, smb2 | 0, fuse].map(isRemote), [true, true, true, true]);
    assert.deepEqual([ext4, tmpfs, overlay, btrfs, btrfs | 0].map(isRemote), [false, false, false, false, false]);
  });

  it('has no call on the main thread where calls wait for others', async (t) => {
    const root = await temporaryDirectory(t);
    await symlink(root, join(root, 'link'));
    const made: string[] = [];
    for (const name of Object.keys(fs).filter((each) => each.endsWith('Sync') && !harmless.includes(each))) {
      const original = fs[name as 'statSync'];
      const watched = (...args: Parameters<typeof original>) => {
        if (String(args[0]).startsWith(root)) made.push(name);
        return original(...args);
      };
      Object.assign(fs, { [name]: watched });
    }
    syncBuiltinESMExports();
    // Not before: it would have the unwatched functions.
    const { openFilesystemDriver } = await import('../../src/storage/drivers/filesystem.ts');
    expectWaits();
    const driver = await openFilesystemDriver({ root });
    const [here, absent] = ['some/where/file' as StorePath, 'some/where/else' as StorePath];
    await driver.put(here, Buffer.from('content'));
    const again = await openFilesystemDriver({ root });
    assert.equal(Buffer.from((await again.get(here, 100)) ?? []).toString(), 'content');
    assert.deepEqual(await again.exist?.([here, absent, 'no/where' as StorePath]), [true, false, false]);
    assert.equal((await again.stat(here))?.size, 7);
    await assert.rejects(again.get('link/some/where/file' as StorePath, 100), { code: 'STORAGE_DAMAGED' });
    assert.equal(await again.delete(here), true);
    assert.deepEqual(made, []);
  });
});
