import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import type { Driver } from '../../../src/storage/driver.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { all } from '../../contract/contract.ts';
import { buildArtifact, buildImage, pushImage } from '../../support/images.ts';

const repo = parseRepositoryName('team/app');

/** A driver that records which blobs are read. */
function watched(driver: Driver): { readonly driver: Driver; readonly read: string[] } {
  const read: string[] = [];
  const get: Driver['get'] = (path, maxBytes) => {
    if (path.endsWith('/data')) read.push(path);
    return driver.get(path, maxBytes);
  };
  return {
    driver: new Proxy(driver, { get: (target, key) => (key === 'get' ? get : Reflect.get(target, key)) }),
    read,
  };
}

describe('a page of referrers in the store', () => {
  it('reads no manifest before its first entry or behind its last', async () => {
    const { driver, read } = watched(createMemoryDriver());
    const registry = createStorage({ driver });
    const subject = (await buildImage({ layers: [{ files: { a: 'a' } }] })).descriptor;
    for (let n = 0; n < 12; n += 1) {
      const artifact = await buildArtifact({ artifactType: 'a/b', subject, annotations: { n: String(n) } });
      await pushImage(registry, repo, undefined, artifact);
    }
    const whole = await all(registry.referrers(repo, subject.digest));
    assert.equal(whole.length, 12);
    read.length = 0;
    const after = whole[7]?.digest;
    assert.deepEqual(await all(registry.referrers(repo, subject.digest, { after, limit: 2 })), whole.slice(8, 10));
    assert.equal(read.length, 2);
  });
});
