import { describe, it } from 'node:test';
import { openFilesystemDriver } from '../../src/storage/drivers/filesystem.ts';
import { collectBeside } from '../storage/collect/beside.ts';
import { s3Drivers } from '../support/programs/s3-drivers.ts';
import { needs } from '../support/programs.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const stores = s3Drivers();

describe('five collections beside two hundred pushes', () => {
  it('leave every promised tag whole: in a directory', async (t) => {
    const root = await temporaryDirectory(t);
    await collectBeside(() => openFilesystemDriver({ root }), { pushes: 200, collections: 5 });
  });

  it('the same in a bucket', async (t) => {
    if (!needs(t, 'versitygw')) return;
    await collectBeside(() => stores.open({ prefix: 'beside' }), { pushes: 200, collections: 5 });
  });
});
