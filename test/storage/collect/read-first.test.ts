import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OciError } from '../../../src/model/errors.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { type CollectOptions, garbageCollector } from '../../../src/registry/extensions.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { Driver } from '../../../src/storage/driver.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { entriesIn } from '../../../src/storage/listing.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { at } from '../drivers/every-driver.ts';
import { all, failsWith, imageWith, manifestOf, otherRepo, pushBytes, repo, text } from '../stores.ts';

const collect = async (registry: Registry, opts?: CollectOptions) =>
  await registry.extension(garbageCollector)?.collect(opts);

async function namesIn(driver: Driver): Promise<string[]> {
  const entries = await all(entriesIn(driver, at('docker'), { deep: true }));
  return entries.map(({ name }) => name);
}

describe('a collection that cannot read everything', () => {
  it('ends and removes nothing, whichever read fails, and the next one removes what it would have', async () => {
    const driver = createMemoryDriver();
    const registry = createStorage({ driver });
    const { raw } = await imageWith(registry, repo, 'stays');
    await registry.pushManifest(repo, raw, { tags: [parseTag('1')] });
    await registry.pushManifest(repo, (await imageWith(registry, repo, 'untagged')).raw);
    await pushBytes(registry, otherRepo, text('loose'));
    const before = await namesIn(driver);
    let calls = 0;
    let failAt = 0;
    let removals = 0;
    const failing = <A extends unknown[], R>(method: (...args: A) => Promise<R>) => {
      return async (...args: A): Promise<R> => {
        calls += 1;
        if (calls === failAt) throw new OciError('STORAGE', 'the disk did not answer');
        return await method(...args);
      };
    };
    const broken: Driver = {
      ...driver,
      get: failing(driver.get),
      stat: failing(driver.stat),
      list: failing(driver.list),
      delete: async (path) => {
        if (path.startsWith('docker/')) removals += 1;
        return await driver.delete(path);
      },
    };
    for (failAt = 1; failAt < 1_000; failAt += 1) {
      [calls, removals] = [0, 0];
      // One whose own announcement cannot be read has begun nothing either.
      const failure = await collect(createStorage({ driver: broken }), { untagged: true }).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (removals > 0) break;
      assert.ok(failsWith('STORAGE')(failure), `read ${failAt}`);
      assert.deepEqual(await namesIn(driver), before, `read ${failAt}`);
    }
    assert.ok(failAt > 20, String(failAt));
    await collect(registry, { untagged: true });
    assert.equal((await namesIn(driver)).length, 8); // 3 blobs, 2 layer links, 1 revision, 2 links of the tag
  });
});

describe('a collection of manifests without a tag', () => {
  const artifact = { mediaType: 'application/vnd.oci.image.manifest.v1+json', artifactType: 'application/vnd.test' };

  it('removes or keeps referrers whose subject is gone, as it is told', async () => {
    for (const [opts, stays] of [
      [{}, true],
      [{ orphans: true }, false],
      [{ untagged: true }, false],
      [{ untagged: true, orphans: false }, true],
    ] as const) {
      const registry = createStorage({ driver: createMemoryDriver() });
      const { raw, config, layer } = await imageWith(registry, repo, 'subject');
      const subject = await registry.pushManifest(repo, raw, { tags: [parseTag('1')] });
      const parts = { config, layers: [layer] };
      const orphan = await registry.pushManifest(
        repo,
        manifestOf({ ...artifact, ...parts, subject: { ...subject, digest: `sha256:${'0'.repeat(64)}` } }),
      );
      const referrer = await registry.pushManifest(repo, manifestOf({ ...artifact, ...parts, subject }));
      const untagged = await registry.pushManifest(repo, manifestOf({ ...artifact, ...parts }));
      const swept = await collect(registry, opts);
      const isThere = async (digest: typeof orphan.digest) =>
        await registry.statManifest(repo, digest).then(
          () => true,
          () => false,
        );
      const found = await Promise.all([orphan, referrer, untagged].map(({ digest }) => isThere(digest)));
      assert.deepEqual(found, [stays, true, !('untagged' in opts)], JSON.stringify(opts));
      assert.equal(swept?.untagged.length, found.filter((there) => !there).length);
    }
  });

  it('keeps what a marked one leads to, and its blobs', async () => {
    const driver = createMemoryDriver();
    const registry = createStorage({ driver });
    const { raw, config, layer } = await imageWith(registry, repo, 'child');
    const child = await registry.pushManifest(repo, raw);
    const index = await registry.pushManifest(
      repo,
      manifestOf({ manifests: [child] }, 'application/vnd.oci.image.index.v1+json'),
    );
    const serving = createStorage({ driver, keepUnusedMs: 60_000 });
    // A client was told that a blob of this name is there; nothing else of it is marked.
    await pushBytes(serving, otherRepo, (await registry.getManifest(repo, index.digest)).bytes);
    const swept = await collect(registry, { untagged: true });
    assert.deepEqual(swept?.untagged, []);
    assert.equal(swept?.kept.manifests, 2);
    for (const { digest } of [config, layer]) await registry.statBlob(repo, digest);
    await registry.getManifest(repo, child.digest);
  });
});
