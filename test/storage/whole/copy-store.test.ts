import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OciError } from '../../../src/model/errors.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { garbageCollector } from '../../../src/registry/extensions.ts';
import type { Driver } from '../../../src/storage/driver.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { entriesIn } from '../../../src/storage/listing.ts';
import { openStore as openWhole } from '../../../src/storage/open-store.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { copyStore } from '../../../src/storage/whole/copy-store.ts';
import { storeStats } from '../../../src/storage/whole/stats.ts';
import { at, drivers } from '../drivers/every-driver.ts';
import { all, imageWith, madeBytes, manifestOf, otherRepo, pushBytes, readBlob, repo } from '../stores.ts';

const [one, two] = [parseTag('one'), parseTag('two')];

async function filled() {
  const driver = createMemoryDriver();
  const registry = createStorage({ driver });
  const image = await imageWith(registry, repo, 'image');
  const descriptor = await registry.pushManifest(repo, image.raw, { tags: [one, two] });
  const large = await pushBytes(registry, otherRepo, madeBytes('large', 400 * 1024));
  for (const { digest } of [image.config, image.layer]) await registry.mountBlob(otherRepo, digest, { from: repo });
  const layers = [image.layer, { ...large, mediaType: mediaTypes.ociLayer }];
  const raw = manifestOf({ config: image.config, layers, subject: descriptor });
  await registry.pushManifest(otherRepo, raw, { tags: [one] });
  return { driver, registry, image, descriptor, large };
}

async function namesIn(driver: Driver, prefix = 'docker'): Promise<string[]> {
  return (await all(entriesIn(driver, at(prefix), { deep: true }))).map(({ name }) => name);
}

const whole = (driver: Driver) => openWhole({ driver, name: driver.name });

describe('a copy of a store', () => {
  for (const [name, open] of drivers) {
    it(`has every file of it, and no second copy has anything to do: to ${name}`, async (t) => {
      const { driver: from, descriptor } = await filled();
      const to = await open(t);
      const planned = await copyStore(whole(from), whole(to), { dryRun: true });
      assert.deepEqual(await namesIn(to), []);
      const copied = await copyStore(whole(from), whole(to));
      assert.deepEqual(copied, planned);
      assert.equal(copied.copied.count, 5);
      assert.equal(copied.tags, 3);
      assert.deepEqual(await namesIn(to), await namesIn(from));
      assert.deepEqual(await namesIn(to, 'leases'), []);
      const again = await copyStore(whole(from), whole(to));
      assert.deepEqual([again.copied.count, again.links, again.tags, again.present.count], [0, 0, 0, 5]);
      const registry = createStorage({ driver: to });
      assert.equal((await registry.statManifest(repo, two)).digest, descriptor.digest);
    });
  }

  it('goes on where it was interrupted, at whatever call, and a tag is never there before its image', async () => {
    const { driver: from } = await filled();
    const to = createMemoryDriver();
    let calls = 0;
    for (let failAt = 1; ; failAt += 3) {
      calls = 0;
      const broken: Driver = {
        ...to,
        put: async (...args) => {
          calls += 1;
          if (calls === failAt) throw new OciError('STORAGE_FULL', 'no space left');
          await to.put(...args);
        },
      };
      const copied = await copyStore(whole(from), whole(broken)).catch((error: unknown) => String(error));
      const registry = createStorage({ driver: to });
      for (const tagged of [repo, otherRepo]) {
        for (const tag of await all(registry.tags(tagged)).catch(() => [])) {
          const { view } = await registry.getManifest(tagged, tag);
          assert.ok(view.kind === 'image');
          for (const { digest } of [view.config, ...view.layers]) await readBlob(registry, tagged, digest);
        }
      }
      if (typeof copied !== 'string') break;
    }
    assert.deepEqual(await namesIn(to), await namesIn(from));
  });

  it('moves a tag that points elsewhere, leaves damaged blobs and links to nothing behind, and names them', async () => {
    const { driver: from, registry, image, large } = await filled();
    const to = createMemoryDriver();
    await copyStore(whole(from), whole(to));
    const other = await imageWith(registry, repo, 'other');
    const moved = await registry.pushManifest(repo, other.raw, { tags: [one] });
    assert.equal((await copyStore(whole(from), whole(to))).tags, 1);
    assert.equal((await createStorage({ driver: to }).statManifest(repo, one)).digest, moved.digest);
    const hex = large.digest.slice('sha256:'.length);
    await from.put(at(`docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`), new Uint8Array(large.size));
    await from.put(
      at(`docker/registry/v2/repositories/${repo}/_layers/sha256/${'0'.repeat(64)}/link`),
      Buffer.from(`sha256:${'0'.repeat(64)}`),
    );
    const empty = createMemoryDriver();
    const copied = await copyStore(whole(from), whole(empty));
    assert.deepEqual(copied.damaged, [large.digest]);
    assert.equal(copied.dangling, 2);
    await readBlob(createStorage({ driver: empty }), repo, image.layer.digest);
  });

  it('keeps its blobs from a collection that runs before their links are there', async () => {
    const { driver: from } = await filled();
    const to = createMemoryDriver();
    let collected: unknown;
    const meanwhile: Driver = {
      ...from,
      list: async (prefix, opts) => {
        // All blobs have been copied by now.
        if (prefix.endsWith('repositories')) {
          collected ??= (await createStorage({ driver: to }).extension(garbageCollector)?.collect())?.removed;
        }
        return await from.list(prefix, opts);
      },
    };
    await copyStore(whole(meanwhile), whole(to));
    assert.deepEqual(collected, []);
    assert.deepEqual(await namesIn(to), await namesIn(from));
  });
});

describe('the figures of a store', () => {
  it('count what is there, what repositories share, what none has, and the largest', async () => {
    const { driver, registry, large } = await filled();
    await pushBytes(registry, repo, madeBytes('loose', 2_000));
    const loose = await pushBytes(registry, repo, madeBytes('unlinked', 3_000));
    await registry.deleteBlob(repo, loose.digest);
    await using writer = await registry.startUpload(repo);
    await writer.write(madeBytes('upload', 300 * 1024));
    const stats = await storeStats(whole(driver), { limit: 1 });
    assert.deepEqual([stats.repositories, stats.tags, stats.manifests, stats.blobs.count], [2, 3, 2, 7]);
    assert.equal(stats.shared.count, 2);
    assert.deepEqual(stats.unlinked, { count: 1, bytes: 3_000 });
    assert.equal(stats.uploads.count, 1);
    assert.deepEqual(stats.largestBlobs, [{ digest: large.digest, size: large.size, repositories: 1 }]);
    assert.deepEqual(
      stats.largestRepositories.map(({ name, blobs }) => [name, blobs]),
      [[otherRepo, 4]],
    );
  });
});
