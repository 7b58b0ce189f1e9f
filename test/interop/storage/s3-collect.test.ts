import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import type { Driver, Upload } from '../../../src/storage/driver.ts';
import { blobPath } from '../../../src/storage/paths.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { collectBeside } from '../../storage/collect/beside.ts';
import { at } from '../../storage/drivers/every-driver.ts';
import { all, madeBytes, pushBytes, repo, text } from '../../storage/stores.ts';
import { ocictl } from '../../support/command.ts';
import { s3Drivers } from '../../support/programs/s3-drivers.ts';
import { needs } from '../../support/programs.ts';

const stores = s3Drivers();
const bytes = madeBytes('parts', 12_000_000);

/** As a process does that is killed while it writes: two parts are in the bucket, and nothing tells of them. */
async function forget(driver: Driver, path: string): Promise<Upload> {
  const upload = await driver.uploads.begin(at(path));
  await upload.write(bytes);
  return upload;
}

/** Makes what is in the bucket seem to be begun two days ago. Uploads are directories of the gateway, with a file for each part. */
async function age(directory: string, what: 'uploads' | 'uploads and parts'): Promise<void> {
  const before = new Date(Date.now() - 2 * 24 * 3_600_000);
  const parts = join(directory, '.sgwtmp', 'multipart');
  const entries = await readdir(parts, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (what === 'uploads and parts' || entry.isDirectory())
      await utimes(join(entry.parentPath, entry.name), before, before);
  }
}

const leftIn = async (driver: Driver, prefix: string): Promise<string[]> => {
  const left = driver.uploads.left?.(at(prefix), new Date(Date.now() + 3_600_000));
  assert.ok(left);
  return (await all(left)).map(({ path }) => path);
};

describe('garbage collection in a bucket', () => {
  it('removes the parts of a killed process once none came for a day, and no others', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const gateway = await stores.gateway();
    const prefix = randomUUID();
    const driver = await stores.open({ prefix });
    const place = async (name: string) => blobPath(await digestBytes(text(name)));
    const [old, slow, fresh] = [await place('old'), await place('slow'), await place('fresh')];
    const kept = [slow, fresh].sort();
    await pushBytes(createStorage({ driver }), repo, text('stored'));
    await forget(driver, old);
    await forget(driver, 'of another program/data');
    const living = await forget(driver, slow);
    await age(gateway.directory, 'uploads and parts');
    await living.write(bytes);
    await age(gateway.directory, 'uploads');
    await forget(driver, fresh);
    const root = `s3://${gateway.bucket}/${prefix}?endpoint=${gateway.url}`;
    const gc = (...words: string[]) => ocictl(t, ['storage', 'gc', '--root', root, ...words], { env: gateway.env });
    const planned = await gc('--dry-run');
    assert.equal(planned.exitCode, 12, planned.stderr);
    assert.match(planned.stderr, /would remove what was left of 1 unfinished transfer \(10\.5MB\)/);
    assert.deepEqual((await leftIn(driver, 'docker')).sort(), [old, ...kept].sort());
    const done = await gc();
    assert.equal(done.exitCode, 0, done.stderr);
    assert.match(done.stderr, /removed what was left of 1 unfinished transfer \(10\.5MB\)/);
    assert.deepEqual((await leftIn(driver, 'docker')).sort(), kept);
    assert.deepEqual(await leftIn(driver, 'of another program'), ['of another program/data']);
  });

  it('beside pushes, mounts, new tags and deletions leaves every promised tag whole', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const prefix = randomUUID();
    await collectBeside(() => stores.open({ prefix }), { pushes: 24, collections: 5 });
  });
});
