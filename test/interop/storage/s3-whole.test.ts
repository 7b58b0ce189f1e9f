import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { blobPath } from '../../../src/storage/paths.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { filesBelow, imageWith, madeBytes, otherRepo, pushBytes, repo } from '../../storage/stores.ts';
import { ocictl } from '../../support/command.ts';
import { s3Drivers } from '../../support/programs/s3-drivers.ts';
import { needs } from '../../support/programs.ts';
import { sandbox } from '../../support/sandbox.ts';

const stores = s3Drivers();

describe('ocictl storage with a bucket', () => {
  it('moves a registry there and back, counts it, and finds and mends what is missing', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const { home } = await sandbox(t);
    const [from, back] = [join(home, 'from'), join(home, 'back')];
    const registry = createStorage({ driver: await openFilesystemDriver({ root: from }) });
    const image = await imageWith(registry, repo, 'image');
    await registry.pushManifest(repo, image.raw, { tags: [parseTag('1')] });
    // In three parts.
    await pushBytes(registry, otherRepo, madeBytes('large', 11_000_000));

    const gateway = await stores.gateway();
    const bucket = `s3://${gateway.bucket}/moved?endpoint=${gateway.url}`;
    const storage = async (expected: number, ...words: string[]) => {
      const { exitCode, stdout, stderr } = await ocictl(t, ['storage', ...words], { env: gateway.env });
      assert.equal(exitCode, expected, stdout + stderr);
      return stdout + stderr;
    };
    const stats = async (root: string) => JSON.parse(await storage(0, 'stats', '--root', root, '--json')) as object;

    await storage(0, 'copy', from, bucket);
    assert.deepEqual(await stats(bucket), await stats(from));
    await storage(0, 'fsck', '--root', bucket, '--bytes');

    const driver = await stores.open({ prefix: 'moved' });
    await driver.delete(blobPath(image.layer.digest));
    assert.ok((await storage(10, 'fsck', '--root', bucket)).includes(image.layer.digest));
    await storage(0, 'copy', from, bucket);
    await storage(0, 'fsck', '--root', bucket, '--bytes');

    await storage(0, 'copy', bucket, back);
    assert.deepEqual(await filesBelow(join(back, 'docker')), await filesBelow(join(from, 'docker')));
    await storage(0, 'fsck', '--root', back, '--bytes');
  });
});
