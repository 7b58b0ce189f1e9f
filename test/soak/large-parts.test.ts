import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Digest } from '../../src/model/digest.ts';
import { hashReader } from '../../src/storage/blobs/hash-reader.ts';
import { at } from '../storage/drivers/every-driver.ts';
import { all, madeBytes } from '../storage/stores.ts';
import { s3Drivers } from '../support/programs/s3-drivers.ts';
import { needs } from '../support/programs.ts';
import { uploadedParts } from './bars.ts';

const stores = s3Drivers({ sidecar: true });
const partBytes = 5 * 1024 * 1024;
const [path, to] = [at('_uploads/one/data'), at('blobs/data')];

describe('an upload to a bucket in more parts than a page lists', { timeout: 1_200_000 }, () => {
  it(`goes on in another process, is copied to its place in parts, and leaves nothing: ${uploadedParts} parts`, async (t) => {
    if (!needs(t, 'versitygw')) return;
    const driver = await stores.open();
    const hash = createHash('sha256');
    const part = madeBytes('part', partBytes);
    const write = async (upload: Awaited<ReturnType<typeof driver.uploads.resume>>, from: number, until: number) => {
      assert.ok(upload);
      for (let nth = from; nth < until; nth += 1) {
        part[0] = nth;
        part[1] = nth >> 8;
        hash.update(part);
        await upload.write(part);
      }
    };
    const half = Math.floor(uploadedParts * 0.95);
    const begun = await driver.uploads.begin(path);
    await write(begun, 0, half);
    await begun.rest();
    const resumed = await driver.uploads.resume(path);
    assert.equal(resumed?.size, half * partBytes);
    await write(resumed, half, uploadedParts);
    const digest = `sha256:${hash.digest('hex')}` as Digest;
    await resumed?.rest({ digest });
    const last = await driver.uploads.resume(path);
    assert.equal(last?.digest, digest);
    await last?.commit(to);
    assert.equal((await driver.stat(to))?.size, uploadedParts * partBytes);
    const stored = await driver.open(to);
    assert.ok(stored);
    assert.equal((await hashReader(stored, 'sha256')).digest(), digest);
    assert.deepEqual((await driver.list(at('_uploads'), { deep: true })).entries, []);
    await driver.delete(to);
  });

  it('that a killed process left is counted and removed whole', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const driver = await stores.open();
    const forgotten = await driver.uploads.begin(to);
    const part = madeBytes('part', partBytes);
    for (let nth = 0; nth <= uploadedParts; nth += 1) await forgotten.write(part);
    const after = new Date(Date.now() + 3_600_000);
    const left = await all(driver.uploads.left?.(at('blobs'), after) ?? assert.fail('nothing is listed'));
    assert.deepEqual(
      left.map(({ path, size }) => [path, size]),
      [[to, uploadedParts * partBytes]],
    );
    await left[0]?.remove();
    assert.deepEqual(await all(driver.uploads.left?.(at('blobs'), after) ?? assert.fail()), []);
  });
});
