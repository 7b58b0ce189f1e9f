import assert from 'node:assert/strict';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { CheckedBlobs } from '../../../src/storage/collect/checked-blobs.ts';
import { refuseDamaged } from '../../../src/storage/collect/damage.ts';
import type { ObjectReader } from '../../../src/storage/driver.ts';
import { ListedTags } from '../../../src/storage/manifests/listed-tags.ts';
import { Marks } from '../../../src/storage/marks/marks.ts';
import { blobPath } from '../../../src/storage/paths.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import type { Store } from '../../../src/storage/store.ts';
import { RecentSessions } from '../../../src/storage/uploads/recent-sessions.ts';
import { failsWith } from '../../contract/contract.ts';
import { imageWith, madeBytes, manifestOf, openStore, pushBytes, repo } from '../stores.ts';

describe('a blob that is doubted', () => {
  it('stays where somebody has repaired it while it was looked at', async (t) => {
    const { root, driver } = await openStore(t);
    const bytes = madeBytes('good', 300_000);
    const stored = await digestBytes(bytes);
    const path = blobPath(stored);
    let repairs = 0;
    const repaired: Store['driver'] = {
      ...driver,
      open: async (from, range) => {
        const file = await driver.open(from, range);
        if (repairs > 0) {
          repairs -= 1;
          await driver.put(path, bytes);
        }
        return file;
      },
    };
    const store: Store = {
      driver: repaired,
      marks: new Marks(repaired, 0),
      name: 'store',
      sparseIndexes: true,
      sparse: false,
      checked: new CheckedBlobs(),
      sessions: new RecentSessions(),
      known: undefined,
      listed: new ListedTags(driver),
      maxManifestBytes: 1_000_000,
      now: () => new Date(),
    };
    const doubted = { path, stored, size: bytes.length };
    // Damage of the same size and of another size: neither the size nor the time alone may be what is compared.
    for (const damage of [madeBytes('bad', bytes.length), madeBytes('bad', 10)]) {
      await driver.put(path, damage);
      // Two writes may have the same time in the file system.
      await utimes(join(root, path), new Date(0), new Date(0));
      repairs = 1;
      await refuseDamaged(store, doubted);
      assert.deepEqual(await driver.get(path, 1_000_000).then((found) => found && digestBytes(found)), stored);
      await driver.put(path, damage);
      await assert.rejects(refuseDamaged(store, doubted), failsWith('STORAGE_DAMAGED'));
      assert.equal(await driver.stat(path), undefined);
    }
  });
});

describe('a manifest that names a wrong size', () => {
  it('has a blob hashed once, however often it is pushed and read, until the file is another one', async (t) => {
    const { driver } = await openStore(t);
    const read = new Set<ObjectReader>();
    const counting: Store['driver'] = {
      ...driver,
      open: async (path, range) => {
        const file = await driver.open(path, range);
        return file && { ...file, read: (into) => file.read(read.add(file) && into) };
      },
    };
    const registry = createStorage({ driver: counting });
    const { config } = await imageWith(registry, repo, 'a');
    const layer = await pushBytes(registry, repo, madeBytes('layer', 300_000));
    const lying = manifestOf({ config, layers: [{ ...layer, size: layer.size + 1 }] });
    read.clear();
    for (let round = 0; round < 3; round += 1) {
      const { digest } = await registry.pushManifest(repo, lying);
      await registry.getManifest(repo, digest);
      await Promise.all([registry.statBlob(repo, layer.digest), registry.statBlob(repo, layer.digest)]);
      const wanted = registry.getBlob(repo, { ...layer, size: layer.size + 1 });
      await assert.rejects(wanted, failsWith('SIZE_MISMATCH'));
    }
    assert.equal(read.size, 1);
    await driver.put(blobPath(layer.digest), madeBytes('bad', 10));
    await assert.rejects(registry.statBlob(repo, layer.digest), failsWith('STORAGE_DAMAGED'));
  });
});
